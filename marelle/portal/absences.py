"""The page on which a family says that a child will not come: what it may tick, what each day costs, what stops it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.activities.models import Municipality, Service
from marelle.bookings.models import Absence
from marelle.bookings.queries.absences import Cause, Key, booked_days, causes_of, costs_of, may_announce
from marelle.bookings.queries.days import Days, DayState
from marelle.families.models import Household
from marelle.foundation.components.kids import Kid
from marelle.foundation.sentences import absence_cost_words, day_words, midsentence, sentence
from marelle.portal.children import HouseholdChild
from marelle.portal.moments import near_day_words
from marelle.rules.absences import AbsenceCost
from marelle.rules.decisions import Allowed, Reason, Refused

#: What the form says for "another reason"; the others are slugs of the town's file, which never hold a point.
OTHER = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A day to tick; `why` says what stops it, and then it cannot be. `cost` only on the checking page."""

    key: str
    day: str
    what: str  # the service, and the unit where there are several
    ticked: bool = False
    why: str = ""
    cost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildChoices:
    kid: Kid
    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A service whose days can still be cancelled, from a day on: the planning is the place for that."""

    service: Service
    first: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsencePage:
    children: tuple[ChildChoices, ...]
    later: tuple[Later, ...]
    asked: tuple[Choice, ...]  # what the address asked for and cannot be announced
    asked_url: str
    causes: tuple[Cause, ...]

    @property
    def can_announce(self) -> bool:
        return any(not choice.why for child in self.children for choice in child.choices)


def key_of(said: str) -> Key | None:
    """ "12.3.2026-11-16" as a form says it; None for anything else."""
    child, _dot, rest = said.partition(".")
    unit, _dot, day = rest.partition(".")
    if not (child.isascii() and child.isdigit() and unit.isascii() and unit.isdigit()):
        return None
    if len(child) > 18 or len(unit) > 18 or len(day) != 10:
        return None
    try:
        return int(child), int(unit), date.fromisoformat(day)
    except ValueError:
        return None


def said_key(key: Key) -> str:
    return f"{key[0]}.{key[1]}.{key[2].isoformat()}"


def absence_page(
    *,
    town: Municipality,
    household: Household,
    children: Sequence[HouseholdChild],
    at: datetime,
    ticked: Collection[Key] = (),
    asked: tuple[str, date] | None = None,
) -> tuple[AbsencePage, Days]:
    """The days that may be announced, by child; those of `ticked` that may not any more, with their reason. `asked`:
    the service (its slug) and the day that the address named. Six queries."""
    also = {day for _child, _unit, day in ticked} | ({asked[1]} if asked else set())
    days = booked_days(town=town, household=household, at=at, also=also)
    names = {one.id: one for one in children}
    mine = [state for state in days.states.values() if state.enrolment.child_id in names]
    mine.sort(key=lambda s: (s.day, s.enrolment.activity.service.position, s.unit.position, s.unit.pk))
    verdicts = {state.key: may_announce(state, days) for state in mine}
    open_ = {key for key, verdict in verdicts.items() if isinstance(verdict, Allowed)}
    today = days.today
    meant = set(ticked)
    if asked:
        meant |= {state.key for state in mine if _is_asked(state, asked)}
    groups = []
    for one in children:
        shown = [
            _choice(state, verdicts[state.key], days, ticked=state.key in meant, today=today)
            for state in mine
            if state.enrolment.child_id == one.id and (state.key in open_ or state.key in ticked)
        ]
        if shown:
            groups.append(ChildChoices(kid=one.kid, name=one.name, choices=tuple(shown)))
    stopped = [
        state
        for state in mine
        if asked and _is_asked(state, asked) and state.booking is not None and state.key not in open_
    ]
    page = AbsencePage(
        children=tuple(groups),
        later=_later(mine, verdicts, today=today),
        asked=tuple(
            Choice(
                key=said_key(state.key),
                day=day_words(state.day),
                what=names[state.enrolment.child_id].name,
                why=_why(state, verdicts[state.key], town),
            )
            for state in stopped
        ),
        asked_url=reverse("portal:day", args=[asked[0], asked[1].isoformat()]) if asked and stopped else "",
        causes=tuple(causes_of(town)),
    )
    return page, days


def _is_asked(state: DayState, asked: tuple[str, date]) -> bool:
    return state.enrolment.activity.service.slug == asked[0] and state.day == asked[1]


def _why(state: DayState, verdict: Allowed | Refused, town: Municipality) -> str:
    return sentence(verdict, town.tz) if isinstance(verdict, Refused) else ""


def what_words(state: DayState, days: Days) -> str:
    """ "Cantine"; "Mercredi, matin" where the service has several units."""
    service = state.enrolment.activity.service
    if len(days.units.get(service.pk, ())) < 2:
        return service.short_name
    return _("%(service)s, %(unit)s") % {"service": service.short_name, "unit": midsentence(state.unit.name)}


def _choice(state: DayState, verdict: Allowed | Refused, days: Days, *, ticked: bool, today: date) -> Choice:
    near = near_day_words(state.day, today=today)
    words = day_words(state.day)
    return Choice(
        key=said_key(state.key),
        day=words if near == words else f"{near}, {words}",
        what=what_words(state, days),
        ticked=ticked,
        why=_why(state, verdict, days.town),
    )


def _later(states: Iterable[DayState], verdicts: Mapping[Key, Allowed | Refused], *, today: date) -> tuple[Later, ...]:
    found: dict[int, Later] = {}
    for state in states:
        verdict = verdicts[state.key]
        if not isinstance(verdict, Refused) or verdict.reason != Reason.STILL_CANCELLABLE:
            continue
        service = state.enrolment.activity.service
        if service.pk not in found:
            found[service.pk] = Later(
                service=service,
                first=near_day_words(state.day, today=today),
                url=f"{reverse('portal:planning', args=[service.slug])}?mois={state.day:%Y-%m}",
            )
    return tuple(found.values())


def checked(
    keys: Collection[Key],
    days: Days,
    *,
    town: Municipality,
    children: Sequence[HouseholdChild],
    cause: str,
    at: datetime,
) -> tuple[ChildChoices, ...]:
    """The days about to be announced, by child, each with what it costs."""
    states = sorted((days.states[key] for key in keys), key=lambda s: (s.day, s.unit.position, s.unit.pk))
    costs = costs_of(states, town=town, cause=cause, at=at)
    found = []
    for one in children:
        mine = [state for state in states if state.enrolment.child_id == one.id]
        if mine:
            found.append(
                ChildChoices(
                    kid=one.kid,
                    name=one.name,
                    choices=tuple(
                        Choice(
                            key=said_key(state.key),
                            day=day_words(state.day),
                            what=what_words(state, days),
                            cost=cost_words(costs[state.key], town=town, at=at),
                        )
                        for state in mine
                    ),
                )
            )
    return tuple(found)


def cost_words(cost: AbsenceCost | Absence, *, town: Municipality, at: datetime) -> str:
    return absence_cost_words(
        still_due=cost.still_due, proven=cost.proven, proof_until=cost.proof_until, tz=town.tz, at=at
    )
