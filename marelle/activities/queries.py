"""Reading the offer."""

from functools import lru_cache

from marelle import townfile
from marelle.activities.models import Municipality, Service, Unit
from marelle.rules.calendars import SchoolCalendar
from marelle.rules.limits import Limits
from marelle.townfile.town import Town


def municipality() -> Municipality:
    """The town of this portal. Raises Municipality.DoesNotExist until a town's file is loaded."""
    return Municipality.objects.defer("document", "official_calendar").get(id=1)


# The rules are the town's document, read once per process and again when its digest changes: the tables hold what
# families and bookings point at, the document what the rules say, and neither says the other's part.
@lru_cache(maxsize=4)
def _rules(document_hash: str) -> tuple[Town, SchoolCalendar]:
    row = Municipality.objects.only("document", "official_calendar").get(id=1, document_hash=document_hash)
    town = townfile.parse(row.document, official_calendar=row.official_calendar)
    return town, town.school_calendar()


def rules_of(town: Municipality) -> Town:
    """The town's rules as its document says them."""
    return _rules(town.document_hash)[0]


def calendar_of(town: Municipality) -> SchoolCalendar:
    """The town's calendar: zone, public holidays, closures, terms."""
    return _rules(town.document_hash)[1]


def limits_of(town: Municipality, service: Service, unit: Unit) -> Limits:
    """Until when this unit is booked and cancelled. LookupError for a service without limits (enrolment only) or one that
    the document does not know any more."""
    said = rules_of(town).service(service.slug)
    limits = said.limits_of(said.unit(unit.slug))
    if limits is None:
        raise LookupError(f"{service.slug} has no limits: its days are not booked")
    return limits
