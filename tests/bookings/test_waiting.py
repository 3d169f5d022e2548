"""Waiting for a place: who is first, what is offered, and until when."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay
from marelle.activities.queries import municipality
from marelle.bookings.models import LIVE_BOOKINGS, BasketLine, Booking
from marelle.bookings.queries.days import load_days
from marelle.bookings.queries.waiting import ranks, waiting_counts
from marelle.bookings.services.baskets import agree_to_wait
from marelle.bookings.services.places import set_capacity
from marelle.bookings.services.sending import Sending
from marelle.bookings.services.waiting import (
    NothingToOffer,
    OfferOver,
    accept_offer,
    leave_list,
    offer_by_hand,
    tick,
)
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.foundation.postman import compose
from marelle.rules.decisions import Reason
from marelle.townfile import read_text, write
from marelle.townfile.town import WaitingList
from marelle.towns.services import load_town
from tests.offer import (
    AT,
    TOWNS,
    Family,
    accept,
    agent,
    booked,
    cadours,
    choose,
    enrolled,
    enrolments,
    family,
    paris,
    send,
)
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 11, 18)
LIMIT = paris(2026, 11, 16, 17)  # the Monday before, 17:00
HOUR = timedelta(hours=1)


def small(places: int = 1, day: date = WEDNESDAY) -> None:
    """So few places on a Wednesday at the centre, in each group."""
    rows = OpeningDay.objects.filter(unit__service__slug="mercredi", date=day)
    assert rows.update(capacity=places, ceiling=places)


def arrive(name: str, *, by: User, level: str = "CE2") -> Family:
    """A family with one child enrolled on Wednesdays."""
    who = family(name, [(f"Léo{name}", level)], first_name=f"Ana{name}")
    enrolled(who, "mercredi", by=by)
    return who


def ask(who: Family, *, at: datetime = AT, day: date = WEDNESDAY) -> Sending:
    return send(who, choose(who, [day], "mercredi", at=at), at=at)


def day_of(who: Family) -> Booking:
    return Booking.objects.get(household=who.household)


def state_of(who: Family) -> str:
    return Booking.objects.get(household=who.household).state


def rank_of(who: Family) -> int | None:
    booking = day_of(who)
    return ranks([booking]).get(booking.pk)


def taken(day: date = WEDNESDAY) -> int:
    return sum(OpeningDay.objects.filter(unit__service__slug="mercredi", date=day).values_list("taken", flat=True))


def holding() -> int:
    return Booking.objects.filter(unit__service__slug="mercredi", holds_place=True).count()


@pytest.fixture
def malika() -> User:
    cadours()
    small()
    return agent()


@pytest.fixture
def three(malika: User) -> list[Family]:
    """One family holds the only place, two wait."""
    families = [arrive(name, by=malika) for name in ("Un", "Deux", "Trois")]
    booked(families[0], [WEDNESDAY], "mercredi", by=malika)
    for who in families[1:]:
        sending = ask(who)
        assert sending.request is not None and not sending.unsent
    return families


def free_the_place(who: Family, *, by: User, at: datetime = AT) -> None:
    """The family cancels its booked day and an agent accepts."""
    sending = send(who, choose(who, [WEDNESDAY], "mercredi", wanted=False, at=at), at=at)
    assert sending.request is not None
    accept(sending.request, by=by, at=at)


def test_who_asks_for_a_full_day_waits_in_order(three: list[Family]) -> None:
    assert [state_of(who) for who in three] == ["booked", "queued", "queued"]
    assert [rank_of(who) for who in three] == [None, 1, 2]
    assert taken() == holding() == 1
    assert day_of(three[1]).waits_until == LIMIT


def test_a_free_place_is_offered_to_the_first_only(three: list[Family], malika: User) -> None:
    free_the_place(three[0], by=malika)
    assert tick(at=AT + HOUR) == 1
    assert tick(at=AT + HOUR) == 0

    assert [state_of(who) for who in three] == ["cancelled", "offered", "queued"]
    assert day_of(three[1]).waits_until == AT + 25 * HOUR
    assert rank_of(three[2]) == 1
    assert taken() == holding() == 1
    mail = compose(OutboxMail.objects.get(kind="bookings/place_offered"))
    assert three[1].email in mail.to[0]
    assert f"/places/{day_of(three[1]).pk}/" in mail.body
    assert "mercredi 18 novembre" in plain_spaces(str(mail.body))
    assert AuditLine.objects.filter(action="offer.made", household_id=three[1].household.pk).count() == 1


def test_an_accepted_offer_is_booked_without_another_answer(three: list[Family], malika: User) -> None:
    free_the_place(three[0], by=malika)
    tick(at=AT)
    accept_offer(booking_id=day_of(three[1]).pk, by=three[1].user, at=AT + HOUR)

    assert state_of(three[1]) == "booked" and taken() == holding() == 1
    with pytest.raises(OfferOver):
        accept_offer(booking_id=day_of(three[1]).pk, by=three[1].user, at=AT + HOUR)
    assert OutboxMail.objects.filter(kind="bookings/offer_accepted").count() == 1


def test_a_refused_offer_goes_to_the_next(three: list[Family], malika: User) -> None:
    free_the_place(three[0], by=malika)
    tick(at=AT)
    leave_list(booking_id=day_of(three[1]).pk, by=three[1].user, at=AT + HOUR)
    assert taken() == holding() == 0
    tick(at=AT + HOUR)

    assert [state_of(who) for who in three] == ["cancelled", "withdrawn", "offered"]
    assert taken() == holding() == 1


def test_an_offer_without_an_answer_goes_to_the_next_at_its_very_deadline(three: list[Family], malika: User) -> None:
    free_the_place(three[0], by=malika)
    tick(at=AT)
    assert tick(at=AT + 24 * HOUR - timedelta(seconds=1)) == 0
    with pytest.raises(OfferOver):
        accept_offer(booking_id=day_of(three[1]).pk, by=three[1].user, at=AT + 24 * HOUR)
    assert tick(at=AT + 24 * HOUR) == 2

    assert [state_of(who) for who in three] == ["cancelled", "expired", "offered"]
    mail = compose(OutboxMail.objects.get(kind="bookings/wait_over"))
    assert "n’a pas été acceptée à temps" in mail.body


def test_an_offer_ends_at_the_days_limit_and_none_is_made_after_it(three: list[Family], malika: User) -> None:
    free_the_place(three[0], by=malika)
    tick(at=LIMIT - HOUR)
    assert day_of(three[1]).waits_until == LIMIT

    tick(at=LIMIT)
    assert [state_of(who) for who in three] == ["cancelled", "expired", "expired"]
    assert taken() == holding() == 0
    over = {mail.context["was_offered"] for mail in OutboxMail.objects.filter(kind="bookings/wait_over")}
    assert over == {True, False}


def test_nobody_passes_between_the_freed_place_and_its_offer(three: list[Family], malika: User) -> None:
    free_the_place(three[0], by=malika)
    late = arrive("Quatre", by=malika)
    sending = ask(late)

    assert sending.request is not None and state_of(late) == "queued"
    assert rank_of(late) == 3
    tick(at=AT)
    assert [state_of(who) for who in (*three, late)] == ["cancelled", "offered", "queued", "queued"]


def test_who_ticked_a_free_day_that_filled_meanwhile_is_asked_before_waiting(malika: User) -> None:
    first, second = arrive("Un", by=malika), arrive("Deux", by=malika)
    key = choose(second, [WEDNESDAY], "mercredi")
    booked(first, [WEDNESDAY], "mercredi", by=malika)

    sending = send(second, key)
    assert sending.request is None
    assert [unsent.refusal.reason for unsent in sending.unsent] == [Reason.FULL]

    line = BasketLine.objects.get(basket__household=second.household)
    agree_to_wait(user=first.user, household=first.household, line_id=line.pk, at=AT)
    line.refresh_from_db()
    assert not line.waits, "another family's line"
    agree_to_wait(user=second.user, household=second.household, line_id=line.pk, at=AT)
    assert send(second, key).request is not None
    assert state_of(second) == "queued"


def test_who_agreed_to_wait_and_finds_room_gets_the_place(malika: User) -> None:
    first, second = arrive("Un", by=malika), arrive("Deux", by=malika)
    booked(first, [WEDNESDAY], "mercredi", by=malika)
    key = choose(second, [WEDNESDAY], "mercredi")
    free_the_place(first, by=malika)

    send(second, key)
    assert state_of(second) == "pending"


def test_a_raised_capacity_is_offered_to_as_many(three: list[Family]) -> None:
    set_capacity(days=OpeningDay.objects.filter(unit__service__slug="mercredi", date=WEDNESDAY), capacity=3)
    assert tick(at=AT) == 2
    assert [state_of(who) for who in three] == ["booked", "offered", "offered"]
    assert taken() == holding() == 3


def test_leaving_the_list_moves_the_others_up(three: list[Family]) -> None:
    leave_list(booking_id=day_of(three[1]).pk, by=three[1].user, at=AT)
    assert state_of(three[1]) == "withdrawn" and rank_of(three[2]) == 1
    assert taken() == holding() == 1
    with pytest.raises(OfferOver):
        leave_list(booking_id=day_of(three[1]).pk, by=three[1].user, at=AT)


def test_the_planning_knows_how_many_stand_before(three: list[Family], malika: User) -> None:
    late = arrive("Quatre", by=malika)
    for who, ahead in ((three[1], 0), (three[2], 1), (late, 2)):
        days = load_days(town=municipality(), enrolments=enrolments(who, "mercredi"), at=AT, dates=[WEDNESDAY])
        (state,) = days.states.values()
        assert (state.ahead, state.left) == (ahead, 0)


def with_list(mode: WaitingList) -> None:
    text = (TOWNS / "cadours.toml").read_text(encoding="utf-8")
    text = text.replace("[services.mercredi]\n", f'[services.mercredi]\nwaiting_list = "{mode}"\n')
    load_town(read_text(text), at=AT)
    small()


def test_a_list_held_by_an_agent_waits_for_the_agent(three: list[Family], malika: User) -> None:
    with_list(WaitingList.AGENT)
    with pytest.raises(NothingToOffer):
        offer_by_hand(booking_id=day_of(three[2]).pk, by=malika, at=AT)
    free_the_place(three[0], by=malika)
    assert tick(at=AT) == 0

    offer_by_hand(booking_id=day_of(three[2]).pk, by=malika, at=AT)
    assert [state_of(who) for who in three] == ["cancelled", "queued", "offered"]
    with pytest.raises(OfferOver):
        offer_by_hand(booking_id=day_of(three[2]).pk, by=malika, at=AT)
    with pytest.raises(NothingToOffer):
        offer_by_hand(booking_id=day_of(three[1]).pk, by=malika, at=AT)
    assert list(waiting_counts(WEDNESDAY, WEDNESDAY).values()) == [(1, 1)]


def test_without_a_list_a_full_day_is_full(three: list[Family], malika: User) -> None:
    with_list(WaitingList.NONE)
    late = arrive("Quatre", by=malika)
    assert ask(late).request is None
    assert not Booking.objects.filter(household=late.household).exists()


def test_true_and_false_still_read_and_words_are_written() -> None:
    text = (TOWNS / "cadours.toml").read_text(encoding="utf-8")
    for said, meant in (("true", "automatic"), ("false", "none"), ('"agent"', "agent")):
        town = read_text(text.replace("[services.mercredi]\n", f"[services.mercredi]\nwaiting_list = {said}\n"))
        assert town.service("mercredi").waiting_list == meant
        assert read_text(write(town)) == town


# ── races ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.race
def test_many_leave_while_many_ask_and_each_freed_place_is_offered_once(race) -> None:  # type: ignore[no-untyped-def]
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
