"""Who surrounds a child, and what is allowed."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marelle.families.models.homes import Child, Household
from marelle.foundation.models import StoredFile


class EmergencyContact(models.Model):
    """Whom to call after the adults of the home, in order. It belongs to the home that gave it: the other never sees
    it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="contacts")
    children = models.ManyToManyField(Child, related_name="contacts")
    name = models.CharField(_("Nom"), max_length=120)
    link = models.CharField(_("Lien avec l’enfant"), max_length=60)
    phone = models.CharField(_("Téléphone"), max_length=30)
    other_phone = models.CharField(_("Autre téléphone"), max_length=30, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "created_at", "id"]

    def __str__(self) -> str:
        return self.name


class AuthorisedPerson(models.Model):
    """Somebody whom a home lets fetch its children, from `first_day` to `last_day` (none: no bound). An agent says when
    they have seen the identity document. Removed ones stay a while, to be put back and to know who could come."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="authorised")
    children = models.ManyToManyField(Child, related_name="authorised")
    name = models.CharField(_("Prénom et nom"), max_length=120)
    link = models.CharField(_("Lien avec l’enfant"), max_length=60)
    phone = models.CharField(_("Téléphone"), max_length=30)
    photo = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True, related_name="+")
    first_day = models.DateField(_("Du"), null=True, blank=True)
    last_day = models.DateField(_("Au"), null=True, blank=True)
    identity_checked_at = models.DateTimeField(null=True)
    identity_checked_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(first_day=None) | Q(last_day=None) | Q(last_day__gte=models.F("first_day")),
                name="authorised_days_in_order",
            )
        ]
        indexes = [
            models.Index(fields=["last_day"], condition=Q(last_day__isnull=False), name="authorised_last_day"),
            models.Index(fields=["removed_at"], condition=Q(removed_at__isnull=False), name="authorised_removed"),
        ]

    def __str__(self) -> str:
        return self.name


class ForbiddenPerson(models.Model):
    """Somebody who may not fetch the child, as agents record it from a judgment: name and note are sealed, opened for
    agents who read health files, and never shown to families."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="forbidden")
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.child_id} ({self.created_at:%Y-%m-%d})"

    def bound_to(self) -> str:
        return f"families.ForbiddenPerson:{self.pk}"


class PermissionAnswer(models.Model):
    """What a home answers for a school year to one of the town's permissions (`permission`: its slug). What counts for
    a child of two homes is `queries.permissions_of`."""

    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="permission_answers")
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="permission_answers")
    permission = models.CharField(max_length=50)
    school_year = models.CharField(max_length=9)
    allowed = models.BooleanField()
    answered_at = models.DateTimeField()
    answered_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["child", "household", "permission", "school_year"], name="one_permission_answer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.child_id} {self.permission} {self.school_year}"
