"""Reading the offer."""

from functools import lru_cache

from marelle.activities.models import Municipality, Service, Unit
from marelle.rules.calendars import SchoolCalendar
from marelle.rules.limits import Limits, limit_from_plain


def municipality() -> Municipality:
    """The town of this portal. Raises Municipality.DoesNotExist until a town's file is loaded."""
    return Municipality.objects.defer("document").get(id=1)


@lru_cache(maxsize=8)
def _calendar(zone: str, area: str, tz: str, document_hash: str) -> SchoolCalendar:
    return SchoolCalendar.for_zone(zone, public_holidays=area, tz=tz)


def calendar_of(town: Municipality) -> SchoolCalendar:
    """The town's calendar, kept between requests until its file changes."""
    return _calendar(town.school_zone, town.public_holiday_area, town.time_zone, town.document_hash)


def limits_of(service: Service, unit: Unit) -> Limits:
    """Until when this unit is booked and cancelled: its own limits where the town gives it some, else the service's."""
    plain = service.limits | service.limits.get("units", {}).get(unit.slug, {})
    return Limits(book=limit_from_plain(plain["book"]), cancel=limit_from_plain(plain["cancel"]))
