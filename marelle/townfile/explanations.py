"""Can this day be booked or cancelled at that instant, until when, and why: for one unit, or for all of a service.

The same rules as the portal's, from the file alone. What a family is (its enrolment, its places) is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.limits import Limits, moment
from marelle.townfile.offer import open_on, period_of
from marelle.townfile.timing import decide
from marelle.townfile.town import Booking, Service, Town, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answers for one unit on one day; instants are aware and UTC, None on a day that is closed."""

    service: str
    unit: str
    day: date
    book: Decision
    cancel: Decision
    book_until: datetime | None
    cancel_until: datetime | None
    limits: Limits | None

    @property
    def refusal(self) -> Refused | None:
        """Why something is not possible: booking first, else cancelling."""
        for decision in (self.book, self.cancel):
            if isinstance(decision, Refused):
                return decision
        return None

    def as_plain(self, *, tz: tzinfo, sentence: Callable[[Decision, tzinfo], str]) -> dict[str, object]:
        """The JSON shape: ISO 8601 with the town's offset, `reason` as a sentence or null."""
        refusal = self.refusal
        return {
            "bookable": isinstance(self.book, Allowed),
            "book_until": _iso(self.book_until, tz),
            "cancellable": isinstance(self.cancel, Allowed),
            "cancel_until": _iso(self.cancel_until, tz),
            "reason": None if refusal is None else sentence(refusal, tz),
        }


def _iso(at: datetime | None, tz: tzinfo) -> str | None:
    return None if at is None else at.astimezone(tz).isoformat()


def explain(
    town: Town, *, service: str, unit: str, day: date, at: datetime, calendar: SchoolCalendar | None = None
) -> Explanation:
    """Explain one unit on one day at an instant (aware).

    KeyError for an unknown slug, `BeyondCalendar` for a far day.
    """
    calendar = calendar or town.school_calendar()
    known = town.service(service)
    known_unit = known.unit(unit)
    closed = _closed(town, known, known_unit, day, calendar)
    limits = known.limits_of(known_unit)
    if closed is not None or limits is None:
        refused = closed or Refused(Reason.ENROLMENT_ONLY)
        return Explanation(
            service=service,
            unit=unit,
            day=day,
            book=refused,
            cancel=refused,
            book_until=None,
            cancel_until=None,
            limits=limits,
        )
    starts_at = known_unit.starts_at
    period = period_of(town, known, day=day, calendar=calendar)
    book, cancel = decide(
        known,
        known_unit,
        limits,
        day=day,
        at=at,
        opens_at=period.opens_at if period is not None else None,
        calendar=calendar,
    )
    return Explanation(
        service=service,
        unit=unit,
        day=day,
        book=book,
        cancel=cancel,
        book_until=_until(book) or moment(limits.book, day=day, starts_at=starts_at, calendar=calendar),
        cancel_until=_until(cancel) or moment(limits.cancel, day=day, starts_at=starts_at, calendar=calendar),
        limits=limits,
    )


def _until(decision: Decision) -> datetime | None:
    return decision.until if isinstance(decision, Allowed) else None


def _closed(town: Town, service: Service, unit: Unit, day: date, calendar: SchoolCalendar) -> Refused | None:
    decision = open_on(town, service, unit, day=day, calendar=calendar)
    if isinstance(decision, Refused):
        return decision
    if service.booking is Booking.ENROLMENT_ONLY:
        return Refused(Reason.ENROLMENT_ONLY)
    if period_of(town, service, day=day, calendar=calendar) is None:
        return Refused(Reason.OUTSIDE_PERIOD)
    return None


def explain_all(
    town: Town, *, service: str, day: date, at: datetime, calendar: SchoolCalendar | None = None
) -> list[Explanation]:
    """Explain every unit of the service, in the file's order."""
    calendar = calendar or town.school_calendar()
    return [
        explain(town, service=service, unit=unit.slug, day=day, at=at, calendar=calendar)
        for unit in town.service(service).units
    ]


def agree(explanations: Sequence[Explanation]) -> bool:
    """Whether all units get the same answers (their names aside)."""
    answers = [(one.book, one.cancel, one.book_until, one.cancel_until) for one in explanations]
    return all(answer == answers[0] for answer in answers)
