"""From ticked days to a numbered request: what is recorded, what stays, and why."""

import uuid
from datetime import date, timedelta

import pytest

from marelle.activities.models import OpeningDay
from marelle.bookings.models import BasketLine, Booking
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import FamilyRequest
from marelle.rules.decisions import Reason
from tests.offer import (
    AT,
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

MONDAY, TUESDAY, THURSDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 19), date(2026, 11, 20)
WEEK = [MONDAY, TUESDAY, THURSDAY, FRIDAY]


@pytest.fixture
def benali() -> Family:
    cadours()
    who = family()
    enrolled(who, by=agent())
    return who


def states(who: Family) -> dict[tuple[str, date], str]:
    return {
        (booking.child.first_name, booking.date): booking.state
        for booking in Booking.objects.filter(household=who.household).select_related("child").order_by("id")
    }


def taken(day: date) -> int:
    return sum(OpeningDay.objects.filter(date=day, unit__service__slug="cantine").values_list("taken", flat=True))


@pytest.mark.row("A7", "A9")
def test_one_send_makes_one_request_for_both_children(benali: Family) -> None:
    request = booked(benali, WEEK)

    assert request.number.startswith("2026-") and len(request.number) >= 11
    assert states(benali) == {(name, day): "pending" for name in ("Inès", "Tom") for day in WEEK}
    assert [taken(day) for day in WEEK] == [2, 2, 2, 2]
    assert request.lines.count() == 8
    assert request.effect_date == MONDAY
    assert not BasketLine.objects.exists()


@pytest.mark.row("A7")
def test_the_family_is_told_by_mail_and_the_deed_is_in_its_history(benali: Family) -> None:
    OutboxMail.objects.all().delete()
    request = booked(benali, [MONDAY])

    mail = OutboxMail.objects.get()
    assert (mail.kind, mail.to_address, mail.context["number"]) == (
        "bookings/request_sent", benali.email, request.number,
    )  # fmt: skip
    line = AuditLine.objects.filter(household_id=benali.household.pk).first()
    assert line is not None
    assert (line.actor_label, plain_spaces(line.text)) == (
        "Nadia Benali",
        f"Demande n° {request.number} envoyée : 2 ajouts.",
    )


def test_sending_twice_makes_one_request(benali: Family) -> None:
    key = choose(benali, WEEK)
    first = send(benali, key)
    mails = OutboxMail.objects.count()
    again = send(benali, key)

    assert again.request == first.request and again.repeated
    assert FamilyRequest.objects.filter(kind="booking").count() == 1
    assert (Booking.objects.count(), OutboxMail.objects.count()) == (8, mails)


def test_an_unknown_key_sends_nothing(benali: Family) -> None:
    choose(benali, WEEK)

    assert send(benali, uuid.uuid4()).request is None
    assert not Booking.objects.exists()
    assert BasketLine.objects.count() == 8


@pytest.mark.row("A8")
def test_a_send_that_raced_the_limit_keeps_only_the_late_days(benali: Family) -> None:
    thursday = date(2026, 11, 12)
    key = choose(benali, [thursday, MONDAY], at=paris(2026, 11, 11, 8, 59, 59))
    sending = send(benali, key, at=paris(2026, 11, 11, 9, 0, 0))

    assert {(unsent.line.date, unsent.refusal.reason) for unsent in sending.unsent} == {(thursday, Reason.AGENT_ONLY)}
    assert sending.unsent[0].refusal.facts["since"] == paris(2026, 11, 11, 9)
    assert states(benali) == {("Inès", MONDAY): "pending", ("Tom", MONDAY): "pending"}
    assert {line.date for line in BasketLine.objects.all()} == {thursday}


@pytest.mark.row("A8")
def test_a_second_before_the_limit_is_in_time(benali: Family) -> None:
    thursday = date(2026, 11, 12)
    sending = send(benali, choose(benali, [thursday], at=AT), at=paris(2026, 11, 11, 8, 59, 59))

    assert sending.unsent == ()
    assert set(states(benali).values()) == {"pending"}


def test_a_full_day_never_loses_the_others(benali: Family) -> None:
    key = choose(benali, WEEK)
    OpeningDay.objects.filter(date=TUESDAY).update(capacity=0, ceiling=0)
    sending = send(benali, key)

    assert {(unsent.line.date, unsent.refusal.reason) for unsent in sending.unsent} == {(TUESDAY, Reason.FULL)}
    assert {day for _name, day in states(benali)} == {MONDAY, THURSDAY, FRIDAY}
    assert taken(TUESDAY) == 0


def test_the_last_place_goes_to_the_eldest_of_two_in_the_same_school() -> None:
    cadours()
    who = family(children=[("Zoé", "CE1"), ("Hugo", "CM2")])
    enrolled(who, by=agent())
    OpeningDay.objects.filter(date=MONDAY).update(capacity=1, ceiling=1)
    sending = send(who, choose(who, [MONDAY]))

    assert states(who) == {("Hugo", MONDAY): "pending"}
    assert [unsent.line.child.first_name for unsent in sending.unsent] == ["Zoé"]
    assert taken(MONDAY) == 1


@pytest.mark.row("A8")
def test_unticking_a_pending_day_withdraws_it_at_once_even_late(benali: Family) -> None:
    first = booked(benali, [MONDAY, TUESDAY])
    late = paris(2026, 11, 15, 12)  # Monday's limit was this Sunday at 9:00
    sending = send(benali, choose(benali, [MONDAY], wanted=False, at=late), at=late)

    assert sending.request is not None and sending.request != first
    assert states(benali)["Inès", MONDAY] == "withdrawn"
    assert taken(MONDAY) == 0 and taken(TUESDAY) == 2
    assert sorted(first.lines.values_list("date", "state")) == [
        (MONDAY, "withdrawn"), (MONDAY, "withdrawn"), (TUESDAY, "pending"), (TUESDAY, "pending"),
    ]  # fmt: skip
    assert set(sending.request.lines.values_list("act", "state")) == {("cancel", "accepted")}


def test_withdrawing_every_day_closes_the_first_request(benali: Family) -> None:
    first = booked(benali, [MONDAY])
    send(benali, choose(benali, [MONDAY], wanted=False))

    first.refresh_from_db()
    assert first.state == "withdrawn"


@pytest.mark.row("A8")
def test_cancelling_a_booked_day_asks_and_keeps_the_place_meanwhile(benali: Family) -> None:
    malika = agent("Malika Roux")
    booked(benali, [MONDAY], by=malika)
    sending = send(benali, choose(benali, [MONDAY], wanted=False))

    assert set(states(benali).values()) == {"cancelling"}
    assert taken(MONDAY) == 2
    assert sending.request is not None
    accept(sending.request, by=malika)
    assert set(states(benali).values()) == {"cancelled"}
    assert taken(MONDAY) == 0


def test_a_day_cancelled_can_be_asked_for_again(benali: Family) -> None:
    malika = agent("Malika Roux")
    booked(benali, [MONDAY], by=malika)
    cancelled = send(benali, choose(benali, [MONDAY], wanted=False)).request
    assert cancelled is not None
    accept(cancelled, by=malika)
    booked(benali, [MONDAY])

    assert sorted(Booking.objects.filter(date=MONDAY).values_list("state", flat=True)) == [
        "cancelled", "cancelled", "pending", "pending",
    ]  # fmt: skip
    assert taken(MONDAY) == 2


def test_a_day_answered_since_it_was_chosen_is_told_not_cancelled(benali: Family) -> None:
    first = booked(benali, [MONDAY])
    key = choose(benali, [MONDAY], wanted=False)  # chosen while it was pending
    accept(first, by=agent("Malika Roux"))
    sending = send(benali, key)

    assert sending.request is None
    assert {unsent.refusal.reason for unsent in sending.unsent} == {Reason.CHANGED_MEANWHILE}
    assert set(states(benali).values()) == {"booked"}


def test_the_other_home_sees_a_day_taken_and_cannot_take_it_twice(benali: Family) -> None:
    other = family("Moreau", children=[], first_name="Julien")
    for child in benali.children:
        other.household.residences.create(child=child)
    other = Family(other.household, other.guardian, other.user, benali.children)
    enrolled(other, by=agent())
    key = choose(other, [MONDAY])
    booked(benali, [MONDAY])
    sending = send(other, key)

    assert sending.request is None
    assert {unsent.refusal.reason for unsent in sending.unsent} == {Reason.OTHER_HOUSEHOLD}
    assert Booking.objects.count() == 2
    assert taken(MONDAY) == 2


def test_public_holidays_and_weekends_are_closed(benali: Family) -> None:
    with pytest.raises(AssertionError):
        booked(benali, [date(2026, 11, 11), date(2026, 11, 14)])
    assert not Booking.objects.exists()


@pytest.mark.row("A8")
@pytest.mark.parametrize(
    ("slug", "day", "limit"),
    [
        ("cantine", date(2026, 11, 16), paris(2026, 11, 15, 9)),  # the day before, even a Sunday
        ("cantine", date(2026, 11, 12), paris(2026, 11, 11, 9)),  # … even a public holiday
        ("mercredi", date(2026, 11, 18), paris(2026, 11, 16, 17)),  # the Monday before
        ("petites-vacances", date(2027, 2, 8), paris(2027, 2, 5, 12)),  # the Friday before they start
        ("petites-vacances", date(2027, 2, 17), paris(2027, 2, 5, 12)),  # … whatever the day in them
    ],
)
def test_the_limits_of_cadours(slug: str, day: date, limit: object) -> None:
    town_at = limit - timedelta(seconds=1)  # type: ignore[operator]
    cadours(at=town_at)
    who = family(children=[("Inès", "CE2")], at=town_at)
    enrolled(who, slug, by=agent(), at=town_at)

    key = choose(who, [day], slug, at=town_at)
    sending = send(who, key, at=limit)  # type: ignore[arg-type]
    assert sending.unsent[0].refusal.reason in (Reason.PAST_LIMIT, Reason.AGENT_ONLY)
    assert sending.unsent[0].refusal.facts["since"] == limit

    sending = send(who, key, at=town_at)
    assert sending.request is not None and sending.unsent == ()


def test_the_query_count_of_a_send_does_not_depend_on_the_days(
    benali: Family, django_assert_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(days: list[date]) -> int:
        key = choose(benali, days)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            send(benali, key)
        return len(queries)

    one = count([MONDAY])
    many = count([date(2026, 11, 17) + timedelta(days=n) for n in range(30)])
    assert one == many
    assert enrolments(benali)
