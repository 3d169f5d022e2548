"""A pending day that begins without an answer: its child is expected, and the family is told, once.

Prose: docs/algorithms/absences.md ("Silence"). Nothing changes state: the line stays answerable.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import QuerySet

from marelle.activities.models import Municipality
from marelle.activities.queries import begins_at, calendar_of, municipality
from marelle.bookings import notifications
from marelle.bookings.models import Booking
from marelle.bookings.queries.counts import UNANSWERED
from marelle.bookings.services.sending import lock_children
from marelle.rules.reminders import by_day, unanswered_told_at

#: How many days are told of in one transaction; the same tick takes the rest.
AT_ONCE = 200
ONE_DAY = timedelta(days=1)


def tick(*, at: datetime) -> int:
    """Tell the families whose day begins unanswered; how many days were told of.

    May run in several workers at once, and as often as one likes.
    """
    # On whichever clock: almost always nothing waits, and the town need not be read.
    near = at.date()
    if not _untold().filter(date__range=(near - ONE_DAY, near + ONE_DAY)).exists():
        return 0
    town = municipality()
    if not by_day(at, town.tz):
        return 0
    today = at.astimezone(town.tz).date()
    due = sorted(
        (booking.household_id, booking.pk)
        for booking in _untold().filter(date=today).select_related("unit", "line__request")
        if is_due(booking, town=town, at=at)
    )
    ids = [booking for _household, booking in due]
    return sum(tell(ids[n : n + AT_ONCE], today=today, at=at) for n in range(0, len(ids), AT_ONCE))


def is_due(booking: Booking, *, town: Municipality, at: datetime) -> bool:
    begins = begins_at(calendar_of(town), booking.unit, booking.date)
    return unanswered_told_at(booking.date, begins=begins, asked_at=booking.line.request.sent_at, tz=town.tz) <= at


@transaction.atomic
def tell(booking_ids: Collection[int], *, today: date, at: datetime) -> int:
    """Write one e-mail for each guardian of each household concerned, about these days still unanswered and untold; how
    many days. A constant number of queries, and one more for each e-mail.

    The children are locked first, as an answer does: either it comes before and nothing is told, or after. What another
    worker has just told of is read again after the lock, and left alone.
    """
    lock_children(Booking.objects.filter(id__in=booking_ids).values_list("child_id", flat=True))
    bookings = list(
        _untold()
        .filter(id__in=booking_ids, date=today)
        .select_related(
            "child", "unit", "household", "line__request", "enrolment__activity__service", "enrolment__activity__site"
        )
        .prefetch_related("household__guardianships__guardian")
        .order_by("household_id", "child__birth_date", "child_id", "unit__service__position", "unit__position", "id")
    )
    Booking.objects.filter(id__in=[booking.pk for booking in bookings]).update(told_unanswered_at=at)
    town = municipality()
    for _household, days in groupby(bookings, key=lambda booking: booking.household_id):
        notifications.days_unanswered(bookings=list(days), town=town, at=at)
    return len(bookings)


def _untold() -> "QuerySet[Booking]":
    return Booking.objects.filter(state__in=UNANSWERED, told_unanswered_at=None)
