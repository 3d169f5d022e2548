"""A basket left behind: told the morning after, told before a limit falls, cleaned of the days gone by, never twice."""

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction

from marelle.bookings.models import Basket, BasketLine
from marelle.bookings.services import reminders
from marelle.bookings.services.baskets import empty_basket, remove_line
from marelle.bookings.services.reminders import tick
from marelle.families.models import Guardian
from marelle.foundation import outbox
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.foundation.postman import compose
from tests.offer import AT, Family, agent, cadours, choose, enrolled, family, paris, send
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("D6")]

# Cadours' canteen: the eve, 9:00. Tuesday 10 November 2026, 8:52 is AT; Wednesday 11 is a public holiday.
MONDAY, TUESDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 13)
MORNING = paris(2026, 11, 11, 7, 30)
SECOND = timedelta(seconds=1)


def mails() -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind="bookings/basket_left").order_by("at"))


def text(mail: OutboxMail) -> str:
    return plain_spaces(str(compose(mail).body))


def subject(mail: OutboxMail) -> str:
    return plain_spaces(compose(mail).subject)


def run(first: datetime, last: datetime) -> list[datetime]:
    """Let the worker turn at every quarter of an hour; when e-mails left."""
    left = []
    at = first + timedelta(minutes=-first.minute % 15)
    while at <= last:
        before = len(mails())
        tick(at=at)
        left += [at] * (len(mails()) - before)
        at += timedelta(minutes=15)
    return left


@pytest.fixture
def benali() -> Family:
    cadours()
    who = family()
    enrolled(who, by=agent())
    OutboxMail.objects.all().delete()
    return who


def test_the_morning_after_one_e_mail_lists_every_choice_with_its_limit(benali: Family) -> None:
    choose(benali, [MONDAY, TUESDAY])
    tick(at=AT)
    tick(at=MORNING - SECOND)
    assert mails() == []

    assert tick(at=MORNING) == 1
    assert tick(at=MORNING) == 0
    (mail,) = mails()
    assert mail.to_address == benali.email
    assert subject(mail) == "Vos 4 changements ne sont pas envoyés"
    said = text(mail)
    assert "Inès, Cantine" in said and "Tom, Cantine" in said
    assert "- Ajouter lundi 16 novembre. À envoyer avant le dimanche 15 novembre, 9 h." in said
    assert "- Ajouter mardi 17 novembre. À envoyer avant le lundi 16 novembre, 9 h." in said
    assert "Premier délai : dimanche 15 novembre, 9 h." in said
    assert "/planning/verifier/" in said


def test_a_leaving_is_told_once_and_a_change_makes_a_new_one(benali: Family) -> None:
    choose(benali, [date(2026, 12, 14)])
    assert run(AT, AT + timedelta(days=4)) == [MORNING]

    # The same boxes sent back, as going from month to month does, are no change; another day is one.
    choose(benali, [date(2026, 12, 14)], at=paris(2026, 11, 14, 10))
    assert run(paris(2026, 11, 14, 10), paris(2026, 11, 15, 10)) == []
    choose(benali, [date(2026, 12, 15)], at=paris(2026, 11, 15, 10))
    assert run(paris(2026, 11, 15, 10), paris(2026, 11, 18, 10)) == [paris(2026, 11, 16, 7, 30)]


def test_a_limit_at_nine_is_told_the_evening_before_and_the_morning_says_it_no_more(benali: Family) -> None:
    choose(benali, [date(2026, 11, 12)], at=AT)  # limit: Wednesday 11, 9:00
    assert run(AT, paris(2026, 11, 13, 12)) == [paris(2026, 11, 10, 18)]
    assert subject(mails()[0]) == "À envoyer avant mercredi 11 novembre, 9 h : vos 2 changements"


def test_what_is_ticked_after_the_evening_is_told_in_the_morning_before_nine(benali: Family) -> None:
    late = paris(2026, 11, 10, 21)
    choose(benali, [date(2026, 11, 12)], at=late)
    assert run(late, paris(2026, 11, 13, 12)) == [MORNING]
    assert subject(mails()[0]) == "À envoyer avant mercredi 11 novembre, 9 h : vos 2 changements"


def test_each_limit_is_told_once_and_three_times_is_enough(benali: Family) -> None:
    choose(benali, [MONDAY, TUESDAY, date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23)])
    assert run(AT, paris(2026, 11, 25, 12)) == [
        MORNING,
        paris(2026, 11, 14, 18),  # Monday's limit is Sunday 9:00
        paris(2026, 11, 15, 18),
    ]
    assert "C’est notre dernier rappel" in text(mails()[2])
    assert "C’est notre dernier rappel" not in text(mails()[1])


def test_choices_that_can_no_longer_be_sent_are_said_as_such(benali: Family) -> None:
    choose(benali, [date(2026, 11, 12)], at=paris(2026, 11, 11, 8, 40))  # twenty minutes before its limit
    choose(benali, [MONDAY], at=paris(2026, 11, 11, 8, 50))
    assert run(paris(2026, 11, 11, 9), paris(2026, 11, 12, 9)) == [paris(2026, 11, 12, 7, 30)]
    said = text(mails()[0])
    assert "- Ajouter jeudi 12 novembre. Ne peut plus être envoyé : Trop tard" in said
    assert "- Ajouter lundi 16 novembre. À envoyer avant le dimanche 15 novembre, 9 h." in said


def test_what_is_sent_or_emptied_is_not_recalled(benali: Family) -> None:
    key = choose(benali, [MONDAY])
    tick(at=AT)
    assert send(benali, key, at=AT + SECOND).request is not None
    choose(benali, [TUESDAY])
    empty_basket(user=benali.user, household=benali.household, at=AT + SECOND)
    assert run(AT, paris(2026, 11, 17, 12)) == []
    assert Basket.objects.get().look_at is None


def test_a_worker_that_was_away_tells_by_day_and_nothing_that_is_past(benali: Family) -> None:
    choose(benali, [date(2026, 11, 12)], at=AT)
    assert tick(at=paris(2026, 11, 10, 23)) == 0
    tick(at=paris(2026, 11, 12, 8))
    (mail,) = mails()
    assert subject(mail) == "Vos 2 changements ne sont pas envoyés"
    assert "Rien de ce que vous avez coché ne peut plus être envoyé en ligne" in text(mail)


def test_days_gone_by_leave_the_basket_and_the_history_names_them(benali: Family) -> None:
    choose(benali, [date(2026, 11, 12), MONDAY])
    run(AT, paris(2026, 11, 12, 23, 45))
    assert BasketLine.objects.count() == 4

    run(paris(2026, 11, 13, 0), paris(2026, 11, 13, 8))
    assert set(BasketLine.objects.values_list("date", flat=True)) == {MONDAY}
    line = AuditLine.objects.get(action="basket.gone_by")
    assert line.household_id == benali.household.pk
    said = plain_spaces(line.text)
    assert "retirés car leur jour est passé" in said
    assert "Inès jeudi 12 novembre (Cantine)" in said and "Tom jeudi 12 novembre (Cantine)" in said


def test_who_is_a_guardian_there_no_more_is_told_nothing(benali: Family) -> None:
    choose(benali, [MONDAY])
    Guardian.objects.get(user=benali.user).guardianships.all().delete()
    run(AT, paris(2026, 11, 14, 12))
    assert mails() == []


def test_removing_a_line_is_a_change_and_a_line_of_another_is_left(benali: Family) -> None:
    choose(benali, [date(2026, 12, 14)])
    run(AT, MORNING)
    line = BasketLine.objects.order_by("id").first()
    assert line is not None
    stranger = family("Moreau", [("Léo", "CP")])
    remove_line(user=stranger.user, household=stranger.household, line_id=line.pk, at=MORNING)
    assert BasketLine.objects.count() == 2
    remove_line(user=benali.user, household=benali.household, line_id=line.pk, at=MORNING)
    assert run(MORNING, MORNING + timedelta(days=2)) == [MORNING + timedelta(days=1)]


# ── two workers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def naive_look(basket_id: int) -> bool:
    """What a worker without guard does: read that it is due, write the e-mail, say that it is done."""
    with transaction.atomic():
        basket = Basket.objects.get(id=basket_id)
        if basket.look_at is None or basket.look_at > MORNING:
            return False
        outbox.post(kind="bookings/basket_left", to_address="a@famille.example", at=MORNING, context={})
        Basket.objects.filter(id=basket_id).update(look_at=None)
        return True


def left_behind() -> list[int]:
    cadours()
    malika = agent()
    for number in range(8):
        who = family(f"Foyer{number}", children=[("Alix", "CE2")])
        enrolled(who, by=malika)
        choose(who, [MONDAY])
    OutboxMail.objects.all().delete()
    return list(Basket.objects.values_list("id", flat=True))


@pytest.mark.race
def test_without_the_guard_two_workers_write_twice(race) -> None:  # type: ignore[no-untyped-def]
    baskets = left_behind()
    outcomes = race(naive_look, baskets[:1] * 16, at_once=16)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert len(mails()) > 1


@pytest.mark.race
def test_sixteen_workers_write_once_of_each_basket(race) -> None:  # type: ignore[no-untyped-def]
    left_behind()
    outcomes = race(lambda _: reminders.tick(at=MORNING), range(16), at_once=16)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert sum(outcome.answer for outcome in outcomes) == 8
    assert len(mails()) == 8 == len({mail.to_address for mail in mails()})
