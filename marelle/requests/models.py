"""Whatever a family asks and an agent answers: one numbered request, made of lines that each get their answer."""

import uuid
from typing import NamedTuple

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.activities.models import Activity, Service, Site, Unit
from marelle.families.models import Child, Household
from marelle.foundation.models import StoredFile
from marelle.foundation.sealed import SealedTextField
from marelle.rules.lifecycles import LineState, RequestState


class RequestKind(models.TextChoices):
    ENROLMENT = "enrolment", _("Inscription")
    BOOKING = "booking", _("Réservation")
    ABSENCE = "absence", _("Absence")
    ACCOUNT = "account", _("Nouveau compte")
    DATA = "data", _("Changement")
    PAPER = "paper", _("Document")
    QUESTION = "question", _("Demande")


#: What is asked of a day or of a service, and answered by the bookings' room.
OF_SERVICES = (RequestKind.ENROLMENT, RequestKind.BOOKING, RequestKind.ABSENCE)


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
    message = SealedTextField(_("Message"))
    topic = models.SlugField(blank=True, help_text=_("Parmi les demandes que propose la commune, laquelle."))
    is_health = models.BooleanField(
        default=False, help_text=_("Ce qui s’y écrit relève de la santé : seuls certains agents le lisent.")
    )
    answer_days = models.PositiveSmallIntegerField(
        null=True, help_text=_("Jours ouvrés promis pour répondre ; vide : ceux de la commune.")
    )
    assigned_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    assigned_to_label = models.CharField(max_length=150, blank=True)
    unread_since = models.DateTimeField(
        null=True, help_text=_("Le premier message de la famille qu’aucun agent n’a lu.")
    )
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
            models.Index(fields=["assigned_to"], condition=Q(state=RequestState.SENT), name="request_assigned"),
            models.Index(fields=["unread_since"], condition=Q(unread_since__isnull=False), name="request_unread"),
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
    JOIN = "join", _("Nouveau compte")
    CHANGE = "change", _("Changement")
    GIVE = "give", _("Document")
    ASK = "ask", _("Demande")


#: The acts that concern a service: their lines name its activity.
ON_SERVICES = (Act.ENROL, Act.BOOK, Act.CANCEL, Act.ABSENT)


class OfService(NamedTuple):
    child: Child
    service: Service
    activity: Activity


class RequestLine(models.Model):
    """One thing asked in a request, which says all of itself: for whom, what, when, and the answer it got.

    A line of a service has its child, activity and, for a day, unit and date. Any other says what it asks in `label`,
    as families and agents read it (no health datum stands there), may concern a child, and goes to the agents of
    `site` as well as to the office; what it does once answered is its settler's business (`settings.SETTLERS`).
    """

    request = models.ForeignKey(FamilyRequest, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    act = models.CharField(max_length=10, choices=Act.choices)
    child = models.ForeignKey(Child, on_delete=models.PROTECT, null=True, related_name="request_lines")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, related_name="+")
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, null=True, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    label = models.CharField(max_length=200, blank=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    date = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=[(state, state) for state in LineState], default=LineState.PENDING)
    at_once = models.BooleanField(default=False, help_text=_("Acceptée à l’envoi, sans agent."))
    late = models.BooleanField(default=False, help_text=_("Faite par un agent après la limite."))
    reason = SealedTextField(_("Motif"))
    answered_at = models.DateTimeField(null=True)
    answered_by_label = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["request_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["request", "position"], name="line_position"),
            models.CheckConstraint(
                condition=Q(child__isnull=False, service__isnull=False, activity__isnull=False)
                | ~Q(act__in=[act.value for act in ON_SERVICES]) & ~Q(label=""),
                name="line_says_what",
            ),
        ]
        indexes = [models.Index(fields=["child", "unit", "date"], name="line_day")]

    def __str__(self) -> str:
        return f"{self.act} {self.child_id} {self.date or self.service_id or self.label} ({self.state})"

    @property
    def is_of_service(self) -> bool:
        return self.act in ON_SERVICES

    @property
    def of_service(self) -> OfService:
        """What a line of a service always has; only for such a line."""
        assert self.child is not None and self.service is not None and self.activity is not None
        return OfService(self.child, self.service, self.activity)


class Correction(models.Model):
    """What a line of change asks: of whom or of what, which fact (`families.facts`), the value that stood when it was
    asked and the one wanted, both as the fact says them. Nothing of health is ever here."""

    line = models.OneToOneField(RequestLine, on_delete=models.CASCADE, primary_key=True, related_name="correction")
    subject_type = models.CharField(
        max_length=20,
        choices=[
            ("household", "household"),
            ("guardian", "guardian"),
            ("guardianship", "guardianship"),
            ("child", "child"),
        ],
    )
    subject_id = models.BigIntegerField()
    field = models.CharField(max_length=20)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="correction_subject")]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.subject_id}: {self.field}"


class RequestForm(models.Model):
    """What a family wrote in the form of a request, sealed whatever it tells: `requests.asking` writes it,
    `requests.thread` reads it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(FamilyRequest, on_delete=models.CASCADE, related_name="form")
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return str(self.request_id)

    def bound_to(self) -> str:
        return f"requests.RequestForm:{self.pk}"


class RequestMessage(models.Model):
    """One message of a request's thread: a family's (`by_agent` false) or the town's. Its text is sealed, for nobody
    can tell beforehand that it says nothing of health. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(FamilyRequest, on_delete=models.CASCADE, related_name="messages")
    send_key = models.UUIDField(unique=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    by_label = models.CharField(max_length=150)
    by_agent = models.BooleanField()
    sealed = models.BinaryField()
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["request", "at"], name="request_thread")]

    def __str__(self) -> str:
        return f"{self.request_id} {self.at:%Y-%m-%d %H:%M} {self.by_label}"

    def bound_to(self) -> str:
        return f"requests.RequestMessage:{self.pk}"


class UnreadThread(models.Model):
    """A guardian who has not read yet what the town wrote in a thread."""

    request = models.ForeignKey(FamilyRequest, on_delete=models.CASCADE, related_name="unread_by")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "user"], name="one_unread_mark")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.request_id}"
