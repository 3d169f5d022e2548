"""Sending the basket: from what a family wants to a numbered request, in one transaction.

Everything that can be recorded is; the rest stays in the basket with its reason, and with it the days that hold only
together with it. Either the whole request exists (number, days, places, audit line, e-mail to send) or nothing of it.
The same `send_key` never makes two.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality, OpeningDay, Validation
from marelle.bookings import notifications
from marelle.bookings.labels import acts_words
from marelle.bookings.models import Basket, BasketLine, Booking
from marelle.bookings.queries.combinations import Wanted, reach, refusals_together, rules_for
from marelle.bookings.queries.days import Days, DayState, attach_offer, component_places, load_days
from marelle.bookings.services.places import exchange, release
from marelle.families.models import Child, Household
from marelle.foundation import audit
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import NewLine, close_lines, describe, lock_requests_of, open_request
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.lifecycles import (
    BOOKING,
    HOLDS_A_PLACE,
    BookingEvent,
    BookingState,
    EnrolmentState,
    LineState,
    next_state,
)
from marelle.rules.waiting import serve


@dataclass(frozen=True, slots=True)
class Unsent:
    """A line that stays in the basket, and why."""

    line: BasketLine
    refusal: Refused


@dataclass(frozen=True, slots=True)
class Sending:
    """What came of a send: the request (None when no line could be recorded) and what stays in the basket."""

    request: FamilyRequest | None
    unsent: tuple[Unsent, ...] = ()
    repeated: bool = False


Choice = tuple[int, int, date, str]  # child id, unit id, day, act


def choice_of(line: BasketLine) -> Choice:
    return line.child_id, line.unit_id, line.date, line.act


@transaction.atomic
def send_basket(
    *,
    town: Municipality,
    user: User,
    household: Household,
    send_key: uuid.UUID,
    at: datetime,
    message: str = "",
    shown: Collection[Choice] | None = None,
) -> Sending:
    """Record every line of the user's basket that the rules and the places allow at `at`. `shown`: the choices that the
    checking page listed; what came into the basket since stays there, unread and unsent.

    `send_key` is the one the checking page carried. A key already used answers with its request and does nothing:
    a double click, a reload, a replayed form. A key that is neither used nor the basket's own sends nothing either:
    the basket was sent from elsewhere, and the caller shows it as it is now.
    """
    basket = Basket.objects.select_for_update(no_key=True).filter(user=user, household=household).first()
    if basket is None or basket.send_key != send_key:
        # A send gives the basket another key: what stands in a locked basket was never used.
        done = FamilyRequest.objects.filter(send_key=send_key, household=household).first()
        return Sending(request=done, repeated=True)
    lines = list(
        basket.lines.filter(child__residences__household=household).select_related("child", "enrolment").order_by()
    )
    if shown is not None:
        lines = [line for line in lines if choice_of(line) in shown]
    if not lines:
        return Sending(request=None)
    attach_offer(lines, town=town)
    lines.sort(key=lambda line: (line.child.birth_date, line.child_id, line.date, line.unit.position, line.id))

    lock_children(line.child_id for line in lines)
    days = load_basket_days(lines, town=town, at=at)
    verdicts = judge_lines(lines, days, rows_decide=True)
    unsent = [Unsent(line, verdict) for line in lines if isinstance(verdict := verdicts[line.id], Refused)]
    refused = {one.line.id for one in unsent}
    kept = [(line, days.states[line.child_id, line.unit_id, line.date]) for line in lines if line.id not in refused]
    # Before the places, as everybody who locks both (docs/algorithms/places.md).
    lock_requests_of(
        [state.booking.line_id for _line, state in kept if state.booking and state.was == BookingState.PENDING]
    )
    kept, without, queued = _take_places_together(kept, days)
    unsent += without
    if not kept:
        return Sending(request=None, unsent=tuple(unsent))

    request = _record(
        kept, queued, town=town, household=household, user=user, send_key=send_key, message=message, at=at
    )
    BasketLine.objects.filter(id__in=[line.id for line, _state in kept]).delete()
    basket.send_key = uuid.uuid4()
    basket.changed_at = basket.look_at = at
    basket.reminders = 0
    basket.save(update_fields=["send_key", "changed_at", "look_at", "reminders"])
    return Sending(request=request, unsent=tuple(unsent))


Kept = list[tuple[BasketLine, DayState]]


def lock_children(child_ids: Iterable[int]) -> None:
    """Two homes, or two guardians, who send for the same child do it one after the other; in id order, so never in a
    circle."""
    ids = sorted(set(child_ids))
    list(Child.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id").values_list("id"))


def load_basket_days(lines: Sequence[BasketLine], *, town: Municipality, at: datetime, glance: bool = False) -> Days:
    """The days chosen, and those that the rules of combination look at beside them: `load_days`."""
    return load_days(
        town=town,
        enrolments=list({line.enrolment_id: line.enrolment for line in lines}.values()),
        at=at,
        dates={line.date for line in lines} | reach(town, ((line.enrolment, line.date) for line in lines)),
        lines=lines,
        glance=glance,
    )


def judge_lines(lines: Sequence[BasketLine], days: Days, *, rows_decide: bool = False) -> dict[int, Decision]:
    """Whether each of these choices could be sent now, all together: by line id, as the checking page says and as the
    send decides. A full day that the family agrees to wait for is allowed.

    `rows_decide`: whether there is room is left to the rows themselves, once locked: a full day is allowed.
    """
    verdicts: dict[int, Decision] = {}
    wanted: list[Wanted] = []
    for line in lines:
        verdict, waits = judge(line, days), False
        if isinstance(verdict, Refused) and verdict.reason == Reason.FULL:
            state = days.states[line.child_id, line.unit_id, line.date]
            if line.waits and state.has_list:
                verdict, waits = state.may_wait(), True
            elif rows_decide:
                verdict = state.book
        verdicts[line.id] = verdict
        if isinstance(verdict, Allowed):
            wanted.append(Wanted.of(line, waits=waits))
        elif line.act == Act.BOOK:
            wanted.append(Wanted.of(line, lost=True))
    together = refusals_together(days, wanted)
    return {
        line.id: together.get((line.child_id, line.unit_id, line.date), verdicts[line.id])
        if isinstance(verdicts[line.id], Allowed)
        else verdicts[line.id]
        for line in lines
    }


def judge(line: BasketLine, days: Days) -> Decision:
    """Whether this choice could be sent now if it were alone, but for the places, which only the send locks.
    `line.enrolment` should be at hand."""
    state = days.states.get((line.child_id, line.unit_id, line.date))
    if state is None:
        return Refused(Reason.CLOSED)
    if line.enrolment.state != EnrolmentState.ACCEPTED:
        return Refused(Reason.NOT_ENROLLED)
    if state.closure is not None:
        return state.may_add()
    if state.was != line.was:
        return Refused(Reason.CHANGED_MEANWHILE, {"state": state.was})
    return state.may_add() if line.act == Act.BOOK else state.may_remove()


class _Again(Exception):
    """The places taken are to be given back: some of the lines do not hold together."""


def _take_places_together(kept: Kept, days: Days) -> tuple[Kept, list[Unsent], set[int]]:
    """As `_take_places`, but that a line which holds only with one whose day is full takes nothing either."""
    unsent: list[Unsent] = []
    services = {state.enrolment.activity.service for _line, state in kept}
    if not any(rules_for(days.town, service) for service in services):
        return _take_places(kept)
    while True:
        try:
            with transaction.atomic():
                fit, full, queued = _take_places(kept)
                if len(fit) == len(kept) and not any(line.waits for line, _state in kept):
                    return fit, unsent, queued  # as they were judged, together
                wanted = [Wanted.of(line, waits=line.id in queued) for line, _state in fit]
                wanted += [Wanted.of(one.line, lost=True) for one in (*unsent, *full) if one.line.act == Act.BOOK]
                fallen = refusals_together(days, wanted)
                if not fallen:
                    return fit, unsent + full, queued
                raise _Again
        except _Again:
            unsent += full
            unsent += [Unsent(line, fallen[state.key]) for line, state in fit if state.key in fallen]
            kept = [pair for pair in fit if pair[1].key not in fallen]


def _take_places(kept: Kept) -> tuple[Kept, list[Unsent], set[int]]:
    """The lines that can be recorded, those whose day is full, and the ids of those that wait for a place."""
    queued: set[int] = set()
    wanted: list[int] = []
    left: list[Booking] = []
    for index, (line, state) in enumerate(kept):
        if line.act == Act.BOOK:
            if _holds(state):
                wanted.append(index)
            elif line.waits and isinstance(state.may_wait(), Allowed):
                queued.add(line.id)
        elif state.booking is not None and state.booking.holds_place and not _asks_to_cancel(state):
            left.append(state.booking)
    # Given back where they were taken: the child may be in another group since.
    given = component_places(left).values()
    got = dict(zip(wanted, exchange(give_back=given, wanted=[kept[index][1].places for index in wanted]), strict=True))
    behind: set[int] = set()  # those who would have passed before somebody who waits
    while passed := _overtaking([(index, kept[index][1]) for index, has in got.items() if has]):
        release([kept[index][1].places for index in passed])
        behind.update(passed)
        got |= dict.fromkeys(passed, False)
        # What they give back may be what another of these lines missed.
        if again := [index for index, has in got.items() if not has and index not in behind]:
            got |= dict(zip(again, exchange(wanted=[kept[index][1].places for index in again]), strict=True))
    without = [index for index, has in got.items() if not has]
    queued |= {kept[index][0].id for index in without if kept[index][0].waits and kept[index][1].has_list}
    full = [Unsent(kept[index][0], Refused(Reason.FULL)) for index in without if kept[index][0].id not in queued]
    return [pair for index, pair in enumerate(kept) if got.get(index, True) or pair[0].id in queued], full, queued


def _overtaking(taken: Sequence[tuple[int, DayState]]) -> list[int]:
    """Of these who have just taken places, those who would pass before somebody who waits and finds room now.

    The rows are locked: nobody joins these lists meanwhile. One query where places are counted, and the rare rest only
    where somebody waits."""
    counted = [(index, state) for index, state in taken if state.left is not None]
    days = {(state.enrolment.group_id, state.day) for _index, state in counted}
    if not days:
        return []
    waiting = [
        booking
        for booking in Booking.objects.filter(
            group__in={group for group, _day in days}, date__in={day for _group, day in days}, state=BookingState.QUEUED
        ).order_by("id")
        if (booking.group_id, booking.date) in days
    ]
    if not waiting:
        return []
    places = component_places(waiting)
    room: dict[int, int | None] = {
        day.id: day.left
        for day in OpeningDay.objects.filter(
            id__in={id for found in places.values() for id in found}
            | {id for _i, state in counted for id in state.places}
        )
    }
    for _index, state in counted:
        for id in state.places:
            left = room[id]
            room[id] = None if left is None else left + 1
    served, _left = serve(
        room, [*(places[booking.id] for booking in waiting), *(state.places for _i, state in counted)]
    )
    return [index for (index, _state), fits in zip(counted, served[len(waiting) :], strict=True) if not fits]


def waiting_ends(state: DayState, *, town: Municipality) -> datetime:
    """When the portal looks again at who waits for this day: at its booking limit, else as the day begins."""
    if isinstance(state.book, Allowed) and state.book.until is not None:
        return state.book.until
    return datetime.combine(state.day, time.min, town.tz).astimezone(UTC)


def _holds(state: DayState) -> bool:
    service = state.enrolment.activity.service
    return service.pending_holds_place or service.validation_book == Validation.IMMEDIATE


def _asks_to_cancel(state: DayState) -> bool:
    """Whether unticking this booked day waits for an agent. A pending day is simply withdrawn."""
    assert state.booking is not None
    asked = state.enrolment.activity.service.validation_cancel == Validation.ASKED
    return asked and state.booking.state == BookingState.BOOKED


def _event(line: BasketLine, state: DayState, queued: Collection[int]) -> BookingEvent:
    if line.id in queued:
        return BookingEvent.QUEUE
    if line.act == Act.BOOK:
        immediate = state.enrolment.activity.service.validation_book == Validation.IMMEDIATE
        return BookingEvent.BOOK if immediate else BookingEvent.ASK
    assert state.booking is not None
    if state.booking.state == BookingState.PENDING:
        return BookingEvent.WITHDRAW
    return BookingEvent.ASK_CANCEL if _asks_to_cancel(state) else BookingEvent.CANCEL


def _record(
    kept: Kept,
    queued: Collection[int],
    *,
    town: Municipality,
    household: Household,
    user: User,
    send_key: uuid.UUID,
    message: str,
    at: datetime,
) -> FamilyRequest:
    events = [_event(line, state, queued) for line, state in kept]
    request, rows = open_request(
        household=household,
        kind=RequestKind.BOOKING,
        send_key=send_key,
        lines=[
            NewLine(
                act=Act(line.act),
                child=line.child,
                activity=line.enrolment.activity,
                unit=line.unit,
                day=line.date,
                at_once=event not in (BookingEvent.ASK, BookingEvent.ASK_CANCEL),
            )
            for (line, _state), event in zip(kept, events, strict=True)
        ],
        by=user,
        at=at,
        tz=town.tz,
        message=message,
    )
    new: list[Booking] = []
    changed: list[Booking] = []
    withdrawn: list[tuple[int, int]] = []
    for (line, state), event, row in zip(kept, events, rows, strict=True):
        before = state.booking.state if state.booking else None
        after = next_state(BOOKING, BookingState(before) if before else None, event)
        if state.booking is None:
            new.append(
                Booking(
                    child=line.child,
                    household=household,
                    enrolment=state.enrolment,
                    unit=line.unit,
                    group=state.enrolment.group,
                    date=line.date,
                    state=after,
                    holds_place=after in HOLDS_A_PLACE and _holds(state),
                    line=row,
                    requested_at=at,
                    changed_at=at,
                    waits_until=waiting_ends(state, town=town) if after == BookingState.QUEUED else None,
                )
            )
            continue
        booking = state.booking
        if event == BookingEvent.WITHDRAW:
            withdrawn.append((booking.line_id, booking.id))
        booking.state = after
        booking.holds_place = booking.holds_place and after in HOLDS_A_PLACE
        booking.line = row
        booking.changed_at = at
        changed.append(booking)
    Booking.objects.bulk_create(new)
    if changed:
        Booking.objects.bulk_update(changed, ["state", "holds_place", "line", "changed_at"])
    if withdrawn:
        _withdraw_lines([line_id for line_id, _booking in withdrawn], by=str(user), at=at)
    dates = sorted({line.date for line, _state in kept})
    audit.record(
        at=at,
        by=user.actor(),
        action="request.sent",
        subject=request,
        household_id=household.id,
        text=_summary(request, rows, dates),
        facts={"lines": [describe(row) for row in rows]},
    )
    notifications.request_sent(request=request, lines=rows, bookings=[*new, *changed], at=at)
    return request


def _withdraw_lines(line_ids: Sequence[int], *, by: str, at: datetime) -> None:
    """Close the lines that had asked for the days now withdrawn; an agent who answers at the same time comes second."""
    lines = list(RequestLine.objects.filter(id__in=line_ids, state=LineState.PENDING).order_by("request_id"))
    requests = {
        request.id: request
        for request in FamilyRequest.objects.select_for_update(no_key=True)
        .filter(id__in={line.request_id for line in lines})
        .order_by("id")
    }
    for request_id, request in requests.items():
        close_lines(
            request,
            [line for line in lines if line.request_id == request_id],
            state=LineState.WITHDRAWN,
            by=by,
            at=at,
        )


def _summary(request: FamilyRequest, rows: Sequence[RequestLine], dates: Sequence[date]) -> str:
    return _("Demande n° %(number)s envoyée : %(what)s.") % {
        "number": request.number,
        "what": acts_words(row.act for row in rows),
    }
