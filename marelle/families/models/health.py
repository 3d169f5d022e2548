"""Health files, sealed, and who opened them."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marelle.families.models.homes import Child


class HealthFile(models.Model):
    """A child's health file: what is in it is sealed (`families.health.content`); `families.health.files` alone
    opens and writes it.

    A confirmation counts until `valid_until`, the end of `school_year`. `has_plan` and `plan_until` stand in clear, to
    be counted and to remind: only who may read the file sees them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    child = models.OneToOneField(Child, on_delete=models.CASCADE, related_name="health_file")
    sealed = models.BinaryField()
    version = models.PositiveIntegerField(default=1, help_text=_("Change à chaque enregistrement."))
    changed_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()
    confirmed_by_label = models.CharField(max_length=150)
    confirmed_by_household = models.BigIntegerField(null=True)
    school_year = models.CharField(max_length=9)
    valid_until = models.DateField()
    has_plan = models.BooleanField(default=False)
    plan_until = models.DateField(null=True)
    plan_reminded_for = models.DateField(null=True, help_text=_("L’échéance du PAI dont la famille a été prévenue."))

    class Meta:
        indexes = [
            models.Index(fields=["plan_until"], condition=Q(has_plan=True), name="health_plan_until"),
            models.Index(fields=["valid_until"], name="health_valid_until"),
        ]

    def __str__(self) -> str:
        return f"{self.child_id} ({self.school_year})"

    def bound_to(self) -> str:
        return f"families.HealthFile:{self.pk}"


class ReadingReason(models.TextChoices):
    """Why somebody opens what is sealed: a choice, never words of theirs, which could tell what they read."""

    OWN = "own", _("Consultation par la famille")
    EDIT = "edit", _("Mise à jour par la famille")
    DAY = "day", _("Accueil du jour")
    QUESTION = "question", _("Question de la famille")
    PLAN = "plan", _("Préparation ou suivi d’un PAI")
    EMERGENCY = "emergency", _("Urgence")


class HealthReading(models.Model):
    """One opening of what is sealed about a child: who, when, why. Never changed. It outlives whom it names."""

    class What(models.TextChoices):
        FILE = "file", _("Fiche santé")
        FORBIDDEN = "forbidden", _("Personnes interdites")
        REQUEST = "request", _("Demande")

    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="health_readings")
    what = models.CharField(max_length=10, choices=What.choices, default=What.FILE)
    at = models.DateTimeField()
    reader_id = models.BigIntegerField()
    reader_label = models.CharField(max_length=150)
    by_agent = models.BooleanField(default=False)
    household_id = models.BigIntegerField(null=True, help_text=_("Le foyer de qui lit ; vide pour un agent."))
    why = models.CharField(max_length=10, choices=ReadingReason.choices)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["child", "-at"], name="health_reading_child")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.reader_label} ({self.why})"
