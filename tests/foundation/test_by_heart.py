"""A query known by heart gives the rows that it would give if it were worked out anew."""

from collections.abc import Collection
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.test.utils import CaptureQueriesContext

from marelle.activities.models import OpeningDay, Service
from marelle.foundation.by_heart import by_heart
from tests.offer import cadours

pytestmark = pytest.mark.django_db


def days(
    first: date | None, last: date | None, dates: Collection[date], services: Collection[str]
) -> QuerySet[OpeningDay]:
    span = Q(date__in=dates) if first is None else Q(date__in=dates) | Q(date__range=(first, last))
    found = OpeningDay.objects.filter(span, group__activity__service__slug__in=services, capacity__gt=-1)
    return found.select_related("group").annotate(place=F("group__activity__site")).order_by("date", "id")


known = by_heart(days)

MONDAY, FRIDAY, JUNE = date(2026, 11, 16), date(2026, 11, 20), date(2027, 6, 14)
ASKED = [
    (MONDAY, FRIDAY, (), ["cantine"]),
    (FRIDAY, JUNE, (), ["cantine"]),
    (MONDAY, MONDAY, [JUNE], ["cantine", "mercredi"]),
    (None, None, {MONDAY, FRIDAY, JUNE}, ["mercredi", "cantine", "garderie"]),
    (None, None, [JUNE], ["nothing"]),
    (None, None, [], ["cantine"]),
    (MONDAY, FRIDAY, [], []),
]


@pytest.mark.parametrize("asked", ASKED + ASKED[:2])
def test_the_rows_are_those_of_the_query(asked: tuple[date | None, date | None, Collection[date], list[str]]) -> None:
    cadours()
    found, wanted = known(*asked), list(days(*asked))
    assert [vars(row).keys() for row in found] == [vars(row).keys() for row in wanted]
    assert [(row, row.group, row.place, row.date) for row in found] == [  # type: ignore[attr-defined]
        (row, row.group, row.place, row.date)
        for row in wanted  # type: ignore[attr-defined]
    ]


def test_one_query_and_rows_of_its_own_each_time() -> None:
    cadours()
    known(MONDAY, FRIDAY, (), ["cantine"])
    with CaptureQueriesContext(connection) as queries:
        again = known(JUNE, JUNE, (), ["cantine"])
    assert len(queries) == 1 and "2027-06-14" in queries[0]["sql"] and "2026-11" not in queries[0]["sql"]
    assert again and all(row.date == JUNE for row in again)
    OpeningDay.objects.filter(date=JUNE).update(ceiling=1)
    assert {row.ceiling for row in known(JUNE, JUNE, (), ["cantine"])} == {1}


def test_a_value_that_the_query_leaves_out_is_a_fault() -> None:
    @by_heart
    def forgetful(slug: str, position: int) -> QuerySet[Service]:
        return Service.objects.filter(slug=slug)

    with pytest.raises(TypeError, match="leaves out"):
        forgetful("cantine", 3)


def test_other_values_are_refused() -> None:
    @by_heart
    def since(at: datetime) -> QuerySet[Service]:
        return Service.objects.filter(archived_at=at)

    with pytest.raises(TypeError, match="neither"):
        since(datetime(2026, 11, 10, tzinfo=UTC))
