"""Any sequence of asking, leaving, offering, accepting and waiting agrees with a list kept by hand."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marelle.activities.models import OpeningDay
from marelle.bookings.models import LIVE_BOOKINGS, Booking
from marelle.bookings.queries.waiting import ranks
from marelle.bookings.services.places import set_capacity
from marelle.bookings.services.waiting import OFFER_LASTS, OfferOver, accept_offer, leave_list, tick
from tests.bookings.test_waiting import LIMIT, WEDNESDAY, arrive, ask, free_the_place, small
from tests.offer import AT, Family, agent, cadours, choose, paris, send

pytestmark = pytest.mark.django_db

FAMILIES = 4
BEGINS = paris(2026, 11, 18, 13, 30)  # nobody withdraws a day that is going on


@dataclass
class ListByHand:
    """What the town hall would keep on paper: who holds, who waits in which order, until when each offer stands."""

    ceiling: int
    held: dict[int, str] = field(default_factory=dict)
    until: dict[int, datetime] = field(default_factory=dict)
    line: list[int] = field(default_factory=list)

    @property
    def states(self) -> dict[int, str]:
        return {**self.held, **dict.fromkeys(self.line, "queued")}

    def ask(self, who: int) -> None:
        if self.ceiling - len(self.held) > len(self.line):
            self.held[who] = "pending"
        else:
            self.line.append(who)

    def leave(self, who: int) -> None:
        self.held.pop(who, None)
        self.until.pop(who, None)
        if who in self.line:
            self.line.remove(who)

    def tick(self, at: datetime) -> None:
        for who in [who for who, until in self.until.items() if until <= at]:
            self.leave(who)
        if at >= LIMIT:
            self.line.clear()
        while self.line and len(self.held) < self.ceiling:
            first = self.line.pop(0)
            self.held[first] = "offered"
            self.until[first] = min(at + OFFER_LASTS, LIMIT)

    def accept(self, who: int, at: datetime) -> bool:
        if who not in self.until or at >= self.until[who]:
            return False
        self.held[who] = "booked"
        del self.until[who]
        return True

    def set_capacity(self, places: int) -> None:
        self.ceiling = max(places, len(self.held))


who = st.integers(0, FAMILIES - 1)
acts = st.one_of(
    st.tuples(st.just("ask"), who),
    st.tuples(st.just("ask"), who),
    st.tuples(st.just("leave"), who),
    st.tuples(st.just("accept"), who),
    st.tuples(st.just("tick"), st.just(0)),
    st.tuples(st.just("hours"), st.sampled_from([1, 25, 80])),
    st.tuples(st.just("capacity"), st.integers(0, 3)),
)


@pytest.fixture
def families() -> list[Family]:
    cadours()
    malika = agent()
    return [arrive(f"N{number}", by=malika) for number in range(FAMILIES)]


def play(act: str, value: int, families: list[Family], paper: ListByHand, at: datetime, by: Any) -> None:
    if act == "capacity":
        day = OpeningDay.objects.filter(unit__service__slug="mercredi", date=WEDNESDAY)
        set_capacity(days=day, capacity=value)
        paper.set_capacity(value)
        return
    if act == "tick":
        tick(at=at)
        paper.tick(at)
        return
    who = families[value]
    state = paper.states.get(value)
    live = Booking.objects.filter(household=who.household, state__in=LIVE_BOOKINGS).first()
    if act == "ask" and state is None and at < LIMIT:
        assert ask(who, at=at).request is not None
        paper.ask(value)
    elif act == "accept" and live is not None:
        if paper.accept(value, at):
            accept_offer(booking_id=live.pk, by=who.user, at=at)
        else:
            with pytest.raises(OfferOver):
                accept_offer(booking_id=live.pk, by=who.user, at=at)
    elif act == "leave" and live is not None:
        if state in ("queued", "offered"):
            leave_list(booking_id=live.pk, by=who.user, at=at)
        elif state == "pending" and at < BEGINS:
            send(who, choose(who, [WEDNESDAY], "mercredi", wanted=False, at=at), at=at)
        elif state == "booked" and at < LIMIT:
            free_the_place(who, by=by, at=at)
        else:
            return
        paper.leave(value)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.integers(1, 2), script=st.lists(acts, min_size=8, max_size=20))
def test_any_sequence_agrees_with_a_list_kept_by_hand(
    families: list[Family], places: int, script: list[tuple[str, int]]
) -> None:
    with transaction.atomic():
        small(places)
        paper, at, by = ListByHand(places), AT, agent(f"Agent{places} Roux")
        for act, value in script:
            if act == "hours":
                at += timedelta(hours=value)
            else:
                play(act, value, families, paper, at, by)
            at += timedelta(minutes=1)

            live = list(Booking.objects.filter(date=WEDNESDAY, state__in=LIVE_BOOKINGS).order_by("id"))
            number = {who.household.pk: index for index, who in enumerate(families)}
            assert {number[b.household_id]: b.state for b in live} == paper.states
            day = OpeningDay.objects.get(date=WEDNESDAY, group__slug="plus-de-6-ans")
            assert day.taken == sum(b.holds_place for b in live) == len(paper.held)
            assert day.ceiling == paper.ceiling >= day.taken
            known = ranks(live)
            assert [known[b.pk] for b in live if b.state == "queued"] == list(range(1, len(paper.line) + 1))
            assert [number[b.household_id] for b in live if b.state == "queued"] == paper.line
        transaction.set_rollback(True)


# ── races ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.race
def test_many_leave_while_many_ask_and_each_freed_place_is_offered_once(race) -> None:  # type: ignore[no-untyped-def]
    from marelle.foundation.models import AuditLine

    cadours()
    small(4)
    malika = agent()
    households = [arrive(f"R{number}", by=malika) for number in range(20)]
    for who in households[:4]:
        assert ask(who).request is not None
    leaving = [(who, choose(who, [WEDNESDAY], "mercredi", wanted=False)) for who in households[:4]]
    asking = [(who, choose(who, [WEDNESDAY], "mercredi")) for who in households[4:]]

    def act(contender: Any) -> Any:
        if contender is None:
            return tick(at=AT)
        return send(contender[0], contender[1], at=AT)

    contenders = [*asking[:8], *[None] * 4, *leaving, *asking[8:], *[None] * 8]
    outcomes = race(act, contenders, at_once=24)
    while tick(at=AT):
        pass

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    live = list(Booking.objects.filter(date=WEDNESDAY, state__in=LIVE_BOOKINGS).order_by("id"))
    day = OpeningDay.objects.get(date=WEDNESDAY, group__slug="plus-de-6-ans")
    assert day.taken == sum(b.holds_place for b in live) == 4
    assert len(live) == 16
    offered = [b.pk for b in live if b.state == "offered"]
    queued = [b.pk for b in live if b.state == "queued"]
    assert not offered or max(offered) < min(queued), "a later one was served before an earlier one"
    made = list(AuditLine.objects.filter(action="offer.made").values_list("subject_id", flat=True))
    assert sorted(made) == sorted(str(pk) for pk in offered), "each place is offered once"
    known = ranks(live)
    assert [known[pk] for pk in queued] == list(range(1, len(queued) + 1))
