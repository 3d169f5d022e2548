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
#: Of how many postings of devices a basket remembers the number.
HEARD = 100


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


def lock_basket(*, user: User, household: Household, at: datetime) -> Basket:
    """The basket, its row locked until the caller's transaction ends."""
    locked = Basket.objects.select_for_update(no_key=True)
    basket, _ = locked.get_or_create(user=user, household=household, defaults={"changed_at": at})
    return basket


@transaction.atomic
def fill_basket(
    *, user: User, household: Household, days: Days, shown: Mapping[Key, Shown], at: datetime, number: str = ""
) -> tuple[Basket, list[Clash]]:
    """Bring the basket to what the page's boxes say. What the page did not show stays as it is.

    `days` holds the state of every cell shown; a cell unknown to it is not the family's and raises KeyError.
    A cell whose recorded state is no longer what the page showed, or that cannot be changed, is a clash: told, and
    left out, never turned into a silent change. Ticking a full day that has a waiting list asks to wait. The ticked
    boxes of a page sent twice give the same basket. `number`: what a device gave to these choices; those it has sent
    before, and that the basket may have left since, change nothing.
    """
    basket = lock_basket(user=user, household=household, at=at)
    if number:
        if number in basket.heard:
            return basket, []
        basket.heard = [*basket.heard, number][-HEARD:]
        basket.save(update_fields=["heard"])
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
    if _replace(basket, dropped=dropped, wanted=wanted):
        _changed(basket, at=at)
    return basket, clashes


@transaction.atomic
def add_days(*, user: User, household: Household, states: Iterable[DayState], at: datetime) -> Basket:
    """Put these free days in the basket, each already allowed by `may_add`; those in it stay."""
    basket = lock_basket(user=user, household=household, at=at)
    # One of these days may still stand here as a cancellation, of a booking that is no more.
    if _replace(basket, dropped=(), wanted=[_line(basket, state, Act.BOOK) for state in states]):
        _changed(basket, at=at)
    return basket


@transaction.atomic
def agree_to_wait(*, user: User, household: Household, line_id: int, at: datetime) -> None:
    """The family would rather wait for this day than leave it; a line that is gone already is fine."""
    basket = _locked(user, household)
    if basket is not None and basket.lines.filter(id=line_id, act=Act.BOOK, waits=False).update(waits=True):
        _changed(basket, at=at)


@transaction.atomic
def remove_line(*, user: User, household: Household, line_id: int, at: datetime) -> None:
    """Take one line out of the user's own basket; gone already is fine."""
    basket = _locked(user, household)
    if basket is not None and basket.lines.filter(id=line_id).delete()[0]:
        _changed(basket, at=at)


@transaction.atomic
def empty_basket(*, user: User, household: Household, at: datetime, service_id: int | None = None) -> int:
    """Drop what is in the basket (of one service, or all); the number of choices dropped."""
    basket = _locked(user, household)
    if basket is None:
        return 0
    lines = basket.lines.all() if service_id is None else basket.lines.filter(unit__service=service_id)
    dropped = lines.delete()[0]
    if dropped:
        _changed(basket, at=at)
    return dropped


@transaction.atomic
def empty_baskets(*, user: User, at: datetime) -> int:
    """Drop what is in all the baskets of this user; the number of choices dropped."""
    dropped = 0
    for basket in Basket.objects.select_for_update(no_key=True).filter(user=user).order_by("id"):
        mine = basket.lines.all().delete()[0]
        if mine:
            _changed(basket, at=at)
        dropped += mine
    return dropped


def _locked(user: User, household: Household) -> Basket | None:
    return Basket.objects.select_for_update(no_key=True).filter(user=user, household=household).first()


def _changed(basket: Basket, *, at: datetime) -> None:
    """Its lines are others now: the portal looks at it again, and may write of it again."""
    basket.changed_at = basket.look_at = at
    basket.reminders = 0
    basket.save(update_fields=["changed_at", "look_at", "reminders"])


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


def _replace(basket: Basket, *, dropped: Iterable[Key], wanted: list[BasketLine]) -> bool:
    """Whether anything became another: a line that is wanted as it stands is left in peace."""
    touched = {*dropped, *((line.child_id, line.unit_id, line.date) for line in wanted)}
    if not touched:
        return False
    stand = {
        key: line
        for line in basket.lines.filter(date__in={day for _, _, day in touched})
        if (key := (line.child_id, line.unit_id, line.date)) in touched
    }
    new = []
    for line in wanted:
        before = stand.get((line.child_id, line.unit_id, line.date))
        if before is not None and _same(before, line):
            del stand[line.child_id, line.unit_id, line.date]
        else:
            new.append(line)
    if stand:
        BasketLine.objects.filter(id__in=[line.id for line in stand.values()]).delete()
    BasketLine.objects.bulk_create(new)
    return bool(stand or new)


def _same(one: BasketLine, other: BasketLine) -> bool:
    return (one.enrolment_id, one.act, one.was, one.waits) == (other.enrolment_id, other.act, other.was, other.waits)
