"""What a new file would change for the families who have booked already: before it is loaded, difference by
difference."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from django.db.models import Count, F

from marelle.activities.models import OpeningDay
from marelle.bookings.models import EXPECTED_BOOKINGS, LIVE_ENROLMENTS, Booking, Enrolment
from marelle.rules.calendars import SchoolCalendar, UnknownZone
from marelle.townfile import Difference, Town, diff, periods_of
from marelle.townfile.differences import Change
from marelle.townfile.offer import open_days
from marelle.townfile.town import Booking as BookingKind
from marelle.townfile.town import CalendarFile, Service


class Cell(NamedTuple):
    """A unit of a service at a site, for a group, on a day; slugs, since both files are read by them."""

    service: str
    site: str
    group: str
    unit: str
    day: date


class Place(NamedTuple):
    """Where children are enrolled, and for which school year."""

    service: str
    site: str
    group: str
    year: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One difference: how many live bookings from today on it touches, how many live enrolments, and on how many days
    more places are taken than it leaves. The day of each booking or enrolment is never changed by a load itself."""

    difference: Difference
    bookings: int
    enrolments: int
    full_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Each difference, and in all: a booking that several touch counts once."""

    each: tuple[Effect, ...]
    bookings: int
    enrolments: int
    full_days: int


@dataclass(slots=True)
class Touched:
    cells: set[Cell] = dataclasses.field(default_factory=set)
    places: set[Place] = dataclasses.field(default_factory=set)
    full: set[tuple[str, str, str, date]] = dataclasses.field(default_factory=set)

    def add(self, other: Touched) -> None:
        self.cells |= other.cells
        self.places |= other.places
        self.full |= other.full


def effects_of(old: Town, new: Town, *, at: datetime) -> Effects:
    """What loading `new` over `old` would touch at `at`: three queries, whatever the files say."""
    comparison = _Comparison(old, new, at=at)
    each: list[Effect] = []
    all_of_it = Touched()
    for difference in diff(old, new):
        touched = comparison.touched(difference)
        all_of_it.add(touched)
        bookings, enrolments, full = comparison.count(touched)
        each.append(Effect(difference=difference, bookings=bookings, enrolments=enrolments, full_days=full))
    bookings, enrolments, full = comparison.count(all_of_it)
    return Effects(each=tuple(each), bookings=bookings, enrolments=enrolments, full_days=full)


#: Keys of a service that change until when, how or on what terms a day is booked: they touch its bookings.
_OF_BOOKINGS = frozenset(
    {"limits", "late", "validation", "absences", "combinations", "booking", "pending_holds_place", "billing"}
)
#: Keys of a service that say who may be enrolled and with what: they touch its enrolments.
_OF_ENROLMENTS = frozenset({"who", "requires"})
#: Keys of a unit that move its limits or its places.
_OF_A_UNIT = frozenset({"limits", "starts_at", "ends_at", "parts", "meal"})
_PLACES = frozenset({"capacity", "margin", "by_unit", "changes"})
#: Keys of the calendar that say together which school calendar it is; the others stand alone.
_SCHOOL_CALENDAR = frozenset({"zone", "official_file", "holidays", "covered_until"})


class _Comparison:
    def __init__(self, old: Town, new: Town, *, at: datetime) -> None:
        self.old, self.new = old, new
        self.calendar = old.school_calendar()
        self.today = self.calendar.local(at).date()
        rows = Booking.objects.filter(date__gte=self.today, state__in=EXPECTED_BOOKINGS).order_by()
        self.bookings = {
            Cell(*slugs): n
            for *slugs, n in rows.values_list(
                "unit__service__slug", "group__activity__site__slug", "group__slug", "unit__slug", "date"
            ).annotate(n=Count("id"))
        }
        enrolled = Enrolment.objects.filter(state__in=LIVE_ENROLMENTS, school_year__last_day__gte=self.today).order_by()
        self.enrolments = {
            Place(*slugs): n
            for *slugs, n in enrolled.values_list(
                "activity__service__slug", "activity__site__slug", "group__slug", "school_year__label"
            ).annotate(n=Count("id"))
        }
        held = OpeningDay.objects.filter(date__gte=self.today, taken__gt=0).order_by()
        self.taken = {
            Cell(*slugs): n
            for *slugs, n in held.values_list(
                "unit__service__slug", "group__activity__site__slug", "group__slug", "unit__slug", "date"
            ).annotate(n=F("taken"))
        }

    def count(self, touched: Touched) -> tuple[int, int, int]:
        return (
            sum(self.bookings[cell] for cell in touched.cells),
            sum(self.enrolments[place] for place in touched.places),
            len(touched.full),
        )

    # ── one difference ──────────────────────────────────────────────────────────────────────────────────────────────

    def touched(self, difference: Difference) -> Touched:
        gone = difference.change is Change.REMOVED
        match difference.path:
            case ("municipality", "time_zone"):
                return self._where(lambda cell: True, lambda place: False)
            case ("calendar", key, *_):
                return self._closing(self._with_calendar(key), {service.slug for service in self.old.services})
            case ("years", label) if gone:
                return self._year(label)
            case ("sites", slug) if gone:
                return self._where(lambda cell: cell.site == slug, lambda place: place.site == slug)
            case ("services", slug) if gone:
                return self._where(lambda cell: cell.service == slug, lambda place: place.service == slug)
            case ("services", slug, key, *inside):
                return self._service(slug, key, inside, gone=gone)
        return Touched()

    def _service(self, slug: str, key: str, inside: list[str], *, gone: bool) -> Touched:
        old, new = self.old.service(slug), self.new.service(slug)
        if key in _OF_BOOKINGS:
            return self._where(lambda cell: cell.service == slug, lambda place: False)
        if key in _OF_ENROLMENTS:
            return self._where(lambda cell: False, lambda place: place.service == slug)
        if key == "sites":
            return self._left(slug, set(old.sites) - set(new.sites))
        if key == "open":
            return self._closing(self._with_service(dataclasses.replace(old, open=new.open)), {slug})
        if key == "periods":
            return self._closing(self._with_service(dataclasses.replace(old, periods=new.periods)), {slug})
        if key == "units" and inside:
            return self._unit(old, new, *inside[:2], gone=gone and len(inside) == 1)
        if key == "groups" and inside:
            return self._group(old, new, *inside[:2], gone=gone and len(inside) == 1)
        return Touched()

    def _unit(self, old: Service, new: Service, slug: str, key: str = "", *, gone: bool) -> Touched:
        if gone or key in _OF_A_UNIT:
            return self._where(lambda cell: (cell.service, cell.unit) == (old.slug, slug), lambda place: False)
        if key == "weekdays":
            weekdays = new.unit(slug).weekdays
            units = tuple(dataclasses.replace(u, weekdays=weekdays) if u.slug == slug else u for u in old.units)
            return self._closing(self._with_service(dataclasses.replace(old, units=units)), {old.slug})
        return Touched()

    def _group(self, old: Service, new: Service, slug: str, key: str = "", *, gone: bool) -> Touched:
        if gone:
            return self._where(
                lambda cell: (cell.service, cell.group) == (old.slug, slug),
                lambda place: (place.service, place.group) == (old.slug, slug),
            )
        if key == "who":
            return self._where(lambda cell: False, lambda place: (place.service, place.group) == (old.slug, slug))
        if key == "sites":
            before = {site for site in old.sites if slug in {group.slug for group in old.groups_at(site)}}
            after = {site for site in new.sites if slug in {group.slug for group in new.groups_at(site)}}
            return self._left(old.slug, before - after, group=slug)
        if key in _PLACES:
            group = next(group for group in new.groups if group.slug == slug)
            over = Touched()
            for cell, taken in self.taken.items():
                if (cell.service, cell.group) == (old.slug, slug):
                    capacity = group.capacity_on(cell.day, cell.unit)
                    if capacity is not None and taken > capacity + group.margin:
                        over.full.add((cell.service, cell.site, cell.group, cell.day))
            return over
        return Touched()

    def _where(self, is_cell: Callable[[Cell], bool], is_place: Callable[[Place], bool]) -> Touched:
        return Touched(
            cells={cell for cell in self.bookings if is_cell(cell)},
            places={place for place in self.enrolments if is_place(place)},
        )

    def _left(self, service: str, sites: set[str], group: str | None = None) -> Touched:
        def concerns(one: Cell | Place) -> bool:
            return one.service == service and one.site in sites and group in (None, one.group)

        return self._where(concerns, concerns)

    def _year(self, label: str) -> Touched:
        year = next((year for year in self.calendar.school_years() if year.label == label), None)
        return self._where(
            lambda cell: year is not None and year.first_day <= cell.day <= year.last_day,
            lambda place: place.year == label,
        )

    # ── days that close ─────────────────────────────────────────────────────────────────────────────────────────────

    def _with_calendar(self, key: str) -> Town:
        """The old town, with what the new one says of this key of the calendar."""
        keys = _SCHOOL_CALENDAR if key in _SCHOOL_CALENDAR else {key}
        names = {field.name for field in dataclasses.fields(CalendarFile)} & keys
        calendar = dataclasses.replace(self.old.calendar, **{name: getattr(self.new.calendar, name) for name in names})
        return dataclasses.replace(self.old, calendar=calendar)

    def _with_service(self, service: Service) -> Town:
        services = tuple(service if one.slug == service.slug else one for one in self.old.services)
        return dataclasses.replace(self.old, services=services)

    def _closing(self, town: Town, services: Iterable[str]) -> Touched:
        """What stands on days that the old town offers and this one does not."""
        try:
            calendar = town.school_calendar()
        except UnknownZone:
            town, calendar = self.new, self.new.school_calendar()
        closing: set[tuple[str, str, date]] = set()
        for slug in services:
            booked = {(cell.unit, cell.day) for cell in self.bookings if cell.service == slug}
            if not booked:
                continue
            after = offered(town, town.service(slug), calendar, since=self.today)
            closing |= {(slug, unit, day) for unit, day in (self._offered_before[slug] & booked) - after}
        return self._where(lambda cell: (cell.service, cell.unit, cell.day) in closing, lambda place: False)

    @cached_property
    def _offered_before(self) -> dict[str, set[tuple[str, date]]]:
        return {
            service.slug: offered(self.old, service, self.calendar, since=self.today) for service in self.old.services
        }


def offered(town: Town, service: Service, calendar: SchoolCalendar, *, since: date) -> set[tuple[str, date]]:
    """The days from `since` on that families may book in the years of the file: open, and in a period. By unit; a
    composed one is there when all its parts are."""
    if service.booking == BookingKind.ENROLMENT_ONLY:
        return set()
    labels = {year.slug for year in town.years}
    days: dict[str, set[date]] = {unit.slug: set() for unit in service.units}
    for year in calendar.school_years():
        if year.label not in labels or year.last_day < since:
            continue
        periods = periods_of(town, service, year=year, calendar=calendar)
        first, last = max(year.first_day, since), min(year.last_day, calendar.covered_until)
        for unit in service.units:
            if not unit.parts:
                given = open_days(town, service, unit, first=first, last=last, calendar=calendar)
                days[unit.slug].update(day for day in given if any(day in period for period in periods))
    for unit in service.units:
        if unit.parts:
            days[unit.slug] = set.intersection(*(days[part] for part in unit.parts))
    return {(unit, day) for unit, dates in days.items() for day in dates}
