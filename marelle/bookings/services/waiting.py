"""Offering the places that free to those who wait, and what families answer.

Prose: docs/algorithms/waiting-list.md. Locks: children, then opening days, as everybody who changes bookings.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality, OpeningDay
from marelle.activities.queries import municipality, rules_of
from marelle.bookings import notifications
from marelle.bookings.models import Booking
from marelle.bookings.queries.combinations import Wanted, reach, refusals_together, rules_for
from marelle.bookings.queries.days import DayState, component_places, load_days
from marelle.bookings.services.places import exchange, release
from marelle.bookings.services.sending import lock_children, waiting_ends
from marelle.foundation import audit
from marelle.foundation.audit import Actor
from marelle.foundation.sentences import day_words
from marelle.rules.decisions import Allowed, Refused
from marelle.rules.lifecycles import (
    BOOKING,
    HOLDS_A_PLACE,
    BookingEvent,
    BookingState,
    EnrolmentState,
    next_state,
)
from marelle.rules.waiting import serve
from marelle.townfile.town import WaitingList

#: How long a family has to answer, when the day's limit does not come first.
OFFER_LASTS = timedelta(hours=24)
#: How many are settled in one tick; the next one takes the rest.
AT_ONCE = 200

WAITS = (BookingState.QUEUED, BookingState.OFFERED)


class OfferOver(Exception):
    """The booking is not offered, or does not wait, any more. `booking` says where it stands."""

    def __init__(self, booking: Booking) -> None:
        super().__init__(f"booking {booking.pk} is {booking.state}")
        self.booking = booking


class DoesNotGo(Exception):
    """The place does not go with the child's other days: `refusal` says why. It stays offered until its time."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(str(refusal.reason))
        self.refusal = refusal


class NothingToOffer(Exception):
    """No place is free for who waits, or the day's limit has passed."""


def tick(*, at: datetime) -> int:
    """What the worker does for the waiting lists: end what is over, then offer what is free. How much was done.

    May run in several workers at once, and as often as one likes.
    """
    if not Municipality.objects.exists():
        return 0
    return expire_waits(at=at) + offer_freed_places(at=at)


def offer_freed_places(*, at: datetime) -> int:
    """Offer every free place of the automatic lists to the first who can take it; the number of offers made."""
    town = municipality()
    automatic = [said.slug for said in rules_of(town).services if said.waiting_list == WaitingList.AUTOMATIC]
    free = OpeningDay.objects.filter(Q(ceiling=None) | Q(taken__lt=F("ceiling")))
    lists = (
        Booking.objects.filter(
            Exists(free.filter(group=OuterRef("group"), date=OuterRef("date"))),
            state=BookingState.QUEUED,
            waits_until__gt=at,
            unit__service__slug__in=automatic,
        )
        .order_by("date", "group")
        .values_list("group", "date")
        .distinct()
    )
    return sum(len(_offer(town, _waiting(group, day), at=at)) for group, day in list(lists[:AT_ONCE]))


@transaction.atomic
def offer_by_hand(*, booking_id: int, by: User, at: datetime) -> Booking:
    """An agent offers a place to one who waits, whatever the rank. Raises OfferOver when they do not wait any more,
    NothingToOffer when no place is free or the limit has passed."""
    booking = Booking.objects.select_related(*_NEEDED).get(pk=booking_id)
    if booking.state != BookingState.QUEUED:
        raise OfferOver(booking)
    offered = _offer(municipality(), [booking], at=at, by=by.actor(as_agent=True))
    if not offered:
        raise NothingToOffer
    return offered[0]


@transaction.atomic
def accept_offer(*, booking_id: int, by: User, at: datetime) -> Booking:
    """The family takes the place held for it: the day is booked, without another answer. Raises OfferOver when it does
    not stand any more, or its deadline has passed; DoesNotGo when the town's rules forbid it beside the child's other
    days."""
    booking = _locked(booking_id)
    if booking.state != BookingState.OFFERED or booking.waits_until is None or at >= booking.waits_until:
        raise OfferOver(booking)
    if (refusal := _forbidden_beside(booking, at=at)) is not None:
        raise DoesNotGo(refusal)
    _move(booking, BookingEvent.ACCEPT, at=at)
    _record(booking, "offer.accepted", by.actor(), at, _("Place acceptée pour %(name)s, %(service)s, %(day)s."))
    notifications.offer_accepted(booking=booking, tz=municipality().tz, at=at)
    return booking


@transaction.atomic
def leave_list(*, booking_id: int, by: User, at: datetime) -> Booking:
    """The family waits no more: it refuses the place held for it, or gives up its rank. Raises OfferOver when it does
    neither any more."""
    booking = _locked(booking_id)
    if booking.state not in WAITS:
        raise OfferOver(booking)
    was_offered = booking.state == BookingState.OFFERED
    if booking.holds_place:
        release(component_places([booking]).values())
    _move(booking, BookingEvent.WITHDRAW, at=at)
    if was_offered:
        text = _("Place refusée pour %(name)s, %(service)s, %(day)s.")
    else:
        text = _("Liste d’attente quittée pour %(name)s, %(service)s, %(day)s.")
    _record(booking, "offer.declined" if was_offered else "queue.left", by.actor(), at, text)
    return booking


def expire_waits(*, at: datetime) -> int:
    """End the offers that nobody answered and the lists whose limit has passed, and tell the families; how many."""
    due = Booking.objects.filter(waits_until__lte=at, state__in=WAITS).order_by("waits_until", "id")
    return sum(_expire(id, at=at) for id in list(due.values_list("id", flat=True)[:AT_ONCE]))


@transaction.atomic
def _expire(booking_id: int, *, at: datetime) -> bool:
    booking = _locked(booking_id)
    if booking.state not in WAITS or booking.waits_until is None or booking.waits_until > at:
        return False
    town = municipality()
    was_offered = booking.state == BookingState.OFFERED
    if not was_offered:
        state = _states(town, [booking], at=at).get(booking.pk)
        if state is not None and isinstance(state.book, Allowed) and (until := waiting_ends(state, town=town)) > at:
            booking.waits_until = until  # the town has given more time since
            booking.save(update_fields=["waits_until"])
            return False
    if booking.holds_place:
        release(component_places([booking]).values())
    _move(booking, BookingEvent.EXPIRE, at=at)
    if was_offered:
        text = _("Place proposée sans réponse pour %(name)s, %(service)s, %(day)s.")
    else:
        text = _("Liste d’attente terminée pour %(name)s, %(service)s, %(day)s.")
    _record(booking, "offer.expired" if was_offered else "queue.over", audit.PORTAL, at, text)
    notifications.wait_over(booking=booking, was_offered=was_offered, tz=town.tz, at=at)
    return True


_NEEDED = (
    "child", "household", "unit__service", "group", "enrolment__child", "enrolment__activity__service",
    "enrolment__activity__site", "enrolment__group", "enrolment__school_year",
)  # fmt: skip


def _waiting(group_id: int, day: date) -> list[Booking]:
    """The list of a group's day, in order; only who still has the right to come."""
    return list(
        Booking.objects.filter(
            group=group_id, date=day, state=BookingState.QUEUED, enrolment__state=EnrolmentState.ACCEPTED
        )
        .select_related(*_NEEDED)
        .order_by("id")
    )


def _forbidden_beside(booking: Booking, *, at: datetime) -> Refused | None:
    """Why the town's rules of combination refuse this day beside the child's others; None when they do not."""
    town = municipality()
    if not rules_for(town, booking.unit.service):
        return None
    enrolment = booking.enrolment
    dates = {booking.date} | reach(town, [(enrolment, booking.date)])
    days = load_days(town=town, enrolments=[enrolment], at=at, dates=dates)
    wanted = Wanted((booking.child_id, booking.unit_id, booking.date), adds=True)
    return refusals_together(days, [wanted]).get(wanted.key)


def _states(town: Municipality, bookings: Sequence[Booking], *, at: datetime) -> dict[int, DayState]:
    """What the day says now of each of these, by booking."""
    days = load_days(
        town=town,
        enrolments=list({b.enrolment_id: b.enrolment for b in bookings}.values()),
        at=at,
        dates={b.date for b in bookings},
    )
    return {state.booking.pk: state for state in days.states.values() if state.booking is not None}


@transaction.atomic
def _offer(town: Municipality, bookings: Sequence[Booking], *, at: datetime, by: Actor = audit.PORTAL) -> list[Booking]:
    """Offer a place to each of these, in their order, who finds room within the limit; those who were."""
    states = _states(town, bookings, at=at)
    able = [b for b in bookings if b.pk in states and isinstance(states[b.pk].book, Allowed)]
    places = component_places(able)
    room = {
        day.id: day.left for day in OpeningDay.objects.filter(id__in={id for found in places.values() for id in found})
    }
    served, _left = serve(room, [places[b.pk] if states[b.pk].places else () for b in able])
    chosen = [b for b, fits in zip(able, served, strict=True) if fits]
    if not chosen:
        return []
    lock_children(b.child_id for b in chosen)
    still = set(
        Booking.objects.filter(id__in=[b.pk for b in chosen], state=BookingState.QUEUED).values_list("id", flat=True)
    )
    chosen = [b for b in chosen if b.pk in still]
    got = exchange(wanted=[places[b.pk] for b in chosen])
    offered = [b for b, has in zip(chosen, got, strict=True) if has]
    for booking in offered:
        ends = waiting_ends(states[booking.pk], town=town)
        _move(booking, BookingEvent.OFFER, at=at, until=min(at + OFFER_LASTS, ends))
        _record(booking, "offer.made", by, at, _("Place proposée à %(name)s, %(service)s, %(day)s."))
        notifications.place_offered(booking=booking, tz=town.tz, at=at)
    return offered


def _locked(booking_id: int) -> Booking:
    """The booking as it stands once its child is locked."""
    lock_children(Booking.objects.filter(pk=booking_id).values_list("child_id", flat=True))
    return Booking.objects.select_related(*_NEEDED).get(pk=booking_id)


def _move(booking: Booking, event: BookingEvent, *, at: datetime, until: datetime | None = None) -> None:
    booking.state = next_state(BOOKING, BookingState(booking.state), event)
    booking.holds_place = booking.state in HOLDS_A_PLACE
    booking.waits_until = until
    booking.changed_at = at
    booking.save(update_fields=["state", "holds_place", "waits_until", "changed_at"])


def _record(booking: Booking, action: str, by: Actor, at: datetime, text: str) -> None:
    audit.record(
        at=at,
        by=by,
        action=action,
        subject=booking,
        household_id=booking.household_id,
        text=text
        % {
            "name": booking.child.first_name,
            "service": booking.unit.service.short_name,
            "day": day_words(booking.date),
        },
        facts={"child": booking.child_id, "unit": booking.unit_id, "date": booking.date.isoformat()},
    )
