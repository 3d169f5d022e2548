"""Reading the offer."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import ExtractIsoWeekDay

from marelle.activities.models import Activity, Group, Municipality, OpeningDay, Period, SchoolYear, Service, Site, Unit
from marelle.foundation.by_heart import by_heart
from marelle.foundation.lastknown import LastKnown, remember
from marelle.rules.calendars import MIDNIGHT, SchoolCalendar
from marelle.rules.limits import Limits
from marelle.townfile import read_text
from marelle.townfile.town import Town


def municipality() -> Municipality:
    """The town of this portal. Raises Municipality.DoesNotExist until a town's file is loaded."""
    town = next(iter(_towns()), None)
    if town is None:
        raise Municipality.DoesNotExist
    remember(
        LastKnown(
            name=town.name,
            short_name=town.short_name,
            department_name=town.department_name,
            phone=town.phone,
            email=town.email,
            colour=town.colour,
            conformity_words=town.conformity_words,
        )
    )
    return town


@by_heart
def _towns() -> "QuerySet[Municipality]":
    return Municipality.objects.defer("document").filter(id=1)


# The rules are the town's document, read once per process and again when its digest changes: the tables hold what
# families and bookings point at, the document what the rules say, and neither says the other's part.
@lru_cache(maxsize=4)
def _document(document_hash: str) -> tuple[Town, SchoolCalendar]:
    row = Municipality.objects.only("document").get(id=1, document_hash=document_hash)
    town = read_text(row.document)
    return town, town.school_calendar()


def _rules(document_hash: str) -> tuple[Town, SchoolCalendar]:
    try:
        return _document(document_hash)
    except Municipality.DoesNotExist:
        # A load has replaced it since the caller read its digest: the newer rules are the right ones, under their own
        # digest, since the file before may come back.
        return _document(Municipality.objects.values_list("document_hash", flat=True).get(id=1))


@dataclass(frozen=True, slots=True)
class Offer:
    """The rows of the offer, ready to be attached to what points at them. Read once per process, and again when a load
    has changed them; shared by every request, so nobody changes them.

    `activities` (not archived, each with its service and site), `groups` and `years` by id; `units` and `periods` (not
    archived) by service id, in order, each unit with its components known.
    """

    activities: Mapping[int, Activity]
    groups: Mapping[int, Group]
    years: Mapping[int, SchoolYear]
    units: Mapping[int, list[Unit]]
    periods: Mapping[int, list[Period]]


@lru_cache(maxsize=4)
def _offer(loaded_key: UUID) -> Offer:
    units: dict[int, list[Unit]] = defaultdict(list)
    for unit in Unit.objects.filter(archived_at=None).order_by("position", "id").prefetch_related("components"):
        unit.component_ids = tuple(part.id for part in unit.components.all()) or (unit.id,)
        units[unit.service_id].append(unit)
    periods: dict[int, list[Period]] = defaultdict(list)
    for period in Period.objects.filter(archived_at=None).order_by("first_day"):
        periods[period.service_id].append(period)
    return Offer(
        activities={
            activity.id: activity
            for activity in Activity.objects.filter(archived_at=None).select_related("service", "site")
        },
        groups=Group.objects.in_bulk(),
        years=SchoolYear.objects.in_bulk(),
        units=dict(units),
        periods=dict(periods),
    )


def offer_of(town: Municipality) -> Offer:
    """What the town offers, as its tables hold it."""
    return _offer(town.loaded_key)


def rules_of(town: Municipality) -> Town:
    """The town's rules as its document says them."""
    return _rules(town.document_hash)[0]


def takes_new_accounts(town: Municipality) -> bool:
    """Whether a family that nobody knows may ask for an account."""
    return bool(town.document_hash) and rules_of(town).municipality.new_accounts


def calendar_of(town: Municipality) -> SchoolCalendar:
    """The town's calendar: zone, public holidays, closures, terms."""
    return _rules(town.document_hash)[1]


def limits_of(town: Municipality, service: Service, unit: Unit) -> Limits:
    """Until when this unit is booked and cancelled. LookupError for a service without limits (enrolment only) or one
    that the document does not know any more."""
    said = rules_of(town).service(service.slug)
    limits = said.limits_of(said.unit(unit.slug))
    if limits is None:
        raise LookupError(f"{service.slug} has no limits: its days are not booked")
    return limits


def begins_at(calendar: SchoolCalendar, unit: Unit, day: date) -> datetime:
    """When the unit begins that day: at its start, at midnight when it has none. Aware, UTC."""
    return calendar.instant(day, unit.starts_at or MIDNIGHT)


@dataclass(frozen=True, slots=True)
class Contact:
    name: str
    email: str
    phone: str


def contacts_for(service: Service, sites: Iterable[Site], town: Municipality) -> list[Contact]:
    """Whom to write to, or call, for what cannot be done on line: the service's own address, else the sites', else the
    town's."""
    if service.contact_email or service.contact_phone:
        return [Contact(service.name, service.contact_email, service.contact_phone)]
    known = {site.pk: site for site in sites if site.email}
    if known:
        return [Contact(site.name, site.email, site.phone) for site in known.values()]
    return [Contact(town.department_name or town.name, town.email, town.phone)]


def activities_for(*, schools: Collection[int]) -> list[Activity]:
    """What children of these schools may ask for: what is given at their schools and at the centres, in the order of
    the services. Each comes with its service (units at hand), its site and its groups: three queries."""
    return list(
        Activity.objects.filter(
            Q(site__in=list(schools)) | Q(site__kind=Site.Kind.CENTRE),
            archived_at=None,
            service__archived_at=None,
            site__archived_at=None,
        )
        .select_related("service", "site")
        .prefetch_related(
            Prefetch("groups", queryset=Group.objects.filter(archived_at=None)),
            Prefetch("service__units", queryset=Unit.objects.filter(archived_at=None)),
        )
        .order_by("service__position", "service_id", "site__position", "site_id")
    )


def open_weekdays(*, groups: Collection[int], first: date, last: date) -> dict[int, list[int]]:
    """The weekdays (0 for Monday) on which each of these groups has opening days between two days."""
    found: dict[int, list[int]] = defaultdict(list)
    rows = (
        OpeningDay.objects.filter(group__in=list(groups), date__range=(first, last))
        .order_by()
        .annotate(weekday=ExtractIsoWeekDay("date"))
        .values_list("group_id", "weekday")
        .distinct()
    )
    for group, weekday in sorted(rows):
        found[group].append(weekday - 1)
    return found


def years_to_enrol(*, today: date, at: datetime) -> tuple[list[SchoolYear], list[SchoolYear]]:
    """The school years for which families may enrol now, in order, and those that open later."""
    now: list[SchoolYear] = []
    later: list[SchoolYear] = []
    for year in SchoolYear.objects.filter(last_day__gte=today, archived_at=None).order_by("first_day"):
        (now if year.enrolment_opens_at is None or year.enrolment_opens_at <= at else later).append(year)
    return now, later
