"""Choosing many days in one act, and taking that one act back.

A shortcut that books adds free days and nothing else: what is recorded, and what the family already chose, stays. One
that cancels takes choices out of the basket and asks to cancel what is recorded. Nothing is sent.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from marelle.accounts.models import User
from marelle.bookings.queries.combinations import apart_units
from marelle.bookings.queries.days import Days, DayState
from marelle.bookings.services.baskets import Key, Shown, fill_basket, lock_basket
from marelle.families.models import Household
from marelle.requests.models import Act
from marelle.rules.decisions import Decision, Reason, Refused
from marelle.rules.lifecycles import BookingState

#: States of a recorded day that another unit of the same day may exclude.
TAKES = (BookingState.PENDING, BookingState.BOOKED, BookingState.CANCELLING, BookingState.CLOSED)


@dataclass(frozen=True, slots=True)
class Step:
    """What the basket held for a cell before and after a shortcut: "book", "cancel" or "" for nothing."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a shortcut did. `skipped`: free days that could not be added (or recorded ones that could not be unticked),
    each with what the rules say; Allowed for a day refused before, which only a family's own tick asks for again."""

    done: list[DayState] = field(default_factory=list)
    skipped: list[tuple[DayState, Decision]] = field(default_factory=list)
    steps: dict[Key, Step] = field(default_factory=dict)


@transaction.atomic
def choose_days(
    *, user: User, household: Household, days: Days, chosen: Iterable[DayState], on: bool, at: datetime
) -> Chosen:
    """Tick (`on`) or untick these cells of `days` in the basket, as far as the rules allow. Past days stay as they
    are."""
    held = _held(user=user, household=household, at=at)
    found = Chosen()
    beside = _Beside(days, held)
    for state in chosen:
        if state.day < days.today:
            continue
        before = held.get(state.key, "")
        after = _add(state, before, found, beside) if on else _remove(state, before, found)
        if after is not None:
            found.done.append(state)
            found.steps[state.key] = Step(before, after)
    shown = {key: Shown(was=days.states[key].was, ticked=on) for key in found.steps}
    fill_basket(user=user, household=household, days=days, shown=shown, at=at)
    return found


@transaction.atomic
def undo_choice(
    *, user: User, household: Household, days: Days, steps: Mapping[Key, Step], at: datetime
) -> list[DayState]:
    """Bring back what the basket held before a shortcut, for the cells that still stand as it left them; those."""
    held = _held(user=user, household=household, at=at)
    undone = [days.states[key] for key, step in steps.items() if key in days.states and held.get(key, "") == step.after]
    shown = {
        state.key: Shown(
            was=state.was,
            ticked=state.is_wanted if not steps[state.key].before else steps[state.key].before == Act.BOOK,
        )
        for state in undone
    }
    fill_basket(user=user, household=household, days=days, shown=shown, at=at)
    return undone


def _held(*, user: User, household: Household, at: datetime) -> dict[Key, str]:
    """What the locked basket holds, by cell."""
    basket = lock_basket(user=user, household=household, at=at)
    return {
        (child, unit, day): act for child, unit, day, act in basket.lines.values_list("child", "unit", "date", "act")
    }


class _Beside:
    """What a child has of a day already, recorded or chosen: a shortcut adds no unit that one of these excludes."""

    def __init__(self, days: Days, held: Mapping[Key, str]) -> None:
        self._days = days
        self._apart: dict[int, Mapping[int, frozenset[int]]] = {}
        self._has: dict[tuple[int, date], set[int]] = defaultdict(set)
        for (child, unit, day), state in days.states.items():
            taken = state.elsewhere or (state.booking is not None and state.booking.state in TAKES)
            if held.get((child, unit, day)) == Act.BOOK or (taken and held.get((child, unit, day)) != Act.CANCEL):
                self._has[child, day].add(unit)

    def refusal(self, state: DayState) -> Refused | None:
        """Why the unit cannot be added, None when it can: it then counts as chosen."""
        service = state.enrolment.activity.service
        if service.id not in self._apart:
            self._apart[service.id] = apart_units(self._days.town, service)
        child, unit, day = state.key
        has = self._has[child, day]
        clash = self._apart[service.id].get(unit, frozenset()) & has
        if clash:
            names = tuple(one.name for one in self._days.units[service.id] if one.id in clash)
            return Refused(Reason.EXCLUDES_UNIT, {"units": names})
        has.add(unit)
        return None


def _add(state: DayState, before: str, found: Chosen, beside: _Beside) -> str | None:
    if state.booking is not None or before:
        return None
    verdict = state.may_add()
    full = Refused(Reason.FULL) if state.left == 0 and not isinstance(verdict, Refused) else verdict
    if isinstance(full, Refused) or state.refusal is not None:
        found.skipped.append((state, full))
        return None
    if (clash := beside.refusal(state)) is not None:
        found.skipped.append((state, clash))
        return None
    return str(Act.BOOK)


def _remove(state: DayState, before: str, found: Chosen) -> str | None:
    if before:
        return "" if before == Act.BOOK else None
    if not state.is_wanted:
        return None
    verdict = state.may_remove()
    if isinstance(verdict, Refused):
        found.skipped.append((state, verdict))
        return None
    return str(Act.CANCEL)
