"""How many children are expected, and how many places are left. Sums made by the database."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count, Min, Q, QuerySet

from marelle.activities.models import OpeningDay, Service, Site, Unit
from marelle.bookings.models import Booking
from marelle.bookings.queries.waiting import waiting_counts
from marelle.families.models import Child
from marelle.rules.lifecycles import BookingState

#: A child whose day waits for an answer is expected: no one misses a meal through an agent's silence.
EXPECTED = (BookingState.BOOKED, BookingState.PENDING, BookingState.CANCELLING)
UNANSWERED = (BookingState.PENDING, BookingState.CANCELLING)
COMES = Q(absence=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCount:
    """Children expected in one unit of a service at a site on a day; the families of `absent` more said that they will
    not come."""

    name: str
    with_meal: bool
    children: int
    absent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a service expects at a site on a day. `children` counts each child once, whatever the units;
    `unanswered` is how many of them still wait for an answer; `absent`, how many more have a booked place and were
    announced absent for all of it. `units` only holds those with children, expected or absent."""

    site: Site
    service: Service
    children: int
    unanswered: int
    units: tuple[UnitCount, ...]
    absent: int = 0

    @property
    def meals(self) -> int:
        return sum(unit.children for unit in self.units if unit.with_meal)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesOfDay:
    """The places of a group on a day, of the unit that has fewest left, and how many children wait for one."""

    date: date
    taken: int
    ceiling: int
    waiting: int = 0

    @property
    def left(self) -> int:
        return max(self.ceiling - self.taken, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesOfGroup:
    site: Site
    group: str
    days: tuple[PlacesOfDay | None, ...]  # in the order of the service's `dates`


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesOfService:
    service: Service
    dates: tuple[date, ...]
    groups: tuple[PlacesOfGroup, ...]


def expected_on(day: date, *, sites: Collection[int] = ()) -> list[Expected]:
    """What every service open that day expects, site by site in their order, zero included: six queries."""
    opened = OpeningDay.objects.filter(date=day)
    # Naming the units lets the database use the index that begins with them.
    known_units = list(Unit.objects.order_by().values_list("id", flat=True))
    bookings = Booking.objects.filter(unit__in=known_units, date=day, state__in=EXPECTED)
    if sites:
        opened = opened.filter(group__activity__site__in=list(sites))
        bookings = bookings.filter(group__activity__site__in=list(sites))
    pairs = set(opened.order_by().values_list("group__activity__site", "unit__service").distinct())

    units: dict[tuple[int, int], list[UnitCount]] = defaultdict(list)
    rows = (
        bookings.order_by("unit__position", "unit_id")
        .values("group__activity__site", "unit__service", "unit_id", "unit__position", "unit__name", "unit__with_meal")
        .annotate(children=Count("child", distinct=True, filter=COMES), booked=Count("child", distinct=True))
    )
    for row in rows:
        units[row["group__activity__site"], row["unit__service"]].append(
            UnitCount(
                name=row["unit__name"],
                with_meal=row["unit__with_meal"],
                children=row["children"],
                absent=row["booked"] - row["children"],
            )
        )
    totals = {
        (row["group__activity__site"], row["unit__service"]): row
        for row in bookings.order_by()
        .values("group__activity__site", "unit__service")
        .annotate(
            children=Count("child", distinct=True, filter=COMES),
            booked=Count("child", distinct=True),
            unanswered=Count("child", distinct=True, filter=Q(state__in=UNANSWERED)),
        )
    }
    pairs |= totals.keys()
    known_sites = Site.objects.in_bulk({site for site, _service in pairs})
    services = Service.objects.in_bulk({service for _site, service in pairs})
    found = [
        Expected(
            site=known_sites[site],
            service=services[service],
            children=totals[site, service]["children"] if (site, service) in totals else 0,
            unanswered=totals[site, service]["unanswered"] if (site, service) in totals else 0,
            units=tuple(units[site, service]),
            absent=totals[site, service]["booked"] - totals[site, service]["children"]
            if (site, service) in totals
            else 0,
        )
        for site, service in pairs
    ]
    return sorted(found, key=lambda e: (e.site.position, e.site.name, e.service.position, e.service.name))


def absent_on(day: date, *, sites: Collection[int] = ()) -> "QuerySet[Booking]":
    """The bookings of that day whose children were announced absent, by site, service and child."""
    return _told(day, sites).filter(state=BookingState.BOOKED, absence__isnull=False)


def unanswered_on(day: date, *, sites: Collection[int] = ()) -> "QuerySet[Booking]":
    """The bookings of that day that still wait for an answer, in the same order: their children are expected."""
    return _told(day, sites).filter(state__in=UNANSWERED)


def _told(day: date, sites: Collection[int]) -> "QuerySet[Booking]":
    known_units = list(Unit.objects.order_by().values_list("id", flat=True))
    found = Booking.objects.filter(unit__in=known_units, date=day)
    if sites:
        found = found.filter(group__activity__site__in=list(sites))
    return found.select_related(
        "child", "unit__service", "group__activity__site", "absence__line__request", "line__request"
    ).order_by(
        "group__activity__site__position",
        "unit__service__position",
        "child__last_name",
        "child__first_name",
        "unit__position",
    )


def next_open_day(after: date, *, sites: Collection[int] = ()) -> date | None:
    """The first day after this one on which something is open."""
    days = _opened(sites).filter(date__gt=after)
    return days.aggregate(first=Min("date"))["first"]


def places_left(first: date, last: date, *, days: int, sites: Collection[int] = ()) -> list[PlacesOfService]:
    """The counted places of each service over its next `days` open days in [first, last], and who waits: two queries.

    Services whose places are not counted are not named.
    """
    rows = (
        _opened(sites)
        .filter(date__range=(first, last), ceiling__isnull=False)
        .select_related("unit__service", "group__activity__site")
        .order_by("date", "id")
    )
    tightest: dict[int, dict[int, dict[date, PlacesOfDay]]] = defaultdict(lambda: defaultdict(dict))
    services: dict[int, Service] = {}
    groups: dict[int, OpeningDay] = {}
    for row in rows:
        assert row.ceiling is not None
        service = row.unit.service
        services.setdefault(service.id, service)
        groups.setdefault(row.group_id, row)
        places = PlacesOfDay(date=row.date, taken=row.taken, ceiling=row.ceiling)
        known = tightest[service.id][row.group_id].get(row.date)
        if known is None or places.left < known.left:
            tightest[service.id][row.group_id][row.date] = places
    waits = waiting_counts(first, last, sites=sites) if tightest else {}
    found = []
    for service_id, by_group in tightest.items():
        dates = sorted({day for by_date in by_group.values() for day in by_date})[:days]
        lines = [
            PlacesOfGroup(
                site=groups[group].group.activity.site,
                group=groups[group].group.name,
                days=tuple(
                    replace(counted, waiting=sum(waits.get((service_id, group, day), (0, 0))))
                    if (counted := by_date.get(day)) is not None
                    else None
                    for day in dates
                ),
            )
            for group, by_date in by_group.items()
        ]
        lines.sort(key=lambda line: (line.site.position, line.site.name, line.group))
        found.append(PlacesOfService(service=services[service_id], dates=tuple(dates), groups=tuple(lines)))
    return sorted(found, key=lambda entry: (entry.service.position, entry.service.name))


def _opened(sites: Collection[int]) -> "QuerySet[OpeningDay]":
    opened = OpeningDay.objects.order_by()
    return opened.filter(group__activity__site__in=list(sites)) if sites else opened


def diets_on(day: date, *, sites: Collection[int] = ()) -> dict[str, list[tuple[str, int]]]:
    """By site's name, how many children of each diet (its slug, "" for none said) come to a meal that day. One
    query."""
    meals = _expected(day, sites).filter(unit__with_meal=True)
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for site, diet, children in (
        meals.order_by("group__activity__site__position", "group__activity__site__name", "child__diet")
        .values_list("group__activity__site__name", "child__diet")
        .annotate(children=Count("child", distinct=True))
    ):
        found[site].append((diet, children))
    return dict(found)


def plans_on(day: date, *, sites: Collection[int] = ()) -> "QuerySet[Child]":
    """The children with a PAI who come that day, with where their file stands; nothing is opened."""
    here = _expected(day, sites).values("child")
    return Child.objects.filter(pk__in=here, health_file__has_plan=True).select_related("school", "health_file")


def _expected(day: date, sites: Collection[int]) -> "QuerySet[Booking]":
    bookings = Booking.objects.filter(COMES, date=day, state__in=EXPECTED)
    return bookings.filter(group__activity__site__in=list(sites)) if sites else bookings
