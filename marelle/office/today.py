"""The agents' day: what is expected where, what waits, what is left."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.activities.models import Municipality, Service, Site
from marelle.activities.queries import calendar_of
from marelle.bookings.labels import ABSENT_LOOK, UNANSWERED_LOOK
from marelle.bookings.queries.counts import (
    Expected,
    PlacesOfDay,
    PlacesOfService,
    absent_on,
    expected_on,
    next_open_day,
    places_left,
    unanswered_on,
)
from marelle.foundation.look import Look
from marelle.foundation.sentences import beyond_calendar_words, moment_words, short_day_words
from marelle.rules.calendars import BeyondCalendar, SchoolCalendar

#: The days shown of a service's places, and how far they are looked for.
PLACES_DAYS = 4
PLACES_SPAN = timedelta(days=42)
LOW = 5
#: How many children are named of each kind; the rest is counted.
NAMED = 60
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Children expected: how many, and of which services."""

    children: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A service at a site. `detail`: its units, when there are several."""

    expected: Expected | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    site: Site
    cells: tuple[Cell, ...]
    unanswered: int
    absent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A child whom the day's lists name apart, and the request that says why."""

    child: str
    where: str
    look: Look
    since: str
    number: str
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A service's column and its sum."""

    service: Service
    children: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cell of the places' table. tone: "full", "low" or ""."""

    words: str
    detail: str
    tone: str
    waiting: str = ""
    waiting_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesTable:
    service: Service
    dates: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Place | None, ...]], ...]  # site, group, a cell per date


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """One day of the town. `closed`: why nothing is open, "" when something is. `previous` and `following` are None at
    the ends of the calendar."""

    day: date
    is_today: bool
    kind: str
    closed: str
    next_open: date | None
    previous: date | None
    following: date | None
    meals: Figure
    others: Figure
    heads: tuple[Head, ...]
    sites: tuple[SiteRow, ...]
    unanswered: int
    absent: int
    places: tuple[PlacesTable, ...]
    named: tuple[Named, ...] = ()
    more_named: int = 0


def day_of_the_town(*, town: Municipality, day: date, today: date, at: datetime, sites: Collection[int] = ()) -> Today:
    """Read a day: eleven queries, fewer when nothing is open.

    Raises BeyondCalendar outside the school calendar, except for today, which says so."""
    calendar = calendar_of(town)
    if day != today:
        calendar.check(day)
    expected = expected_on(day, sites=sites)
    heads, rows = _table(expected)
    named, more = _named(day, expected, town=town, at=at, sites=sites)
    start = max(day, today)
    return Today(
        day=day,
        is_today=day == today,
        kind=_kind(calendar, day),
        closed="" if expected else _why_closed(calendar, day),
        next_open=None if expected else next_open_day(day, sites=sites),
        previous=_covered(calendar, day - ONE_DAY),
        following=_covered(calendar, day + ONE_DAY),
        meals=_figure(entry for entry in expected if entry.meals and entry.site.kind == Site.Kind.SCHOOL),
        others=_figure(
            entry for entry in expected if entry.children and not (entry.meals and entry.site.kind == Site.Kind.SCHOOL)
        ),
        heads=heads,
        sites=rows,
        unanswered=sum(entry.unanswered for entry in expected),
        absent=sum(entry.absent for entry in expected),
        places=_places(places_left(start, start + PLACES_SPAN, days=PLACES_DAYS, sites=sites)),
        named=named,
        more_named=more,
    )


def _named(
    day: date, expected: Sequence[Expected], *, town: Municipality, at: datetime, sites: Collection[int]
) -> tuple[tuple[Named, ...], int]:
    """The children announced absent, then those whose request has no answer, and how many more there are. Nothing is
    read when the sums say that there is nobody."""
    found: list[Named] = []
    bookings = 0
    for some, read, look in (
        (any(entry.absent or unit.absent for entry in expected for unit in entry.units), absent_on, ABSENT_LOOK),
        (any(entry.unanswered for entry in expected), unanswered_on, UNANSWERED_LOOK),
    ):
        if not some:
            continue
        listed = list(read(day, sites=sites))
        bookings += len(listed)
        for booking in listed[:NAMED]:
            absence = booking.absence if look is ABSENT_LOOK else None
            request = booking.line.request if absence is None else absence.line.request
            proof = absence.proof_until if absence is not None and absence.awaits_proof(at) else None
            service = booking.unit.service
            found.append(
                Named(
                    child=str(booking.child),
                    where=_("%(service)s, %(unit)s · %(site)s")
                    % {
                        "service": service.short_name,
                        "unit": booking.unit.name.lower(),
                        "site": booking.group.activity.site.name,
                    },
                    look=look,
                    since=_("signalée le %(moment)s") % {"moment": moment_words(absence.announced_at, town.tz)}
                    if absence
                    else _("envoyée le %(moment)s") % {"moment": moment_words(request.sent_at, town.tz)},
                    number=request.number,
                    proof=moment_words(proof, town.tz) if proof is not None else "",
                )
            )
    return tuple(found), bookings - len(found)


def _figure(entries: Iterable[Expected]) -> Figure:
    by_service: dict[str, int] = {}
    for entry in entries:
        by_service[entry.service.short_name] = by_service.get(entry.service.short_name, 0) + entry.children
    detail = ", ".join(f"{name} {count}" for name, count in by_service.items()) if len(by_service) > 1 else ""
    return Figure(children=sum(by_service.values()), detail=detail or next(iter(by_service), ""))


def _table(expected: Sequence[Expected]) -> tuple[tuple[Head, ...], tuple[SiteRow, ...]]:
    services = sorted(
        {entry.service.pk: entry.service for entry in expected}.values(), key=lambda s: (s.position, s.name)
    )
    cells = {(entry.site.pk, entry.service.pk): entry for entry in expected}
    sites = {entry.site.pk: entry.site for entry in expected}
    heads = tuple(
        Head(service=service, children=sum(e.children for e in expected if e.service.pk == service.pk))
        for service in services
    )
    rows = tuple(
        SiteRow(
            site=site,
            cells=tuple(_cell(cells.get((site.pk, service.pk))) for service in services),
            unanswered=sum(entry.unanswered for entry in expected if entry.site.pk == site.pk),
            absent=sum(entry.absent for entry in expected if entry.site.pk == site.pk),
        )
        for site in sites.values()
    )
    return heads, rows


def _cell(entry: Expected | None) -> Cell:
    if entry is None:
        return Cell(expected=None)
    parts = [f"{unit.name} {unit.children}" for unit in entry.units] if len(entry.units) > 1 else []
    if entry.absent:
        parts.append(ngettext("%(n)d absence", "%(n)d absences", entry.absent) % {"n": entry.absent})
    return Cell(expected=entry, detail=", ".join(parts))


def _places(services: Sequence[PlacesOfService]) -> tuple[PlacesTable, ...]:
    return tuple(
        PlacesTable(
            service=entry.service,
            dates=tuple(short_day_words(day) for day in entry.dates),
            rows=tuple(
                (
                    line.site.name,
                    line.group,
                    tuple(None if places is None else _place(places, entry.service) for places in line.days),
                )
                for line in entry.groups
            ),
        )
        for entry in services
    )


def _place(places: PlacesOfDay, service: Service) -> Place:
    left, ceiling = places.left, places.ceiling
    place = _left(left, ceiling)
    if not places.waiting:
        return place
    words = _("%(n)d en attente") % {"n": places.waiting}
    url = reverse("office:waiting", args=[service.slug, places.date.isoformat()])
    return replace(place, waiting=words, waiting_url=url)


def _left(left: int, ceiling: int) -> Place:
    taken = _("%(taken)d sur %(ceiling)d") % {"taken": ceiling - left, "ceiling": ceiling}
    if left == 0:
        return Place(words=_("Complet"), detail=taken, tone="full")
    words = ngettext("%(n)d place", "%(n)d places", left) % {"n": left}
    return Place(words=words, detail=taken, tone="low" if left <= LOW else "")


def _covered(calendar: SchoolCalendar, day: date) -> date | None:
    return day if calendar.covered_from <= day <= calendar.covered_until else None


def _kind(calendar: SchoolCalendar, day: date) -> str:
    """ "jour d’école", "Vacances de Noël", "férié : Lundi de Pâques"."""
    try:
        if (name := calendar.public_holiday(day)) is not None:
            return _("férié : %(name)s") % {"name": name}
        if (period := calendar.holiday_period(day)) is not None:
            return period.name
        return _("jour d’école") if calendar.is_school_day(day) else _("pas d’école")
    except BeyondCalendar as fault:
        return beyond_calendar_words(fault)


def _why_closed(calendar: SchoolCalendar, day: date) -> str:
    """Why nothing is open that day: a public holiday, the town's own closure, holidays, a week-end, or no opening."""
    if (name := calendar.public_holiday(day)) is not None:
        return _("C’est un jour férié (%(name)s).") % {"name": name}
    if (closure := calendar.closure(day)) is not None:
        return _("Les services sont fermés (%(name)s).") % {"name": closure.name}
    try:
        if (period := calendar.holiday_period(day)) is not None:
            return _("Ce sont les vacances scolaires (%(name)s).") % {"name": period.name}
    except BeyondCalendar as fault:
        return beyond_calendar_words(fault)
    if day.weekday() > 4:
        return _("C’est le week-end.")
    return _("Aucun service n’ouvre ce jour-là.")
