"""Before a period opens: when it does for this family, when for the others, and whether an e-mail will say so."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404
from django.utils.translation import gettext as _

from marelle.activities.models import Period
from marelle.activities.queries import offer_of
from marelle.bookings.queries.openings import instants, own_opening, wishes_of
from marelle.bookings.services.openings import AlreadyOpen, wish
from marelle.families.labels import AUDIENCE_CAUSES
from marelle.families.models import Household
from marelle.families.permissions import GuardianHttpRequest
from marelle.portal.moments import opening_words
from marelle.portal.planning.place import Place
from marelle.portal.planning.stretches import Stretch
from marelle.rules.eligibility import Audience

#: What the two buttons post before a period's slug, and whether they ask for the e-mail.
BUTTONS = {"tell": True, "hush": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A period not open yet to the family. `everybody`: when it opens to all, if later; `cause`: why not so late here;
    `others`: since when other families may book, or will, if earlier. `told`: an e-mail will say that it is open."""

    period: Period
    opens: str
    cause: str
    everybody: str
    others: str
    told: bool


def coming(place: Place, household: Household, *, at: datetime, stretch: Stretch | None = None) -> list[Coming]:
    """The periods that are not open yet to the family, of those that the stretch shows or, without one, of its
    enrolments' school years. One query when there are any, none else."""
    years = {enrolment.school_year_id for enrolment in (*place.enrolments, *place.waiting)}
    enrolled = {enrolment.school_year_id for enrolment in place.enrolments}
    shown: list[tuple[Period, datetime]] = []
    for period in offer_of(place.town).periods.get(place.service.pk, ()):
        opens_at = own_opening(period, household.audiences)
        if opens_at is None or opens_at <= at or period.school_year_id not in years:
            continue
        if stretch is None or (period.first_day <= stretch.last_day and period.last_day >= stretch.first_day):
            shown.append((period, opens_at))
    wishes = wishes_of(household, [period for period, _opens in shown]) if shown else {}
    return [
        _coming(
            place, period, opens_at, household, at=at, told=wishes.get(period.pk, period.school_year_id in enrolled)
        )
        for period, opens_at in shown
    ]


def _coming(
    place: Place, period: Period, opens_at: datetime, household: Household, *, at: datetime, told: bool
) -> Coming:
    assert period.opens_at is not None
    first = instants(period)[0]
    return Coming(
        period=period,
        opens=opening_words(opens_at, at=at, town=place.town),
        cause=_cause(period, opens_at, household.audiences),
        everybody=opening_words(period.opens_at, at=at, town=place.town) if opens_at < period.opens_at else "",
        others=opening_words(first, at=at, town=place.town) if first < opens_at else "",
        told=told,
    )


def _cause(period: Period, opens_at: datetime, audiences: frozenset[Audience]) -> str:
    """Why the period opens earlier to the family than to others; nothing when it does not."""
    if period.opens_at is None or opens_at == period.opens_at:
        return ""
    return next(
        str(AUDIENCE_CAUSES[early.who])
        for early in period.early_openings
        if early.who in audiences and early.opens_at == opens_at
    )


def tell_or_hush(request: GuardianHttpRequest, place: Place, button: str, slug: str) -> None:
    """Do what the button under a coming period asks, and say it. A period that the page cannot show is a 404."""
    years = {enrolment.school_year_id for enrolment in (*place.enrolments, *place.waiting)}
    listed = offer_of(place.town).periods.get(place.service.pk, ())
    period = next((one for one in listed if one.slug == slug and one.school_year_id in years), None)
    if period is None:
        raise Http404
    wanted = BUTTONS[button]
    try:
        wish(household=request.household, period=period, wanted=wanted, user=request.user, at=request.at)
    except AlreadyOpen:
        messages.info(request, _("%(period)s : les réservations sont déjà ouvertes.") % {"period": period.name})
        return
    words = (
        _("%(period)s : un e-mail vous préviendra de l’ouverture.")
        if wanted
        else _("%(period)s : aucun e-mail à l’ouverture.")
    )
    messages.success(request, words % {"period": period.name})
