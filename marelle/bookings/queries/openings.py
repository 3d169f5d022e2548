"""When a period opens, to whom, and who is told (docs/algorithms/openings.md)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery

from marelle.activities.models import BookingMode, Municipality, Period, Service
from marelle.activities.queries import offer_of
from marelle.bookings.models import Enrolment, OpeningNotice, OpeningWish
from marelle.families.models import Household
from marelle.foundation.models import MailState, OutboxMail
from marelle.rules import eligibility
from marelle.rules.eligibility import Audience
from marelle.rules.lifecycles import EnrolmentState

#: How long after an opening it is still told of.
STILL_NEWS = timedelta(days=3)
#: The e-mail's kind in the outbox; its context names the period.
KIND = "bookings/period_opened"


def own_opening(period: Period, audiences: Collection[Audience]) -> datetime | None:
    """The instant from which a household of these audiences may ask for the period's days; None: it always could."""
    return eligibility.own_opening(period.opens_at, period.early_openings, audiences=audiences)


def instants(period: Period) -> list[datetime]:
    """Every instant at which the period opens to somebody, in order; none for one that is always open."""
    if period.opens_at is None:
        return []
    early = {opening.opens_at for opening in period.early_openings if opening.opens_at < period.opens_at}
    return sorted({*early, period.opens_at})


def opens_for(period: Period, instant: datetime) -> list[Audience]:
    """Those to whom the period opens at that instant before it opens to all; nobody in particular when that is then."""
    if instant == period.opens_at:
        return []
    return [opening.who for opening in period.early_openings if opening.opens_at == instant]


def periods_that_open(town: Municipality) -> list[tuple[Service, Period]]:
    """The periods that open to reservation at some instant, with their services; no query once the offer is at hand."""
    offer = offer_of(town)
    services = {activity.service_id: activity.service for activity in offer.activities.values()}
    return [
        (service, period)
        for service in services.values()
        if service.booking_mode == BookingMode.DAYS
        for period in offer.periods.get(service.pk, ())
        if period.opens_at is not None
    ]


def accepted_for(period: Period) -> "QuerySet[Enrolment]":
    """The enrolments that a period opens for: accepted, in its service and school year."""
    return Enrolment.objects.filter(
        state=EnrolmentState.ACCEPTED,
        activity__service=period.service_id,
        activity__archived_at=None,
        school_year=period.school_year_id,
    )


def to_tell(period: Period, *, at: datetime) -> list[tuple[Household, datetime]]:
    """The households whose own opening has just passed and that were told nothing yet, with that instant, in the order
    of their numbers. One query."""
    here = OuterRef("pk")
    enrolled = accepted_for(period).filter(household=here, child__residences__household=here).order_by("changed_at")
    said = OpeningWish.objects.filter(household=here, period=period)
    told = OpeningNotice.objects.filter(household=here, period=period)
    households = (
        Household.objects.filter(~Exists(told))
        .annotate(
            enrolled_at=Subquery(enrolled.values("changed_at")[:1]),
            wanted=Subquery(said.values("wanted")[:1]),
        )
        .filter(Q(wanted=True) | Q(wanted=None, enrolled_at__isnull=False))
    )
    found: list[tuple[Household, datetime]] = []
    for household in households.order_by("pk"):
        own = own_opening(period, household.audiences)
        if own is None or not at - STILL_NEWS < own <= at:
            continue
        if household.wanted or household.enrolled_at <= own:
            found.append((household, own))
    return found


def wishes_of(household: Household, periods: Iterable[Period]) -> dict[int, bool]:
    """What a household said of the e-mails of these periods' openings, by period."""
    found = OpeningWish.objects.filter(household=household, period__in=[period.pk for period in periods])
    return dict(found.values_list("period_id", "wanted"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A period and its e-mails. `concerned`: the households that are or will be told; `asked`: those that asked to be;
    `told`: those that were, from `first` to `last`; `undelivered`: e-mails that could not leave; `unreachable`:
    households without an address."""

    service: Service
    period: Period
    instants: list[datetime]
    concerned: int
    asked: list[Household]
    told: int
    first: datetime | None
    last: datetime | None
    undelivered: int
    unreachable: int


def announced(
    town: Municipality, *, since: datetime, at: datetime, among: "QuerySet[Household] | None" = None
) -> list[Announced]:
    """The periods not over whose last opening is after `since`, the soonest first, as far as the households `among` are
    concerned. Five queries, whatever the number of periods."""
    today = at.astimezone(town.tz).date()
    listed = [
        (service, period)
        for service, period in periods_that_open(town)
        if period.last_day >= today and instants(period)[-1] > since
    ]
    ids = [period.pk for _service, period in listed]
    mine = Q() if among is None else Q(household__in=among)
    enrolled: dict[tuple[int, int], set[int]] = {}
    rows = Enrolment.objects.filter(
        mine,
        state=EnrolmentState.ACCEPTED,
        activity__archived_at=None,
        activity__service__in={service.pk for service, _period in listed},
        school_year__in={period.school_year_id for _service, period in listed},
    )
    for service_id, year_id, household_id in (
        rows.values_list("activity__service", "school_year", "household").distinct().order_by()
    ):
        enrolled.setdefault((service_id, year_id), set()).add(household_id)
    asked: dict[int, list[Household]] = {}
    declined: dict[int, set[int]] = {}
    wishes = OpeningWish.objects.filter(mine, period__in=ids).select_related("household")
    for wish in wishes.order_by("household__name", "household_id"):
        if wish.wanted:
            asked.setdefault(wish.period_id, []).append(wish.household)
        else:
            declined.setdefault(wish.period_id, set()).add(wish.household_id)
    notices: dict[int, Any] = {
        row["period"]: row
        for row in OpeningNotice.objects.filter(mine, period__in=ids)
        .values("period")
        .annotate(
            told=Count("pk"), first=Min("told_at"), last=Max("told_at"), unreachable=Count("pk", filter=Q(mails=0))
        )
        .order_by()
    }
    mails = OutboxMail.objects.filter(kind=KIND, state__in=(MailState.FAILED, MailState.UNCERTAIN))
    if among is not None:
        mails = mails.filter(household_id__in=among.values("pk"))
    undelivered: dict[int, int] = {}
    for said in mails.values_list("context", flat=True):  # sealed: read here, not in the query
        undelivered[said["period"]] = undelivered.get(said["period"], 0) + 1
    found = []
    for service, period in listed:
        notice = notices.get(period.pk, {})
        families = enrolled.get((service.pk, period.school_year_id), set()) - declined.get(period.pk, set())
        found.append(
            Announced(
                service=service,
                period=period,
                instants=instants(period),
                concerned=len(families | {household.pk for household in asked.get(period.pk, [])}),
                asked=asked.get(period.pk, []),
                told=notice.get("told", 0),
                first=notice.get("first"),
                last=notice.get("last"),
                undelivered=undelivered.get(period.pk, 0),
                unreachable=notice.get("unreachable", 0),
            )
        )
    return sorted(found, key=lambda one: (one.instants[0], one.service.position, one.period.pk))
