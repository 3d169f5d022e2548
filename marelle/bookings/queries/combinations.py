"""Which of the days chosen do not go together: one reading for the planning, the check, the send and the offers.

Prose: docs/algorithms/combinations.md. No query: `load_days` has read the days, those that `reach` names included.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from marelle.activities.models import Municipality, Period, Service, Unit, Validation
from marelle.activities.queries import offer_of, rules_of
from marelle.bookings.models import BasketLine, Enrolment
from marelle.bookings.queries.days import Days, DayState
from marelle.requests.models import Act
from marelle.rules.combinations import (
    Apart,
    Change,
    Combination,
    Consecutive,
    DaysPer,
    FullWeek,
    Line,
    Per,
    Standing,
    refused_changes,
)
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.lifecycles import BookingState

Key = tuple[int, int, date]  # child id, unit id, day


@dataclass(frozen=True, slots=True)
class Wanted:
    """One change of a child's days that everything else allows. `waits`: it stands in a waiting list, and takes
    nothing yet. `lost`: it was asked for and cannot be had; nothing is given back for it. `at_once`: a day given back
    is free at once, whoever has to agree when a family asks."""

    key: Key
    adds: bool
    waits: bool = False
    lost: bool = False
    at_once: bool = False

    @classmethod
    def of(cls, line: BasketLine, *, waits: bool = False, lost: bool = False) -> "Wanted":
        return cls((line.child_id, line.unit_id, line.date), line.act == Act.BOOK, waits, lost)


def rules_for(town: Municipality, service: Service) -> tuple[Combination, ...]:
    """The service's rules; none for one that the town's document has dropped."""
    try:
        return rules_of(town).service(service.slug).combination_rules()
    except KeyError:
        return ()


def apart_units(town: Municipality, service: Service) -> Mapping[int, frozenset[int]]:
    """For each unit, those that the same child cannot have on the same day."""
    ids = {unit.slug: unit.id for unit in offer_of(town).units.get(service.id, [])}
    found: dict[int, set[int]] = defaultdict(set)
    for rule in rules_for(town, service):
        if isinstance(rule, Apart):
            units = {ids[slug] for slug in rule.units if slug in ids}
            for unit in units:
                found[unit] |= units - {unit}
    return {unit: frozenset(others) for unit, others in found.items()}


def reach(town: Municipality, wanted: Iterable[tuple[Enrolment, date]]) -> set[date]:
    """The other days that the rules look at when these are changed: their week or their period, as the service says."""
    found: set[date] = set()
    days: dict[int, set[date]] = defaultdict(set)
    services: dict[int, Service] = {}
    for enrolment, day in wanted:
        services[enrolment.activity.service_id] = enrolment.activity.service
        days[enrolment.activity.service_id].add(day)
    for id, service in services.items():
        rules = rules_for(town, service)
        periods = offer_of(town).periods.get(id, [])
        if any(isinstance(rule, Consecutive) or getattr(rule, "per", None) is Per.PERIOD for rule in rules):
            for period in {period for day in days[id] if (period := _period(periods, day)) is not None}:
                found |= set(_span(period.first_day, period.last_day))
        elif any(isinstance(rule, FullWeek | DaysPer) for rule in rules):
            for monday in {day - timedelta(days=day.weekday()) for day in days[id]}:
                found |= set(_span(monday, monday + timedelta(days=6)))
    return found


def refusals_together(days: Days, wanted: Sequence[Wanted]) -> dict[Key, Refused]:
    """Those of the changes that the town's rules of combination refuse, each with the reason a family reads."""
    offer = offer_of(days.town)
    services = {unit.id: unit.service_id for units in days.units.values() for unit in units}
    changes: dict[tuple[int, int, Period | None], list[Wanted]] = defaultdict(list)
    for one in wanted:
        child, unit, day = one.key
        if unit in services and one.key in days.states:
            service = services[unit]
            changes[child, service, _period(offer.periods.get(service, []), day)].append(one)
    if not changes:
        return {}
    states: dict[tuple[int, int], list[DayState]] = defaultdict(list)
    for state in days.states.values():
        states[state.enrolment.child_id, state.unit.service_id].append(state)
    found: dict[Key, Refused] = {}
    for (child, service_id, period), listed in changes.items():
        near = states[child, service_id]
        rules = rules_for(days.town, near[0].enrolment.activity.service)
        if rules:
            found |= _refusals(rules, [s for s in near if _holds(period, s.day)], listed, days.units[service_id])
    return found


def _refusals(
    rules: Sequence[Combination], states: Sequence[DayState], wanted: Sequence[Wanted], units: Sequence[Unit]
) -> dict[Key, Refused]:
    slugs = {unit.id: unit.slug for unit in units}
    keys = {(state.day, state.unit.slug): state.key for state in states}
    by_key = {state.key: state for state in states}
    refused = refused_changes(
        rules,
        standing=_standing(states),
        changes=[
            Change(
                (one.key[2], slugs[one.key[1]]),
                adds=one.adds,
                asked=not (one.adds or one.at_once) and _asks(by_key[one.key]),
            )
            for one in wanted
            if not one.waits and not one.lost
        ],
        lost=[(one.key[2], slugs[one.key[1]]) for one in wanted if one.lost],
    )
    names = {unit.slug: unit.name for unit in units}
    return {keys[line]: _named(why, line, names) for line, why in refused.items()}


def _standing(states: Iterable[DayState]) -> Standing:
    taken, leaving, elsewhere, locked = set(), set(), set(), set()
    open_days: dict[str, list[date]] = defaultdict(list)
    for state in states:
        line: Line = state.day, state.unit.slug
        if state.places and (state.closure is None or state.booking is not None):
            open_days[state.unit.slug].append(state.day)
        if state.elsewhere:
            elsewhere.add(line)
            locked.add(line)
        elif state.booking is None:
            if not isinstance(state.book, Allowed):
                locked.add(line)
        elif state.booking.state == BookingState.CANCELLING:
            leaving.add(line)
            locked.add(line)
        elif state.booking.state in (BookingState.PENDING, BookingState.BOOKED, BookingState.CLOSED):
            taken.add(line)
            if not isinstance(state.may_remove(), Allowed):
                locked.add(line)
    return Standing(
        taken=frozenset(taken),
        leaving=frozenset(leaving),
        elsewhere=frozenset(elsewhere),
        locked=frozenset(locked),
        open_days=open_days,
    )


def _asks(state: DayState) -> bool:
    """Whether giving this day back waits for an agent; a pending day is simply withdrawn."""
    asked = state.enrolment.activity.service.validation_cancel == Validation.ASKED
    return asked and state.booking is not None and state.booking.state == BookingState.BOOKED


def _named(why: Refused, line: Line, names: Mapping[str, str]) -> Refused:
    """With the units' names, as families read them; never the line's own."""
    slugs = why.facts.get("units")
    if not isinstance(slugs, tuple):
        return why
    others = tuple(names.get(slug, slug) for slug in slugs if why.reason is not Reason.EXCLUDES_UNIT or slug != line[1])
    return Refused(why.reason, {**why.facts, "units": others})


def _period(periods: Iterable[Period], day: date) -> Period | None:
    return next((period for period in periods if period.first_day <= day <= period.last_day), None)


def _holds(period: Period | None, day: date) -> bool:
    return period is None or period.first_day <= day <= period.last_day


def _span(first: date, last: date) -> Iterable[date]:
    return (date.fromordinal(ordinal) for ordinal in range(first.toordinal(), last.toordinal() + 1))
