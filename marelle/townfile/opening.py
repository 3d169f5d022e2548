"""What a town's file makes of a calendar: the days on which a service opens, and the periods that open to reservation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from marelle.rules.calendars import ONE_DAY, SchoolCalendar, SchoolYear
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.eligibility import EarlyOpening
from marelle.townfile.town import Opens, PeriodSource, Service, Town, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePeriod:
    """A stretch of a service's calendar. `opens_at` (aware, UTC; None: always open) is when its reservations open, `early`
    when they open for some families."""

    slug: str
    name: str
    first_day: date
    last_day: date
    opens_at: datetime | None = None
    early: tuple[EarlyOpening, ...] = ()

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def is_open(service: Service, unit: Unit, day: date, *, calendar: SchoolCalendar) -> Decision:
    """Whether the unit opens on that day, else why not. Raises `BeyondCalendar`."""
    said = service.open
    if day in said.also:
        return Allowed()
    for closed in said.closed:
        if day in closed:
            return Refused(Reason.CLOSED, {"name": closed.name})
    closure = calendar.closure(day)
    if closure is not None:
        return Refused(Reason.CLOSED, {"name": closure.name})
    holiday = calendar.public_holiday(day)
    if holiday is not None:
        return Refused(Reason.PUBLIC_HOLIDAY, {"name": holiday})
    weekdays = unit.weekdays or said.weekdays
    if day.weekday() not in weekdays or day.weekday() not in said.weekdays:
        return Refused(Reason.NOT_THIS_WEEKDAY, {"weekdays": weekdays})
    period = calendar.holiday_period(day)
    match said.on:
        case Opens.SCHOOL_DAYS if not calendar.is_school_day(day):
            return Refused(Reason.NO_SCHOOL)
        case Opens.SCHOOL_WEEKS if period is not None:
            return Refused(Reason.NO_SCHOOL)
        case Opens.HOLIDAYS if period is None or (said.holidays and period.kind not in said.holidays):
            return Refused(Reason.OUTSIDE_PERIOD)
    return Allowed()


def open_days(service: Service, unit: Unit, *, first: date, last: date, calendar: SchoolCalendar) -> Iterator[date]:
    """The days of [first, last] on which the unit opens, in order. Raises `BeyondCalendar`."""
    for n in range((last - first).days + 1):
        day = first + ONE_DAY * n
        if isinstance(is_open(service, unit, day, calendar=calendar), Allowed):
            yield day


def periods_of(
    town: Town, service: Service, year: SchoolYear, *, calendar: SchoolCalendar
) -> tuple[ServicePeriod, ...]:
    """The service's periods of a school year, in order. Slugs are unique over the years."""
    said = service.periods
    spans: list[tuple[str, str, date, date, datetime | None]]
    match said.by:
        case PeriodSource.YEAR:
            spans = [(f"annee-{year.label}", f"Année {year.label}", year.first_day, year.last_day, None)]
        case PeriodSource.TERMS:
            spans = [(term.slug, term.name, term.first_day, term.last_day, None) for term in town.calendar.terms]
        case PeriodSource.HOLIDAYS:
            spans = [
                (holiday.slug, holiday.name, holiday.first_day, holiday.last_day, None)
                for holiday in calendar.holiday_periods(year)
                if not service.open.holidays or holiday.kind in service.open.holidays
            ]
        case PeriodSource.OWN:
            spans = [
                (
                    own.slug,
                    own.name,
                    own.first_day,
                    own.last_day,
                    None if own.opens_at is None else calendar.instant(own.opens_at.date(), own.opens_at.time()),
                )
                for own in said.own
            ]
    return tuple(
        ServicePeriod(
            slug=slug,
            name=name,
            first_day=first,
            last_day=last,
            opens_at=own_opening if own_opening is not None else _instant(said.opens, first, calendar),
            early=tuple(
                EarlyOpening(who=early.who, opens_at=opens)
                for early in said.early
                if (opens := _instant(early.opens, first, calendar)) is not None
            ),
        )
        for slug, name, first, last, own_opening in sorted(spans, key=lambda span: span[2])
        if first <= year.last_day and last >= year.first_day
    )


def _instant(limit: object, first_day: date, calendar: SchoolCalendar) -> datetime | None:
    """An opening's instant, counted from the period's first day; None when the town says none."""
    mark = None if limit is None else limit.mark(first_day, None, calendar)  # type: ignore[attr-defined]
    return None if mark is None else calendar.instant(*mark)
