"""Cadours's file, edited: what a town hall's computer person does between two loads."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

from marelle.activities.models import OpeningDay, Unit
from marelle.bookings.models import Booking
from marelle.townfile import Town, read
from marelle.townfile.town import ClosedDays, Service
from tests.offer import TOWNS

NAMES = sorted(path.stem for path in TOWNS.glob("*.toml"))


def file_of(name: str = "cadours") -> Town:
    return read(TOWNS / f"{name}.toml")


def with_service(town: Town, slug: str, **changes: Any) -> Town:
    """The town, where one service says something else."""
    return replace(town, services=tuple(replace(s, **changes) if s.slug == slug else s for s in town.services))


def without_service(town: Town, slug: str) -> Town:
    return replace(town, services=tuple(service for service in town.services if service.slug != slug))


def with_capacity(town: Town, service: str, group: str, capacity: int | None, margin: int = 0) -> Town:
    said = town.service(service)
    groups = tuple(replace(one, capacity=capacity, margin=margin) if one.slug == group else one for one in said.groups)
    return with_service(town, service, groups=groups)


def closed_on(town: Town, *days: date) -> Town:
    """The town, all closed on these days."""
    closures = (*town.calendar.closures, *(ClosedDays(name="Travaux", first_day=day) for day in days))
    return replace(town, calendar=replace(town.calendar, closures=closures))


def with_units(town: Town, service: str, units: Any) -> Town:
    said: Service = town.service(service)
    return with_service(town, service, units=tuple(units(said.units)))


def miscounted() -> dict[int, tuple[int, int]]:
    """The opening days on which what is taken is not what bookings hold: (taken, held) by id; none when all is
    well."""
    parts = {unit.pk: unit.component_ids for unit in Unit.objects.prefetch_related("components")}
    held: Counter[tuple[int, int, date]] = Counter()
    for booking in Booking.objects.filter(holds_place=True):
        held.update((part, booking.group_id, booking.date) for part in parts[booking.unit_id])
    return {
        day.pk: (day.taken, held[day.unit_id, day.group_id, day.date])
        for day in OpeningDay.objects.all()
        if day.taken != held[day.unit_id, day.group_id, day.date]
    }
