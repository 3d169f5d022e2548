"""Which booked days may be announced as days of absence, and what was announced (docs/algorithms/absences.md)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from marelle.activities.models import Municipality, Service, Unit
from marelle.activities.queries import begins_at, calendar_of, rules_of
from marelle.bookings.models import Absence, Booking
from marelle.bookings.queries.days import Days, DayState, live_enrolments, load_days
from marelle.families.models import Household
from marelle.rules.absences import AbsenceCost, AbsencePolicy, announced_costs, judge_absence
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.lifecycles import BookingState, EnrolmentState

#: How far ahead booked days are looked at: the longest limits lock the days of two months.
AHEAD = timedelta(days=62)

Key = tuple[int, int, date]


@dataclass(frozen=True, slots=True)
class Cause:
    slug: str
    name: str


def booked_days(*, town: Municipality, household: Household, at: datetime, also: Collection[date] = ()) -> Days:
    """The state of the household's booked days to come, within `AHEAD`, and of the days of `also`: six queries,
    whatever their number."""
    today = at.astimezone(town.tz).date()
    dates = set(
        Booking.objects.filter(household=household, state=BookingState.BOOKED, date__range=(today, today + AHEAD))
        .order_by()
        .values_list("date", flat=True)
        .distinct()
    )
    enrolments = live_enrolments(town=town, household=household, states=(EnrolmentState.ACCEPTED,))
    return load_days(town=town, enrolments=enrolments, at=at, dates=dates | set(also))


def may_announce(state: DayState, days: Days) -> Decision:
    """Whether the family may announce now that the child will not come: a booked day, too late to cancel, not begun."""
    booking = state.booking
    if state.elsewhere:
        return Refused(Reason.OTHER_HOUSEHOLD)
    if booking is None or booking.state != BookingState.BOOKED:
        return Refused(Reason.CHANGED_MEANWHILE, {"state": state.was})
    if booking.absence_id is not None:
        return Refused(Reason.ALREADY_ANNOUNCED)
    if state.begun is not None:
        return Refused(Reason.HAS_BEGUN, {"since": state.begun})
    if isinstance(state.cancel, Allowed):
        return Refused(Reason.STILL_CANCELLABLE, {"until": state.cancel.until})
    return Allowed(until=begins_at(days.calendar, state.unit, state.day))


def causes_of(town: Municipality) -> list[Cause]:
    """The town's causes of absence, in the order of its document."""
    return [Cause(cause.slug, cause.name) for cause in rules_of(town).causes]


def cause_name(town: Municipality, slug: str) -> str:
    """As families read it; "" for another reason, or one that the document has dropped."""
    return next((cause.name for cause in causes_of(town) if cause.slug == slug), "")


def costs_of(states: Sequence[DayState], *, town: Municipality, cause: str, at: datetime) -> Mapping[Key, AbsenceCost]:
    """What each of these days costs when announced together, at `at`, for this cause. The days of one child in one unit
    are one absence."""
    rules = rules_of(town)
    runs: dict[tuple[int, int], list[DayState]] = defaultdict(list)
    for state in states:
        runs[state.enrolment.child_id, state.unit.id].append(state)
    found: dict[Key, AbsenceCost] = {}
    for run in runs.values():
        unit = run[0].unit
        try:
            policy = rules.absence_policy(rules.service(run[0].enrolment.activity.service.slug))
        except KeyError:
            policy = AbsencePolicy()
        costs = announced_costs(
            policy,
            cause=cause or None,
            days=[state.day for state in run],
            calendar=calendar_of(town),
            told_at=at,
            starts_at=unit.starts_at,
        )
        found |= {(run[0].enrolment.child_id, unit.id, cost.day): cost for cost in costs}
    return found


def proven_costs(
    *,
    town: Municipality,
    service: Service,
    unit: Unit,
    cause: str,
    days: Sequence[date],
    told_at: datetime,
    proof_at: datetime,
) -> Mapping[date, int]:
    """What each of these days of one absence costs, in per cent of its price, with a proof handed in then."""
    rules = rules_of(town)
    try:
        policy = rules.absence_policy(rules.service(service.slug))
    except KeyError:
        policy = AbsencePolicy()
    judged = judge_absence(
        policy,
        cause=cause or None,
        days=days,
        calendar=calendar_of(town),
        starts_at=unit.starts_at,
        told_at=told_at,
        proof_at=proof_at,
    )
    return {one.day: one.still_due for one in judged}


def absences_of(household: Household, *, first: date) -> "QuerySet[Absence]":
    """The household's announced absences that hold, from that day on, with the line of each."""
    return (
        Absence.objects.filter(
            booking__household=household, booking__state=BookingState.BOOKED, booking__date__gte=first
        )
        .select_related("line__child", "line__service", "line__unit", "line__request")
        .order_by("line__date", "line__child_id", "line__unit__position")
    )
