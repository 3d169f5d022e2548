"""A request's days as an iCalendar file (RFC 5545), for the family's own diary."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from marelle.activities.models import Municipality
from marelle.bookings.models import Booking
from marelle.foundation.sentences import list_words
from marelle.requests.models import FamilyRequest
from marelle.rules.lifecycles import BookingState

KEPT = (BookingState.PENDING, BookingState.BOOKED)


def agenda(request: FamilyRequest, *, town: Municipality, host: str, at: datetime) -> str:
    """One event per service, unit and day for all the children together; a day that waits for its answer is tentative.
    Days refused, withdrawn or cancelled since are left out. `host` makes the events' names unique in the world."""
    bookings = list(
        Booking.objects.filter(line__request=request, state__in=KEPT)
        .select_related("child", "unit__service", "enrolment__activity__site")
        .order_by("date", "unit__service__position", "unit__position", "unit_id", "child__birth_date", "child_id")
    )
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Marelle//Portail famille//FR", "CALSCALE:GREGORIAN"]
    for (day, unit_id), found in groupby(bookings, key=lambda booking: (booking.date, booking.unit_id)):
        mine = list(found)
        lines += _event(mine, day, town=town, at=at, name=f"{day:%Y%m%d}-{unit_id}-{request.number}@{host}")
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(bookings: list[Booking], day: date, *, town: Municipality, at: datetime, name: str) -> Iterator[str]:
    unit = bookings[0].unit
    site = bookings[0].enrolment.activity.site
    children = list_words(booking.child.first_name for booking in bookings)
    waits = any(booking.state == BookingState.PENDING for booking in bookings)
    yield "BEGIN:VEVENT"
    yield f"UID:{name}"
    yield f"DTSTAMP:{_instant(at)}"
    if unit.starts_at and unit.ends_at:
        yield f"DTSTART:{_instant(datetime.combine(day, unit.starts_at, town.tz))}"
        yield f"DTEND:{_instant(datetime.combine(day, unit.ends_at, town.tz))}"
    else:
        yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_escaped(f'{unit.service.short_name}, {children}')}"
    yield f"LOCATION:{_escaped(', '.join(part for part in (site.name, site.address) if part))}"
    yield f"STATUS:{'TENTATIVE' if waits else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def _folded(line: str) -> Iterable[str]:
    """Lines of at most 75 octets; those that follow begin with a space. No character is cut in two."""
    parts, room = [""], 75
    for character in line:
        size = len(character.encode())
        if size > room:
            parts.append(" ")
            room = 74
        parts[-1] += character
        room -= size
    return parts
