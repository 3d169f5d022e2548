"""Telling the families of a period that it is open to them: each once, in the transaction that writes the e-mails.

Prose: docs/algorithms/openings.md.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality, Period, Service
from marelle.activities.queries import municipality
from marelle.bookings import notifications
from marelle.bookings.models import OpeningNotice, OpeningWish
from marelle.bookings.queries.openings import (
    STILL_NEWS,
    accepted_for,
    instants,
    own_opening,
    periods_that_open,
    to_tell,
)
from marelle.families.labels import Topic
from marelle.families.models import Guardianship, Household
from marelle.families.queries import addressees_of
from marelle.foundation import audit

#: How many households one transaction tells.
AT_ONCE = 200


class AlreadyOpen(Exception):
    """The period is open to the household: there is no opening to tell of."""


@transaction.atomic
def wish(*, household: Household, period: Period, wanted: bool, user: User, at: datetime) -> bool:
    """Ask for the e-mail of a period's opening, or for none. Whether that changes what the household would get.

    Raises AlreadyOpen."""
    household = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
    opens_at = own_opening(period, household.audiences)
    if opens_at is None or opens_at <= at:
        raise AlreadyOpen(period)
    said = OpeningWish.objects.filter(household=household, period=period).first()
    now = said.wanted if said is not None else accepted_for(period).filter(household=household).exists()
    if now == wanted:
        return False
    OpeningWish.objects.update_or_create(household=household, period=period, defaults={"wanted": wanted, "said_at": at})
    words = _("E-mail d’ouverture demandé : %(what)s.") if wanted else _("E-mail d’ouverture refusé : %(what)s.")
    audit.record(
        at=at,
        by=user.actor(),
        action="opening.wished" if wanted else "opening.declined",
        subject=period,
        household_id=household.pk,
        text=words % {"what": f"{period.service.short_name}, {period.name}"},
    )
    return True


def tick(*, at: datetime) -> int:
    """Tell of the openings that have just passed; how many households were told.

    May run in several workers at once, and as often as one likes.
    """
    try:
        town = municipality()
    except Municipality.DoesNotExist:
        return 0
    today = at.astimezone(town.tz).date()
    return sum(
        announce(period, service, at=at)
        for service, period in periods_that_open(town)
        if period.last_day >= today and any(at - STILL_NEWS < instant <= at for instant in instants(period))
    )


def announce(period: Period, service: Service, *, at: datetime) -> int:
    told = 0
    while True:
        due = to_tell(period, at=at)
        if not due:
            return told
        told += _tell(due[:AT_ONCE], period, service, at=at)
        if len(due) <= AT_ONCE:
            return told


@transaction.atomic
def _tell(due: Collection[tuple[Household, datetime]], period: Period, service: Service, *, at: datetime) -> int:
    """Take the households that nobody else has taken, and write to them; how many. Every worker writes the rows in
    the same order, so that two of them wait for each other one way only."""
    adults = _adults([household for household, _own in due], period)
    notices = [
        OpeningNotice(
            household=household, period=period, opened_at=own, told_at=at, mails=len(adults.get(household.pk, ()))
        )
        for household, own in due
    ]
    OpeningNotice.objects.bulk_create(notices, ignore_conflicts=True)
    # A row that another worker wrote first keeps that worker's id.
    ours = set(OpeningNotice.objects.filter(pk__in=[one.pk for one in notices]).values_list("household_id", flat=True))
    if not ours:
        return 0
    notifications.period_opened(
        period=period,
        service=service,
        adults=[link for household in sorted(ours) for link in adults.get(household, ())],
        at=at,
    )
    audit.record(
        at=at,
        by=audit.PORTAL,
        action="opening.told",
        subject=period,
        text=_("Ouverture annoncée à %(n)d familles : %(what)s.")
        % {"n": len(ours), "what": f"{service.short_name}, {period.name}"},
        facts={"households": sorted(ours)},
    )
    return len(ours)


def _adults(households: Collection[Household], period: Period) -> dict[int, list[Guardianship]]:
    """Whom to write to, by household id. An opening is a reminder, that an adult may refuse; a household that asked for
    this one is told whatever its adults refused before. Three queries."""
    asked = set(
        OpeningWish.objects.filter(household__in=households, period=period, wanted=True).values_list(
            "household_id", flat=True
        )
    )
    return addressees_of([home for home in households if home.pk in asked]) | addressees_of(
        [home for home in households if home.pk not in asked], Topic.REMINDERS
    )
