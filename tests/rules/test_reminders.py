"""When a family is reminded of what it has not sent: by day, in time, and not while it is still there."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marelle.rules.reminders import LEAST, before_limit, by_day, morning_after, next_morning

PARIS = ZoneInfo("Europe/Paris")


def on(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=PARIS)


@pytest.mark.row("D6")
@pytest.mark.parametrize(
    ("changed", "morning"),
    [
        ("11-10T20:00", "11-11T07:30"),
        ("11-10T08:52", "11-11T07:30"),
        ("11-11T00:30", "11-11T07:30"),
        ("11-11T01:30", "11-11T07:30"),
        ("11-11T06:00", "11-12T07:30"),
        ("10-24T23:00", "10-25T07:30"),  # the night when clocks go back
    ],
)
def test_the_morning_after_is_the_first_that_finds_the_basket_left(changed: str, morning: str) -> None:
    assert morning_after(on(changed).astimezone(UTC), PARIS) == on(morning)


@pytest.mark.row("D6")
@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("11-19T12:00", "11-19T09:00"),
        ("11-19T09:00", "11-18T18:00"),  # the evening before, not at 6
        ("11-19T10:30", "11-19T07:30"),
        ("11-19T10:29", "11-18T18:00"),
        ("11-19T17:00", "11-19T14:00"),
        ("11-19T23:00", "11-19T20:00"),
        ("11-19T23:30", "11-19T18:00"),
        ("11-20T00:00", "11-19T18:00"),  # midnight ends the 19th
    ],
)
def test_a_limit_is_told_three_hours_before_but_never_at_night(limit: str, told: str) -> None:
    assert before_limit(on(limit), on("11-10T08:00"), PARIS) == on(told)


@pytest.mark.row("D6")
def test_who_came_late_is_told_an_hour_after_or_not_at_all() -> None:
    assert before_limit(on("11-19T17:00"), on("11-19T15:00"), PARIS) == on("11-19T16:00")
    assert before_limit(on("11-19T17:00"), on("11-19T15:45"), PARIS) is None
    assert before_limit(on("11-19T09:00"), on("11-18T23:00"), PARIS) is None


@given(st.integers(0, 730 * 24 * 60), st.integers(0, 20 * 24 * 60))
def test_no_reminder_leaves_at_night_nor_after_the_limit_nor_before_the_change(minute: int, before: int) -> None:
    limit = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    changed = limit - timedelta(minutes=before)
    told = before_limit(limit, changed, PARIS)
    if told is not None:
        assert by_day(told, PARIS)
        assert changed.astimezone(UTC) < told.astimezone(UTC) <= (limit - LEAST)
    morning = morning_after(changed, PARIS)
    assert by_day(morning, PARIS)
    assert timedelta(hours=6) <= morning.astimezone(UTC) - changed < timedelta(hours=31)
    assert changed < next_morning(changed, PARIS).astimezone(UTC) <= changed + timedelta(hours=25)
