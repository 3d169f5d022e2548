"""A typical week laid over a span of days (docs/algorithms/recurrence.md)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date


def days_of_week_template(
    *, weekdays: Collection[int], first: date, last: date, open_days: Collection[date]
) -> list[date]:
    """Return the open days from `first` to `last`, both included, that fall on the weekdays, in order, each once.

    Weekdays are 0 (Monday) to 6 (Sunday). Limits are not looked at: the caller asks for each day.
    """
    wanted = frozenset(weekdays)
    return sorted({day for day in open_days if first <= day <= last and day.weekday() in wanted})
