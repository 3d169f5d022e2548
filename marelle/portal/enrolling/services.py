"""The page of services: for each service and child of a household, what stands and what may be asked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.activities.models import Activity, BookingMode, Group, Municipality, SchoolYear, Service, Site, Unit
from marelle.activities.queries import activities_for, open_weekdays, rules_of
from marelle.bookings.labels import ENROLMENT_LOOKS
from marelle.bookings.models import LIVE_ENROLMENTS, Booking, Enrolment
from marelle.bookings.queries.prerequisites import Kind, Prerequisites, load_prerequisites, school_services
from marelle.bookings.services.enrolments import Wish, facts_for, group_for
from marelle.families.models import Household
from marelle.foundation.look import Look
from marelle.foundation.sentences import list_words, sentence, time_words, weekday_words
from marelle.portal.children import HouseholdChild
from marelle.portal.enrolling.words import way_out
from marelle.portal.without_days import without_days_words
from marelle.rules.decisions import Reason, Refused
from marelle.rules.lifecycles import EnrolmentState

FREE = Look(gettext_lazy("Pas d’inscription"), "square", "free")
_TILES = {  # the tile's look for a state that is no box
    EnrolmentState.DRAFT: "pending",
    EnrolmentState.SUBMITTED: "pending",
    EnrolmentState.INCOMPLETE: "pending",
    EnrolmentState.ACCEPTED: "booked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualDay:
    weekday: int
    word: str
    letter: str
    ticked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One child and one activity.

    key: "child.activity", the box's value. look: where it stands (word, icon, css for the tile). open: a box.
    note: the site, where the child may choose between several. why: why it cannot be asked, or why it was refused.
    rest: what remains to be done once accepted, with `url` to do it; `request`: the number of the request to follow.
    """

    key: str
    child: HouseholdChild
    activity: Activity
    look: Look
    open: bool
    ticked: bool = False
    was_refused: bool = False
    note: str = ""
    why: str = ""
    rest: str = ""
    url: str = ""
    days: tuple[UsualDay, ...] = ()

    @property
    def usual_name(self) -> str:
        return f"days-{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A service, what is to be known of it, and its choices by child."""

    service: Service
    hours: str
    sites: str
    without_days: str  # empty for a service whose days are reserved
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What was ticked so far. `days`: the usual weekdays by key."""

    wanted: frozenset[str] = frozenset()
    days: Mapping[str, frozenset[int]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentPage:
    """`required`: what the services shown require of these children; `without_school`: the names of those who have
    none, when a service gives a place at one."""

    year: SchoolYear
    offers: tuple[Offer, ...]
    required: Prerequisites
    without_school: tuple[str, ...] = ()

    @property
    def choices(self) -> dict[str, Choice]:
        return {choice.key: choice for offer in self.offers for choice in offer.choices}

    @property
    def open_count(self) -> int:
        return sum(choice.open for choice in self.choices.values())


def enrolment_page(
    *,
    town: Municipality,
    household: Household,
    children: Sequence[HouseholdChild],
    year: SchoolYear,
    at: datetime,
    asking: Asking | None = None,
) -> EnrolmentPage:
    """Six queries and those of the prerequisites, whatever the number of children. `asking`: what is ticked."""
    today = at.astimezone(town.tz).date()
    schools = {one.child.school_id for one in children if one.child.school_id}
    at_school = school_services(rules_of(town))
    homeless = tuple(one.name for one in children if one.child.school_id is None) if at_school else ()
    if homeless:
        schools |= set(Site.objects.filter(kind=Site.Kind.SCHOOL, archived_at=None).values_list("id", flat=True))
    activities = activities_for(schools=schools)
    required = load_prerequisites(
        town=town,
        household=household,
        children=[one.child for one in children],
        school_year=year,
        services={activity.service.slug for activity in activities},
        on=today,
    )
    last: dict[tuple[int, int], Enrolment] = {}
    for enrolment in (
        Enrolment.objects.filter(household=household, school_year=year).select_related("line__request").order_by("id")
    ):
        last[enrolment.child_id, enrolment.activity_id] = enrolment
    begun = set(
        Booking.objects.filter(enrolment__in=[e.pk for e in last.values()])
        .values_list("enrolment_id", flat=True)
        .distinct()
    )
    groups = [group.pk for activity in activities for group in activity.groups.all()]
    weekdays = open_weekdays(groups=groups, first=year.first_day, last=year.last_day)
    on = max(today, year.first_day)
    offers = []
    for service, mine in _by_service(activities):
        choices = [
            _choice(
                one,
                activity,
                last.get((one.id, activity.pk)),
                household=household,
                begun=begun,
                weekdays=weekdays,
                on=on,
                town=town,
                note=activity.site.name if len(_open_to(one, mine, at_school)) > 1 else "",
                asking=asking,
                required=required,
            )
            for one in children
            for activity in _open_to(one, mine, at_school)
        ]
        if choices:
            offers.append(
                Offer(
                    service=service,
                    hours=_hours(list(service.units.all())),
                    sites=list_words(dict.fromkeys(choice.activity.site.name for choice in choices)),
                    without_days=without_days_words(service)
                    if service.booking_mode == BookingMode.ENROLMENT_ONLY
                    else "",
                    choices=tuple(choices),
                )
            )
    return EnrolmentPage(year=year, offers=tuple(offers), required=required, without_school=homeless)


def _open_to(one: HouseholdChild, activities: Sequence[Activity], at_school: Collection[str]) -> list[Activity]:
    """Of these, those at the child's school and at the centres; a child without a school may choose among them."""
    return [
        activity
        for activity in activities
        if activity.site.kind == Site.Kind.CENTRE
        or activity.site_id == one.child.school_id
        or (one.child.school_id is None and activity.service.slug in at_school)
    ]


def _by_service(activities: Sequence[Activity]) -> list[tuple[Service, list[Activity]]]:
    found: dict[int, tuple[Service, list[Activity]]] = {}
    for activity in activities:
        found.setdefault(activity.service_id, (activity.service, []))[1].append(activity)
    return list(found.values())


def _choice(
    one: HouseholdChild,
    activity: Activity,
    enrolment: Enrolment | None,
    *,
    household: Household,
    begun: set[int],
    weekdays: Mapping[int, list[int]],
    on: date,
    town: Municipality,
    note: str,
    asking: Asking | None,
    required: Prerequisites,
) -> Choice:
    key = f"{one.id}.{activity.pk}"
    service = activity.service
    if enrolment is not None and enrolment.state in LIVE_ENROLMENTS:
        state = EnrolmentState(enrolment.state)
        drawn = ENROLMENT_LOOKS[state]
        number = enrolment.line.request.number
        rest, url = _("Demande n° %(number)s") % {"number": number}, reverse("portal:request", args=[number])
        if state == EnrolmentState.ACCEPTED and service.booking_mode == BookingMode.DAYS:
            url = reverse("portal:planning", args=[service.slug])
            rest = _("Voir ses jours") if enrolment.pk in begun else _("Il reste à réserver les jours")
        return Choice(
            key=key, child=one, activity=activity, look=Look(drawn.word, drawn.icon, _TILES[state]), open=False,
            note=note, rest=rest, url=url,
        )  # fmt: skip
    found = group_for(
        town=town,
        activity=activity,
        child=facts_for(Wish(child=one.child, activity=activity), household, town=town),
        groups=list(activity.groups.all()),
        on=on,
    )
    look = Look(_("Pas possible"), "ban", "closed")
    if isinstance(found, Refused):
        why = why_not(found, town)
        return Choice(key=key, child=one, activity=activity, look=look, open=False, note=note, why=why)
    items = required.items(child=one.id, service=service.slug)
    first = next((item for item in items if item.hinders and item.kind in (Kind.HEALTH, Kind.DOSSIER)), None)
    if first is not None:
        way = way_out(first, child=one.child, year=required.school_year.label, dossiers=required.dossiers, town=town)
        return Choice(
            key=key, child=one, activity=activity, look=look, open=False, note=note, why=way.why, url=way.url,
            rest=way.action,
        )  # fmt: skip
    refused = enrolment is not None and enrolment.state == EnrolmentState.REFUSED
    usual = frozenset(enrolment.usual_weekdays) if enrolment is not None else frozenset()
    if asking is not None and asking.days is not None:
        usual = asking.days.get(key, frozenset())
    return Choice(
        key=key,
        child=one,
        activity=activity,
        look=_refused_look() if refused else FREE,
        open=True,
        ticked=asking is not None and key in asking.wanted,
        was_refused=refused,
        note=note,
        why=enrolment.reason if refused and enrolment is not None else "",
        days=_usual_days(found, weekdays, usual) if service.booking_mode == BookingMode.DAYS else (),
    )


def _refused_look() -> Look:
    drawn = ENROLMENT_LOOKS[EnrolmentState.REFUSED]
    return Look(drawn.word, drawn.icon, "refused")


def _usual_days(group: Group, weekdays: Mapping[int, list[int]], usual: frozenset[int]) -> tuple[UsualDay, ...]:
    """Boxes for a service open on several weekdays; where it has one only there is nothing to choose."""
    opened = weekdays.get(group.pk, [])
    if len(opened) < 2:
        return ()
    return tuple(
        UsualDay(
            weekday=weekday,
            word=weekday_words(weekday),
            letter=weekday_words(weekday)[:2].capitalize(),
            ticked=weekday in usual,
        )
        for weekday in opened
    )


def _hours(units: Sequence[Unit]) -> str:
    starts = [unit.starts_at for unit in units if unit.starts_at]
    ends = [unit.ends_at for unit in units if unit.ends_at]
    if not starts or not ends:
        return ""
    first: time = min(starts)
    return _("%(first)s à %(last)s") % {"first": time_words(first), "last": time_words(max(ends))}


def why_not(refusal: Refused, town: Municipality) -> str:
    """Why an enrolment cannot be asked for, in words, without a full stop."""
    if refusal.reason == Reason.ALREADY_BOOKED:
        return _("Une demande d’inscription est déjà en cours")
    if refusal.reason == Reason.CLOSED:
        return _("Ce service n’accueille pas cet enfant")
    return sentence(refusal, town.tz)


def wishes_of(
    page: EnrolmentPage, asking: Asking, answers: Mapping[int, Mapping[str, Any]] = MappingProxyType({})
) -> tuple[list[Wish], list[Choice]]:
    """What is ticked, in the page's order, and the choices that were ticked though they are not open any more.
    `answers`: by child."""
    wishes, gone = [], []
    for choice in page.choices.values():
        if choice.key not in asking.wanted:
            continue
        if not choice.open:
            gone.append(choice)
            continue
        ticked = (asking.days or {}).get(choice.key, frozenset())
        days = {day.weekday for day in choice.days}
        wishes.append(
            Wish(
                child=choice.child.child,
                activity=choice.activity,
                usual_weekdays=tuple(sorted(ticked & days)),
                answers=answers.get(choice.child.id, {}),
            )
        )
    return wishes, gone
