from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from marelle.activities.models import Site
from marelle.foundation.audit import Actor


class UserManager(BaseUserManager["User"]):
    def create_user(self, *, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who signs in with `email`; without a password, only by a link sent to that address."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """Someone who signs in: a guardian, an agent, or both. Known by their e-mail address, always in lower case."""

    email = models.EmailField(_("Adresse e-mail"), unique=True)
    name = models.CharField(max_length=150)
    is_active = models.BooleanField(default=True)
    invited_at = models.DateTimeField(null=True)
    invitations = models.PositiveSmallIntegerField(default=0, help_text=_("Combien de fois l’invitation est partie."))
    activated_at = models.DateTimeField(null=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_address")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_closed(self) -> bool:
        """Someone came in once and an agent shut the door behind them. Who never came in is only not active yet."""
        return not self.is_active and self.activated_at is not None

    def actor(self, *, as_agent: bool = False) -> Actor:
        return Actor(id=self.pk, label=str(self), is_agent=as_agent)


class AgentRole(models.Model):
    """What an agent may do, and for which sites (none named: all of them)."""

    class Kind(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administration")
        OFFICE = "office", _("Service enfance")
        SITE = "site", _("Direction de site")

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="agent_role")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    job_title = models.CharField(max_length=80, blank=True)
    sites = models.ManyToManyField(Site, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.user} ({self.get_kind_display()})"
