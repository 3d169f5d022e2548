"""Closures follow the children: who leaves the class or the group that a closure names has its days back, who comes to
it has them cancelled (docs/algorithms/closures.md, "A child who moves")."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from marelle.activities.queries import municipality
from marelle.bookings import notifications
from marelle.bookings.models import Booking, ClosedBooking, Closure
from marelle.bookings.queries.closures import Reach
from marelle.bookings.services import closures
from marelle.foundation import audit
from marelle.foundation.audit import PORTAL
from marelle.requests.services import lock_requests_of
from marelle.rules.lifecycles import BookingState

ONE_DAY = timedelta(days=1)


def tick(*, at: datetime) -> int:
    """How many days were closed or came back. One small query as long as no closure stands, a few more for each that
    does; may run in several workers at once."""
    # On whichever clock: the town need not be read as long as nothing stands.
    standing = list(Closure.objects.filter(undone_at=None, last_day__gte=at.date() - ONE_DAY))
    if not standing:
        return 0
    town = municipality()
    return sum(
        follow(closure_id=closure.pk, at=at)
        for closure in standing
        if (dates := closures.days_to_come(closure, town=town, at=at))
        and (_come(closure, dates).exists() or _gone(closure, dates).exists())
    )


def _come(closure: Closure, dates: Sequence[date]) -> "QuerySet[Booking]":
    return Reach.of(closure).bookings(dates)


def _gone(closure: Closure, dates: Sequence[date]) -> "QuerySet[ClosedBooking]":
    within = Booking.objects.filter(Reach.of(closure).narrowed("enrolment__"), date__in=dates)
    return closure.closed.filter(after="", booking__date__in=dates, booking__state=BookingState.CLOSED).exclude(
        booking__in=within.values("id")
    )


@transaction.atomic
def follow(*, closure_id: int, at: datetime) -> int:
    """Close the days of those who came within the reach since the closure was made, and give back those of the children
    who left it, as undoing it would; their families are told. Days that have begun stay as they are."""
    town = closures.alone()
    closure = Closure.objects.get(pk=closure_id)
    if closure.undone_at is not None:
        return 0
    dates = closures.days_to_come(closure, town=town, at=at)
    come, gone = _come(closure, dates), _gone(closure, dates)
    closures.lock_children(Q(id__in=come.values("child")) | Q(id__in=gone.values("booking__child")))
    shut = list(come.select_related("child", "unit__service").order_by("id"))
    back = closures.pass_on(closures.with_bookings(gone), dates)
    lock_requests_of(
        [one.line_id for one in shut if one.state in (BookingState.PENDING, BookingState.CANCELLING)]
        + [one.booking.line_id for one in back]
    )
    if shut:
        closures.shut(closure, shut, by=PORTAL.label, at=at)
        _tell(closure, shut, action="closure.days_closed", at=at)
        notifications.days_closed(closure=closure, bookings=shut, at=at)
    if back:
        closures.settle(back, town=town, at=at)
        bookings = [one.booking for one in back]
        _tell(closure, bookings, action="closure.days_reopened", at=at)
        notifications.days_reopened(closure=closure, bookings=bookings, at=at)
    return len(shut) + len(back)


def _tell(closure: Closure, bookings: Sequence[Booking], *, action: str, at: datetime) -> None:
    audit.record_each(
        at=at,
        by=PORTAL,
        action=action,
        subject=closure,
        told=closures.told(closure, bookings, closes=action == "closure.days_closed"),
    )
