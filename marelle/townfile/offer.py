"""What a town offers on which day, read from its file: open days, periods and their openings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from marelle.rules.calendars import ONE_DAY, SchoolCalendar, SchoolYear
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.eligibility import EarlyOpening
from marelle.rules.limits import ByPeriod, Moment
from marelle.townfile.town import ClosedDays, Opens, PeriodSource, Service, Town, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPeriod:
    """A stretch of a service's calendar that opens to reservation at once; instants are aware and UTC."""

    slug: str
    name: str
    first_day: date
    last_day: date
    opens_at: datetime | None
    early: tuple[EarlyOpening, ...] = ()

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def open_on(town: Town, service: Service, unit: Unit, *, day: date, calendar: SchoolCalendar) -> Decision:
    """Whether the unit is given on that day, whatever the limits; else why not.

    Raises `BeyondCalendar` for a day that the calendar does not cover.
    """
    rule = service.open
    calendar.check(day)
    own_closure = _closed(rule.closed, day)
    if own_closure is not None:
        return Refused(Reason.CLOSED, {"name": own_closure.name})
    if day in rule.also:
        return Allowed()
    holiday = calendar.public_holiday(day)
    if holiday is not None:
        return Refused(Reason.PUBLIC_HOLIDAY, {"name": holiday})
    closure = calendar.closure(day)
    if closure is not None:
        return Refused(Reason.CLOSED, {"name": closure.name})
    period = calendar.holiday_period(day)
    weekdays = _weekdays(service, unit, calendar)
    if period is not None and rule.on in (Opens.SCHOOL_DAYS, Opens.SCHOOL_WEEKS):
        return Refused(Reason.NO_SCHOOL, {"name": period.name})
    if rule.on is Opens.HOLIDAYS and (period is None or (rule.holidays and period.kind not in rule.holidays)):
        return Refused(Reason.OUTSIDE_PERIOD)
    if day.weekday() not in weekdays:
        return Refused(Reason.NOT_THIS_WEEKDAY, {"weekdays": weekdays})
    if rule.on is Opens.SCHOOL_DAYS and not calendar.is_school_day(day):
        return Refused(Reason.NO_SCHOOL)
    return Allowed()


def _closed(closures: tuple[ClosedDays, ...], day: date) -> ClosedDays | None:
    return next((closed for closed in closures if day in closed), None)


def _weekdays(service: Service, unit: Unit, calendar: SchoolCalendar) -> tuple[int, ...]:
    days = set(service.open.weekdays)
    if unit.weekdays:
        days &= set(unit.weekdays)
    if service.open.on is Opens.SCHOOL_DAYS:
        days &= set(calendar.school_weekdays)
    return tuple(sorted(days))


def open_days(
    town: Town, service: Service, unit: Unit, *, first: date, last: date, calendar: SchoolCalendar
) -> list[date]:
    """The days from `first` to `last`, both included, on which the unit is given."""
    days = (first + ONE_DAY * n for n in range((last - first).days + 1))
    return [day for day in days if isinstance(open_on(town, service, unit, day=day, calendar=calendar), Allowed)]


def periods_of(town: Town, service: Service, *, year: SchoolYear, calendar: SchoolCalendar) -> list[OfferedPeriod]:
    """The service's periods that start in a school year, in order, with their openings.

    None in a school year that the file does not offer.
    """
    if year.label not in {offered.slug for offered in town.years}:
        return []
    return sorted(
        (
            OfferedPeriod(
                slug=slug,
                name=name,
                first_day=first,
                last_day=last,
                opens_at=opens_at or _opening(service.periods.opens, slug, first, calendar),
                early=tuple(
                    EarlyOpening(who=early.who, opens_at=instant)
                    for early in service.periods.early
                    for instant in (_opening(early.opens, slug, first, calendar),)
                    if instant is not None
                ),
            )
            for slug, name, first, last, opens_at in _spans(town, service, year, calendar)
        ),
        key=lambda period: period.first_day,
    )


def period_of(town: Town, service: Service, *, day: date, calendar: SchoolCalendar) -> OfferedPeriod | None:
    """The service's period that holds the day, or None."""
    year = calendar.school_year(day)
    return next((period for period in periods_of(town, service, year=year, calendar=calendar) if day in period), None)


def _spans(
    town: Town, service: Service, year: SchoolYear, calendar: SchoolCalendar
) -> Iterator[tuple[str, str, date, date, datetime | None]]:
    match service.periods.by:
        case PeriodSource.YEAR:
            yield year.label, year.label, year.first_day, year.last_day, None
        case PeriodSource.TERMS:
            for term in town.calendar.terms:
                if year.first_day <= term.first_day <= year.last_day:
                    yield term.slug, term.name, term.first_day, term.last_day, None
        case PeriodSource.HOLIDAYS:
            for period in calendar.holiday_periods(year):
                if not service.open.holidays or period.kind in service.open.holidays:
                    yield period.slug, period.name, period.first_day, period.last_day, None
        case PeriodSource.OWN:
            for own in service.periods.own:
                if year.first_day <= own.first_day <= year.last_day:
                    opens_at = own.opens_at
                    instant = calendar.instant(opens_at.date(), opens_at.time()) if opens_at is not None else None
                    yield own.slug, own.name, own.first_day, own.last_day, instant


def _opening(opens: Moment | None, slug: str, first_day: date, calendar: SchoolCalendar) -> datetime | None:
    if opens is None:
        return None
    if isinstance(opens, ByPeriod):
        # a period of the service's own, or a whole year, is known by its slug alone
        known = dict(opens.dates).get(slug)
        return None if known is None else calendar.instant(known, opens.at)
    mark = opens.mark(first_day, None, calendar)
    return None if mark is None else calendar.instant(*mark)
