"""Health files go when nothing needs them any more: a while after the school year that they were confirmed for, unless
the child is still enrolled somewhere."""

from datetime import datetime, timedelta

from django.conf import settings

from marelle.activities.queries import municipality
from marelle.bookings.models import LIVE_ENROLMENTS, Enrolment
from marelle.families.health.files import erase_health
from marelle.families.models import HealthFile

#: How many are erased in one tick; the next one takes the rest.
AT_ONCE = 100


def tick(*, at: datetime) -> int:
    """Erase the files confirmed for a school year that ended more than `HEALTH_KEPT_DAYS` ago, of children without a
    live enrolment in a year that is not over; how many. May run in several workers at once."""
    over = at.date() - timedelta(days=settings.HEALTH_KEPT_DAYS)
    if not HealthFile.objects.filter(valid_until__lt=over).exists():
        return 0
    today = at.astimezone(municipality().tz).date()
    enrolled = Enrolment.objects.filter(state__in=LIVE_ENROLMENTS, school_year__last_day__gte=today)
    due = (
        HealthFile.objects.filter(valid_until__lt=over)
        .exclude(child__in=enrolled.values("child"))
        .order_by("valid_until")
        .values_list("child_id", flat=True)[:AT_ONCE]
    )
    return erase_health(children=list(due), at=at)
