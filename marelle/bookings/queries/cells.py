"""What a cell of a planning says of a day: one reading for families' and agents' pages."""

from datetime import date

from django.utils.translation import gettext as _

from marelle.bookings.labels import CellState
from marelle.bookings.models import Closure
from marelle.bookings.queries.days import DayState
from marelle.foundation.components.grid import Mark
from marelle.rules.calendars import BeyondCalendar, SchoolCalendar
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.lifecycles import BookingState

CLOSED_AS = {Closure.Kind.OUTING: CellState.OUTING, Closure.Kind.STRIKE: CellState.STRIKE}


def closed_as(closure: Closure) -> CellState:
    """What a cell says of a day that a closure closes."""
    return CLOSED_AS.get(Closure.Kind(closure.kind), CellState.CLOSED)


def cell_state(state: DayState, *, today: date) -> CellState:
    """Where the town hall stands on this day, for a family."""
    if state.closure is not None:
        return closed_as(state.closure)
    if state.elsewhere:
        return CellState.ELSEWHERE
    if state.booking is not None:
        match state.booking.state:
            case BookingState.PENDING:
                return CellState.PENDING
            case BookingState.BOOKED if state.booking.absence_id is not None:
                return CellState.ABSENT
            case BookingState.BOOKED:
                return CellState.BOOKED if isinstance(state.cancel, Allowed) else CellState.LOCKED
            case BookingState.CANCELLING:
                return CellState.CANCELLING
            case BookingState.QUEUED:
                return CellState.QUEUED
            case BookingState.OFFERED:
                return CellState.OFFERED
            case _:
                return CellState.CLOSED
    if state.day < today:
        return CellState.PAST
    verdict = state.may_add()
    if isinstance(verdict, Refused):
        if verdict.reason == Reason.FULL:
            return CellState.FULL
        if verdict.reason == Reason.NOT_OPEN_YET:
            return CellState.NOT_OPEN
        if verdict.reason in (Reason.CLOSED, Reason.OUTSIDE_PERIOD):
            return CellState.CLOSED
        return CellState.LATE
    return CellState.REFUSED if state.refusal is not None else CellState.FREE


def is_editable(state: DayState, *, today: date) -> bool:
    if state.elsewhere or state.day < today:
        return False
    verdict = state.may_add() if state.booking is None else state.may_remove()
    return isinstance(verdict, Allowed)


def tile_key(state: DayState) -> str:
    return f"{state.enrolment.child_id}.{state.unit.id}.{state.day.isoformat()}"


def recorded(state: DayState) -> CellState:
    """Where the town hall stands on this day, for an agent: what is recorded, not what the family may still do."""
    if state.closure is not None:
        return closed_as(state.closure)
    if state.elsewhere:
        return CellState.ELSEWHERE
    if state.booking is None:
        if not state.places:
            return CellState.CLOSED
        return CellState.FULL if state.left == 0 else CellState.FREE
    if state.booking.state == BookingState.BOOKED and state.booking.absence_id is not None:
        return CellState.ABSENT
    return {
        BookingState.PENDING: CellState.PENDING,
        BookingState.BOOKED: CellState.BOOKED,
        BookingState.CANCELLING: CellState.CANCELLING,
        BookingState.QUEUED: CellState.QUEUED,
        BookingState.OFFERED: CellState.OFFERED,
    }.get(BookingState(state.booking.state), CellState.CLOSED)


def closed_mark(day: date, calendar: SchoolCalendar) -> Mark:
    """Why nothing is open that day, for a cell or a whole row."""
    try:
        holiday = calendar.public_holiday(day)
        period = calendar.holiday_period(day)
    except BeyondCalendar:
        return Mark(_("Calendrier pas encore publié"), "ban")
    if holiday:
        return Mark(_("Férié"), "ban")
    if period is not None:
        return Mark(period.name, "tent-tree")
    return Mark(str(CellState.CLOSED.word), CellState.CLOSED.icon)
