"""The right to use an activity (Enrolment), the days (Booking), and the choices not sent yet (Basket)."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.activities.models import Activity, Group, Period, SchoolYear, Service, Site, Unit
from marelle.families.models import Child, Household
from marelle.foundation.french import NBSP
from marelle.foundation.sealed import SealedJSONField, SealedTextField
from marelle.requests.models import Act, RequestLine
from marelle.rules.lifecycles import FINAL_BOOKING_STATES, BookingState, EnrolmentState

LIVE_ENROLMENTS = (
    EnrolmentState.DRAFT,
    EnrolmentState.SUBMITTED,
    EnrolmentState.INCOMPLETE,
    EnrolmentState.ACCEPTED,
)


class Enrolment(models.Model):
    """A child's right to use an activity for a school year, as one household asked for it. Asking again makes a new
    row."""

    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="enrolments")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="enrolments")
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="enrolments")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="enrolments")
    school_year = models.ForeignKey(SchoolYear, on_delete=models.PROTECT, related_name="enrolments")
    state = models.CharField(
        max_length=12, choices=[(state, state) for state in EnrolmentState], default=EnrolmentState.SUBMITTED
    )
    usual_weekdays = models.JSONField(default=list, help_text=_("Les jours habituels : 0 pour lundi."))
    line = models.ForeignKey(RequestLine, on_delete=models.PROTECT, related_name="enrolments")
    answers = SealedJSONField(default=dict, help_text=_("Les réponses aux questions du service."))
    papers_due = models.DateField(
        null=True, help_text=_("Le dernier jour pour donner les pièces qui peuvent attendre.")
    )
    reason = SealedTextField(help_text=_("Pourquoi c’est refusé, ou ce qui manque."))
    reply = SealedTextField(help_text=_("Ce que la famille a répondu à ce qui manquait."))
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["child", "activity", "school_year", "household"],
                condition=Q(state__in=LIVE_ENROLMENTS),
                name="one_live_enrolment",
                violation_error_message=_("Une inscription est déjà en cours pour cet enfant."),
            )
        ]
        indexes = [models.Index(fields=["household", "school_year"], name="enrolment_household")]

    def __str__(self) -> str:
        return f"{self.child_id} → {self.activity_id} ({self.state})"


class EnrolmentDraft(models.Model):
    """What a user has said so far of the enrolments that they ask for one household and school year: kept at each step,
    the same on every device, gone with the send.

    `content` is what the steps wrote (`bookings.services.drafts.Content`); nothing in it is trusted at the send.
    `step`: where to take up again.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="enrolment_drafts")
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="enrolment_drafts")
    school_year = models.ForeignKey(SchoolYear, on_delete=models.CASCADE, related_name="+")
    send_key = models.UUIDField(default=uuid.uuid4)
    content = SealedJSONField(default=dict)
    step = models.CharField(max_length=12, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["school_year_id"]
        constraints = [models.UniqueConstraint(fields=["user", "household", "school_year"], name="one_enrolment_draft")]
        indexes = [models.Index(fields=["changed_at"], name="enrolment_draft_age")]

    def __str__(self) -> str:
        return f"{self.user_id} / {self.household_id} / {self.school_year_id}"


class EnrolmentChange(models.Model):
    """What a family asks to change of an enrolment that was accepted, as its line says it: other answers and usual
    days, or its end (`ends`). Applied when the line is accepted."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="changes")
    line = models.OneToOneField(RequestLine, on_delete=models.PROTECT, related_name="enrolment_change")
    answers = SealedJSONField(default=dict)
    usual_weekdays = models.JSONField(default=list)
    ends = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.enrolment_id} ({'ends' if self.ends else 'changes'})"


LIVE_BOOKINGS = tuple(state for state in BookingState if state not in FINAL_BOOKING_STATES)

#: Live, and not closed by the town: a child may come, or wishes to.
EXPECTED_BOOKINGS = tuple(state for state in LIVE_BOOKINGS if state != BookingState.CLOSED)


class Absence(models.Model):
    """That a child will not come on a booked day, as its line announced it (docs/algorithms/absences.md). The rest is
    what the town's rule said then: `still_due` and `proven`, in per cent of the price, without and with a proof handed
    in before `proof_until`. `cause` is a slug of the town's document, "" for another reason. `proof_at`: when the proof
    that an agent accepted was handed in; `still_due` is then what the rule says with it."""

    line = models.OneToOneField(RequestLine, on_delete=models.PROTECT, related_name="absence")
    cause = SealedTextField()
    announced_at = models.DateTimeField()
    announced_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    announced_by_label = models.CharField(max_length=150)
    still_due = models.PositiveSmallIntegerField()
    proven = models.PositiveSmallIntegerField(null=True)
    proof_until = models.DateTimeField(null=True)
    proof_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.line_id} ({self.announced_at})"

    def awaits_proof(self, at: datetime) -> bool:
        """Whether a proof would still change what the day costs."""
        lessens = self.proven is not None and self.proven < self.still_due and self.proof_at is None
        return lessens and self.proof_until is not None and at < self.proof_until


class Booking(models.Model):
    """One child, one unit, one day. `holds_place` says whether it counts in `OpeningDay.taken` of its component
    units. `absence`: the child was announced absent; the place is held all the same."""

    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="bookings")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="bookings")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="bookings")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="bookings")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="bookings")
    date = models.DateField()
    state = models.CharField(max_length=12, choices=[(state, state) for state in BookingState])
    holds_place = models.BooleanField()
    line = models.ForeignKey(RequestLine, on_delete=models.PROTECT, related_name="bookings")
    reason = SealedTextField()
    booked_late = models.BooleanField(default=False, help_text=_("Réservé par un agent après la limite."))
    still_due = models.PositiveSmallIntegerField(
        null=True, help_text=_("Annulé par un agent après la limite : la part du prix qui reste due, en pour cent.")
    )
    absence = models.OneToOneField(
        Absence, on_delete=models.PROTECT, null=True, related_name="booking", help_text=_("Signalée, et pas annulée.")
    )
    told_unanswered_at = models.DateTimeField(
        null=True, help_text=_("La famille sait que sa demande n’a pas eu de réponse à temps.")
    )
    requested_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    waits_until = models.DateTimeField(
        null=True, help_text=_("Fin de l’attente, ou de la proposition : le portail agit à cet instant.")
    )

    class Meta:
        ordering = ["date", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["child", "date", "unit"],
                condition=Q(state__in=LIVE_BOOKINGS),
                name="one_live_booking",
                violation_error_message=_("Cette journée est déjà réservée pour cet enfant."),
            )
        ]
        indexes = [
            models.Index(fields=["child", "date"], name="booking_child"),
            models.Index(fields=["unit", "date", "state"], name="booking_day"),
            models.Index(
                fields=["date"],
                condition=Q(state__in=(BookingState.PENDING, BookingState.CANCELLING), told_unanswered_at=None),
                name="booking_untold",
            ),
            models.Index(fields=["group", "date"], condition=Q(state=BookingState.QUEUED), name="booking_waiting_list"),
            models.Index(fields=["waits_until"], condition=Q(waits_until__isnull=False), name="booking_waits_until"),
        ]

    def __str__(self) -> str:
        return f"{self.child_id} {self.unit_id} {self.date} ({self.state})"


class Basket(models.Model):
    """One user's choices for one household, not sent yet, the same on every device.

    `send_key` is the key that the next send carries; a send that succeeds makes a new one. `changed_at` is the last
    time that its lines became others. The rest says what was told of it by e-mail (docs/algorithms/baskets.md).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="baskets")
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="baskets")
    send_key = models.UUIDField(default=uuid.uuid4)
    changed_at = models.DateTimeField()
    look_at = models.DateTimeField(null=True, help_text=_("Le portail regarde ce panier à cet instant."))
    told_change = models.DateTimeField(null=True, help_text=_("Le dernier changement rappelé par e-mail."))
    reminders = models.PositiveSmallIntegerField(default=0, help_text=_("E-mails partis depuis ce changement."))
    heard = models.JSONField(default=list, help_text=_("Les derniers envois d’un appareil déjà pris en compte."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "household"], name="one_basket")]
        indexes = [models.Index(fields=["look_at"], condition=Q(look_at__isnull=False), name="basket_look_at")]

    def __str__(self) -> str:
        return f"{self.user_id} / {self.household_id}"


class BasketLine(models.Model):
    """A day wanted that is not recorded, or recorded and not wanted any more. `was` is the state it was chosen
    against."""

    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="+")
    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+")
    date = models.DateField()
    act = models.CharField(max_length=10, choices=[(act.value, act.label) for act in (Act.BOOK, Act.CANCEL)])
    was = models.CharField(max_length=12, default="free")
    waits = models.BooleanField(default=False, help_text=_("La famille accepte d’attendre une place."))
    told_limit = models.DateTimeField(null=True, help_text=_("La limite annoncée par e-mail."))

    class Meta:
        ordering = ["date", "child_id", "unit_id"]
        constraints = [models.UniqueConstraint(fields=["basket", "child", "unit", "date"], name="one_basket_line")]

    def __str__(self) -> str:
        return f"{self.act} {self.child_id} {self.unit_id} {self.date}"


class Closure(models.Model):
    """A trip, a strike or another closure: the town cancels days in one act, which it may undo
    (docs/algorithms/closures.md).

    Who it concerns: each of `site`, `service`, `group`, `class_name` that is filled narrows it; none: the whole town.
    With `class_name`, `site` is the children's school, wherever they are looked after. `units`: only these, none: all.
    """

    class Kind(models.TextChoices):
        OUTING = "outing", _("Sortie scolaire")
        STRIKE = "strike", _("Grève")
        CLOSURE = "closure", _("Fermeture exceptionnelle")
        OTHER = "other", _("Pas d’accueil")

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, related_name="+")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, related_name="+")
    class_name = models.CharField(max_length=60, blank=True)
    units = models.JSONField(default=list, help_text=_("Les unités fermées, par leur numéro ; aucune : toutes."))
    first_day = models.DateField()
    last_day = models.DateField()
    words = models.CharField(max_length=300, blank=True, help_text=_("Ce que les familles lisent."))
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by_label = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    undone_by_label = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["first_day", "id"]
        indexes = [models.Index(fields=["last_day", "first_day"], name="closure_span")]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_day} → {self.last_day}"

    @property
    def told(self) -> str:
        """What it is, and the town's words on it: "Grève : les agents du restaurant sont en grève."."""
        title = str(self.get_kind_display())
        return f"{title}{NBSP}: {self.words}" if self.words else title


class ClosureDay(models.Model):
    """A day that a closure closes, until it is lifted. A day that has begun is never lifted."""

    closure = models.ForeignKey(Closure, on_delete=models.CASCADE, related_name="days")
    date = models.DateField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["closure", "date"], name="one_closure_day")]
        indexes = [models.Index(fields=["date"], condition=Q(lifted_at=None), name="closure_day_standing")]

    def __str__(self) -> str:
        return f"{self.closure_id} {self.date}"


class ClosedBooking(models.Model):
    """What a booking was before its day was closed (`state`, `holds_place`, `waits_until`), and what it became when the
    closure was undone (`after`, empty until then)."""

    closure = models.ForeignKey(Closure, on_delete=models.PROTECT, related_name="closed")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="closings")
    state = models.CharField(max_length=12)
    holds_place = models.BooleanField()
    waits_until = models.DateTimeField(null=True)
    after = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering = ["booking_id"]
        constraints = [
            models.UniqueConstraint(fields=["booking"], condition=Q(after=""), name="one_closing_of_a_booking")
        ]

    def __str__(self) -> str:
        return f"{self.booking_id} ({self.state})"


class OpeningWish(models.Model):
    """What a household said of the e-mail of a period's opening: it wants it, or does not. Without a row, the
    households that are enrolled get it."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="+")
    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="+")
    wanted = models.BooleanField()
    said_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["household", "period"], name="one_opening_wish")]

    def __str__(self) -> str:
        return f"{self.household_id} / {self.period_id}: {self.wanted}"


class OpeningNotice(models.Model):
    """A household was told that a period is open to it, in so many e-mails; written with them, and only once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="+")
    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField()
    told_at = models.DateTimeField()
    mails = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["told_at"]
        constraints = [models.UniqueConstraint(fields=["period", "household"], name="one_opening_notice")]

    def __str__(self) -> str:
        return f"{self.household_id} / {self.period_id}"
