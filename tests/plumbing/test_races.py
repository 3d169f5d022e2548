import time

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction


@pytest.mark.race
def test_contenders_truly_overlap(race) -> None:
    """A careless counter loses updates: were the threads run one after the other, it would not."""
    ContentType.objects.create(app_label="race", model="0")

    def count_carelessly(_: int) -> None:
        with transaction.atomic():
            seen = ContentType.objects.get(app_label="race")
            time.sleep(0.002)
            ContentType.objects.filter(pk=seen.pk).update(model=str(int(seen.model) + 1))

    outcomes = race(count_carelessly, range(64))
    assert [outcome.error for outcome in outcomes] == [None] * 64
    assert int(ContentType.objects.get(app_label="race").model) < 64


@pytest.mark.race
def test_outcomes_come_in_the_contenders_order_with_their_answers_and_errors(race) -> None:
    def insert(name: str) -> str:
        ContentType.objects.create(app_label="race", model=name)
        return name.upper()

    outcomes = race(insert, ["a", "b", "same", "same", "c"], at_once=5)
    assert [outcome.contender for outcome in outcomes] == ["a", "b", "same", "same", "c"]
    assert [outcome.answer for outcome in outcomes if outcome.contender != "same"] == ["A", "B", "C"]
    errors = [type(outcome.error) for outcome in outcomes if outcome.contender == "same"]
    assert sorted(errors, key=str) == sorted([type(None), IntegrityError], key=str)


@pytest.mark.race
def test_no_connection_stays_open(race) -> None:
    race(lambda _: ContentType.objects.count(), range(40), at_once=32)

    def connected() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend'"
            )
            return cursor.fetchone()[0]

    give_up = time.monotonic() + 5  # the server takes a moment to notice that a client has left
    while connected() > 1 and time.monotonic() < give_up:
        time.sleep(0.02)
    assert connected() == 1
