"""Which closures stand on which days, and whom a closure reaches (docs/algorithms/closures.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from marelle.activities.models import Unit
from marelle.bookings.models import (
    EXPECTED_BOOKINGS,
    LIVE_ENROLMENTS,
    Booking,
    ClosedBooking,
    Closure,
    ClosureDay,
    Enrolment,
)
from marelle.families.models import Child


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom a closure concerns: each part that is filled narrows it, none: the whole town. `unit_ids`: only these units,
    none: all. A composed unit is closed when it is named, or when all that it is made of is."""

    site_id: int | None = None
    service_id: int | None = None
    group_id: int | None = None
    class_name: str = ""
    unit_ids: tuple[int, ...] = ()

    @classmethod
    def of(cls, closure: Closure) -> Reach:
        return cls(
            site_id=closure.site_id,
            service_id=closure.service_id,
            group_id=closure.group_id,
            class_name=closure.class_name,
            unit_ids=tuple(closure.units),
        )

    def includes(self, enrolment: Enrolment, unit: Unit) -> bool:
        """Whether it concerns this child for this unit. `unit.component_ids` should be known."""
        if self.class_name:
            child = enrolment.child
            if (child.school_id, child.class_name) != (self.site_id, self.class_name):
                return False
        elif self.site_id not in (None, enrolment.activity.site_id):
            return False
        if self.group_id not in (None, enrolment.group_id):
            return False
        if self.service_id not in (None, enrolment.activity.service_id):
            return False
        if not self.unit_ids or unit.pk in self.unit_ids:
            return True
        return set(unit.component_ids) <= set(self.unit_ids)

    def enrolments(self) -> QuerySet[Enrolment]:
        """The live enrolments of the children concerned, whatever the unit."""
        return Enrolment.objects.filter(self.narrowed(), state__in=LIVE_ENROLMENTS)

    def bookings(self, dates: Collection[date]) -> QuerySet[Booking]:
        """The days that children concerned have booked, asked for or wait for, among these dates."""
        found = Booking.objects.filter(self.narrowed("enrolment__"), date__in=dates, state__in=EXPECTED_BOOKINGS)
        if self.unit_ids:
            found = found.filter(unit__in=self._closed_units())
        return found

    def narrowed(self, path: str = "") -> Q:
        """The condition on an enrolment, or on what leads to one by `path` and to its child by `child`."""
        wanted = Q()
        if self.class_name:
            wanted &= Q(child__school=self.site_id, child__class_name=self.class_name)
        elif self.site_id is not None:
            wanted &= Q(**{f"{path}activity__site": self.site_id})
        if self.group_id is not None:
            wanted &= Q(**{f"{path}group": self.group_id})
        if self.service_id is not None:
            wanted &= Q(**{f"{path}activity__service": self.service_id})
        return wanted

    def _closed_units(self) -> list[int]:
        parts: dict[int, set[int]] = defaultdict(set)
        for whole, part in Unit.components.through.objects.values_list("from_unit", "to_unit"):
            parts[whole].add(part)
        named = set(self.unit_ids)
        return sorted(named | {whole for whole, of in parts.items() if of <= named})


Standing = Mapping[date, Sequence[Closure]]


def standing_on(span: Q) -> Standing:
    """The closures that stand on the days of this span (a condition on `date`), oldest first: one query."""
    found: dict[date, list[Closure]] = defaultdict(list)
    for day in ClosureDay.objects.filter(span, lifted_at=None).select_related("closure").order_by("closure_id"):
        found[day.date].append(day.closure)
    return found


def closure_of(closures: Iterable[Closure], enrolment: Enrolment, unit: Unit) -> Closure | None:
    """The first of these closures that concerns the child for this unit."""
    return next((closure for closure in closures if Reach.of(closure).includes(enrolment, unit)), None)


def told_of(closed: Iterable[Booking]) -> dict[int, str]:
    """What families are told of these closed days, by the line that asked for each: one query, none for none."""
    ids = [booking.pk for booking in closed]
    if not ids:
        return {}
    found = ClosedBooking.objects.filter(booking__in=ids, after="").select_related("closure", "booking")
    return {one.booking.line_id: one.closure.told for one in found}


def seen_from(sites: Collection[int]) -> QuerySet[Closure]:
    """The closures that an agent of these sites reads (none named: all): theirs, and those of the whole town."""
    found = Closure.objects.select_related("site", "service", "group__activity__service")
    return found.filter(Q(site__in=sites) | Q(site=None)) if sites else found


def made_for(sites: Collection[int]) -> QuerySet[Closure]:
    """The closures that an agent of these sites (none named: all) may undo: theirs only."""
    found = Closure.objects.all()
    return found.filter(site__in=sites) if sites else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """A child whose days a closure cancels."""

    child: Child
    bookings: tuple[Booking, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far a closure goes: its children in the order of their names, its days by site, and what else waits."""

    children: tuple[Concerned, ...]
    families: int
    days: int
    by_site: tuple[tuple[str, int, int], ...]  # site, children, days
    by_state: Mapping[str, int]


def extent_of(bookings: QuerySet[Booking]) -> Extent:
    """What these bookings are: one query, whatever their number."""
    rows = list(
        bookings.select_related("child", "unit__service", "group__activity__site").order_by(
            "child__last_name", "child__first_name", "child_id", "date", "unit__position", "id"
        )
    )
    by_child: dict[int, list[Booking]] = defaultdict(list)
    sites: dict[tuple[int, str], list[Booking]] = defaultdict(list)
    states: dict[str, int] = defaultdict(int)
    for row in rows:
        by_child[row.child_id].append(row)
        site = row.group.activity.site
        sites[site.position, site.name].append(row)
        states[row.state] += 1
    return Extent(
        children=tuple(Concerned(child=found[0].child, bookings=tuple(found)) for found in by_child.values()),
        families=len({row.household_id for row in rows}),
        days=len(rows),
        by_site=tuple((name, len({row.child_id for row in of}), len(of)) for (_at, name), of in sorted(sites.items())),
        by_state=states,
    )


def closed_by(closure: Closure) -> QuerySet[ClosedBooking]:
    """The days that a closure cancelled, child by child."""
    return closure.closed.select_related("booking__child", "booking__unit__service", "booking__group__activity__site")
