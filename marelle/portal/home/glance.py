"""What the home page has read of the family, once: every part of the page is made from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from marelle.accounts.models import User
from marelle.activities.models import BookingMode, Municipality
from marelle.activities.queries import calendar_of
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.bookings.queries.days import Days, load_days
from marelle.communication.models import NewsPost
from marelle.communication.queries import Whereabouts, seen_from
from marelle.families.models import Household
from marelle.portal.children import HouseholdChild
from marelle.portal.tabs import is_on
from marelle.rules.calendars import SchoolCalendar
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import Tab

AHEAD = timedelta(days=27)  # four weeks: enough to see past any holidays but summer's


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """`enrolments`: this household's, of school years not over, asked, accepted or refused; `bookable`: those of them
    whose days can be reserved, none when the town has switched reservations off; `days`: what their days are, from this
    week's Monday on, for four weeks."""

    town: Municipality
    user: User
    household: Household
    children: Sequence[HouseholdChild]
    enrolments: Sequence[Enrolment]
    bookable: Sequence[Enrolment]
    days: Days
    calendar: SchoolCalendar
    today: date
    at: datetime

    def news(self) -> "QuerySet[NewsPost]":
        """What is online for the household, the newest first."""
        places: dict[int, tuple[set[int], set[int]]] = {
            one.id: ({one.child.school_id} if one.child.school_id else set(), set()) for one in self.children
        }
        for enrolment in self.enrolments:
            if enrolment.state in LIVE_ENROLMENTS and enrolment.child_id in places:
                sites, services = places[enrolment.child_id]
                sites.add(enrolment.activity.site_id)
                services.add(enrolment.activity.service_id)
        return seen_from(
            [Whereabouts(frozenset(sites), frozenset(services)) for sites, services in places.values()], at=self.at
        )


def glance(
    *, town: Municipality, user: User, household: Household, children: Sequence[HouseholdChild], at: datetime
) -> Glance:
    today = at.astimezone(town.tz).date()
    enrolments = list(
        Enrolment.objects.filter(
            Q(state__in=LIVE_ENROLMENTS) | Q(state=EnrolmentState.REFUSED),
            household=household,
            child__residences__household=household,
            school_year__last_day__gte=today,
            activity__archived_at=None,
        )
        .select_related("child", "activity__service", "activity__site", "group", "school_year", "line__request")
        .order_by("child__birth_date", "child_id", "activity__service__position", "id")
    )
    for enrolment in enrolments:
        enrolment.household = household
    bookable = [
        enrolment
        for enrolment in enrolments
        if is_on(town, Tab.BOOKINGS)
        and enrolment.state == EnrolmentState.ACCEPTED
        and enrolment.activity.service.booking_mode == BookingMode.DAYS
    ]
    monday = today - timedelta(days=today.weekday())
    return Glance(
        town=town,
        user=user,
        household=household,
        children=children,
        enrolments=enrolments,
        bookable=bookable,
        days=load_days(town=town, enrolments=bookable, at=at, first=monday, last=monday + AHEAD, glance=True),
        calendar=calendar_of(town),
        today=today,
        at=at,
    )
