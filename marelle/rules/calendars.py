"""The calendar of a town's school year: holidays, public holidays, closures, and the town's clock.

Prose in docs/algorithms/calendars.md. Sources: `vacances-scolaires-france` (zones A, B, C) or the ministry's official
file (`fr-en-calendrier-scolaire`), and `jours-feries-france`.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from jours_feries_france import JoursFeries
from vacances_scolaires_france import SchoolHolidayDates

ONE_DAY = timedelta(days=1)
MIDNIGHT = time(0)
PARIS = ZoneInfo("Europe/Paris")

EMBEDDED_ZONES = ("A", "B", "C")

#: Slug of a public holiday area → the name its package knows it by.
PUBLIC_HOLIDAY_AREAS = {
    "metropole": "Métropole",
    "alsace-moselle": "Alsace-Moselle",
    "guadeloupe": "Guadeloupe",
    "guyane": "Guyane",
    "martinique": "Martinique",
    "mayotte": "Mayotte",
    "nouvelle-caledonie": "Nouvelle-Calédonie",
    "la-reunion": "La Réunion",
    "polynesie-francaise": "Polynésie Française",
    "saint-barthelemy": "Saint-Barthélémy",
    "saint-martin": "Saint-Martin",
    "saint-pierre-et-miquelon": "Saint-Pierre-et-Miquelon",
    "wallis-et-futuna": "Wallis-et-Futuna",
}


class BeyondCalendar(Exception):
    """A question about a day that the school calendar does not cover."""

    def __init__(self, day: date, covered_until: date, covered_from: date | None = None, zone: str = "") -> None:
        if covered_from is not None and day < covered_from:
            message = f"{day} is before {covered_from}, the first day that the school calendar {zone} covers"
        else:
            message = (
                f"{day} is after {covered_until}, the last day that the school calendar {zone} covers: "
                "update the package vacances-scolaires-france, or name the ministry's calendar file in the town's file"
            )
        super().__init__(message)
        self.day = day
        self.covered_until = covered_until
        self.covered_from = covered_from
        self.zone = zone


class UnknownZone(ValueError):
    """A school zone or a public holiday area that nobody has data for; `known` lists those that are."""

    def __init__(self, found: str, known: Collection[str]) -> None:
        super().__init__(f"unknown zone {found!r}; known: {', '.join(known)}")
        self.found = found
        self.known = tuple(known)


class Count(StrEnum):
    """What is counted when a limit steps back from a day."""

    DAYS = "days"
    WEEK_DAYS = "week_days"
    WORKING_DAYS = "working_days"
    CLEAR_DAYS = "clear_days"
    SCHOOL_DAYS = "school_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A named span of days, both ends included: a town's own term, or a holiday period."""

    name: str
    slug: str
    first_day: date
    last_day: date

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayPeriod(Period):
    """A period of school holidays; `slug` is its kind and the year it starts in ("toussaint-2026", "ete-2027")."""

    @property
    def kind(self) -> str:
        """The slug without its year: "toussaint", "noel", "hiver", "printemps", "ete"…"""
        return self.slug.rsplit("-", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Days on which the whole town's services are closed, both ends included."""

    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHoliday:
    """A public holiday of the town's own, beyond those of its area."""

    name: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolYear:
    """From the day after one summer to the last day of the next; `label` is "2026-2027", or "2027" within one year."""

    label: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolHolidays:
    """What is known of a zone's holidays: its periods in order, the bridging days without school, and the cover."""

    zone: str
    periods: tuple[HolidayPeriod, ...]
    bridges: frozenset[date]
    covered_from: date
    covered_until: date


def slug_of(words: str) -> str:
    """Lower-case ASCII words joined by hyphens."""
    apart = words.replace("’", " ").replace("œ", "oe").replace("Œ", "Oe")
    plain = unicodedata.normalize("NFKD", apart)
    return "-".join(re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode().lower()))


def holiday_kind(name: str) -> str:
    """The kind in a holiday's name: "Vacances de la Toussaint" → "toussaint"."""
    words = slug_of(name).split("-")
    idle = {"vacances", "debut", "des", "de", "du", "la", "le", "l", "d", "fin"}
    return "-".join(word for word in words if word not in idle)


def written(name: str) -> str:
    """A name as French writes it: sources type "Vacances d'hiver", families read "Vacances d’hiver"."""
    return name.replace("'", "’")


def is_bridge(name: str) -> bool:
    """Whether the name is a bridge ("Pont de l'Ascension"), which is no holiday period."""
    return "pont" in slug_of(name).split("-")


#: A holiday's name, first day and last day, as sources give them (bridges among them).
HolidaySpan = tuple[str, date, date]


def holidays_from_spans(zone: str, spans: Iterable[HolidaySpan], *, covered_until: date | None) -> SchoolHolidays:
    """Sort holidays from bridges; the cover ends with the last holiday unless said otherwise. At least one span."""
    periods: list[HolidayPeriod] = []
    bridges: set[date] = set()
    for name, first, last in sorted(spans, key=lambda span: span[1]):
        if is_bridge(name):
            bridges.update(first + ONE_DAY * n for n in range((last - first).days + 1))
        else:
            kind = holiday_kind(name)
            slug = f"{kind}-{first.year}"
            periods.append(HolidayPeriod(name=written(name), slug=slug, first_day=first, last_day=last))
    return SchoolHolidays(
        zone=zone,
        periods=tuple(periods),
        bridges=frozenset(bridges),
        covered_from=periods[0].first_day,
        covered_until=covered_until or periods[-1].last_day,
    )


@lru_cache(maxsize=1)
def _packaged_days() -> list[tuple[date, dict[str, object]]]:
    return sorted(SchoolHolidayDates().data.items())


@lru_cache(maxsize=8)
def embedded_holidays(zone: str) -> SchoolHolidays:
    """The packaged holidays of zone A, B or C, as maximal runs of days with one name."""
    if zone not in EMBEDDED_ZONES:
        raise UnknownZone(zone, EMBEDDED_ZONES)
    column = f"vacances_zone_{zone.lower()}"
    spans: list[tuple[str, date, date]] = []
    for day, row in _packaged_days():
        if not row[column]:
            continue
        name, first = str(row["nom_vacances"]), day
        if spans and spans[-1][0] == name and spans[-1][2] + ONE_DAY == day:
            first = spans.pop()[1]
        spans.append((name, first, day))
    return holidays_from_spans(zone, spans, covered_until=None)


def _official_day(text: str) -> date:
    text = text.strip()
    if len(text) == 10:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(PARIS).date()


def official_holidays(text: str, *, zone: str) -> tuple[list[HolidaySpan], date]:
    """Read the ministry's file (CSV with `;` or `,`) and keep one zone ("Corse", "Guadeloupe", "Zone A"…).

    Returns its spans in order and the last day covered, for `holidays_from_spans`.

    Its end dates are the day of return, so the last holiday is the day before; instants are midnight in Paris. Rows for
    teachers only are skipped. A summer that is only announced ("Début des Vacances d'Été", no end) ends the cover on
    the day before it starts. Raises `UnknownZone` with the zones found, or ValueError when a column is missing.
    """
    text = text.lstrip("\ufeff")
    header = text.split("\n", 1)[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if header.count(";") >= header.count(",") else ",")
    columns = {slug_of(name): name for name in rows.fieldnames or ()}
    missing = [name for name in ("description", "date-de-debut", "date-de-fin", "zones") if name not in columns]
    if missing:
        raise ValueError(f"the official calendar lacks the columns {', '.join(missing)}")
    wanted = slug_of(zone)
    spans: dict[tuple[str, date], date] = {}
    zones: set[str] = set()
    announced: list[date] = []
    for row in rows:
        found = (row[columns["zones"]] or "").strip()
        zones.add(found)
        population = slug_of(row.get(columns.get("population", ""), "") or "")
        if slug_of(found) != wanted or population == "enseignants":
            continue
        name = (row[columns["description"]] or "").strip()
        start_text, end_text = row[columns["date-de-debut"]] or "", row[columns["date-de-fin"]] or ""
        first = _official_day(start_text)
        back = _official_day(end_text) if end_text.strip() else first
        kind = holiday_kind(name)
        if not kind or kind in {"rentree", "prerentree", "rentree-eleves", "rentree-enseignants"}:
            continue
        if back <= first:
            announced.append(first)
            continue
        spans[name, first] = max(back - ONE_DAY, spans.get((name, first), first))
    if not spans:
        raise UnknownZone(zone, sorted(zones))
    last_known = max(spans.values())
    open_ended = [day for day in announced if day > last_known]
    ordered = sorted(((name, first, last) for (name, first), last in spans.items()), key=lambda span: span[1])
    return ordered, min(open_ended) - ONE_DAY if open_ended else last_known


@lru_cache(maxsize=512)
def public_holidays(area: str, year: int) -> dict[date, str]:
    """Public holidays of an area in a year, day → French name. Two that fall on one day keep both names."""
    if area not in PUBLIC_HOLIDAY_AREAS:
        raise UnknownZone(area, PUBLIC_HOLIDAY_AREAS)
    days: dict[date, str] = {}
    for name, day in JoursFeries.for_year(year, PUBLIC_HOLIDAY_AREAS[area]).items():
        days[day] = f"{days[day]}, {written(name)}" if day in days else written(name)
    return days


class _Memo:
    """What a calendar has already worked out; never part of its value."""

    __slots__ = ("back", "closed", "instants", "public", "school", "starts", "term_starts", "zone")

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.instants: dict[tuple[date, time | None], datetime] = {}
        self.public: dict[int, dict[date, str]] = {}
        self.school: dict[date, bool] = {}
        self.back: dict[tuple[Count, int], dict[date, date]] = {}
        self.closed: dict[date, Closure] = {}
        self.starts: list[date] = []
        self.term_starts: list[date] = []


@dataclass(frozen=True, kw_only=True, slots=True)
class SchoolCalendar:
    """Answers for one town what each day is. Immutable; make it with `for_zone`.

    Days outside `covered_from`…`covered_until` raise `BeyondCalendar` wherever school or holidays are asked about.
    """

    holidays: SchoolHolidays
    area: str = "metropole"
    closures: tuple[Closure, ...] = ()
    terms: tuple[Period, ...] = ()
    own_public_holidays: tuple[PublicHoliday, ...] = ()
    school_weekdays: tuple[int, ...] = (0, 1, 3, 4)
    tz: str = "Europe/Paris"
    _memo: _Memo = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        memo = _Memo(ZoneInfo(self.tz))
        if self.area not in PUBLIC_HOLIDAY_AREAS:
            raise UnknownZone(self.area, PUBLIC_HOLIDAY_AREAS)
        for closure in self.closures:
            for n in range((closure.last_day - closure.first_day).days + 1):
                memo.closed.setdefault(closure.first_day + ONE_DAY * n, closure)
        memo.starts = [period.first_day for period in self.holidays.periods]
        memo.term_starts = [period.first_day for period in self.terms]
        object.__setattr__(self, "_memo", memo)

    @classmethod
    def for_zone(
        cls,
        zone: str,
        *,
        public_holidays: str = "metropole",
        closures: Iterable[Closure] = (),
        school_weekdays: Iterable[int] = (0, 1, 3, 4),
        tz: str = "Europe/Paris",
        terms: Iterable[Period] = (),
        own_public_holidays: Iterable[PublicHoliday] = (),
        holidays: SchoolHolidays | None = None,
    ) -> SchoolCalendar:
        """Make the calendar of zone A, B or C; for any other zone give its `holidays`."""
        return cls(
            holidays=holidays if holidays is not None else embedded_holidays(zone),
            area=public_holidays,
            closures=tuple(sorted(closures, key=lambda closure: closure.first_day)),
            school_weekdays=tuple(sorted(set(school_weekdays))),
            tz=tz,
            terms=tuple(sorted(terms, key=lambda term: term.first_day)),
            own_public_holidays=tuple(sorted(own_public_holidays, key=lambda holiday: holiday.day)),
        )

    @property
    def zone(self) -> str:
        return self.holidays.zone

    @property
    def covered_from(self) -> date:
        return self.holidays.covered_from

    @property
    def covered_until(self) -> date:
        return self.holidays.covered_until

    def check(self, day: date) -> None:
        """Raise `BeyondCalendar` unless the day is covered."""
        holidays = self.holidays
        if not holidays.covered_from <= day <= holidays.covered_until:
            raise BeyondCalendar(day, holidays.covered_until, holidays.covered_from, holidays.zone)

    def public_holiday(self, day: date) -> str | None:
        """The French name of the public holiday, or None."""
        known = self._memo.public.get(day.year)
        if known is None:
            known = dict(public_holidays(self.area, day.year))
            known.update((own.day, own.name) for own in self.own_public_holidays if own.day.year == day.year)
            self._memo.public[day.year] = known
        return known.get(day)

    def closure(self, day: date) -> Closure | None:
        """The town's closure that holds the day, or None."""
        return self._memo.closed.get(day)

    def is_shut(self, day: date) -> bool:
        """Whether the day is a public holiday or closed by the town."""
        return day in self._memo.closed or self.public_holiday(day) is not None

    def holiday_period(self, day: date) -> HolidayPeriod | None:
        """The school holidays that hold the day, or None. The bridge of Ascension is not one."""
        self.check(day)
        n = bisect_right(self._memo.starts, day) - 1
        if n >= 0 and day <= self.holidays.periods[n].last_day:
            return self.holidays.periods[n]
        return None

    def term(self, day: date) -> Period | None:
        """The town's own term that holds the day (the one that starts last, should they overlap), or None."""
        for n in range(bisect_right(self._memo.term_starts, day) - 1, -1, -1):
            if day <= self.terms[n].last_day:
                return self.terms[n]
        return None

    def is_working_day(self, day: date) -> bool:
        """Monday to Friday and not a public holiday."""
        return day.weekday() < 5 and self.public_holiday(day) is None

    def is_school_day(self, day: date) -> bool:
        """A school weekday outside holidays and bridges, not a public holiday, not closed."""
        known = self._memo.school.get(day)
        if known is None:
            known = (
                self.holiday_period(day) is None
                and day.weekday() in self.school_weekdays
                and day not in self.holidays.bridges
                and not self.is_shut(day)
            )
            self._memo.school[day] = known
        return known

    def is_return_day(self, day: date) -> bool:
        """The first school day after a holiday period."""
        if not self.is_school_day(day):
            return False
        n = bisect_right(self._memo.starts, day) - 1
        if n < 0:
            return False
        between = self.holidays.periods[n].last_day + ONE_DAY
        while between < day:
            if self.is_school_day(between):
                return False
            between += ONE_DAY
        return True

    def school_days(self, first: date, last: date) -> list[date]:
        """The school days from `first` to `last`, both included."""
        days = (first + ONE_DAY * n for n in range((last - first).days + 1))
        return [day for day in days if self.is_school_day(day)]

    def school_year(self, day: date) -> SchoolYear:
        """The school year that holds the day.

        Raises `BeyondCalendar` when the summer before or after it is not covered.
        """
        self.check(day)
        summers = [period for period in self.holidays.periods if period.kind == "ete"]
        ends = [summer.last_day for summer in summers]
        n = bisect_left(ends, day)
        if n == 0 or n == len(summers):
            raise BeyondCalendar(day, self.covered_until, self.covered_from, self.zone)
        first, summer = ends[n - 1] + ONE_DAY, summers[n]
        years = (first.year, summer.first_day.year)
        label = str(years[0]) if years[0] == years[1] else f"{years[0]}-{years[1]}"
        return SchoolYear(label=label, first_day=first, last_day=summer.last_day)

    def school_years(self) -> list[SchoolYear]:
        """Every school year that is covered whole, in order."""
        summers = [period for period in self.holidays.periods if period.kind == "ete"]
        return [self.school_year(summer.first_day) for summer in summers[1:]]

    def holiday_periods(self, school_year: SchoolYear) -> list[HolidayPeriod]:
        """The holiday periods that start in the school year, its summer included."""
        return [
            period
            for period in self.holidays.periods
            if school_year.first_day <= period.first_day <= school_year.last_day
        ]

    def back(self, count: Count, n: int, day: date) -> date:
        """The day reached by counting n back from `day`, which is itself not counted (n = 0: the day itself)."""
        known = self._memo.back.get((count, n))
        if known is None:
            known = self._memo.back[count, n] = {}
        reached = known.get(day)
        if reached is None:
            reached = known[day] = self._count_back(count, n, day)
        return reached

    def _count_back(self, count: Count, n: int, day: date) -> date:
        if count is Count.DAYS:
            return day - ONE_DAY * n
        if count is Count.CLEAR_DAYS:
            return day - ONE_DAY * (n + 1)
        left = n
        while left:
            day -= ONE_DAY
            if count is Count.WEEK_DAYS:
                counted = day.weekday() < 5
            elif count is Count.WORKING_DAYS:
                counted = self.is_working_day(day)
            else:
                counted = self.is_school_day(day)
            if counted:
                left -= 1
        return day

    def nearest_working_day(self, day: date, *, step: int) -> date:
        """The nearest working day that the town does not close, going by `step` (−1 or 1) from `day`, excluded."""
        day += ONE_DAY * step
        while not self.is_working_day(day) or day in self._memo.closed:
            day += ONE_DAY * step
        return day

    def instant(self, day: date, at: time | None) -> datetime:
        """The instant (aware, UTC) at which the town's clocks show that day and time; None is 24:00 of the day."""
        key = (day, at)
        known = self._memo.instants.get(key)
        if known is None:
            local_day, local_time = (day + ONE_DAY, MIDNIGHT) if at is None else (day, at)
            local = datetime.combine(local_day, local_time.replace(fold=0), tzinfo=self._memo.zone)
            known = self._memo.instants[key] = local.astimezone(UTC)
        return known

    def local(self, at: datetime) -> datetime:
        """The aware instant as the town's clocks show it."""
        return at.astimezone(self._memo.zone)
