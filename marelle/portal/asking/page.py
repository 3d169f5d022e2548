"""What the Démarches page offers: what was begun, and what can be asked for, by heading."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from marelle.accounts.models import User
from marelle.activities.models import Activity, Municipality, Period, Service, Site
from marelle.activities.queries import years_to_enrol
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.families.models import Household
from marelle.portal.asking.ask import HEADINGS, Ask, AskGroup, Occasion, Resume
from marelle.portal.asking.providers import PROVIDERS, RESUMERS
from marelle.portal.children import HouseholdChild
from marelle.townfile.town import RequestGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    groups: tuple[AskGroup, ...]
    resumes: tuple[Resume, ...]


def asking(
    *, town: Municipality, user: User, household: Household, children: Sequence[HouseholdChild], at: datetime
) -> Asking:
    """Headings with nothing under them are left out. Four queries, and those of the providers."""
    occasion = _occasion(town=town, user=user, household=household, children=children, at=at)
    offered: dict[RequestGroup, list[Ask]] = {group: [] for group in HEADINGS}
    for provider in PROVIDERS:
        for group, ask in provider(occasion):
            offered[group].append(ask)
    return Asking(
        groups=tuple(
            AskGroup(
                slug=group.value, title=str(heading.title), icon=heading.icon, accent=heading.accent, asks=tuple(asks)
            )
            for group, heading in HEADINGS.items()
            if (asks := offered[group])
        ),
        resumes=tuple(resume for resumer in RESUMERS for resume in resumer(occasion)),
    )


def _occasion(
    *, town: Municipality, user: User, household: Household, children: Sequence[HouseholdChild], at: datetime
) -> Occasion:
    today = at.astimezone(town.tz).date()
    open_years, later_years = years_to_enrol(today=today, at=at)
    schools = {one.child.school_id for one in children if one.child.school_id}
    services: dict[int, Service] = {}
    if children:
        for activity in (
            Activity.objects.filter(
                Q(site__in=schools) | Q(site__kind=Site.Kind.CENTRE), archived_at=None, service__archived_at=None
            )
            .select_related("service")
            .order_by("service__position", "service_id")
        ):
            services[activity.service_id] = activity.service
    states: dict[int, set[str]] = {}
    for service_id, state in Enrolment.objects.filter(
        household=household, state__in=LIVE_ENROLMENTS, school_year__last_day__gte=today
    ).values_list("activity__service_id", "state"):
        states.setdefault(service_id, set()).add(state)
    periods: dict[int, list[Period]] = {}
    for period in Period.objects.filter(service__in=list(services), archived_at=None, last_day__gte=today).order_by(
        "first_day"
    ):
        periods.setdefault(period.service_id, []).append(period)
    return Occasion(
        town=town,
        user=user,
        household=household,
        children=children,
        open_years=open_years,
        later_years=later_years,
        services=services,
        states={service: frozenset(held) for service, held in states.items()},
        periods=periods,
        today=today,
        at=at,
    )
