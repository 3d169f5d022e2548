"""Bringing a town's file into the rooms. Slugs are identity; what the file no longer says is archived, never
deleted."""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from marelle.activities.models import (
    Activity,
    Group,
    Municipality,
    OpeningDay,
    Period,
    SchoolYear,
    Service,
    Site,
    Unit,
)
from marelle.bookings.models import EXPECTED_BOOKINGS, Booking
from marelle.bookings.services.places import recount
from marelle.foundation import audit
from marelle.foundation.audit import Actor
from marelle.rules.calendars import BeyondCalendar, SchoolCalendar
from marelle.rules.calendars import SchoolYear as RuledYear
from marelle.townfile import write
from marelle.townfile.offer import open_days, periods_of
from marelle.townfile.town import Booking as BookingKind
from marelle.townfile.town import Service as SaidService
from marelle.townfile.town import Town
from marelle.towns import days

M = TypeVar("M", bound=models.Model)


@dataclass(slots=True)
class LoadReport:
    """What a load changed, in numbers of rows by model name; all zero when it changed nothing. Opening days "archived"
    are closed.

    `kept_days`: days to come that the file does not open any more and that stand, since `kept_bookings` live bookings
    do. They take nobody else; an agent closes them.
    """

    created: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    archived: dict[str, int] = field(default_factory=dict)
    kept_days: int = 0
    kept_bookings: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.created or self.changed or self.archived)

    def count(self, what: dict[str, int], model: type[models.Model], n: int) -> None:
        if n:
            what[model.__name__] = what.get(model.__name__, 0) + n


@transaction.atomic
def load_town(town: Town, *, at: datetime, by: Actor = audit.PORTAL) -> LoadReport:
    """Bring the whole of a town's file in, in one transaction. Loading the same file twice changes nothing.

    Days to come are opened and closed as the file says; a day that holds places or live bookings is never removed (its
    bookings stand until an agent closes them, and it takes no other), and nothing before today changes for what was
    open already. Two loads come one after the other. Raises BeyondCalendar for a school year past the calendar's data,
    before anything is written.
    """
    report = LoadReport()
    document = write(town)
    digest = hashlib.sha256(document.encode()).hexdigest()
    calendar = town.school_calendar()
    ruled = _ruled_years(town, calendar)
    municipality = _municipality(town, document, digest, report)
    years = _years(town, calendar, ruled, at=at, report=report)
    sites = _upsert(
        Site,
        {
            (site.slug,): {
                "name": site.name,
                "kind": str(site.kind),
                "address": " ".join(site.address.split()),
                "phone": site.phone,
                "email": site.email,
                "levels": list(site.levels),
                "position": position,
            }
            for position, site in enumerate(town.sites)
        },
        keys=("slug",),
        at=at,
        report=report,
    )
    services = _services(town, at=at, report=report)
    activities = _upsert(
        Activity,
        {(services[s.slug,].pk, sites[site,].pk): {} for s in town.services for site in s.sites},
        keys=("service_id", "site_id"),
        at=at,
        report=report,
    )
    units, recomposed = _units(town, services, at=at, report=report)
    groups = _upsert(
        Group,
        {
            (activities[services[said.slug,].pk, sites[site,].pk].pk, group.slug): {
                "name": group.name,
                "position": position,
            }
            for said in town.services
            for site in said.sites
            for position, group in enumerate(said.groups_at(site))
        },
        keys=("activity_id", "slug"),
        at=at,
        report=report,
    )
    _periods(town, calendar, services, years, ruled, at=at, report=report)
    wanted = _wanted_days(town, calendar, services, sites, activities, units, groups, ruled)
    _opening_days(wanted, today=at.astimezone(municipality.tz).date(), recomposed=recomposed, report=report)
    if not report.is_empty:
        municipality.loaded_key = uuid.uuid4()
        municipality.save(update_fields=["loaded_key"])
        audit.record(
            at=at,
            by=by,
            action="town.loaded",
            subject=municipality,
            text=_("Réglages de la commune chargés."),
            facts={
                "document": digest,
                "created": report.created,
                "changed": report.changed,
                "archived": report.archived,
                "kept_days": report.kept_days,
                "kept_bookings": report.kept_bookings,
            },
        )
    return report


def _municipality(town: Town, document: str, digest: str, report: LoadReport) -> Municipality:
    said = town.municipality
    values: dict[str, Any] = {
        "slug": said.slug,
        "name": said.name,
        "short_name": said.short_name or said.name,
        "department_name": said.department,
        "colour": said.colour,
        "phone": said.phone,
        "email": said.email,
        "address": ", ".join(line.strip() for line in said.address.splitlines() if line.strip()),
        "opening_hours": ", ".join(line.strip() for line in said.opening_hours.splitlines() if line.strip()),
        "time_zone": said.time_zone,
        "answer_working_days": said.answer_working_days,
        "texts": {name: getattr(said.texts, name) for name in said.texts.__dataclass_fields__},
        "document": document,
        "document_hash": digest,
    }
    row = Municipality.objects.select_for_update(no_key=True).filter(id=1).first()
    if row is None:
        report.count(report.created, Municipality, 1)
        return Municipality.objects.create(id=1, **values)
    if changed := _assign(row, values):
        row.save(update_fields=changed)
        report.count(report.changed, Municipality, 1)
    return row


def _ruled_years(town: Town, calendar: SchoolCalendar) -> list[RuledYear]:
    """The years that the file offers, as the calendar knows them."""
    known = {year.label: year for year in calendar.school_years()}
    for said in town.years:
        if said.slug not in known:
            raise BeyondCalendar(
                date(int(said.slug[:4]), 9, 1), calendar.covered_until, calendar.covered_from, calendar.zone
            )
    return [known[said.slug] for said in town.years]


def _years(
    town: Town, calendar: SchoolCalendar, ruled: Iterable[RuledYear], *, at: datetime, report: LoadReport
) -> dict[tuple[Any, ...], SchoolYear]:
    opens = {said.slug: said.enrolment_opens for said in town.years}
    return _upsert(
        SchoolYear,
        {
            (year.label,): {
                "first_day": year.first_day,
                "last_day": year.last_day,
                "enrolment_opens_at": calendar.instant(moment.date(), moment.time())
                if (moment := opens[year.label])
                else None,
            }
            for year in ruled
        },
        keys=("label",),
        at=at,
        report=report,
    )


def _services(town: Town, *, at: datetime, report: LoadReport) -> dict[tuple[Any, ...], Service]:
    return _upsert(
        Service,
        {
            (said.slug,): {
                "name": said.name,
                "short_name": said.short_name or said.name[:40],
                "icon": said.icon,
                "accent": said.accent,
                "description": said.description,
                "unit_noun": said.noun,
                "unit_noun_plural": said.noun_plural,
                "billing_note": said.billing_note,
                "booking_mode": "enrolment_only" if said.booking == BookingKind.ENROLMENT_ONLY else "days",
                "validation_enrol": str(said.validation.enrol),
                "validation_book": str(said.validation.book),
                "validation_cancel": str(said.validation.cancel),
                "pending_holds_place": said.pending_holds_place,
                "contact_email": said.email,
                "contact_phone": said.phone,
                "position": position,
            }
            for position, said in enumerate(town.services)
        },
        keys=("slug",),
        at=at,
        report=report,
    )


def _units(
    town: Town, services: Mapping[tuple[Any, ...], Service], *, at: datetime, report: LoadReport
) -> tuple[dict[tuple[Any, ...], Unit], bool]:
    """The units, and whether one is composed of others than before."""
    units = _upsert(
        Unit,
        {
            (services[said.slug,].pk, unit.slug): {
                "name": unit.name,
                "starts_at": unit.starts_at,
                "ends_at": unit.ends_at,
                "with_meal": unit.meal,
                "position": position,
            }
            for said in town.services
            for position, unit in enumerate(said.units)
        },
        keys=("service_id", "slug"),
        at=at,
        report=report,
    )
    link = Unit.components.through
    wanted = {
        (units[services[said.slug,].pk, unit.slug].pk, units[services[said.slug,].pk, part].pk)
        for said in town.services
        for unit in said.units
        for part in unit.parts
    }
    found = {(row.from_unit_id, row.to_unit_id): row.pk for row in link.objects.all()}
    link.objects.bulk_create(link(from_unit_id=a, to_unit_id=b) for a, b in sorted(wanted - found.keys()))
    link.objects.filter(pk__in=[pk for pair, pk in found.items() if pair not in wanted]).delete()
    report.count(report.changed, Unit, len({pair[0] for pair in wanted ^ found.keys()}))
    return units, wanted != found.keys()


def _periods(
    town: Town,
    calendar: SchoolCalendar,
    services: Mapping[tuple[Any, ...], Service],
    years: Mapping[tuple[Any, ...], SchoolYear],
    ruled: Iterable[RuledYear],
    *,
    at: datetime,
    report: LoadReport,
) -> None:
    _upsert(
        Period,
        {
            (services[said.slug,].pk, period.slug): {
                "school_year_id": years[year.label,].pk,
                "name": period.name,
                "first_day": period.first_day,
                "last_day": period.last_day,
                "opens_at": period.opens_at,
                "early": [[str(early.who), early.opens_at.isoformat()] for early in period.early],
            }
            for said in town.services
            for year in ruled
            for period in periods_of(town, said, year=year, calendar=calendar)
        },
        keys=("service_id", "slug"),
        at=at,
        report=report,
    )


#: A component unit's id, a group's id and a day.
Place = tuple[int, int, date]


def _wanted_days(
    town: Town,
    calendar: SchoolCalendar,
    services: Mapping[tuple[Any, ...], Service],
    sites: Mapping[tuple[Any, ...], Site],
    activities: Mapping[tuple[Any, ...], Activity],
    units: Mapping[tuple[Any, ...], Unit],
    groups: Mapping[tuple[Any, ...], Group],
    years: Iterable[RuledYear],
) -> dict[Place, tuple[int | None, int]]:
    """Every day that the file opens, with its capacity and its margin. Only component units have days of their own."""
    wanted: dict[Place, tuple[int | None, int]] = {}
    for said in town.services:
        given = _days_of(town, said, calendar, years)
        for site in said.sites:
            activity = activities[services[said.slug,].pk, sites[site,].pk]
            for group in said.groups_at(site):
                row = groups[activity.pk, group.slug]
                for unit_slug, dates in given.items():
                    unit = units[services[said.slug,].pk, unit_slug]
                    for day in dates:
                        wanted[unit.pk, row.pk, day] = group.capacity_on(day, unit_slug), group.margin
    return wanted


def _opening_days(
    wanted: Mapping[Place, tuple[int | None, int]], *, today: date, recomposed: bool, report: LoadReport
) -> None:
    """Open, change and close days. A group that had none of a unit yet gets those of the past too; otherwise the past
    stays as it was."""
    to_come = OpeningDay.objects.filter(date__gte=today).order_by("id")
    columns = ("id", "unit_id", "group_id", "date", "capacity", "ceiling", "taken")
    # In id order, as whoever takes places locks them; from here on what is taken stands still.
    held = list(to_come.select_for_update().values_list(*columns))
    open_already = {(unit, group, day) for _id, unit, group, day, *_places in held}
    given = set(OpeningDay.objects.order_by().values_list("unit_id", "group_id").distinct())
    new = [
        days.NewDay(unit, group, day, capacity, _ceiling(capacity, margin, 0))
        for (unit, group, day), (capacity, margin) in wanted.items()
        if (unit, group, day) not in open_already and (day >= today or (unit, group) not in given)
    ]
    days.open_days(new)
    report.count(report.created, OpeningDay, len(new))
    if recomposed and held:
        recount(first=today)
        held = list(to_come.values_list(*columns))

    expected = _expected(today)
    other: list[days.OtherPlaces] = []
    shut: list[int] = []
    standing: set[Place] = set()
    for id, unit, group, day, capacity, ceiling, taken in held:
        place = unit, group, day
        if place in wanted:
            said, margin = wanted[place]
        elif taken or place in expected:
            standing.add(place)
            said, margin = 0, 0
        else:
            shut.append(id)
            continue
        now = said, _ceiling(said, margin, taken)
        if now != (capacity, ceiling):
            other.append(days.OtherPlaces(id, *now))
    days.change_places(other)
    report.count(report.changed, OpeningDay, len(other))
    days.close_days(shut)
    report.count(report.archived, OpeningDay, len(shut))
    report.kept_days = len(standing)
    report.kept_bookings = sum({key: n for place in standing for key, n in expected.get(place, {}).items()}.values())


def _expected(today: date) -> dict[Place, dict[Place, int]]:
    """For each component unit, group and day to come: the live bookings there, in numbers by the unit that was booked,
    which may be composed."""
    parts: dict[int, list[int]] = defaultdict(list)
    for composed, part in Unit.components.through.objects.values_list("from_unit", "to_unit"):
        parts[composed].append(part)
    found: dict[Place, dict[Place, int]] = defaultdict(dict)
    rows = (
        Booking.objects.filter(date__gte=today, state__in=EXPECTED_BOOKINGS)
        .order_by()
        .values_list("unit_id", "group_id", "date")
        .annotate(n=Count("id"))
    )
    for unit, group, day, n in rows:
        for part in parts.get(unit) or [unit]:
            found[part, group, day][unit, group, day] = n
    return found


def _days_of(
    town: Town, service: SaidService, calendar: SchoolCalendar, years: Iterable[RuledYear]
) -> dict[str, list[date]]:
    """By component unit, the days of these years on which it is given."""
    if service.booking == BookingKind.ENROLMENT_ONLY:
        return {}
    days: dict[str, list[date]] = {}
    for unit in service.units:
        if unit.parts:
            continue
        days[unit.slug] = [
            day
            for year in years
            for day in open_days(
                town,
                service,
                unit,
                first=year.first_day,
                last=min(year.last_day, calendar.covered_until),
                calendar=calendar,
            )
        ]
    return days


def _ceiling(capacity: int | None, margin: int, taken: int) -> int | None:
    return None if capacity is None else max(capacity + margin, taken)


def _assign(row: models.Model, values: Mapping[str, Any]) -> list[str]:
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def _upsert(
    model: type[M],
    wanted: Mapping[tuple[Any, ...], Mapping[str, Any]],
    *,
    keys: tuple[str, ...],
    at: datetime,
    report: LoadReport,
) -> dict[tuple[Any, ...], M]:
    """Make the rows of `model` those that are wanted, by natural key: create, change, bring back or archive. Every
    row of these keys is answered, the new ones too."""
    manager = model._default_manager
    rows: dict[tuple[Any, ...], Any] = {tuple(getattr(row, key) for key in keys): row for row in manager.all()}
    new, changed = [], []
    fields: set[str] = set()
    for key, values in wanted.items():
        row = rows.get(key)
        if row is None:
            row = rows[key] = model(**dict(zip(keys, key, strict=True)), **values)
            new.append(row)
            continue
        names = _assign(row, {**values, "archived_at": None})
        if names:
            changed.append(row)
            fields.update(names)
    gone = [row for key, row in rows.items() if key not in wanted and row.archived_at is None]
    for row in gone:
        row.archived_at = at
    manager.bulk_create(new)
    if changed:
        manager.bulk_update(changed, sorted(fields))
    if gone:
        manager.bulk_update(gone, ["archived_at"])
    report.count(report.created, model, len(new))
    report.count(report.changed, model, len(changed))
    report.count(report.archived, model, len(gone))
    return {key: rows[key] for key in wanted}
