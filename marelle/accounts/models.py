import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
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


class Theme(models.TextChoices):
    """How the pages look to someone; the device decides when nothing is said."""

    AUTO = "", _("Comme mon appareil")
    LIGHT = "light", _("Clair")
    DARK = "dark", _("Sombre")


class User(AbstractBaseUser):
    """Someone who signs in: a guardian, an agent, or both. Known by their e-mail address, always in lower case."""

    email = models.EmailField(_("Adresse e-mail"), unique=True)
    name = models.CharField(max_length=150)
    is_active = models.BooleanField(default=True)
    invited_at = models.DateTimeField(null=True)
    invitations = models.PositiveSmallIntegerField(default=0, help_text=_("Combien de fois l’invitation est partie."))
    activated_at = models.DateTimeField(null=True)
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO, blank=True)
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
    reads_health = models.BooleanField(
        default=False,
        help_text=_("Peut ouvrir les fiches santé des enfants de ses sites ; chaque lecture est inscrite."),
    )

    def __str__(self) -> str:
        return f"{self.user} ({self.get_kind_display()})"


class Session(AbstractBaseSession):
    """A browser's session, which also says whose it is and on what it was opened: one can close one's own elsewhere.
    `device` and `opened_at` are empty until somebody signs in; `used_at` is the last use, to the hour or so."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    device = models.CharField(max_length=80, blank=True)
    opened_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    @property
    def public_name(self) -> str:
        """What a page may call it: its key opens it, and stays here."""
        return salted_hmac("marelle.accounts.session", self.session_key).hexdigest()[:20]

    @classmethod
    def get_session_store_class(cls) -> type[DatabaseSessionStore]:
        from marelle.accounts.sessions import SessionStore

        return SessionStore


class CodePurpose(models.TextChoices):
    DOOR = "door", _("Entrer")
    PROOF = "proof", _("Confirmer que c’est bien soi")
    ADDRESS = "address", _("Confirmer une nouvelle adresse")


class SentCode(models.Model):
    """A code of six digits sent to an address, whoever has it. The code itself is nowhere: `marelle.accounts.codes`
    derives it from this row and the portal's secret. Instants are the real clock's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=10, choices=CodePurpose.choices)
    email = models.EmailField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.purpose} for {self.email}"


class AddressChange(models.Model):
    """That someone's address was changed, so that who holds the old one can put it back. `undone_at`: they did."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="address_changes")
    old = models.EmailField()
    new = models.EmailField()
    changed_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-changed_at"]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"


class SecondFactor(models.Model):
    """The application that gives someone codes of six digits, and their recovery codes, each good once.

    `last_step`: the half minute of the last code taken, so that none serves twice. `recovery`: what is left, hashed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    secret = models.BinaryField()
    recovery = models.JSONField(default=list)
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"

    def bound_to(self) -> str:
        return f"accounts.SecondFactor:{self.pk}"
