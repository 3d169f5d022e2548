"""What each day is for each child: the one reading of the rules that pages, checks, sends and agents share.

A constant number of queries, whatever the number of children and days.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from django.db.models import Q, QuerySet, prefetch_related_objects

from marelle.accounts.models import User
from marelle.activities.models import Municipality, OpeningDay, Period, Service, Unit
from marelle.activities.queries import begins_at, calendar_of, offer_of, rules_of
from marelle.bookings.models import LIVE_BOOKINGS, BasketLine, Booking, Closure, Enrolment
from marelle.bookings.queries.closures import closure_of, standing_on
from marelle.bookings.queries.openings import own_opening
from marelle.bookings.queries.prerequisites import booking_refusals
from marelle.families.models import Household, Residence
from marelle.foundation.by_heart import by_heart
from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.eligibility import Audience
from marelle.rules.lifecycles import BookingState
from marelle.rules.waiting import serve, standing_before
from marelle.townfile.timing import decide
from marelle.townfile.town import WaitingList

NOBODY: frozenset[Audience] = frozenset()
REFUSED_OR_LIVE = (*LIVE_BOOKINGS, BookingState.REFUSED)


@dataclass(frozen=True, slots=True)
class DayState:
    """One child, one unit, one day, at one instant.

    `places`: the opening-day ids that a booking takes (empty: closed). `left`: the fewest places left among them for
    who comes now, once those who wait are served; None when not counted. `ahead`: how many wait for this day before the
    child. `free`: the fewest places really free among them, whoever waits; `over`: by how many one more child would
    exceed the capacity, within its margin (0: not). `has_list`: a full day has a waiting list. `booking`: this
    household's live booking. `refusal`: its last refused one, when no other is live. `book` and `cancel`: what the
    town's limits answer now; they do not look at places nor at bookings.
    `closure`: the trip, the strike or other closure that stands on it; `book` and `cancel` then refuse.
    `begun`: since when the unit has been going on, None as long as it is to come.
    """

    enrolment: Enrolment
    unit: Unit
    day: date
    places: tuple[int, ...]
    left: int | None
    booking: Booking | None
    refusal: Booking | None
    elsewhere: bool
    book: Decision
    cancel: Decision
    begun: datetime | None = None
    ahead: int = 0
    has_list: bool = False
    free: int | None = None
    over: int = 0
    closure: Closure | None = None

    @property
    def key(self) -> tuple[int, int, date]:
        return self.enrolment.child_id, self.unit.id, self.day

    @property
    def was(self) -> str:
        """The recorded state that a form was shown, "free" when there is none."""
        return self.booking.state if self.booking else "free"

    @property
    def is_wanted(self) -> bool:
        """Whether the box stands ticked when the family has changed nothing."""
        return self.booking is not None and self.booking.state in (
            BookingState.PENDING,
            BookingState.BOOKED,
        )

    def may_add(self) -> Decision:
        """Whether the family may ask for this day now."""
        if self.closure is not None:
            return self.book
        if self.elsewhere:
            return Refused(Reason.OTHER_HOUSEHOLD)
        if self.booking is not None:
            return Refused(Reason.ALREADY_BOOKED)
        if not self.places:
            return Refused(Reason.CLOSED)
        if isinstance(self.book, Refused):
            return self.book
        if self.left == 0:
            return Refused(Reason.FULL)
        return self.book

    def may_wait(self) -> Decision:
        """Whether the family may ask to wait for a place of this full day now."""
        verdict = self.may_add()
        if self.has_list and isinstance(verdict, Refused) and verdict.reason == Reason.FULL:
            return self.book
        return verdict if isinstance(verdict, Refused) else Refused(Reason.FULL)

    def may_remove(self) -> Decision:
        """Whether the family may untick this day now. A pending day can be withdrawn even late, until it begins."""
        if self.closure is not None:
            return self.cancel
        if self.booking is None or self.booking.state not in (BookingState.PENDING, BookingState.BOOKED):
            return Refused(Reason.ALREADY_BOOKED)
        if self.booking.state == BookingState.PENDING:
            return Allowed() if self.begun is None else Refused(Reason.PAST_LIMIT, {"since": self.begun})
        return self.cancel


@dataclass(frozen=True)
class Days:
    """The days of some enrolments over a range, ready to be asked one by one."""

    town: Municipality
    at: datetime
    units: dict[int, list[Unit]]  # by service id, in order
    states: dict[tuple[int, int, date], DayState] = field(default_factory=dict)
    opened: dict[int, OpeningDay] = field(default_factory=dict)  # by id, as they were read: what `places` name

    @cached_property
    def today(self) -> date:
        return self.at.astimezone(self.town.tz).date()

    @cached_property
    def calendar(self) -> SchoolCalendar:
        return calendar_of(self.town)


def live_enrolments(*, town: Municipality, household: Household, states: Collection[str]) -> list[Enrolment]:
    """The enrolments in these states of the children who live there, eldest first, with all that a page says of them.
    One query: what the town offers is at hand."""
    offer = offer_of(town)
    enrolments = [e for e in _enrolments(household.pk, states) if e.activity_id in offer.activities]
    for enrolment in enrolments:
        enrolment.household = household
        enrolment.activity = offer.activities[enrolment.activity_id]
        enrolment.group = offer.groups[enrolment.group_id]
        enrolment.school_year = offer.years[enrolment.school_year_id]
    return sorted(enrolments, key=lambda e: (e.child.birth_date, e.child_id, e.activity.service.position, e.id))


@by_heart
def _enrolments(household: int, states: Collection[str]) -> "QuerySet[Enrolment]":
    found = Enrolment.objects.filter(
        household=household, child__residences__household=household, state__in=states
    ).select_related("child")
    return found.order_by()


def basket_lines_among(enrolments: Sequence[Enrolment], *, user: User, household: Household) -> list[BasketLine]:
    """The choices not sent yet, for a page that has read the household's live enrolments: each line gets its own from
    there. In the order of the enrolments, then by day. One query, and a few more only when a line's enrolment is not
    among them."""
    lines = _basket_lines(user.pk, household.pk)
    known = {enrolment.pk: enrolment for enrolment in enrolments}
    for line in lines:
        if line.enrolment_id in known:
            line.enrolment = known[line.enrolment_id]
    if others := [line for line in lines if line.enrolment_id not in known]:
        at_home = set(Residence.objects.filter(household=household).values_list("child_id", flat=True))
        lines = [line for line in lines if line.enrolment_id in known or line.child_id in at_home]
        prefetch_related_objects([line for line in others if line.child_id in at_home], "enrolment__activity__service")
    ranks = {id: rank for rank, id in enumerate(known)}
    return sorted(lines, key=lambda line: ranks.get(line.enrolment_id, len(ranks)))


@by_heart
def _basket_lines(user: int, household: int) -> "QuerySet[BasketLine]":
    chosen = BasketLine.objects.filter(basket__user=user, basket__household=household)
    return chosen.order_by("date", "unit__position", "id")


def attach_offer(lines: Sequence[BasketLine], *, town: Municipality) -> None:
    """Give these lines, read with their child and their enrolment, all that the offer says of them: those of one
    enrolment share it. No query, and a few when the town does not offer something any more."""
    offer = offer_of(town)
    units = {unit.id: unit for listed in offer.units.values() for unit in listed}
    shared: dict[int, Enrolment] = {}
    for line in lines:
        enrolment = shared.setdefault(line.enrolment_id, line.enrolment)
        if enrolment is line.enrolment:
            enrolment.child = line.child
            if enrolment.activity_id in offer.activities:
                enrolment.activity = offer.activities[enrolment.activity_id]
                enrolment.group = offer.groups[enrolment.group_id]
                enrolment.school_year = offer.years[enrolment.school_year_id]
        line.enrolment = enrolment
        if line.unit_id in units:
            line.unit = units[line.unit_id]
    gone = [enrolment for enrolment in shared.values() if enrolment.activity_id not in offer.activities]
    prefetch_related_objects(gone, "activity__service", "activity__site", "group", "school_year")
    prefetch_related_objects([line for line in lines if line.unit_id not in units], "unit")


def load_days(
    *,
    town: Municipality,
    enrolments: Sequence[Enrolment],
    at: datetime,
    first: date | None = None,
    last: date | None = None,
    dates: Collection[date] = (),
    lines: Iterable[BasketLine] = (),
    glance: bool = False,
) -> Days:
    """The state of every open day of these enrolments in [first, last], and on `dates`: five queries, one more for
    households that are not at hand when a period opens earlier to some, and a few more for services that require a
    health file, a school dossier or papers: under an enrolment that lacks one now, no day may be added.

    Days on which nothing is open and nothing is booked have no state. Only days of an enrolment's school year are
    given. A child enrolled at two places of one service has one state a day: where it is booked, else where `lines`
    chose it, else at the last of the enrolments. `glance`: for a page, which is a moment old when it is read: closings
    are looked for only where `town`, as the caller has read it, says that there may be some. Whoever records asks.
    """
    calendar = calendar_of(town)
    places = {(line.child_id, line.unit_id, line.date): line.enrolment_id for line in lines}
    services = {enrolment.activity.service_id: enrolment.activity.service for enrolment in enrolments}
    offer = offer_of(town)
    days = Days(town=town, at=at, units={id: offer.units.get(id, []) for id in services})
    if not enrolments:
        return days

    open_days: dict[tuple[int, date], dict[int, OpeningDay]] = defaultdict(dict)
    groups = {e.group_id for e in enrolments}
    for day in _opening_days(groups, first, last, dates):
        open_days[day.group_id, day.date][day.unit_id] = days.opened[day.id] = day

    earliest = min([day for day in (first, *dates) if day is not None], default=None)
    may_close = town.closed_until is not None and earliest is not None and earliest <= town.closed_until
    closures = standing_on(_span(first, last, dates)) if may_close or not glance else {}
    live: dict[tuple[int, int, date], Booking] = {}
    refusals: dict[tuple[int, int, int, date], Booking] = {}
    units = [unit.id for listed in days.units.values() for unit in listed]
    components = {unit.id: unit.component_ids for listed in days.units.values() for unit in listed}
    queues: dict[tuple[int, date], list[tuple[int, Sequence[int]]]] = defaultdict(list)
    children = {e.child_id for e in enrolments}
    for booking in _bookings(children, units, groups, first, last, dates):
        if booking.state == BookingState.QUEUED:
            parts = components.get(booking.unit_id, (booking.unit_id,))
            queues[booking.group_id, booking.date].append((booking.id, parts))
        if booking.child_id in children and booking.unit_id in components:
            key = booking.child_id, booking.unit_id, booking.date
            if booking.state == BookingState.REFUSED:
                refusals[booking.household_id, *key] = booking
            else:
                live[key] = booking

    room_after = {
        shared: serve({unit: day.left for unit, day in open_days[shared].items()}, [wanted for _id, wanted in line])[1]
        for shared, line in queues.items()
        if shared in open_days
    }
    has_list = {service.id: waiting_list_of(town, service) != WaitingList.NONE for service in services.values()}

    periods = {id: offer.periods.get(id, []) for id in services}
    early = {id for id, listed in periods.items() if any(period.early for period in listed)}
    prefetch_related_objects([e for e in enrolments if e.activity.service_id in early], "household")
    verdicts: dict[tuple[frozenset[Audience], int, date], tuple[Decision, Decision]] = {}
    open_dates: dict[int, list[date]] = defaultdict(list)
    for group_id, day_date in open_days:
        open_dates[group_id].append(day_date)
    booked_dates: dict[tuple[int, int], list[date]] = defaultdict(list)
    for child_id, unit_id, day_date in live:
        booked_dates[child_id, unit_id].append(day_date)

    known = {enrolment.id for enrolment in enrolments}
    lacking = booking_refusals(town=town, enrolments=enrolments, on=days.today)
    for enrolment in enrolments:
        service = enrolment.activity.service
        year = enrolment.school_year
        audiences = enrolment.household.audiences if service.id in early else NOBODY
        for unit in days.units[service.id]:
            seen = set(open_dates[enrolment.group_id]) | set(booked_dates[enrolment.child_id, unit.id])
            for day_date in seen:
                if not year.first_day <= day_date <= year.last_day:
                    continue
                opened = open_days.get((enrolment.group_id, day_date), {})
                needed = [opened.get(component) for component in unit.component_ids]
                complete = all(needed) and bool(needed)
                found = live.get((enrolment.child_id, unit.id, day_date))
                if not complete and found is None:
                    continue
                if found is not None and found.enrolment_id != enrolment.id and found.enrolment_id in known:
                    continue  # a child who changed schools: the day is told under the enrolment that holds it
                place = places.get((enrolment.child_id, unit.id, day_date), enrolment.id)
                if found is None and place != enrolment.id and place in known:
                    continue
                if (verdict := verdicts.get((audiences, unit.id, day_date))) is None:
                    verdict = verdicts[audiences, unit.id, day_date] = _verdict(
                        town,
                        service,
                        unit,
                        day_date,
                        at=at,
                        calendar=calendar,
                        periods=periods[service.id],
                        audiences=audiences,
                    )
                if enrolment.id in lacking and isinstance(verdict[0], Allowed):
                    verdict = lacking[enrolment.id], verdict[1]
                closure = closure_of(closures.get(day_date, ()), enrolment, unit)
                if closure is not None:
                    verdict = (closed := Refused(Reason.CLOSED, {"name": str(closure.get_kind_display())}), closed)
                room = room_after.get((enrolment.group_id, day_date))
                counted = [
                    left
                    for day in needed
                    if day is not None and (left := day.left if room is None else room[day.unit_id]) is not None
                ]
                earlier = [
                    parts
                    for id, parts in queues.get((enrolment.group_id, day_date), ())
                    if found is None or id < found.id
                ]
                elsewhere = found is not None and found.household_id != enrolment.household_id
                begins = begins_at(calendar, unit, day_date) if found is not None else None
                days.states[enrolment.child_id, unit.id, day_date] = DayState(
                    enrolment=enrolment,
                    unit=unit,
                    day=day_date,
                    places=tuple(day.id for day in needed if day is not None) if complete else (),
                    left=min(counted) if counted else None,
                    booking=None if elsewhere else found,
                    refusal=None
                    if found
                    else refusals.get((enrolment.household_id, enrolment.child_id, unit.id, day_date)),
                    elsewhere=elsewhere,
                    book=verdict[0],
                    cancel=verdict[1],
                    begun=begins if begins is not None and begins <= at else None,
                    ahead=standing_before(unit.component_ids, earlier),
                    has_list=has_list[service.id],
                    free=min((day.left for day in needed if day is not None and day.left is not None), default=None),
                    over=max((day.over for day in needed if day is not None), default=0),
                    closure=closure,
                )
    return days


def _span(first: date | None, last: date | None, dates: Collection[date]) -> Q:
    if first is None:
        return Q(date__in=dates)
    return Q(date__in=dates) | Q(date__range=(first, last)) if dates else Q(date__range=(first, last))


@by_heart
def _opening_days(
    groups: Collection[int], first: date | None, last: date | None, dates: Collection[date]
) -> "QuerySet[OpeningDay]":
    return OpeningDay.objects.filter(_span(first, last, dates), group__in=groups).order_by()


@by_heart
def _bookings(
    children: Collection[int],
    units: Collection[int],
    groups: Collection[int],
    first: date | None,
    last: date | None,
    dates: Collection[date],
) -> "QuerySet[Booking]":
    """What is live or was refused of these children, and all that wait in these groups."""
    ours = Q(child__in=children, unit__in=units, state__in=REFUSED_OR_LIVE)
    waiting = Q(group__in=groups, state=BookingState.QUEUED)
    return Booking.objects.filter(_span(first, last, dates), ours | waiting).order_by("id")


def waiting_list_of(town: Municipality, service: Service) -> WaitingList:
    """How the service's waiting lists are run; none for one that the town's document has dropped."""
    try:
        return rules_of(town).service(service.slug).waiting_list
    except KeyError:
        return WaitingList.NONE


def _verdict(
    town: Municipality,
    service: Service,
    unit: Unit,
    day: date,
    *,
    at: datetime,
    calendar: SchoolCalendar,
    periods: Sequence[Period],
    audiences: frozenset[Audience],
) -> tuple[Decision, Decision]:
    """What time says of the day. A service or a unit that the town's document has dropped is closed to families."""
    try:
        said = rules_of(town).service(service.slug)
        said_unit = said.unit(unit.slug)
    except KeyError:
        return Refused(Reason.CLOSED), Refused(Reason.CLOSED)
    limits = said.limits_of(said_unit)
    if limits is None:
        return Refused(Reason.ENROLMENT_ONLY), Refused(Reason.ENROLMENT_ONLY)
    period = next((p for p in periods if p.first_day <= day <= p.last_day), None)
    opens_at = own_opening(period, audiences) if period is not None else None
    book, cancel = decide(said, said_unit, limits, day=day, at=at, opens_at=opens_at, calendar=calendar)
    return (Refused(Reason.OUTSIDE_PERIOD) if period is None else book), cancel


def component_places(bookings: Iterable[Booking]) -> dict[int, tuple[int, ...]]:
    """For each booking (by id), the opening days whose places it takes: its unit's, or its unit's components'."""
    rows = list(bookings)
    if not rows:
        return {}
    components: dict[int, list[int]] = defaultdict(list)
    links = Unit.components.through.objects.filter(from_unit__in={b.unit_id for b in rows})
    for composed, part in links.values_list("from_unit", "to_unit"):
        components[composed].append(part)
    opened = {
        (unit, group, day): id
        for id, unit, group, day in OpeningDay.objects.filter(
            group__in={b.group_id for b in rows}, date__in={b.date for b in rows}
        ).values_list("id", "unit_id", "group_id", "date")
    }
    return {
        b.id: tuple(
            opened[part, b.group_id, b.date]
            for part in components.get(b.unit_id) or [b.unit_id]
            if (part, b.group_id, b.date) in opened
        )
        for b in rows
    }
