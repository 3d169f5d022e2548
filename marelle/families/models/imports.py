"""Families brought in from a file."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marelle.activities.models import Site
from marelle.foundation.models import StoredFile


class ImportState(models.TextChoices):
    MATCHING = "matching", _("Colonnes à associer")
    READING = "reading", _("Lecture en cours")
    READY = "ready", _("À vérifier")
    SAVING = "saving", _("Enregistrement en cours")
    SAVED = "saved", _("Enregistré")
    UNDONE = "undone", _("Annulé")
    DROPPED = "dropped", _("Abandonné")


class ImportRun(models.Model):
    """One bringing in of families from a file: its sealed file(s), what it would write, and what it wrote.

    `plan` is what was shown (`imports.planning.Plan`), `journal` what undoing needs; with the files, they go after a
    month and `counts` stays. `kept`: the changes ("child:12:level") that the agent leaves aside.
    """

    class Kind(models.TextChoices):
        ONDE = "onde", _("Export ONDE")
        SPREADSHEET = "spreadsheet", _("Tableau")

    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=ImportState.choices)
    name = models.CharField(max_length=220)
    lines = models.PositiveIntegerField(default=0)
    school = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    file = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True, related_name="+")
    second_file = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True, related_name="+")
    matching = models.JSONField(default=dict)
    plan = models.JSONField(null=True)
    kept = models.JSONField(default=list)
    journal = models.JSONField(null=True)
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    saved_at = models.DateTimeField(null=True)
    saved_by = models.CharField(max_length=150, blank=True)
    saved_by_user = models.BigIntegerField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=150, blank=True)
    claimed_at = models.DateTimeField(null=True, help_text=_("Quand un processus a commencé le travail en cours."))

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_state_display()})"


class ColumnMatch(models.Model):
    """What an agent said of the columns of a spreadsheet, for the next one with the same header."""

    signature = models.CharField(max_length=64, unique=True)
    matching = models.JSONField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.signature[:12]
