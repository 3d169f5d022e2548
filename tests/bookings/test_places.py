"""Places: never more than there are, never lost, whatever is exchanged."""

import contextlib
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marelle.activities.models import OpeningDay
from marelle.bookings.models import Booking
from marelle.bookings.services.places import exchange, release, set_capacity
from tests.offer import AT, agent, cadours, choose, enrolled, family, send

DAYS = 4


def rows(ceilings: list[int | None]) -> list[OpeningDay]:
    """Some of the canteen's days, with these ceilings and nothing taken."""
    days = list(OpeningDay.objects.filter(unit__service__slug="cantine").order_by("id")[: len(ceilings)])
    for day, ceiling in zip(days, ceilings, strict=True):
        day.capacity = day.ceiling = ceiling
        day.save()
    return days


@pytest.mark.django_db
def test_a_composed_booking_takes_all_its_components_or_none() -> None:
    cadours()
    morning, noon, afternoon = rows([1, 1, 0])
    with transaction.atomic():
        got = exchange(wanted=[(morning.id, noon.id, afternoon.id), (morning.id,)])

    assert got == [False, True]
    found = OpeningDay.objects.filter(id__in=[morning.id, noon.id, afternoon.id]).order_by("id")
    assert list(found.values_list("taken", flat=True)) == [1, 0, 0]


@pytest.mark.django_db
def test_what_is_given_back_serves_the_same_exchange() -> None:
    cadours()
    (day,) = rows([1])
    with transaction.atomic():
        assert exchange(wanted=[(day.id,)]) == [True]
        assert exchange(wanted=[(day.id,)]) == [False]
        assert exchange(give_back=[(day.id,)], wanted=[(day.id,)]) == [True]
        release([(day.id,)])
    day.refresh_from_db()
    assert day.taken == 0


@pytest.mark.django_db
def test_lowering_a_capacity_breaks_no_promise() -> None:
    cadours()
    (day,) = rows([5])
    with transaction.atomic():
        exchange(wanted=[(day.id,)] * 4)
        day.refresh_from_db()
        set_capacity(days=[day], capacity=2)
        assert (day.capacity, day.ceiling, day.taken) == (2, 4, 4)
        assert exchange(wanted=[(day.id,)]) == [False]
        release([(day.id,), (day.id,)])
        day.refresh_from_db()
        set_capacity(days=[day], capacity=2)
        assert (day.ceiling, day.left) == (2, 0)


@pytest.mark.django_db
def test_the_database_itself_refuses_one_place_too_many() -> None:
    cadours()
    (day,) = rows([1])
    with pytest.raises(IntegrityError), transaction.atomic():
        OpeningDay.objects.filter(id=day.id).update(taken=2)


demands = st.lists(st.lists(st.integers(0, DAYS - 1), min_size=1, max_size=3, unique=True), max_size=8)


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ceilings=st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=DAYS, max_size=DAYS),
    rounds=st.lists(st.tuples(demands, st.integers(0, 3)), max_size=5),
)
def test_any_sequence_agrees_with_a_count_by_hand(
    ceilings: list[int | None], rounds: list[tuple[list[list[int]], int]]
) -> None:
    """Against a model that serves one demand after the other: first come, first served, all components or none."""
    with transaction.atomic():
        if not OpeningDay.objects.exists():
            cadours()
        days = rows(ceilings)
        OpeningDay.objects.filter(id__in=[day.id for day in days]).update(taken=0)
        held: list[list[int]] = []
        for asked, n_back in rounds:
            back, held = held[:n_back], held[n_back:]
            got = exchange(
                give_back=[[days[i].id for i in places] for places in back],
                wanted=[[days[i].id for i in places] for places in asked],
            )
            expected = []
            for places in asked:
                room = all(
                    ceilings[i] is None or sum(i in other for other in held) < ceilings[i]  # type: ignore[operator]
                    for i in places
                )
                expected.append(room)
                if room:
                    held.append(places)
            assert got == expected
            for i, day in enumerate(days):
                day.refresh_from_db()
                assert day.taken == sum(i in places for places in held)
        transaction.set_rollback(True)


# ── races ───────────────────────────────────────────────────────────────────────────────────────────────────────────


RACE_DAY = date(2026, 11, 16)


def naive_send(place_id: int) -> bool:
    """What a portal without guard does: count, then insert. Its table has no CHECK and no lock."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM naive_place WHERE day = %s", [place_id])
        (taken,) = cursor.fetchone()
        if taken >= 100:
            return False
        cursor.execute("SELECT pg_sleep(0.005)")
        cursor.execute("INSERT INTO naive_place (day) VALUES (%s)", [place_id])
        return True


@pytest.mark.race
def test_without_the_guard_the_race_is_lost(race) -> None:  # type: ignore[no-untyped-def]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_place (id serial PRIMARY KEY, day int)")
    outcomes = race(naive_send, [1] * 200, at_once=32)

    assert sum(outcome.answer for outcome in outcomes) > 100


@pytest.mark.race
def test_two_hundred_children_race_for_a_hundred_places(race) -> None:  # type: ignore[no-untyped-def]
    cadours()
    malika = agent()
    families = []
    for number in range(200):
        who = family(f"Famille{number}", children=[("Camille", "CE2")])
        enrolled(who, by=malika)
        families.append((who, choose(who, [RACE_DAY])))
    day = OpeningDay.objects.get(date=RACE_DAY, unit__service__slug="cantine", group__slug="elementaire")
    OpeningDay.objects.filter(id=day.id).update(capacity=100, ceiling=100)

    outcomes = race(lambda contender: send(contender[0], contender[1], at=AT), families, at_once=32)

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    served = [outcome.answer for outcome in outcomes if outcome.answer.request is not None]
    refused = [outcome.answer for outcome in outcomes if outcome.answer.request is None]
    assert (len(served), len(refused)) == (100, 100)
    assert {unsent.refusal.reason for answer in refused for unsent in answer.unsent} == {"full"}
    day.refresh_from_db()
    assert day.taken == 100 == Booking.objects.filter(date=RACE_DAY, holds_place=True).count()


@pytest.mark.race
def test_overlapping_weeks_neither_deadlock_nor_overbook(race) -> None:  # type: ignore[no-untyped-def]
    cadours()
    malika = agent()
    week = [date(2026, 11, day) for day in (16, 17, 19, 20, 23, 24, 26, 27)]
    families = []
    for number in range(40):
        who = family(f"Foyer{number}", children=[("Alix", "CE2"), ("Noé", "GS")])
        enrolled(who, by=malika)
        # each asks for the same days in another order of its own
        chosen = week[number % 8 :] + week[: number % 8]
        families.append((who, choose(who, chosen[:5])))
    OpeningDay.objects.filter(date__in=week).update(capacity=12, ceiling=12)

    outcomes = race(lambda contender: send(contender[0], contender[1], at=AT), families, at_once=32)

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    for day in OpeningDay.objects.filter(date__in=week, unit__service__slug="cantine"):
        holding = Booking.objects.filter(date=day.date, group=day.group_id, holds_place=True).count()
        assert day.taken == holding <= 12
    answered = sum(len(o.answer.unsent) + (o.answer.request.lines.count() if o.answer.request else 0) for o in outcomes)
    assert answered == 40 * 5 * 2


@pytest.mark.race
def test_the_same_form_sent_at_once_from_everywhere_makes_one_request(race) -> None:  # type: ignore[no-untyped-def]
    cadours()
    who = family()
    enrolled(who, by=agent())
    key = choose(who, [RACE_DAY])

    outcomes = race(lambda _: send(who, key, at=AT), range(16), at_once=16)

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    numbers = {outcome.answer.request.number for outcome in outcomes}
    assert len(numbers) == 1
    assert Booking.objects.count() == 2
    with contextlib.suppress(OpeningDay.DoesNotExist):
        assert OpeningDay.objects.get(date=RACE_DAY, group__slug="elementaire").taken == 1
