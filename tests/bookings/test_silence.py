"""A day that begins unanswered: the family is told once, whoever turns the crank."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from marelle.bookings.models import Booking
from marelle.bookings.services import silence
from marelle.bookings.services.answers import withdraw_request
from marelle.foundation import outbox
from marelle.foundation.models import OutboxMail
from marelle.foundation.postman import compose
from tests.offer import AT, Family, accept, agent, booked, cadours, choose, enrolled, family, paris, send
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

# Cadours' canteen, at noon; what is asked waits for an agent.
MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
MORNING = paris(2026, 11, 16, 7, 30)
SECOND = timedelta(seconds=1)


def mails() -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind="bookings/days_unanswered").order_by("id"))


def text(mail: OutboxMail) -> str:
    return plain_spaces(str(compose(mail).body))


@pytest.fixture
def benali() -> Family:
    cadours()
    who = family()
    enrolled(who, by=agent())
    return who


def run(first: datetime, last: datetime) -> list[datetime]:
    """Let the worker turn every quarter of an hour; when e-mails left."""
    left, at = [], first
    while at <= last:
        before = len(mails())
        silence.tick(at=at)
        left += [at] * (len(mails()) - before)
        at += timedelta(minutes=15)
    return left


def test_the_morning_of_the_day_one_e_mail_says_what_it_means_and_whom_to_call(benali: Family) -> None:
    request = booked(benali, [MONDAY, TUESDAY])
    assert run(paris(2026, 11, 15, 6), MORNING + timedelta(hours=10)) == [MORNING]
    [mail] = mails()
    assert "Demande sans réponse pour lundi 16 novembre : Inès et Tom" in plain_spaces(compose(mail).subject)
    said = text(mail)
    assert "l’accueil est prévu pour Inès et Tom :" in said
    assert "retirez votre demande avant le début de l’accueil, ou appelez le service" in said
    assert request.number in said
    assert "17" not in said.partition("retirez")[0].replace(request.number, "")
    # the child stays expected, the line answerable
    assert set(Booking.objects.filter(date=MONDAY).values_list("state", flat=True)) == {"pending"}
    accept(request, by=agent(), at=MORNING + SECOND)


def test_nothing_is_told_before_the_morning_nor_of_what_was_answered_or_withdrawn(benali: Family) -> None:
    accept(booked(benali, [MONDAY]), by=agent())
    withdraw_request(request_id=booked(benali, [TUESDAY]).pk, by=benali.user, at=AT)
    assert silence.tick(at=MORNING) == 0 == silence.tick(at=MORNING + timedelta(days=1))
    booked(benali, [date(2026, 11, 19)])
    assert silence.tick(at=paris(2026, 11, 19, 7, 29)) == 0
    assert silence.tick(at=paris(2026, 11, 19, 7, 30)) == 2


def test_what_is_asked_that_very_morning_is_told_as_the_day_begins(benali: Family) -> None:
    request = booked(benali, [MONDAY])
    request.sent_at = paris(2026, 11, 16, 8)
    request.save(update_fields=["sent_at"])
    assert run(MORNING, paris(2026, 11, 16, 14)) == [paris(2026, 11, 16, 12)]


def test_a_cancellation_without_an_answer_is_told_too(benali: Family) -> None:
    accept(booked(benali, [MONDAY], children=benali.children[:1]), by=agent())
    send(benali, choose(benali, [MONDAY], wanted=False, children=benali.children[:1]))
    Booking.objects.filter(date=MONDAY).update(state="cancelling")
    assert silence.tick(at=MORNING) == 1
    assert "annulation demandée" in text(mails()[0])


def test_the_queries_grow_only_with_the_e_mails(benali: Family) -> None:
    def count(day: date) -> int:
        at = paris(day.year, day.month, day.day, 7, 30)
        with CaptureQueriesContext(connection) as seen:
            assert silence.tick(at=at)
        return len(seen)

    booked(benali, [MONDAY], children=benali.children[:1])
    few = count(MONDAY)
    booked(benali, [TUESDAY])
    assert count(TUESDAY) == few
    with CaptureQueriesContext(connection) as seen:
        silence.tick(at=paris(2026, 11, 20, 9))
    assert len(seen) == 1


# ── two workers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def naive_tell(booking_id: int) -> bool:
    """What a worker without the lock does: read that nobody told, write the e-mail, say that it is done."""
    with transaction.atomic():
        if Booking.objects.get(id=booking_id).told_unanswered_at is not None:
            return False
        outbox.post(kind="bookings/days_unanswered", to_address="a@famille.example", at=MORNING, context={})
        Booking.objects.filter(id=booking_id).update(told_unanswered_at=MORNING)
        return True


def unanswered() -> list[int]:
    cadours()
    malika = agent()
    for number in range(8):
        who = family(f"Foyer{number}", children=[("Alix", "CE2")])
        enrolled(who, by=malika)
        booked(who, [MONDAY])
    return list(Booking.objects.values_list("id", flat=True))


@pytest.mark.race
def test_without_the_lock_two_workers_tell_twice(race) -> None:  # type: ignore[no-untyped-def]
    bookings = unanswered()
    outcomes = race(naive_tell, bookings[:1] * 16, at_once=16)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert len(mails()) > 1


@pytest.mark.race
def test_sixteen_workers_tell_each_family_once(race) -> None:  # type: ignore[no-untyped-def]
    unanswered()
    outcomes = race(lambda _: silence.tick(at=MORNING), range(16), at_once=16)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert sum(outcome.answer for outcome in outcomes) == 8
    assert len(mails()) == 8 == len({mail.to_address for mail in mails()})
