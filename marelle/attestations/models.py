"""Attestations issued, each with the file that was given."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.activities.models import Service
from marelle.families.models import Child, Household
from marelle.foundation.models import StoredFile


class AttestationKind(models.TextChoices):
    ENROLMENT = "enrolment", _("Attestation d’inscription")
    ATTENDANCE = "attendance", _("Attestation de présence")


class Attestation(models.Model):
    """What the portal attested, for one household, of one child and service, from `first_day` to `last_day`. Never
    changed: asking for the file again gives the same bytes. `code` is what the public checks; `facts`: what it said,
    apart from its date, so that the same one is not issued twice in a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=14, unique=True)
    kind = models.CharField(max_length=12, choices=AttestationKind.choices)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="attestations")
    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()
    facts = models.JSONField()
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    issued_on = models.DateField(help_text=_("Le jour, au fuseau de la commune."))
    issued_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    issued_by_label = models.CharField(max_length=150)

    class Meta:
        ordering = ["-issued_at", "id"]
        indexes = [models.Index(fields=["household", "-issued_at"], name="attestation_household")]

    def __str__(self) -> str:
        return f"{self.code} ({self.kind})"
