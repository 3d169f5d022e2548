"""The lifecycles of enrolments, requests, lines and bookings as transition tables (docs/algorithms/lifecycles.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeVar


class EnrolmentState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    INCOMPLETE = "incomplete"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class EnrolmentEvent(StrEnum):
    SUBMIT = "submit"
    ASK_MORE = "ask_more"
    COMPLETE = "complete"
    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    END = "end"


class RequestState(StrEnum):
    SENT = "sent"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class RequestEvent(StrEnum):
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    TAKE_BACK = "take_back"


class LineState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class LineEvent(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    TAKE_BACK = "take_back"


class BookingState(StrEnum):
    PENDING = "pending"
    BOOKED = "booked"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    QUEUED = "queued"
    OFFERED = "offered"
    EXPIRED = "expired"
    CLOSED = "closed"


class BookingEvent(StrEnum):
    ASK = "ask"
    BOOK = "book"
    QUEUE = "queue"
    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    ASK_CANCEL = "ask_cancel"
    ACCEPT_CANCEL = "accept_cancel"
    REFUSE_CANCEL = "refuse_cancel"
    OFFER = "offer"
    EXPIRE = "expire"
    CLOSE = "close"
    REOPEN = "reopen"
    REOPEN_PENDING = "reopen_pending"
    REOPEN_CANCELLING = "reopen_cancelling"
    REOPEN_QUEUED = "reopen_queued"
    REOPEN_OFFERED = "reopen_offered"


class Outcome(StrEnum):
    """What came out of a request, read from its lines."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ForbiddenTransition(Exception):
    """The event means nothing in that state; `state` is None before the first state."""

    def __init__(self, state: StrEnum | None, event: StrEnum) -> None:
        super().__init__(f"{event} is not possible when {state if state is not None else 'nothing exists yet'}")
        self.state = state
        self.event = event


S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Machine(Generic[S, E]):
    """A table (state or None before the first, event) → state."""

    name: str
    table: Mapping[tuple[S | None, E], S]

    def events(self, state: S | None) -> tuple[E, ...]:
        """The events possible in the state, in the table's order."""
        return tuple(event for (known, event) in self.table if known == state)


ENROLMENT: Machine[EnrolmentState, EnrolmentEvent] = Machine(
    "enrolment",
    MappingProxyType(
        {
            (EnrolmentState.DRAFT, EnrolmentEvent.SUBMIT): EnrolmentState.SUBMITTED,
            (EnrolmentState.SUBMITTED, EnrolmentEvent.ASK_MORE): EnrolmentState.INCOMPLETE,
            (EnrolmentState.INCOMPLETE, EnrolmentEvent.COMPLETE): EnrolmentState.SUBMITTED,
            (EnrolmentState.SUBMITTED, EnrolmentEvent.ACCEPT): EnrolmentState.ACCEPTED,
            (EnrolmentState.SUBMITTED, EnrolmentEvent.REFUSE): EnrolmentState.REFUSED,
            (EnrolmentState.SUBMITTED, EnrolmentEvent.WITHDRAW): EnrolmentState.WITHDRAWN,
            (EnrolmentState.ACCEPTED, EnrolmentEvent.END): EnrolmentState.ENDED,
        }
    ),
)

REQUEST: Machine[RequestState, RequestEvent] = Machine(
    "request",
    MappingProxyType(
        {
            (RequestState.SENT, RequestEvent.ANSWER): RequestState.ANSWERED,
            (RequestState.SENT, RequestEvent.WITHDRAW): RequestState.WITHDRAWN,
            (RequestState.ANSWERED, RequestEvent.REOPEN): RequestState.SENT,
            (RequestState.ANSWERED, RequestEvent.TAKE_BACK): RequestState.WITHDRAWN,
        }
    ),
)

LINE: Machine[LineState, LineEvent] = Machine(
    "line",
    MappingProxyType(
        {
            (LineState.PENDING, LineEvent.ACCEPT): LineState.ACCEPTED,
            (LineState.PENDING, LineEvent.REFUSE): LineState.REFUSED,
            (LineState.PENDING, LineEvent.WITHDRAW): LineState.WITHDRAWN,
            (LineState.ACCEPTED, LineEvent.REOPEN): LineState.PENDING,
            (LineState.REFUSED, LineEvent.REOPEN): LineState.PENDING,
            # An absence is recorded as it is announced; the child may come all the same.
            (LineState.ACCEPTED, LineEvent.TAKE_BACK): LineState.WITHDRAWN,
        }
    ),
)

BOOKING: Machine[BookingState, BookingEvent] = Machine(
    "booking",
    MappingProxyType(
        {
            (None, BookingEvent.ASK): BookingState.PENDING,
            (None, BookingEvent.BOOK): BookingState.BOOKED,
            (None, BookingEvent.QUEUE): BookingState.QUEUED,
            (BookingState.PENDING, BookingEvent.ACCEPT): BookingState.BOOKED,
            (BookingState.PENDING, BookingEvent.REFUSE): BookingState.REFUSED,
            (BookingState.PENDING, BookingEvent.WITHDRAW): BookingState.WITHDRAWN,
            (BookingState.BOOKED, BookingEvent.CANCEL): BookingState.CANCELLED,
            (BookingState.BOOKED, BookingEvent.ASK_CANCEL): BookingState.CANCELLING,
            (BookingState.BOOKED, BookingEvent.CLOSE): BookingState.CLOSED,
            (BookingState.CANCELLING, BookingEvent.ACCEPT_CANCEL): BookingState.CANCELLED,
            (BookingState.CANCELLING, BookingEvent.REFUSE_CANCEL): BookingState.BOOKED,
            (BookingState.QUEUED, BookingEvent.OFFER): BookingState.OFFERED,
            (BookingState.QUEUED, BookingEvent.WITHDRAW): BookingState.WITHDRAWN,
            (BookingState.QUEUED, BookingEvent.EXPIRE): BookingState.EXPIRED,
            (BookingState.OFFERED, BookingEvent.ACCEPT): BookingState.BOOKED,
            (BookingState.OFFERED, BookingEvent.EXPIRE): BookingState.EXPIRED,
            (BookingState.OFFERED, BookingEvent.WITHDRAW): BookingState.WITHDRAWN,
            (BookingState.PENDING, BookingEvent.CLOSE): BookingState.CLOSED,
            (BookingState.CANCELLING, BookingEvent.CLOSE): BookingState.CLOSED,
            (BookingState.QUEUED, BookingEvent.CLOSE): BookingState.CLOSED,
            (BookingState.OFFERED, BookingEvent.CLOSE): BookingState.CLOSED,
            (BookingState.CLOSED, BookingEvent.REOPEN): BookingState.BOOKED,
            (BookingState.CLOSED, BookingEvent.REOPEN_PENDING): BookingState.PENDING,
            (BookingState.CLOSED, BookingEvent.REOPEN_CANCELLING): BookingState.CANCELLING,
            (BookingState.CLOSED, BookingEvent.REOPEN_QUEUED): BookingState.QUEUED,
            (BookingState.CLOSED, BookingEvent.REOPEN_OFFERED): BookingState.OFFERED,
            (BookingState.CLOSED, BookingEvent.CANCEL): BookingState.CANCELLED,
        }
    ),
)

#: Booking states that hold a place of an opening day.
HOLDS_A_PLACE = frozenset({BookingState.PENDING, BookingState.BOOKED, BookingState.CANCELLING, BookingState.OFFERED})

#: Booking states after which nothing more happens: the same child, unit and day may be asked for anew.
FINAL_BOOKING_STATES = frozenset(
    {BookingState.REFUSED, BookingState.WITHDRAWN, BookingState.CANCELLED, BookingState.EXPIRED}
)


def next_state(machine: Machine[S, E], state: S | None, event: E) -> S:
    """Return the state that follows, or raise `ForbiddenTransition`."""
    try:
        return machine.table[state, event]
    except KeyError:
        raise ForbiddenTransition(state, event) from None


def outcome(lines: Iterable[LineState]) -> Outcome:
    """Read what came out of a request from the states of its lines; a request without lines is pending."""
    states = set(lines)
    if not states or LineState.PENDING in states:
        return Outcome.PENDING
    answered = states - {LineState.WITHDRAWN}
    if not answered:
        return Outcome.WITHDRAWN
    if answered == {LineState.ACCEPTED}:
        return Outcome.ACCEPTED
    if answered == {LineState.REFUSED}:
        return Outcome.REFUSED
    return Outcome.PARTLY_ACCEPTED
