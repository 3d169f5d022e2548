"""An agent's answer, and a family's withdrawal, to what a request still asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from marelle.accounts.models import User
from marelle.activities.queries import begins_at, calendar_of, municipality
from marelle.bookings import notifications
from marelle.bookings.models import Booking, Enrolment
from marelle.bookings.queries.days import component_places
from marelle.bookings.services.changes import settle_changes
from marelle.bookings.services.enrolments import settle_places
from marelle.bookings.services.places import exchange, release
from marelle.bookings.services.sending import lock_children
from marelle.foundation import audit
from marelle.requests import notifications as request_notifications
from marelle.requests.models import Act, RequestLine
from marelle.requests.services import (
    AlreadyAnswered,
    Answer,
    ReasonMissing,
    Verdict,
    answer_summary,
    close_lines,
    close_withdrawn,
    describe,
    lock_pending,
)
from marelle.rules.lifecycles import (
    BOOKING,
    ENROLMENT,
    HOLDS_A_PLACE,
    BookingEvent,
    BookingState,
    EnrolmentEvent,
    EnrolmentState,
    LineState,
    next_state,
)

_ON_DAYS = (Act.BOOK, Act.CANCEL)


class DaysBegun(Exception):
    """Every day that still waits for its answer has begun: nothing is left to take back."""


@transaction.atomic
def answer_request(*, request_id: int, verdicts: Mapping[int, Verdict], by: User, at: datetime) -> Answer:
    """Accept or refuse some lines of a request, whole or day by day; those not named stay pending.

    Raises AlreadyAnswered when a line was decided meanwhile (nothing is done then), ReasonMissing for a refusal without
    words. A pending line sent in time is answerable after its limit.
    """
    if any(not verdict.accept and not verdict.reason.strip() for verdict in verdicts.values()):
        raise ReasonMissing
    lock_children(RequestLine.objects.filter(request=request_id).values_list("child_id", flat=True))
    request, lines = lock_pending(request_id=request_id, line_ids=verdicts)
    accepted = [line for line in lines if verdicts[line.id].accept]
    refused = [line for line in lines if not verdicts[line.id].accept]

    bookings = {b.line_id: b for b in Booking.objects.filter(line__in=lines).select_related("unit")}
    without_place = _settle_bookings(accepted, refused, bookings, verdicts, at=at)
    accepted = [line for line in accepted if line not in without_place]
    enrolments = _settle_enrolments(accepted, refused, verdicts, at=at)
    settle_changes(accepted, at=at)

    close_lines(request, accepted, state=LineState.ACCEPTED, by=str(by), at=at)
    by_reason: dict[str, list[RequestLine]] = {}
    for line in refused:
        by_reason.setdefault(verdicts[line.id].reason.strip(), []).append(line)
    for reason, group in by_reason.items():
        close_lines(request, group, state=LineState.REFUSED, by=str(by), at=at, reason=reason)

    answered = sorted([*accepted, *refused], key=lambda line: line.position)
    if answered:
        audit.record(
            at=at,
            by=by.actor(as_agent=True),
            action="request.answered",
            subject=request,
            household_id=request.household_id,
            text=answer_summary(request, accepted, refused),
            facts={"lines": [describe(line) for line in answered]},
        )
        days = [line for line in answered if line.act in _ON_DAYS]
        changes = [line for line in answered if line.act == Act.CHANGE]
        if changes:
            request_notifications.answered(request=request, lines=changes, at=at)
        if days:
            notifications.request_answered(request=request, lines=days, bookings=bookings.values(), at=at)
        if enrolments:
            notifications.enrolments_answered(request=request, enrolments=enrolments, at=at)
    return Answer(request=request, answered=tuple(answered), without_place=tuple(without_place))


@transaction.atomic
def withdraw_request(*, request_id: int, by: User, at: datetime) -> Answer:
    """Take back every line still pending, as the family that sent it: days in waiting are withdrawn, cancellations in
    waiting leave their day booked. A day that has begun is not taken back any more: its child was expected, the agent
    answers. Raises AlreadyAnswered when nothing is pending, DaysBegun when all that is has begun."""
    lock_children(RequestLine.objects.filter(request=request_id).values_list("child_id", flat=True))
    calendar = calendar_of(municipality())
    pending = list(RequestLine.objects.filter(request=request_id, state=LineState.PENDING).select_related("unit"))
    begun = {
        line.id
        for line in pending
        if line.act == Act.BOOK and line.unit and line.date and begins_at(calendar, line.unit, line.date) <= at
    }
    request, lines = lock_pending(request_id=request_id, line_ids={line.id for line in pending} - begun)
    if not lines:
        raise DaysBegun if begun else AlreadyAnswered(request, "", request.answered_at)
    bookings = list(Booking.objects.filter(line__in=lines).select_related("unit"))
    freed = [b for b in bookings if b.state == BookingState.PENDING and b.holds_place]
    release(component_places(freed).values())
    for booking in bookings:
        event = BookingEvent.WITHDRAW if booking.state == BookingState.PENDING else BookingEvent.REFUSE_CANCEL
        _move(booking, event, at=at)
    Booking.objects.bulk_update(bookings, ["state", "holds_place", "reason", "changed_at"])
    enrolments = list(Enrolment.objects.filter(line__in=lines))
    for enrolment in enrolments:
        enrolment.state = next_state(ENROLMENT, _as_submitted(enrolment), EnrolmentEvent.WITHDRAW)
        enrolment.changed_at = at
    Enrolment.objects.bulk_update(enrolments, ["state", "changed_at"])
    return close_withdrawn(request, lines, by=by, at=at)


def _settle_bookings(
    accepted: Sequence[RequestLine],
    refused: Sequence[RequestLine],
    bookings: Mapping[int, Booking],
    verdicts: Mapping[int, Verdict],
    *,
    at: datetime,
) -> list[RequestLine]:
    """Move the days of these lines; the accepted lines that found no place (their service does not hold one while it
    waits) are given back, untouched."""
    places = component_places(bookings.values())
    given = [
        places[booking.id]
        for lines, act in ((refused, Act.BOOK), (accepted, Act.CANCEL))
        for line in lines
        if line.act == act and (booking := bookings[line.id]).holds_place
    ]
    to_take = [line for line in accepted if line.act == Act.BOOK and not bookings[line.id].holds_place]
    got = exchange(give_back=given, wanted=[places[bookings[line.id].id] for line in to_take])
    without_place = [line for line, has in zip(to_take, got, strict=True) if not has]
    changed = []
    for line in (*accepted, *refused):
        if line.act not in _ON_DAYS or line in without_place:
            continue
        accept = verdicts[line.id].accept
        if line.act == Act.BOOK:
            event = BookingEvent.ACCEPT if accept else BookingEvent.REFUSE
        else:
            event = BookingEvent.ACCEPT_CANCEL if accept else BookingEvent.REFUSE_CANCEL
        booking = bookings[line.id]
        _move(booking, event, at=at, reason="" if accept else verdicts[line.id].reason.strip())
        changed.append(booking)
    if changed:
        Booking.objects.bulk_update(changed, ["state", "holds_place", "reason", "changed_at"])
    return without_place


def _move(booking: Booking, event: BookingEvent, *, at: datetime, reason: str = "") -> None:
    booking.state = next_state(BOOKING, BookingState(booking.state), event)
    booking.holds_place = booking.state in HOLDS_A_PLACE
    booking.reason = reason
    booking.changed_at = at


def _settle_enrolments(
    accepted: Sequence[RequestLine],
    refused: Sequence[RequestLine],
    verdicts: Mapping[int, Verdict],
    *,
    at: datetime,
) -> list[Enrolment]:
    lines = [line for line in (*accepted, *refused) if line.act == Act.ENROL]
    if not lines:
        return []
    enrolments = list(
        Enrolment.objects.filter(line__in=lines)
        .select_related("child", "activity__service", "activity__site", "school_year")
        .order_by("line__position")
    )
    for enrolment in enrolments:
        verdict = verdicts[enrolment.line_id]
        event = EnrolmentEvent.ACCEPT if verdict.accept else EnrolmentEvent.REFUSE
        enrolment.state = next_state(ENROLMENT, _as_submitted(enrolment), event)
        enrolment.reason = "" if verdict.accept else verdict.reason.strip()
        enrolment.changed_at = at
    Enrolment.objects.bulk_update(enrolments, ["state", "reason", "changed_at"])
    settle_places([e for e in enrolments if e.state == EnrolmentState.ACCEPTED], town=municipality(), at=at)
    return enrolments


def _as_submitted(enrolment: Enrolment) -> EnrolmentState:
    """An enrolment that the family was to complete is answered as if it had: what was missing came another way, or
    never will."""
    state = EnrolmentState(enrolment.state)
    return next_state(ENROLMENT, state, EnrolmentEvent.COMPLETE) if state == EnrolmentState.INCOMPLETE else state
