"""The basket: what a family wants that is not recorded yet. It counts for nothing until it is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from marelle.accounts.models import User
from marelle.bookings.models import Basket, BasketLine
from marelle.bookings.queries.days import Days, DayState
from marelle.families.models import Household
from marelle.requests.models import Act
from marelle.rules.decisions import Allowed, Reason, Refused

Key = tuple[int, int, date]  # child id, unit id, day


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as a page showed it: the recorded state it showed, and whether its box came back ticked."""

    was: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """A cell that could not be taken as the family left it: it changed meanwhile, or cannot be changed any more."""

    key: Key
    refusal: Refused


def basket_of(*, user: User, household: Household, at: datetime) -> Basket:
    basket, _ = Basket.objects.get_or_create(user=user, household=household, defaults={"changed_at": at})
    return basket


@transaction.atomic
def fill_basket(
    *, user: User, household: Household, days: Days, shown: Mapping[Key, Shown], at: datetime
) -> tuple[Basket, list[Clash]]:
    """Bring the basket to what the page's boxes say. What the page did not show stays as it is.

    `days` holds the state of every cell shown; a cell unknown to it is not the family's and raises KeyError.
    A cell whose recorded state is no longer what the page showed, or that cannot be changed, is a clash: told, and
    left out, never turned into a silent change. Ticking a full day that has a waiting list asks to wait. The ticked
    boxes of a page sent twice give the same basket.
    """
    basket = basket_of(user=user, household=household, at=at)
    basket = Basket.objects.select_for_update(no_key=True).get(id=basket.id)
    clashes: list[Clash] = []
    wanted: list[BasketLine] = []
    dropped: list[Key] = []
    for key, cell in shown.items():
        state = days.states[key]
        if cell.was != state.was:
            if cell.ticked != (cell.was in ("pending", "booked")):
                clashes.append(Clash(key, Refused(Reason.CHANGED_MEANWHILE, {"state": state.was})))
            dropped.append(key)
            continue
        if cell.ticked == state.is_wanted:
            dropped.append(key)
            continue
        verdict = state.may_add() if cell.ticked else state.may_remove()
        waits = cell.ticked and isinstance(state.may_wait(), Allowed)
        if isinstance(verdict, Refused) and not waits:
            clashes.append(Clash(key, verdict))
            dropped.append(key)
            continue
        wanted.append(_line(basket, state, Act.BOOK if cell.ticked else Act.CANCEL, waits=waits))
    _replace(basket, dropped=dropped, wanted=wanted)
    if wanted or dropped:
        basket.changed_at = at
        basket.save(update_fields=["changed_at"])
    return basket, clashes


@transaction.atomic
def add_days(*, user: User, household: Household, states: Iterable[DayState], at: datetime) -> Basket:
    """Put these free days in the basket, each already allowed by `may_add`; those in it stay."""
    basket = basket_of(user=user, household=household, at=at)
    basket = Basket.objects.select_for_update(no_key=True).get(id=basket.id)
    # One of these days may still stand here as a cancellation, of a booking that is no more.
    _replace(basket, dropped=(), wanted=[_line(basket, state, Act.BOOK) for state in states])
    basket.changed_at = at
    basket.save(update_fields=["changed_at"])
    return basket


def agree_to_wait(*, user: User, household: Household, line_id: int) -> None:
    """The family would rather wait for this day than leave it; a line that is gone already is fine."""
    mine = BasketLine.objects.filter(basket__user=user, basket__household=household)
    mine.filter(id=line_id, act=Act.BOOK).update(waits=True)


def remove_line(*, user: User, household: Household, line_id: int) -> None:
    """Take one line out of the user's own basket; gone already is fine."""
    BasketLine.objects.filter(id=line_id, basket__user=user, basket__household=household).delete()


def empty_basket(*, user: User, household: Household, service_id: int | None = None) -> int:
    """Drop what is in the basket (of one service, or all); the number of choices dropped."""
    lines = BasketLine.objects.filter(basket__user=user, basket__household=household)
    if service_id is not None:
        lines = lines.filter(unit__service=service_id)
    return lines.delete()[0]


def _line(basket: Basket, state: DayState, act: Act, *, waits: bool = False) -> BasketLine:
    return BasketLine(
        basket=basket,
        enrolment=state.enrolment,
        child_id=state.enrolment.child_id,
        unit=state.unit,
        date=state.day,
        act=act,
        was=state.was,
        waits=waits,
    )


def _replace(basket: Basket, *, dropped: Iterable[Key], wanted: list[BasketLine]) -> None:
    touched = {*dropped, *((line.child_id, line.unit_id, line.date) for line in wanted)}
    if not touched:
        return
    stale = [
        line.id
        for line in basket.lines.filter(date__in={day for _, _, day in touched})
        if (line.child_id, line.unit_id, line.date) in touched
    ]
    if stale:
        BasketLine.objects.filter(id__in=stale).delete()
    BasketLine.objects.bulk_create(wanted)
