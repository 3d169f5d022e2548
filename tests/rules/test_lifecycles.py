"""The lifecycles say exactly what is possible, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marelle.rules.lifecycles import (
    BOOKING,
    ENROLMENT,
    FINAL_BOOKING_STATES,
    HOLDS_A_PLACE,
    LINE,
    REQUEST,
    BookingEvent,
    BookingState,
    EnrolmentEvent,
    EnrolmentState,
    ForbiddenTransition,
    LineEvent,
    LineState,
    Outcome,
    RequestEvent,
    RequestState,
    next_state,
    outcome,
)

MACHINES = [
    (BOOKING, BookingState, BookingEvent),
    (ENROLMENT, EnrolmentState, EnrolmentEvent),
    (REQUEST, RequestState, RequestEvent),
]


@pytest.mark.parametrize(("machine", "states", "events"), MACHINES, ids=lambda part: getattr(part, "name", ""))
def test_whatever_the_table_does_not_hold_is_forbidden(machine, states, events) -> None:  # type: ignore[no-untyped-def]
    for state in (None, *states):
        for event in events:
            if (state, event) in machine.table:
                assert next_state(machine, state, event) in states
            else:
                with pytest.raises(ForbiddenTransition):
                    next_state(machine, state, event)


@pytest.mark.parametrize(
    ("start", "events", "end"),
    [
        (None, ["ask", "accept", "ask_cancel", "refuse_cancel", "cancel"], "cancelled"),
        (None, ["ask", "withdraw"], "withdrawn"),
        (None, ["book", "close", "reopen"], "booked"),
        (None, ["queue", "offer", "accept"], "booked"),
        (None, ["queue", "expire"], "expired"),
        (None, ["queue", "offer", "expire"], "expired"),
        (None, ["book", "ask_cancel", "accept_cancel"], "cancelled"),
    ],
)
def test_the_life_of_a_booking(start: BookingState | None, events: list[str], end: str) -> None:
    state = start
    for event in events:
        state = next_state(BOOKING, state, BookingEvent(event))
    assert state == BookingState(end)


def test_a_final_state_has_no_way_out_and_holds_no_place() -> None:
    for state in FINAL_BOOKING_STATES:
        assert BOOKING.events(state) == ()
        assert state not in HOLDS_A_PLACE


@pytest.mark.parametrize("state", ["pending", "booked", "cancelling", "queued", "offered"])
def test_a_closed_day_comes_back_as_it_was_or_is_lost(state: str) -> None:
    assert next_state(BOOKING, BookingState(state), BookingEvent.CLOSE) is BookingState.CLOSED
    back = {next_state(BOOKING, BookingState.CLOSED, event) for event in BOOKING.events(BookingState.CLOSED)}
    assert BookingState(state) in back and BookingState.CANCELLED in back


def test_an_enrolment_may_come_back_for_more() -> None:
    state = EnrolmentState.DRAFT
    for event in ("submit", "ask_more", "complete", "accept", "end"):
        state = next_state(ENROLMENT, state, EnrolmentEvent(event))
    assert state is EnrolmentState.ENDED


@given(st.lists(st.sampled_from(LineState)))
def test_a_request_is_pending_as_long_as_a_line_is(lines: list[LineState]) -> None:
    found = outcome(lines)
    assert (found is Outcome.PENDING) == (not lines or LineState.PENDING in lines)
    if found is Outcome.ACCEPTED:
        assert set(lines) <= {LineState.ACCEPTED, LineState.WITHDRAWN}


def test_a_line_is_answered_once() -> None:
    # Only the undoing of a closure asks it anew; only an announced absence is taken back.
    assert LINE.events(LineState.ACCEPTED) == (LineEvent.REOPEN, LineEvent.TAKE_BACK)
    assert LINE.events(LineState.WITHDRAWN) == ()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["accepted", "refused"], "partly_accepted"),
        (["accepted", "withdrawn"], "accepted"),
        (["withdrawn", "withdrawn"], "withdrawn"),
        (["refused", "withdrawn"], "refused"),
    ],
)
def test_outcomes(lines: list[str], expected: str) -> None:
    assert outcome(LineState(line) for line in lines) == Outcome(expected)
