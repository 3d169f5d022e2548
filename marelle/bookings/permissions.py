"""Which children a site's agents answer for although they go to school elsewhere."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from marelle.bookings.models import Enrolment
from marelle.rules.lifecycles import EnrolmentState

#: Asked for, or accepted: an agent who answers reads the family's page first.
RECEIVED = (EnrolmentState.SUBMITTED, EnrolmentState.INCOMPLETE, EnrolmentState.ACCEPTED)


def received(sites: Collection[int], *, at: datetime) -> "QuerySet[Enrolment]":
    """The enrolments at these sites whose school year is not over: what opens a child, and the home that asked, to the
    sites' agents (`settings.RECEIVED`)."""
    return Enrolment.objects.filter(
        activity__site__in=list(sites), state__in=RECEIVED, school_year__last_day__gte=at.date()
    )
