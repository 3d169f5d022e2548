"""What merging two families asks of bookings: one live booking for a child, unit and day, one live enrolment for a
child and activity (docs/algorithms/merging.md)."""

from collections.abc import Mapping
from datetime import datetime

from marelle.bookings.models import (
    LIVE_BOOKINGS,
    LIVE_ENROLMENTS,
    Basket,
    BasketLine,
    Booking,
    Enrolment,
    EnrolmentChange,
    EnrolmentDraft,
    OpeningNotice,
    OpeningWish,
)
from marelle.bookings.queries.days import component_places
from marelle.bookings.services.places import release
from marelle.bookings.services.sending import lock_children
from marelle.families.doubles.merging import Merge, drop_clashes
from marelle.foundation.audit import Actor
from marelle.requests.models import RequestLine
from marelle.requests.services import close_lines
from marelle.rules.lifecycles import (
    BOOKING,
    ENROLMENT,
    BookingEvent,
    BookingState,
    EnrolmentEvent,
    EnrolmentState,
    LineState,
    next_state,
)

#: The tables of this room where two rows could become one too many.
SETTLES = (
    "bookings.Basket",
    "bookings.BasketLine",
    "bookings.Booking",
    "bookings.Enrolment",
    "bookings.EnrolmentDraft",
    "bookings.OpeningNotice",
    "bookings.OpeningWish",
)

#: The strongest first.
STRENGTH = (
    BookingState.CLOSED,
    BookingState.BOOKED,
    BookingState.CANCELLING,
    BookingState.PENDING,
    BookingState.OFFERED,
    BookingState.QUEUED,
)
ENDINGS = {
    BookingState.CLOSED: BookingEvent.CANCEL,
    BookingState.BOOKED: BookingEvent.CANCEL,
    BookingState.CANCELLING: BookingEvent.ACCEPT_CANCEL,
    BookingState.PENDING: BookingEvent.WITHDRAW,
    BookingState.OFFERED: BookingEvent.WITHDRAW,
    BookingState.QUEUED: BookingEvent.WITHDRAW,
}


def settle_clashes(*, merge: Merge, by: Actor, at: datetime) -> None:
    lock_children(
        {*merge.children, *merge.children.values(), *merge.gone.residences.values_list("child_id", flat=True)}
    )
    Basket.objects.filter(household=merge.gone).delete()
    BasketLine.objects.filter(child__in=merge.children).delete()
    homes = {merge.gone.pk: merge.kept.pk}
    drop_clashes(EnrolmentDraft, ("user", "household", "school_year"), {"household": homes})
    drop_clashes(OpeningWish, ("household", "period"), {"household": homes})
    drop_clashes(OpeningNotice, ("household", "period"), {"household": homes})
    _one_booking_a_day(merge.children, by=by, at=at)
    _one_enrolment(merge, by=by, at=at)


def _one_booking_a_day(children: Mapping[int, int], *, by: Actor, at: datetime) -> None:
    best: dict[tuple[int, int, object], Booking] = {}
    losers: list[Booking] = []
    live = Booking.objects.filter(child__in=[*children, *children.values()], state__in=LIVE_BOOKINGS)
    # Those of who stays come first: they win at equal strength.
    rows = sorted(live, key=lambda booking: (booking.child_id in children, booking.pk))
    for booking in rows:
        key = children.get(booking.child_id, booking.child_id), booking.unit_id, booking.date
        there = best.get(key)
        if there is None:
            best[key] = booking
        elif _strength(booking) < _strength(there):
            losers.append(there)
            best[key] = booking
        else:
            losers.append(booking)
    places = component_places([booking for booking in losers if booking.holds_place])
    release(places.values())
    for booking in losers:
        booking.state = next_state(BOOKING, BookingState(booking.state), ENDINGS[BookingState(booking.state)])
        booking.holds_place = False
        booking.waits_until = None
        booking.changed_at = at
    Booking.objects.bulk_update(losers, ["state", "holds_place", "waits_until", "changed_at"])
    _close([booking.line_id for booking in losers], by=by, at=at)


def _strength(booking: Booking) -> int:
    return STRENGTH.index(BookingState(booking.state))


def _one_enrolment(merge: Merge, *, by: Actor, at: datetime) -> None:
    homes = (merge.gone.pk, merge.kept.pk)
    best: dict[tuple[int, int, int], Enrolment] = {}
    losers: list[Enrolment] = []
    winners: dict[int, Enrolment] = {}
    live = Enrolment.objects.filter(household__in=homes, state__in=LIVE_ENROLMENTS)
    for enrolment in sorted(
        live, key=lambda one: (one.state != EnrolmentState.ACCEPTED, one.household_id == merge.gone.pk, one.pk)
    ):
        child = merge.children.get(enrolment.child_id, enrolment.child_id)
        there = best.setdefault((child, enrolment.activity_id, enrolment.school_year_id), enrolment)
        if there is not enrolment:
            losers.append(enrolment)
            winners[enrolment.pk] = there
    for enrolment in losers:
        accepted = enrolment.state == EnrolmentState.ACCEPTED
        enrolment.state = next_state(
            ENROLMENT, EnrolmentState(enrolment.state), EnrolmentEvent.END if accepted else EnrolmentEvent.WITHDRAW
        )
        enrolment.changed_at = at
        Booking.objects.filter(enrolment=enrolment).update(enrolment=winners[enrolment.pk])
        BasketLine.objects.filter(enrolment=enrolment).delete()
    Enrolment.objects.bulk_update(losers, ["state", "changed_at"])
    changes = EnrolmentChange.objects.filter(enrolment__in=losers).values_list("line_id", flat=True)
    _close([*(enrolment.line_id for enrolment in losers), *changes], by=by, at=at)


def _close(line_ids: list[int], *, by: Actor, at: datetime) -> None:
    """What an agent had still to answer of these is taken off the queue."""
    for line in (
        RequestLine.objects.filter(id__in=line_ids, state=LineState.PENDING)
        .select_related("request")
        .order_by("request_id", "position")
    ):
        close_lines(line.request, [line], state=LineState.WITHDRAWN, by=by.label, at=at)
