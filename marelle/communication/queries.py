"""Reading the news: what a household sees, whom a piece of news is for, where each stands."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.communication.labels import PostState
from marelle.communication.models import NewsPost
from marelle.families.models import Child, Household, Residence
from marelle.townfile.town import Tab

#: How long an urgent piece of news keeps its banner, at most: what is older is not urgent any more.
ALERT_LASTS = timedelta(days=31)


def has_news(town: Municipality) -> bool:
    """Whether the town shows news at all; one without a file yet has switched nothing off."""
    return not town.document_hash or Tab.NEWS not in rules_of(town).municipality.tabs_off


def at_the_door(town: Municipality, *, at: datetime) -> "QuerySet[NewsPost]":
    """What a stranger reads: what is for everybody, where the town says so."""
    if not town.document_hash or not has_news(town) or not rules_of(town).municipality.public_news:
        return NewsPost.objects.none()
    return online(at=at).filter(FOR_EVERYBODY)


# ── where a piece of news stands ────────────────────────────────────────────────────────────────────────────────────


def standing(state: PostState, *, at: datetime) -> Q:
    """The pieces of news in this state at that instant; says the same as `NewsPost.state_at`."""
    kept = Q(withdrawn_at=None)
    over = Q(unpublish_at__isnull=False, unpublish_at__lte=at)
    match state:
        case PostState.DRAFT:
            return kept & Q(published_at=None)
        case PostState.SCHEDULED:
            return kept & Q(published_at__gt=at)
        case PostState.ONLINE:
            return kept & Q(published_at__lte=at) & ~over
        case PostState.WITHDRAWN:
            return Q(withdrawn_at__isnull=False) | (Q(published_at__lte=at) & over)


def online(*, at: datetime) -> "QuerySet[NewsPost]":
    """What families may read now, the newest first."""
    return NewsPost.objects.filter(standing(PostState.ONLINE, at=at))


_SITES = NewsPost.sites.through.objects.filter(newspost=OuterRef("pk"))
_SERVICES = NewsPost.services.through.objects.filter(newspost=OuterRef("pk"))
FOR_EVERYBODY = ~Exists(_SITES) & ~Exists(_SERVICES)


# ── what a household sees ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a child of a household is: its school and where it is enrolled, and in what."""

    sites: frozenset[int]
    services: frozenset[int]


def whereabouts(household: Household, *, today: date) -> list[Whereabouts]:
    """Of each child of the household, as this household enrolled it. Two queries."""
    places: dict[int, tuple[set[int], set[int]]] = {
        child: ({school} if school else set(), set())
        for child, school in Child.objects.filter(residences__household=household).values_list("id", "school")
    }
    for child, site, service in (
        _live(today).filter(household=household).values_list("child", "activity__site", "activity__service")
    ):
        if child in places:
            places[child][0].add(site)
            places[child][1].add(service)
    return [Whereabouts(frozenset(sites), frozenset(services)) for sites, services in places.values()]


def _live(today: date) -> "QuerySet[Enrolment]":
    return Enrolment.objects.filter(state__in=LIVE_ENROLMENTS, school_year__last_day__gte=today).order_by()


def seen_from(children: Iterable[Whereabouts], *, at: datetime) -> "QuerySet[NewsPost]":
    """What is online for the household of these children, the newest first."""
    mine = Q(FOR_EVERYBODY)
    for child in children:
        mine |= Q(~Exists(_SITES) | Exists(_SITES.filter(site__in=child.sites))) & Q(
            ~Exists(_SERVICES) | Exists(_SERVICES.filter(service__in=child.services))
        )
    return online(at=at).filter(mine)


def alerts_for(household: Household, user: User, *, today: date, at: datetime) -> list[NewsPost]:
    """The urgent pieces of news that this user has still to read, the newest first. One query as long as there is
    nothing urgent."""
    urgent = Q(urgent=True, published_at__gt=at - ALERT_LASTS)
    if not online(at=at).filter(urgent).exclude(readings__user=user).exists():
        return []
    return list(seen_from(whereabouts(household, today=today), at=at).filter(urgent).exclude(readings__user=user))


# ── whom it is for ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reach:
    families: int
    children: int


def residences_reached(*, sites: Collection[int], services: Collection[int], today: date) -> "QuerySet[Residence]":
    """The children of the households concerned, each in its household: `seen_from` read the other way round."""
    found = Residence.objects.filter(household__in=_let_in())
    here = _live(today).filter(household=OuterRef("household"), child=OuterRef("child"))
    if sites:
        found = found.filter(Q(child__school__in=sites) | Exists(here.filter(activity__site__in=sites)))
    if services:
        found = found.filter(Exists(here.filter(activity__service__in=services)))
    return found


def _let_in() -> "QuerySet[Household]":
    """A family that came by itself is told nothing before an agent has accepted it: which school its children go to is
    its own word."""
    return Household.objects.filter(awaits_since=None)


def households_reached(*, sites: Collection[int], services: Collection[int], today: date) -> "QuerySet[Household]":
    if not sites and not services:
        return _let_in()
    reached = residences_reached(sites=sites, services=services, today=today)
    return Household.objects.filter(pk__in=reached.values("household"))


def reach(*, sites: Collection[int], services: Collection[int], today: date) -> Reach:
    """How many families and children a piece of news is for. Two queries."""
    children = residences_reached(sites=sites, services=services, today=today)
    return Reach(
        families=households_reached(sites=sites, services=services, today=today).count(),
        children=children.order_by().values("child").distinct().count(),
    )
