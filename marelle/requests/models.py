"""Whatever a family asks and an agent answers: one numbered request, made of lines that each get their answer."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.activities.models import Activity, Service, Unit
from marelle.families.models import Child, Household
from marelle.rules.lifecycles import LineState, RequestState


class RequestKind(models.TextChoices):
    ENROLMENT = "enrolment", _("Inscription")
    BOOKING = "booking", _("Réservation")
    ABSENCE = "absence", _("Absence")


class FamilyRequest(models.Model):
    """One send, one number, whatever the services and children in it. `send_key` makes a repeated send the same
    request."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="requests")
    kind = models.CharField(max_length=20, choices=RequestKind.choices)
    state = models.CharField(
        max_length=12, choices=[(state, state) for state in RequestState], default=RequestState.SENT
    )
    send_key = models.UUIDField(unique=True, default=uuid.uuid4)
    sent_at = models.DateTimeField()
    sent_year = models.PositiveSmallIntegerField(help_text=_("L’année du numéro, au fuseau de la commune."))
    sent_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    sent_by_label = models.CharField(max_length=150)
    by_agent = models.BooleanField(default=False, help_text=_("Faite par un agent, pour la famille."))
    message = models.TextField(_("Message"), blank=True)
    effect_date = models.DateField(null=True, help_text=_("Le premier jour concerné : ce qui presse passe devant."))
    answered_at = models.DateTimeField(null=True)
    opened_by_label = models.CharField(max_length=150, blank=True)
    opened_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    opened_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "effect_date", "id"], name="request_queue"),
            models.Index(fields=["household", "-id"], name="request_household"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """ "2026-004871": the year it was sent and its row; gaps are allowed, no counter is locked."""
        return f"{self.sent_year}-{self.pk:06d}"


class Act(models.TextChoices):
    ENROL = "enrol", _("Inscription")
    BOOK = "book", _("Ajout")
    CANCEL = "cancel", _("Annulation")
    ABSENT = "absent", _("Absence")


class RequestLine(models.Model):
    """One thing asked in a request, which says all of itself: for whom, what, when, and the answer it got."""

    request = models.ForeignKey(FamilyRequest, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    act = models.CharField(max_length=10, choices=Act.choices)
    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="request_lines")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    date = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=[(state, state) for state in LineState], default=LineState.PENDING)
    at_once = models.BooleanField(default=False, help_text=_("Acceptée à l’envoi, sans agent."))
    late = models.BooleanField(default=False, help_text=_("Faite par un agent après la limite."))
    reason = models.CharField(_("Motif"), max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by_label = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["request_id", "position"]
        constraints = [models.UniqueConstraint(fields=["request", "position"], name="line_position")]
        indexes = [models.Index(fields=["child", "unit", "date"], name="line_day")]

    def __str__(self) -> str:
        return f"{self.act} {self.child_id} {self.date or self.service_id} ({self.state})"
