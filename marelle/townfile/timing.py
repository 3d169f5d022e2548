"""What time alone says of a day: its limits, its period's opening, the town's policy past the limit.

The portal and the explanations on the command line both ask here, so that they cannot disagree.
"""

from __future__ import annotations

from datetime import date, datetime

from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.lateness import judge_late
from marelle.rules.limits import Limits, may_book, may_cancel
from marelle.townfile.town import Service, Unit


def decide(
    service: Service,
    unit: Unit,
    limits: Limits,
    *,
    day: date,
    at: datetime,
    opens_at: datetime | None,
    calendar: SchoolCalendar,
) -> tuple[Decision, Decision]:
    """Whether the unit may be booked, and cancelled, for that day at that instant (aware).

    `opens_at` is when the period that holds the day opens to this family (None: always open). Open days, places and
    rights are not looked at. Raises `BeyondCalendar`.
    """
    starts_at = unit.starts_at
    book = may_book(limits, day=day, at=at, starts_at=starts_at, calendar=calendar)
    cancel = may_cancel(limits, day=day, at=at, starts_at=starts_at, calendar=calendar)
    if opens_at is not None and at < opens_at and (isinstance(book, Allowed) or _opens_before(book, opens_at)):
        book = Refused(Reason.NOT_OPEN_YET, {"opens": opens_at})
    if isinstance(book, Refused):
        rule = service.late.book.rule()
        book = judge_late(rule, book, unit=unit.slug, day=day, at=at, starts_at=starts_at, calendar=calendar).decision
    if isinstance(cancel, Refused):
        rule = service.late.cancel.rule()
        cancel = judge_late(
            rule, cancel, unit=unit.slug, day=day, at=at, starts_at=starts_at, calendar=calendar
        ).decision
    return book, cancel


def _opens_before(book: Refused, opens_at: datetime) -> bool:
    """Whether the day's own window opens, but before its period does: the later of the two is what to tell."""
    window = book.facts.get("opens")
    return book.reason == Reason.NOT_OPEN_YET and isinstance(window, datetime) and window < opens_at
