"""Any sequence of what families, agents, the worker and time may do agrees with a list kept by hand.

`Paper` is what a town hall would write down; it knows nothing of how Marelle does it. Each rule of `Town` does one
thing in both and compares what came of it, refusals with their reasons included; the invariants compare all that stands
after each step. A new way to change days is one more rule, and one more method of `Paper`.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay, Service, Unit
from marelle.activities.queries import municipality
from marelle.bookings.models import LIVE_BOOKINGS, BasketLine, Booking, Enrolment
from marelle.bookings.queries.closures import Reach
from marelle.bookings.queries.days import Days, load_days
from marelle.bookings.queries.waiting import ranks
from marelle.bookings.services import closures
from marelle.bookings.services.answers import DaysBegun, answer_request, withdraw_request
from marelle.bookings.services.baskets import Shown, basket_of, fill_basket
from marelle.bookings.services.closures import NothingToClose, close_days, reopen_days
from marelle.bookings.services.places import set_capacity
from marelle.bookings.services.shortcuts import Step, choose_days, undo_choice
from marelle.bookings.services.waiting import (
    OFFER_LASTS,
    NothingToOffer,
    OfferOver,
    accept_offer,
    leave_list,
    offer_by_hand,
    tick,
)
from marelle.requests.models import FamilyRequest
from marelle.requests.services import AlreadyAnswered, Verdict
from marelle.townfile import read_text
from marelle.towns.services import load_town
from tests.offer import AT, TOWNS, Family, agent, enrolled, enrolments, family, paris, reread, send

HOMES = (0, 0, 1, 1, 2)  # the family of each child, in the order in which its children are told
CHILDREN = range(len(HOMES))
RUSH = 3  # of them ask for the same day as it opens
DAYS = (date(2026, 11, 18), date(2026, 11, 25))
EARLIEST = {"service": (8, 0), "site": (7, 30), "group": (7, 30)}  # of the units that each names or leaves in
LIMITS = {DAYS[0]: paris(2026, 11, 16, 17), DAYS[1]: paris(2026, 11, 23, 17)}
PARTS = {"matin": ("matin",), "apres-midi": ("apres-midi",), "journee": ("matin", "apres-midi")}
REACHES: dict[str, tuple[str, ...]] = {
    "service": (), "site": (), "group": (), "matin": ("matin",), "apres-midi": ("apres-midi",),
    "both parts": ("apres-midi", "matin"),
}  # fmt: skip
BEGINS = {"matin": (8, 0), "apres-midi": (13, 30), "journee": (8, 0)}
UNITS = """
[services.mercredi.units.matin]
name = "Matin"
starts_at = "08:00"
ends_at = "12:00"

[services.mercredi.units.journee]
name = "Journée"
starts_at = "08:00"
ends_at = "18:30"
parts = ["matin", "apres-midi"]

[services.mercredi.groups.moins-de-6-ans]"""

# ── the paper ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, order=True)
class Cell:
    """One child, one day, one unit."""

    who: int
    day: date
    unit: str

    @property
    def parts(self) -> tuple[str, ...]:
        return PARTS[self.unit]

    @property
    def begins(self) -> datetime:
        return paris(self.day.year, self.day.month, self.day.day, *BEGINS[self.unit])


@dataclass
class Line:
    cell: Cell
    act: str
    pending: bool


@dataclass
class Shut:
    """A closure: whom and when it closes, and what each day was that it closed."""

    reach: str
    days: list[date]  # on which it stands
    all_days: tuple[date, ...]
    was: dict[Cell, tuple[str, datetime | None, Line | None]] = field(default_factory=dict)
    undone: bool = False

    def reaches(self, cell: Cell) -> bool:
        named = REACHES[self.reach]
        return cell.day in self.days and (not named or {*cell.parts} <= {*named})

    def begun(self, day: date, at: datetime) -> bool:
        starts = [BEGINS[unit] for unit in REACHES[self.reach]] or [EARLIEST[self.reach]]
        return at >= paris(day.year, day.month, day.day, *min(starts))


HOLD = ("pending", "booked", "cancelling", "offered")


@dataclass
class Paper:
    """Who has what, who waits behind whom, what each family still means to send, and what it has asked."""

    at: datetime = AT
    asked_to_book: bool = True
    asked_to_cancel: bool = True
    ceilings: dict[tuple[date, str], int] = field(default_factory=dict)
    states: dict[Cell, str] = field(default_factory=dict)  # of days that live; those who wait in their order
    until: dict[Cell, datetime] = field(default_factory=dict)
    refused: set[Cell] = field(default_factory=set)
    baskets: dict[Cell, tuple[str, str, bool]] = field(default_factory=dict)  # act, state then, ready to wait
    requests: dict[int, list[Line]] = field(default_factory=dict)
    shut: dict[int, Shut] = field(default_factory=dict)  # oldest first

    # places

    def taken(self, day: date, part: str) -> int:
        return sum(state in HOLD and cell.day == day and part in cell.parts for cell, state in self.states.items())

    def room(self, day: date) -> dict[str, int]:
        return {part: ceiling - self.taken(day, part) for (on, part), ceiling in self.ceilings.items() if on == day}

    def line(self, day: date) -> list[Cell]:
        return [cell for cell, state in self.states.items() if state == "queued" and cell.day == day]

    def walk(self, day: date) -> tuple[list[Cell], dict[str, int]]:
        """Those who wait and would fit, each after those before; the room left behind them."""
        room, fit = self.room(day), []
        for cell in self.line(day):
            if all(room[part] > 0 for part in cell.parts):
                fit.append(cell)
                for part in cell.parts:
                    room[part] -= 1
        return fit, room

    def left(self, cell: Cell) -> int:
        """For who comes now."""
        room = self.walk(cell.day)[1]
        return max(0, min(room[part] for part in cell.parts))

    def set_capacity(self, day: date, part: str, places: int) -> None:
        self.ceilings[day, part] = max(places, self.taken(day, part))

    def rank(self, cell: Cell) -> int:
        line = self.line(cell.day)
        return 1 + sum(not {*cell.parts}.isdisjoint(other.parts) for other in line[: line.index(cell)])

    # what a family may do

    def is_closed(self, cell: Cell) -> bool:
        return any(shut.reaches(cell) for shut in self.shut.values())

    def why_not_add(self, cell: Cell) -> str:
        if self.is_closed(cell):
            return "closed"
        if cell in self.states:
            return "already_booked"
        if self.at >= LIMITS[cell.day]:
            return "past_limit"
        return "" if self.left(cell) else "full"

    def why_not_remove(self, cell: Cell) -> str:
        if self.is_closed(cell):
            return "closed"
        ends = cell.begins if self.states[cell] == "pending" else LIMITS[cell.day]
        return "past_limit" if self.at >= ends else ""

    def is_wanted(self, cell: Cell) -> bool:
        return self.states.get(cell) in ("pending", "booked")

    def choose(self, cell: Cell, on: bool) -> str:
        """A box left ticked or not; why it could not be taken so."""
        self.baskets.pop(cell, None)
        if on == self.is_wanted(cell):
            return ""
        why = self.why_not_add(cell) if on else self.why_not_remove(cell)
        if why in ("", "full"):
            self.baskets[cell] = ("book" if on else "cancel", self.states.get(cell, "free"), why == "full")
            return ""
        return why

    def basket(self, home: int) -> dict[Cell, tuple[str, str, bool]]:
        return {cell: choice for cell, choice in sorted(self.baskets.items()) if HOMES[cell.who] == home}

    def shortcut(self, cells: Iterable[Cell], on: bool) -> tuple[dict[Cell, Step], dict[Cell, str]]:
        """What it did, and what it left with the reason ("" for a day refused before)."""
        done: dict[Cell, Step] = {}
        skipped: dict[Cell, str] = {}
        for cell in cells:
            before = self.baskets[cell][0] if cell in self.baskets else ""
            if on and cell not in self.states and not before:
                why = self.why_not_add(cell)
                if why or cell in self.refused:
                    skipped[cell] = why
                else:
                    done[cell] = Step("", "book")
            elif not on and before == "book":
                done[cell] = Step("book", "")
            elif not on and not before and self.is_wanted(cell):
                if why := self.why_not_remove(cell):
                    skipped[cell] = why
                else:
                    done[cell] = Step("", "cancel")
        for cell in done:
            self.choose(cell, on)
        return done, skipped

    def undo(self, steps: dict[Cell, Step]) -> None:
        for cell, step in steps.items():
            if (self.baskets[cell][0] if cell in self.baskets else "") == step.after:
                self.choose(cell, step.before == "book" if step.before else self.is_wanted(cell))

    def send(self, home: int) -> tuple[list[Line], dict[Cell, str]]:
        """The lines recorded, in order, and why the others were not. What is given back is there for who comes: it may
        be a brother's."""
        lines: dict[Cell, Line] = {}
        unsent: dict[Cell, str] = {}
        basket = self.basket(home)
        for cell in sorted(basket, key=lambda cell: (basket[cell][0] == "book", cell)):
            act, was, waits = basket[cell]
            if self.is_closed(cell):
                why = "closed"
            elif was != self.states.get(cell, "free"):
                why = "changed_meanwhile"
            elif act == "cancel":
                why = self.why_not_remove(cell)
            else:
                why = self.why_not_add(cell)
            if why == "full" and waits:
                self.states[cell] = "queued"
                self.until[cell] = LIMITS[cell.day]
                lines[cell] = Line(cell, act, pending=False)
            elif why:
                unsent[cell] = why
                continue
            elif act == "book":
                self.states[cell] = "pending" if self.asked_to_book else "booked"
                lines[cell] = Line(cell, act, pending=self.asked_to_book)
            elif self.states[cell] == "pending":
                self.drop(cell)
                lines[cell] = Line(cell, act, pending=False)
            elif self.asked_to_cancel:
                self.states[cell] = "cancelling"
                lines[cell] = Line(cell, act, pending=True)
            else:
                self.drop(cell)
                lines[cell] = Line(cell, act, pending=False)
            del self.baskets[cell]
        return [lines[cell] for cell in sorted(lines)], unsent

    def drop(self, cell: Cell) -> None:
        """The day lives no more; what still asked for it asks no more."""
        del self.states[cell]
        self.until.pop(cell, None)
        for line in self.pending_lines():
            if line.cell == cell:
                line.pending = False

    # what agents, families and the worker do with what stands

    def pending_lines(self) -> Iterator[Line]:
        return (line for lines in self.requests.values() for line in lines if line.pending)

    def open_requests(self) -> list[int]:
        return [number for number, lines in self.requests.items() if any(line.pending for line in lines)]

    def answer(self, line: Line, accept: bool) -> None:
        line.pending = False
        if (line.act == "book") == accept:
            self.states[line.cell] = "booked"
            return
        del self.states[line.cell]
        if line.act == "book":
            self.refused.add(line.cell)

    def answer_cancel(self, line: Line, accept: bool) -> None:
        line.pending = False
        if accept:
            del self.states[line.cell]
        else:
            self.states[line.cell] = "booked"

    def withdraw(self, number: int) -> bool:
        """Whether anything could be taken back."""
        lines = [
            line
            for line in self.requests[number]
            if line.pending and (line.act == "cancel" or line.cell.begins > self.at)
        ]
        for line in lines:
            line.pending = False
            if line.act == "cancel":
                self.states[line.cell] = "booked"
            else:
                self.drop(line.cell)
        return bool(lines)

    def accept(self, cell: Cell) -> bool:
        if self.states[cell] != "offered" or self.at >= self.until[cell]:
            return False
        self.states[cell] = "booked"
        del self.until[cell]
        return True

    def offer(self, cell: Cell) -> bool:
        room = self.room(cell.day)
        if self.at >= LIMITS[cell.day] or not all(room[part] > 0 for part in cell.parts):
            return False
        self.states[cell] = "offered"
        self.until[cell] = min(self.at + OFFER_LASTS, LIMITS[cell.day])
        return True

    def tick(self) -> None:
        for cell in [cell for cell, until in self.until.items() if until <= self.at]:
            if self.states[cell] == "queued" and self.at < LIMITS[cell.day]:
                self.until[cell] = LIMITS[cell.day]  # a place offered in vain while the day was closed: it waits on
            else:
                self.drop(cell)
        for day in DAYS:
            for cell in self.walk(day)[0]:
                self.offer(cell)

    # what closes and opens again

    def same_closure(self, reach: str, days: tuple[date, ...]) -> int | None:
        stand = (n for n, shut in self.shut.items() if not shut.undone and (shut.reach, shut.all_days) == (reach, days))
        return next(stand, None)

    def close(self, number: int, reach: str, days: tuple[date, ...]) -> Shut:
        self.shut[number] = shut = Shut(reach, list(days), days)
        for cell, state in self.states.items():
            if state != "closed" and shut.reaches(cell):
                asked = next((line for line in self.pending_lines() if line.cell == cell), None)
                shut.was[cell] = state, self.until.pop(cell, None), asked
                self.states[cell] = "closed"
                if asked is not None:
                    asked.pending = False
        return shut

    def reopen(self, shut: Shut) -> tuple[list[Cell], list[Cell]]:
        """Who is again what they were, and who lost their day; neither for those whom another closure reaches."""
        days = [day for day in shut.days if not shut.begun(day, self.at)]
        shut.days = [day for day in shut.days if day not in days]
        shut.undone = True
        back, lost = [], []
        for cell in [cell for cell in self.states if cell.day in days and cell in shut.was]:
            was = state, until, asked = shut.was.pop(cell)
            if other := next((other for other in self.shut.values() if other.reaches(cell)), None):
                other.was[cell] = was
                continue
            room = self.room(cell.day)
            fits = all(room[part] > 0 for part in cell.parts)
            if state == "offered" and not (fits and until is not None and until > self.at):
                state = "queued"
            if state in HOLD and not fits:
                lost.append(cell)
                del self.states[cell]
                continue
            back.append(cell)
            self.states[cell] = state
            if until is not None:
                self.until[cell] = until
            if asked is not None:
                asked.pending = True
        return back, lost


# ── the town, beside it ─────────────────────────────────────────────────────────────────────────────────────────────

units = st.sampled_from(sorted(PARTS))
any_of = st.integers(0, 11)  # whichever, counted round
any_cell = st.integers(0, len(CHILDREN) * len(DAYS) * len(PARTS) - 1)


def pick(choices: Iterable[Any], number: int) -> Any:
    listed = list(choices)
    return listed[number % len(listed)]


class Town(RuleBasedStateMachine):
    """Three families, five children of one group, two Wednesdays, a morning, an afternoon and the day made of both."""

    families: list[Family]
    by: User

    def __init__(self) -> None:
        super().__init__()
        self.all_of_it = transaction.atomic()
        self.all_of_it.__enter__()
        self.paper = Paper()
        self.children = [child for who in self.families for child in who.children]
        self.number = {child.pk: number for number, child in enumerate(self.children)}
        self.units = {unit.pk: unit for unit in Unit.objects.filter(service__slug="mercredi")}
        self.enrolments: list[list[Enrolment]] = [enrolments(who, "mercredi") for who in self.families]
        self.steps: dict[int, dict[Cell, Step]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.all_of_it.__exit__(None, None, None)

    # from one to the other

    def home(self, who: int) -> Family:
        return self.families[HOMES[who]]

    def cell(self, child: int, unit: int, day: date) -> Cell:
        return Cell(self.number[child], day, self.units[unit].slug)

    def key(self, cell: Cell) -> tuple[int, int, date]:
        (unit,) = (pk for pk, unit in self.units.items() if unit.slug == cell.unit)
        return self.children[cell.who].pk, unit, cell.day

    def days(self, number: int) -> Days:
        return load_days(town=municipality(), enrolments=self.enrolments[HOMES[number]], at=self.paper.at, dates=DAYS)

    def opened(self) -> dict[tuple[date, str], OpeningDay]:
        rows = OpeningDay.objects.filter(unit__in=self.units, date__in=DAYS, group__slug="plus-de-6-ans")
        return {(day.date, self.units[day.unit_id].slug): day for day in rows}

    def booking(self, cell: Cell) -> int:
        child, unit, day = self.key(cell)
        return Booking.objects.get(child=child, unit=unit, date=day, state__in=LIVE_BOOKINGS).pk

    def alone(self, cell: Cell) -> bool:
        """Whether the child has nothing else that day: how units go together is told elsewhere."""
        others = (replace(cell, unit=unit) for unit in PARTS if unit != cell.unit)
        return all(other not in self.paper.states and other not in self.paper.baskets for other in others)

    def choices(self) -> list[Cell]:
        cells = [Cell(who, day, unit) for who in CHILDREN for day in DAYS for unit in PARTS]
        return [cell for cell in cells if self.alone(cell)]

    # the rules

    @initialize(
        places=st.integers(1, 2), book=st.booleans(), cancel=st.booleans(),
        first=st.lists(units, min_size=RUSH, max_size=RUSH),
    )  # fmt: skip
    def open(self, places: int, book: bool, cancel: bool, first: list[str]) -> None:
        """A town that answers or not, so few places, and a first rush for one Wednesday."""
        self.paper.asked_to_book, self.paper.asked_to_cancel = book, cancel
        words = {True: "asked", False: "immediate"}
        Service.objects.filter(slug="mercredi").update(validation_book=words[book], validation_cancel=words[cancel])
        reread()
        for (day, part), row in self.opened().items():
            set_capacity(days=[row], capacity=places)
            self.paper.set_capacity(day, part, places)
        for who, unit in enumerate(first):
            self.tick(Cell(who, DAYS[0], unit), on=True)
            self.send_basket(who)

    @rule(number=any_cell, on=st.booleans())
    def choose(self, number: int, on: bool) -> None:
        self.tick(pick(self.choices(), number), on)

    @rule(number=any_cell)
    def ask(self, number: int) -> None:
        """What is not there is asked for, what is there is cancelled."""
        cell = pick(self.choices(), number)
        self.tick(cell, not self.paper.is_wanted(cell))
        self.send_basket(cell.who)

    @precondition(lambda self: any(self.paper.line(day) for day in DAYS))
    @rule(number=any_of, worker_passes=st.booleans(), taken=st.sampled_from(["", "in time", "late"]))
    def make_room(self, number: int, worker_passes: bool, taken: str) -> None:
        """Somebody who has a day gives it back, where others wait; who is offered its place takes it to the second."""
        full = [day for day in DAYS if self.paper.line(day)]
        have = [cell for cell in self.paper.states if cell.day in full and self.paper.is_wanted(cell)]
        cell = pick(have, number) if have else None
        if cell is not None:
            self.tick(cell, on=False)
            self.send_basket(cell.who)
            if self.paper.states.get(cell) == "cancelling":
                self.answer_request(self.paper.open_requests()[-1], [True, True])
        if worker_passes:
            self.worker()
        if taken and "offered" in self.paper.states.values():
            self.accept_to_the_second(number, late=taken == "late")

    def tick(self, cell: Cell, on: bool) -> None:
        who = cell.who
        family, days = self.home(who), self.days(who)
        shown = {self.key(cell): Shown(was=self.paper.states.get(cell, "free"), ticked=on)}
        _basket, clashes = fill_basket(
            user=family.user, household=family.household, days=days, shown=shown, at=self.paper.at
        )
        why = self.paper.choose(cell, on)
        assert [str(clash.refusal.reason) for clash in clashes] == [why] * bool(why)

    @rule(who=st.sampled_from(CHILDREN), unit=units, on=st.booleans())
    def shortcut(self, who: int, unit: str, on: bool) -> None:
        cells = [cell for day in DAYS if self.alone(cell := Cell(who, day, unit)) and cell.begins > self.paper.at]
        family, days = self.home(who), self.days(who)
        found = choose_days(
            user=family.user, household=family.household, days=days, on=on, at=self.paper.at,
            chosen=[days.states[self.key(cell)] for cell in cells],
        )  # fmt: skip
        done, skipped = self.paper.shortcut(cells, on)
        assert {self.cell(*key): step for key, step in found.steps.items()} == done
        why = {self.cell(*state.key): str(getattr(verdict, "reason", "")) for state, verdict in found.skipped}
        assert why == skipped
        if done:
            self.steps[who] = done

    @precondition(lambda self: self.steps)
    @rule(number=any_of)
    def undo(self, number: int) -> None:
        who = pick(sorted(self.steps), number)
        steps = self.steps.pop(who)
        if not all(self.alone(cell) for cell in steps):
            return
        family = self.home(who)
        undo_choice(
            user=family.user, household=family.household, days=self.days(who), at=self.paper.at,
            steps={self.key(cell): step for cell, step in steps.items()},
        )  # fmt: skip
        self.paper.undo(steps)

    @precondition(lambda self: self.paper.baskets)
    @rule(number=any_of)
    def send(self, number: int) -> None:
        self.send_basket(pick(sorted({cell.who for cell in self.paper.baskets}), number))

    def send_basket(self, who: int) -> None:
        """All that the child's family has chosen, for its brothers and sisters too."""
        family = self.home(who)
        key = basket_of(user=family.user, household=family.household, at=self.paper.at).send_key
        sent = send(family, key, at=self.paper.at)
        recorded, unsent = self.paper.send(HOMES[who])
        why = {self.cell(u.line.child_id, u.line.unit_id, u.line.date): str(u.refusal.reason) for u in sent.unsent}
        assert why == unsent
        if not recorded:
            assert sent.request is None
            return
        assert sent.request is not None
        rows = sent.request.lines.order_by("position")
        lines = [(self.cell(line.child_id, line.unit_id, line.date), line.act) for line in rows]
        assert lines == [(line.cell, line.act) for line in recorded]
        self.paper.requests[sent.request.pk] = recorded
        assert send(family, key, at=self.paper.at).request == sent.request, "the same form again is the same request"

    @precondition(lambda self: self.paper.open_requests())
    @rule(number=any_of, accept=st.lists(st.booleans(), min_size=2, max_size=2))
    def answer(self, number: int, accept: list[bool]) -> None:
        self.answer_request(pick(self.paper.open_requests(), number), accept)

    def answer_request(self, request: int, accept: list[bool]) -> None:
        rows = list(FamilyRequest.objects.get(pk=request).lines.order_by("position"))
        asked = [
            (row.pk, line, accept[rank % 2])
            for rank, (row, line) in enumerate(zip(rows, self.paper.requests[request], strict=True))
            if line.pending
        ]
        verdicts = {pk: Verdict(accept=yes, reason="" if yes else "Sortie annulée.") for pk, _line, yes in asked}
        answered = answer_request(request_id=request, verdicts=verdicts, by=self.by, at=self.paper.at)
        assert len(answered.answered) == len(asked)
        for _pk, line, yes in asked:
            self.paper.answer(line, yes) if line.act == "book" else self.paper.answer_cancel(line, yes)
        with pytest.raises(AlreadyAnswered):
            answer_request(request_id=request, verdicts=verdicts, by=self.by, at=self.paper.at)

    @precondition(lambda self: self.paper.open_requests())
    @rule(number=any_of)
    def withdraw(self, number: int) -> None:
        request = pick(self.paper.open_requests(), number)
        user = self.home(self.paper.requests[request][0].cell.who).user
        if self.paper.withdraw(request):
            withdraw_request(request_id=request, by=user, at=self.paper.at)
        else:
            with pytest.raises(DaysBegun):
                withdraw_request(request_id=request, by=user, at=self.paper.at)

    @precondition(lambda self: self.paper.until)
    @rule(number=any_of)
    def leave(self, number: int) -> None:
        cell = pick(self.paper.until, number)
        leave_list(booking_id=self.booking(cell), by=self.home(cell.who).user, at=self.paper.at)
        self.paper.drop(cell)

    @precondition(lambda self: self.paper.until)
    @rule(number=any_of)
    def accept(self, number: int) -> None:
        offered = [cell for cell in self.paper.until if self.paper.states[cell] == "offered"]
        self.accept_cell(pick(offered or self.paper.until, number))

    @precondition(lambda self: "offered" in self.paper.states.values())
    @rule(number=any_of, late=st.booleans())
    def accept_to_the_second(self, number: int, late: bool) -> None:
        """A place offered is there until its deadline, and not at it."""
        cell = pick([cell for cell, state in self.paper.states.items() if state == "offered"], number)
        at = self.paper.until[cell] - timedelta(seconds=0 if late else 1)
        if at >= self.paper.at:
            self.paper.at = at
            self.accept_cell(cell)

    def accept_cell(self, cell: Cell) -> None:
        booking, user = self.booking(cell), self.home(cell.who).user
        if self.paper.accept(cell):
            accept_offer(booking_id=booking, by=user, at=self.paper.at)
        else:
            with pytest.raises(OfferOver):
                accept_offer(booking_id=booking, by=user, at=self.paper.at)

    @precondition(lambda self: any(self.paper.line(day) for day in DAYS))
    @rule(number=any_of)
    def offer_by_hand(self, number: int) -> None:
        cell = pick([cell for day in DAYS for cell in self.paper.line(day)], number)
        if self.paper.offer(cell):
            offer_by_hand(booking_id=self.booking(cell), by=self.by, at=self.paper.at)
        else:
            with pytest.raises(NothingToOffer):
                offer_by_hand(booking_id=self.booking(cell), by=self.by, at=self.paper.at)

    @precondition(lambda self: self.paper.until)
    @rule()
    def worker(self) -> None:
        tick(at=self.paper.at)
        self.paper.tick()
        for day in DAYS:
            assert not self.paper.walk(day)[0], "nobody waits who would fit"

    @precondition(lambda self: self.paper.until and self.paper.at.date() < DAYS[1])
    @rule(hours=st.sampled_from([1, 13, 140]))
    def time_passes(self, hours: int) -> None:
        self.paper.at += timedelta(hours=hours)

    @precondition(lambda self: len(self.paper.states) > 2)
    @rule(day=st.sampled_from(DAYS), part=st.sampled_from(["matin", "apres-midi"]), places=st.integers(0, 2),
          margin=st.integers(0, 1))  # fmt: skip
    def change_capacity(self, day: date, part: str, places: int, margin: int) -> None:
        set_capacity(days=[self.opened()[day, part]], capacity=places, margin=margin)
        self.paper.set_capacity(day, part, places + margin)

    @precondition(lambda self: len(self.paper.states) > 1)
    @rule(reach=st.sampled_from(sorted(REACHES)), days=st.sampled_from([DAYS[:1], DAYS[1:], DAYS]))
    def close(self, reach: str, days: tuple[date, ...]) -> None:
        waited = {cell: self.booking(cell) for cell in self.paper.until}
        said: dict[str, Any] = {
            "kind": "closure", "reach": self.reach(reach), "days": days, "words": "", "key": uuid.uuid4(),
            "by": self.by, "at": self.paper.at,
        }  # fmt: skip
        left = tuple(day for day in days if day >= self.paper.at.date())
        if not left:
            with pytest.raises(NothingToClose):
                close_days(**said)
            return
        closed = close_days(**said)
        same = self.paper.same_closure(reach, left)
        assert closed.repeated == (same is not None)
        if same is not None:
            assert closed.closure.pk == same
            return
        shut = self.paper.close(closed.closure.pk, reach, left)
        assert closed.bookings == len(shut.was)
        assert close_days(**said).repeated, "the same form again is the same closure"
        for cell in waited.keys() & shut.was.keys():
            with pytest.raises(OfferOver):
                accept_offer(booking_id=waited[cell], by=self.home(cell.who).user, at=self.paper.at)
            with pytest.raises(OfferOver):
                offer_by_hand(booking_id=waited[cell], by=self.by, at=self.paper.at)

    @precondition(lambda self: len(self.paper.states) > 1)
    @rule(reach=st.sampled_from(sorted(REACHES)), day=st.sampled_from(DAYS), places=st.integers(0, 2),
          days_later=st.integers(0, 1), withdrawn=st.booleans())  # fmt: skip
    def call_off(self, reach: str, day: date, places: int, days_later: int, withdrawn: bool) -> None:
        """A closure that is undone, when other things have come to pass: a day has fewer places, an offer's time is
        over, what was asked beside it is taken back."""
        self.close(reach, (day,))
        for part in ("matin", "apres-midi"):
            self.change_capacity(day, part, places, margin=0)
        if self.paper.at.date() < DAYS[1]:
            self.paper.at += timedelta(days=days_later)
        if withdrawn and self.paper.open_requests():
            self.withdraw(len(self.paper.open_requests()) - 1)
        stand = [pk for pk, shut in self.paper.shut.items() if not shut.undone]
        if stand:
            self.reopen(len(stand) - 1)

    def reach(self, name: str) -> Reach:
        enrolment = self.enrolments[0][0]
        named = tuple(sorted(pk for pk, unit in self.units.items() if unit.slug in REACHES[name]))
        return {
            "service": Reach(service_id=enrolment.activity.service_id),
            "site": Reach(site_id=enrolment.activity.site_id),
            "group": Reach(group_id=enrolment.group_id),
        }.get(name) or Reach(unit_ids=named)

    @precondition(lambda self: self.paper.shut)
    @rule(number=any_of)
    def reopen(self, number: int) -> None:
        stand = [pk for pk, shut in self.paper.shut.items() if not shut.undone]
        closure = pick(stand or self.paper.shut, number)
        shut = self.paper.shut[closure]
        if not shut.undone and all(shut.begun(day, self.paper.at) for day in shut.days):
            with pytest.raises(closures.DaysBegun):
                reopen_days(closure_id=closure, by=self.by, at=self.paper.at)
            return
        if not shut.undone:
            ids = {cell: self.booking(cell) for cell in shut.was}
            reopened = reopen_days(closure_id=closure, by=self.by, at=self.paper.at)
            back, lost = self.paper.reopen(shut)
            assert (reopened.back, reopened.lost) == (len(back), len(lost))
            gone = Booking.objects.filter(pk__in=[ids[cell] for cell in lost])
            assert all(row.state == "cancelled" and "plus de place" in row.reason for row in gone)
        assert reopen_days(closure_id=closure, by=self.by, at=self.paper.at).repeated

    # what holds after each

    @invariant()
    def days_stand_as_on_paper(self) -> None:
        live = list(Booking.objects.filter(date__in=DAYS, state__in=LIVE_BOOKINGS).order_by("id"))
        cells = {booking.pk: self.cell(booking.child_id, booking.unit_id, booking.date) for booking in live}
        assert {cells[booking.pk]: booking.state for booking in live} == self.paper.states
        assert {cells[b.pk]: b.waits_until for b in live if b.waits_until} == self.paper.until
        known = ranks(live)
        assert {cells[pk]: rank for pk, rank in known.items()} == {
            cell: self.paper.rank(cell) for day in DAYS for cell in self.paper.line(day)
        }
        holding = list(Booking.objects.filter(holds_place=True).values_list("date", "unit_id"))
        for (day, part), row in self.opened().items():
            held = sum(on == day and part in PARTS[self.units[unit].slug] for on, unit in holding)
            assert row.taken == held == self.paper.taken(day, part)
            if self.paper.ceilings:
                assert row.taken <= (row.ceiling or 0) == self.paper.ceilings[day, part]

    @invariant()
    def nobody_stands_on_a_closed_day(self) -> None:
        live = Booking.objects.filter(date__in=DAYS, state__in=LIVE_BOOKINGS)
        for booking in live:
            closed = self.paper.is_closed(self.cell(booking.child_id, booking.unit_id, booking.date))
            assert (booking.state == "closed") == closed
            assert not (closed and (booking.holds_place or booking.waits_until))
        lines = {pk: sum(line.pending for line in listed) for pk, listed in self.paper.requests.items()}
        sent = FamilyRequest.objects.filter(pk__in=lines, state="sent").values_list("pk", flat=True)
        assert set(sent) == {pk for pk, pending in lines.items() if pending}, "who waits for an answer can get one"

    @invariant()
    def baskets_stand_as_on_paper(self) -> None:
        lines = BasketLine.objects.all()
        baskets = {self.cell(b.child_id, b.unit_id, b.date): (b.act, b.was, b.waits) for b in lines}
        assert baskets == self.paper.baskets


@pytest.mark.django_db
def test_any_sequence_agrees_with_a_list_kept_by_hand() -> None:
    text = (TOWNS / "cadours.toml").read_text(encoding="utf-8")
    load_town(read_text(text.replace("\n[services.mercredi.groups.moins-de-6-ans]", UNITS)), at=AT)
    Town.by = agent()
    brothers_and_sisters = [("Ana", "CE2"), ("Bo", "CE1")]  # the elder first, as a send lists them
    Town.families = [family(f"N{home}", brothers_and_sisters[: HOMES.count(home)]) for home in sorted(set(HOMES))]
    for who in Town.families:
        enrolled(who, "mercredi", by=Town.by)
    run_state_machine_as_test(
        Town,
        settings=settings(max_examples=30, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]),
    )
