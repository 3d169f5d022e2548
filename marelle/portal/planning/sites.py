"""The establishment and the period, chosen before the days where a service has several."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from marelle.activities.models import Period, Site
from marelle.bookings.queries.openings import own_opening
from marelle.families.models import Household
from marelle.foundation.components.grid import Kid
from marelle.foundation.sentences import list_words, span_words
from marelle.portal.moments import opening_words
from marelle.portal.planning.place import Place
from marelle.portal.planning.stretches import Stretch, Stretches, View, is_by_holidays


@dataclass(frozen=True, slots=True)
class Centre:
    """What the line above the grid says: "La Cabane", "Vacances de Noël 2026"."""

    site: str
    period: str


@dataclass(frozen=True, slots=True)
class SiteCard:
    site: Site
    kids: list[Kid]
    chosen: bool


@dataclass(frozen=True, slots=True)
class PeriodCard:
    period: Period
    span: str
    opens: str  # when it opens, if it has not yet
    over: bool
    url: str


def centre(place: Place, stretches: Stretches, stretch: Stretch) -> Centre | None:
    """None for a service that has one establishment and one calendar."""
    by_holidays = is_by_holidays(place)
    if not by_holidays and not has_sites(place):
        return None
    sites = {enrolment.activity.site.name: None for enrolment in place.enrolments}
    period = ""
    if by_holidays:
        chosen = next((period for period in stretches.periods if period.slug == stretch.season), None)
        period = chosen.name if chosen else stretches.whole(stretch)[2]
    return Centre(site=list_words(sites), period=period)


def has_sites(place: Place) -> bool:
    """Whether the family has a choice of centres. Children of two schools have none: each eats at their own."""
    return len([site for site in place.sites if site.kind == Site.Kind.CENTRE]) > 1


def must_choose(place: Place, stretches: Stretches, source: Mapping[str, str]) -> bool:
    """Whether the address says too little: which establishment, for a family enrolled at several; which holidays."""
    twice = len({enrolment.child_id for enrolment in place.enrolments}) < len(place.enrolments)
    if has_sites(place) and not place.site and (twice or not source):
        return True
    if source or not is_by_holidays(place):
        return False
    return len([period for period in stretches.periods if period.last_day >= stretches.today]) > 1


def site_cards(place: Place) -> list[SiteCard]:
    found = []
    for site in place.sites:
        kids = [
            place.kids[enrolment.child_id]
            for enrolment in place.live
            if enrolment.activity.service_id == place.service.id
            and enrolment.activity.site_id == site.pk
            and enrolment.child_id in place.kids
        ]
        found.append(SiteCard(site=site, kids=list(dict.fromkeys(kids)), chosen=site.slug == place.site))
    return found


def period_cards(place: Place, stretches: Stretches, *, household: Household, at: datetime) -> list[PeriodCard]:
    """The periods of the chosen establishment, those that are over last; each opens when it does for this household."""
    found = []
    for period in stretches.periods:
        opens_at = own_opening(period, household.audiences)
        query = {"vue": str(View.WEEK), "periode": period.slug} | ({"lieu": place.site} if place.site else {})
        found.append(
            PeriodCard(
                period=period,
                span=span_words(period.first_day, period.last_day),
                opens=opening_words(opens_at, at=at, town=place.town) if opens_at is not None and at < opens_at else "",
                over=period.last_day < stretches.today,
                url=f"{reverse('portal:planning', args=[place.service.slug])}?{urlencode(query)}",
            )
        )
    return sorted(found, key=lambda card: card.over)
