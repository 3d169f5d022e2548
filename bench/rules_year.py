"""A year of limits for 12 services of 5 units, beside plain `datetime` arithmetic for the same count.

No page ever needs to cache a limit as long as this stays under 100 ms, calendar cold.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

from marelle.rules.calendars import SchoolCalendar
from marelle.rules.limits import Limit, limit_from_plain, moment

ROUNDS = 9
TARGET_MS = 100
FIRST = date(2026, 9, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(365)]
UNITS = [time(7, 30), time(8, 30), time(12), time(13, 30), time(16, 30)]
#: Twelve services' limits, of every kind.
SERVICES: list[Limit] = [
    limit_from_plain(plain)
    for plain in (
        {"days": 1, "at": "09:00"},
        {"last": "monday", "at": "17:00"},
        {"before_holidays": "friday 12:00"},
        {"working_hours": 48},
        {"working_days": 5},
        {"school_days": 1, "at": "11:00"},
        {"clear_days": 15},
        {"hours": 72},
        {"previous_week": "thursday", "at": "12:00", "on_closed_day": "earlier"},
        {
            "by_weekday": {"monday": "friday 11:00", "tuesday": "monday 11:00", "thursday": "tuesday 11:00"},
            "return_day": {"school_days": 1, "at": "11:00"},
        },
        {"days": 2, "holiday_week": {"monday": {"days": 5}}},
        {"opens": {"days": 42}, "closes": {"days": 14}, "then": {"working_days": 2, "at": "12:00"}},
    )
]


def limits_of_a_year() -> int:
    """Every limit of the year with a calendar just made; returns how many were computed."""
    calendar = SchoolCalendar.for_zone("C")
    count = 0
    for limit in SERVICES:
        for starts_at in UNITS:
            for day in DAYS:
                moment(limit, day=day, starts_at=starts_at, calendar=calendar)
                count += 1
    return count


def plain_arithmetic() -> int:
    """The least that anyone would do: the day before at a time, on the town's clock, in UTC."""
    paris, one_day, nine = ZoneInfo("Europe/Paris"), timedelta(days=1), time(9)
    count = 0
    for _limit in SERVICES:
        for _starts_at in UNITS:
            for day in DAYS:
                datetime.combine(day - one_day, nine, tzinfo=paris).astimezone(UTC)
                count += 1
    return count


def milliseconds(work: Callable[[], int]) -> float:
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000


def run() -> list[dict[str, object]]:
    """One measure, the median of interleaved rounds."""
    limits_of_a_year(), plain_arithmetic()
    pairs = [(milliseconds(limits_of_a_year), milliseconds(plain_arithmetic)) for _ in range(ROUNDS)]
    value, yardstick = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    return [
        {
            "name": "rules_year",
            "value": round(value, 1),
            "unit": "ms",
            "yardstick": round(yardstick, 1),
            "ratio": round(value / yardstick, 2),
            "target": f"< {TARGET_MS} ms",
        }
    ]
