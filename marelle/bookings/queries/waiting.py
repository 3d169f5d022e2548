"""Who waits for a place: lists, ranks, and what was offered (docs/algorithms/waiting-list.md)."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from marelle.activities.models import Unit
from marelle.bookings.models import Booking
from marelle.families.models import Household
from marelle.rules.lifecycles import BookingState
from marelle.rules.waiting import standing_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One in a list, with the rank in it."""

    booking: Booking
    rank: int


def of_household(household: Household, booking_id: int) -> Booking | None:
    """The household's own booking, with all that its page says of it; None for another's."""
    found = Booking.objects.filter(household=household, pk=booking_id)
    return found.select_related("child", "unit__service", "enrolment__activity__site", "group").first()


def offers_to(household: Household) -> list[Booking]:
    """The places held for this household until it answers, the most urgent first."""
    return list(
        Booking.objects.filter(household=household, state=BookingState.OFFERED)
        .select_related("child", "unit__service")
        .order_by("waits_until", "id")
    )


def ranks(bookings: Iterable[Booking]) -> dict[int, int]:
    """The rank of each waiting booking, by id: two queries, none when nobody waits."""
    mine = [booking for booking in bookings if booking.state == BookingState.QUEUED]
    if not mine:
        return {}
    others = Booking.objects.filter(
        group__in={b.group_id for b in mine}, date__in={b.date for b in mine}, state=BookingState.QUEUED
    ).order_by("id")
    lines: dict[tuple[int, date], list[tuple[int, int]]] = defaultdict(list)
    for id, unit, group, day in others.values_list("id", "unit_id", "group_id", "date"):
        lines[group, day].append((id, unit))
    parts = _components({unit for line in lines.values() for _id, unit in line} | {b.unit_id for b in mine})
    return {
        b.pk: 1 + standing_before(parts[b.unit_id], [parts[u] for id, u in lines[b.group_id, b.date] if id < b.pk])
        for b in mine
    }


def waiting_list(*, service_id: int, day: date, sites: Collection[int] = ()) -> list[Waiting]:
    """Everybody who waits for a service on a day, group by group in the order of queueing, then those to whom a place
    is offered. `sites`: only these."""
    found = Booking.objects.filter(
        unit__service=service_id, date=day, state__in=(BookingState.QUEUED, BookingState.OFFERED)
    )
    if sites:
        found = found.filter(group__activity__site__in=list(sites))
    rows = list(
        found.select_related("child", "household", "unit", "group__activity__site", "line__request").order_by(
            "group__activity__site__position", "group__position", "group_id", "id"
        )
    )
    known = ranks(rows)
    return [Waiting(booking=row, rank=known.get(row.pk, 0)) for row in rows]


def waiting_counts(
    first: date, last: date, *, sites: Collection[int] = ()
) -> dict[tuple[int, int, date], tuple[int, int]]:
    """How many children wait, and how many have a place offered, by (service, group, day): one query."""
    found = Booking.objects.filter(date__range=(first, last), state__in=(BookingState.QUEUED, BookingState.OFFERED))
    if sites:
        found = found.filter(group__activity__site__in=list(sites))
    rows = (
        found.order_by()
        .values("unit__service", "group", "date")
        .annotate(
            queued=Count("child", distinct=True, filter=Q(state=BookingState.QUEUED)),
            offered=Count("child", distinct=True, filter=Q(state=BookingState.OFFERED)),
        )
    )
    return {(row["unit__service"], row["group"], row["date"]): (row["queued"], row["offered"]) for row in rows}


def _components(units: Collection[int]) -> dict[int, list[int]]:
    """For each unit, the units whose places it takes."""
    parts: dict[int, list[int]] = defaultdict(list)
    links = Unit.components.through.objects.filter(from_unit__in=units)
    for composed, part in links.values_list("from_unit", "to_unit"):
        parts[composed].append(part)
    return {unit: parts[unit] or [unit] for unit in units}
