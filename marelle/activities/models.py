"""The offer: what the town proposes, where, when, for whom and for how many. Written by `marelle.towns` from the
town's file."""

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from marelle.rules.eligibility import Audience, EarlyOpening


class Municipality(models.Model):
    """The town that this portal speaks for: one row, whose id is always 1."""

    slug = models.SlugField()
    name = models.CharField(max_length=120)
    short_name = models.CharField(max_length=60)
    department_name = models.CharField(max_length=120, blank=True, help_text=_("Le service qui répond aux familles."))
    colour = models.CharField(max_length=7, default="#2d3a9e")
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    address = models.CharField(max_length=250, blank=True)
    opening_hours = models.CharField(max_length=250, blank=True)
    time_zone = models.CharField(max_length=60, default="Europe/Paris")
    answer_working_days = models.PositiveSmallIntegerField(default=2)
    texts = models.JSONField(default=dict)
    document = models.TextField(blank=True, help_text=_("Le fichier de la commune, tel que chargé."))
    document_hash = models.CharField(max_length=64, blank=True)
    closed_until = models.DateField(
        null=True, help_text=_("Dernier jour qu’une fermeture a jamais touché : au-delà, aucune n’est à chercher.")
    )
    alert_until = models.DateTimeField(
        null=True,
        help_text=_("Jusqu’à quand une actualité urgente peut être en ligne : au-delà, aucune n’est à chercher."),
    )
    loaded_key = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        help_text=_("Change quand l’offre change : ce qui en est retenu est relu."),
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_municipality")]

    def __str__(self) -> str:
        return self.name

    @property
    def conformity_words(self) -> str:
        """What the accessibility statement says, in the law's words."""
        said = self.texts.get("accessibility_status", "") if isinstance(self.texts, dict) else ""
        return str(
            {"partial": _("partiellement conforme"), "full": _("totalement conforme")}.get(said, _("non conforme"))
        )

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class SchoolYear(models.Model):
    """From its first school day to the eve of the next one's."""

    label = models.CharField(max_length=9, unique=True)
    first_day = models.DateField()
    last_day = models.DateField()
    enrolment_opens_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["first_day"]

    def __str__(self) -> str:
        return self.label


class Site(models.Model):
    """An establishment: a school or a centre."""

    class Kind(models.TextChoices):
        SCHOOL = "school", _("École")
        CENTRE = "centre", _("Centre")

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    address = models.CharField(max_length=250, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    levels = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class BookingMode(models.TextChoices):
    DAYS = "days", _("Réservation de jours")
    ENROLMENT_ONLY = "enrolment_only", _("Inscription seule")


class Validation(models.TextChoices):
    ASKED = "asked", _("Sur demande")
    IMMEDIATE = "immediate", _("Tout de suite")


class Service(models.Model):
    """What a family sees as one thing to use: the canteen, the Wednesday centre. Its limits and
    other rules are read in the town's document (`marelle.activities.queries.rules_of`)."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    short_name = models.CharField(max_length=40)
    icon = models.CharField(max_length=40, default="sun")
    accent = models.PositiveSmallIntegerField(default=1, help_text=_("Une des couleurs décoratives, de 1 à 4."))
    description = models.TextField(blank=True)
    unit_noun = models.CharField(max_length=40, default="jour", help_text=_("Ce que l’on réserve, au singulier."))
    unit_noun_plural = models.CharField(max_length=40, default="jours")
    billing_note = models.CharField(max_length=200, blank=True)
    booking_mode = models.CharField(max_length=20, choices=BookingMode.choices, default=BookingMode.DAYS)
    validation_enrol = models.CharField(max_length=10, choices=Validation.choices, default=Validation.ASKED)
    validation_book = models.CharField(max_length=10, choices=Validation.choices, default=Validation.ASKED)
    validation_cancel = models.CharField(max_length=10, choices=Validation.choices, default=Validation.ASKED)
    pending_holds_place = models.BooleanField(default=True)
    contact_email = models.EmailField(blank=True)
    contact_phone = models.CharField(max_length=40, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Activity(models.Model):
    """A service as one site gives it. A child is enrolled in an activity for a school year."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="activities")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="activities")
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "site"], name="one_activity_per_site")]
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return f"{self.service}, {self.site}"


class Unit(models.Model):
    """A part of the day that can be booked: a meal, a morning, a whole day. A composed unit takes its components'
    places."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="units")
    slug = models.SlugField()
    name = models.CharField(max_length=60)
    starts_at = models.TimeField(null=True)
    ends_at = models.TimeField(null=True)
    with_meal = models.BooleanField(default=False)
    components = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="composed")
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["service", "slug"], name="unit_slug_in_service")]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def component_ids(self) -> tuple[int, ...]:
        """The units whose places this one takes: its components, or itself. Prefetch `components` for many units."""
        return tuple(part.id for part in self.components.all()) or (self.id,)


class Group(models.Model):
    """Who shares the places of an activity: an age band, some levels, everybody. The town's document says which
    children."""

    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="groups")
    slug = models.SlugField()
    name = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["activity", "slug"], name="group_slug_in_activity")]

    def __str__(self) -> str:
        return self.name


class Period(models.Model):
    """A stretch of a service's calendar that opens to reservation at once: the year, a term, the holidays of
    February."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="periods")
    school_year = models.ForeignKey(SchoolYear, on_delete=models.PROTECT, related_name="periods")
    slug = models.SlugField()
    name = models.CharField(max_length=80)
    first_day = models.DateField()
    last_day = models.DateField()
    opens_at = models.DateTimeField(null=True)
    early = models.JSONField(default=list, help_text=_("Qui réserve plus tôt, et à partir de quel instant."))
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["first_day"]
        constraints = [
            models.UniqueConstraint(fields=["service", "slug"], name="period_slug_in_service"),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="period_in_order"),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def early_openings(self) -> tuple[EarlyOpening, ...]:
        return tuple(
            EarlyOpening(who=Audience(who), opens_at=datetime.fromisoformat(instant)) for who, instant in self.early
        )


class OpeningDay(models.Model):
    """The places of one component unit for one group on one day.

    `capacity` null means unlimited. `ceiling` is what may be taken: the capacity plus the margin, or what was already
    taken when the capacity was last lowered. The database itself refuses to go above.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="opening_days")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="opening_days")
    date = models.DateField()
    capacity = models.PositiveIntegerField(null=True)
    ceiling = models.PositiveIntegerField(null=True)
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["date", "id"]
        constraints = [
            models.UniqueConstraint(fields=["group", "date", "unit"], name="one_opening_day"),
            models.CheckConstraint(
                condition=Q(ceiling__isnull=True) | Q(taken__lte=F("ceiling")),
                name="taken_within_ceiling",
                violation_error_message=_("Il n’y a plus de place ce jour-là."),
            ),
        ]
        indexes = [models.Index(fields=["date"], name="opening_day_date")]

    def __str__(self) -> str:
        return f"{self.unit_id}/{self.group_id} {self.date}"

    @property
    def left(self) -> int | None:
        """Places that remain, None when they are not counted."""
        return None if self.ceiling is None else max(self.ceiling - self.taken, 0)

    @property
    def over(self) -> int:
        """By how many one more booking would exceed the capacity, 0 as long as it does not."""
        return 0 if self.capacity is None else max(self.taken + 1 - self.capacity, 0)
