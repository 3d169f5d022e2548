"""What an agent may do with a day for a family, and which rules that goes past (docs/algorithms/overrides.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from marelle.activities.queries import begins_at, offer_of, rules_of
from marelle.bookings.queries.days import Days, DayState
from marelle.requests.models import Act
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.lateness import Surcharge
from marelle.rules.lifecycles import BookingState, EnrolmentState

_LATE = (Reason.PAST_LIMIT, Reason.AGENT_ONLY)
_EARLY = (Reason.NOT_OPEN_YET, Reason.PRIORITY_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """`decision`: whether an agent may do it now. `late` and `early`: what the family's limit, or the opening of the
    period, answers to it. `rule`: the town's rule of combination that it would break. `over`: by how many children the
    capacity would be exceeded; `waiting`: how many children wait for that day and would be passed."""

    decision: Decision
    late: Refused | None = None
    early: Refused | None = None
    rule: Refused | None = None
    over: int = 0
    waiting: int = 0

    @property
    def is_allowed(self) -> bool:
        return isinstance(self.decision, Allowed)

    @property
    def needs_reason(self) -> bool:
        """Something would have stopped the family."""
        return bool(self.late or self.early or self.rule or self.over or self.waiting)


def act_on(state: DayState) -> Act:
    """What the box of this day stands for: its other side."""
    return Act.CANCEL if state.booking is not None else Act.BOOK


def override(state: DayState, days: Days, *, act: Act | None = None) -> Override:
    """An agent's reading of a day of `days`: limits, openings and the waiting list can be passed, never what is closed,
    taken by another home, asked and not answered, full up to its margin, or in a period that is over."""
    act = act_on(state) if act is None else act
    verdict = state.book if act == Act.BOOK else state.cancel
    refusal = _stop(state, verdict, days, act=act)
    if refusal is not None and refusal.reason != Reason.FULL:
        return Override(decision=refusal)
    late = verdict if isinstance(verdict, Refused) and verdict.reason in _LATE else None
    if late is None and state.day < days.today:
        late = Refused(Reason.PAST_LIMIT, {"since": begins_at(days.calendar, state.unit, state.day)})
    if act == Act.CANCEL:
        return Override(decision=Allowed(), late=late)
    return Override(
        decision=Allowed() if refusal is None else refusal,
        late=late,
        early=verdict if isinstance(verdict, Refused) and verdict.reason in _EARLY else None,
        over=state.over,
        waiting=state.ahead if state.left == 0 else 0,
    )


def beside(found: Override, state: DayState, days: Days, *, taken: Mapping[int, int]) -> Override:
    """The same reading of a day to book, once the act has taken so many of each place (by id; fewer than none: given
    back): whether there is room, by how many the capacity is exceeded, who would be passed."""
    more = {place: taken.get(place, 0) for place in state.places}
    if (isinstance(found.decision, Refused) and found.decision.reason != Reason.FULL) or not any(more.values()):
        return found
    rooms = [(days.opened[place], n) for place, n in more.items()]
    full = any(room.left is not None and room.left <= n for room, n in rooms)
    over = max(0 if room.capacity is None else max(room.taken + n + 1 - room.capacity, 0) for room, n in rooms)
    passes = state.left is not None and state.left <= max(more.values())
    return replace(
        found,
        decision=Refused(Reason.FULL) if full else Allowed(),
        over=over,
        waiting=state.ahead if passes else 0,
    )


def _stop(state: DayState, verdict: Decision, days: Days, *, act: Act) -> Refused | None:
    if state.elsewhere:
        return Refused(Reason.OTHER_HOUSEHOLD)
    if state.enrolment.state != EnrolmentState.ACCEPTED:
        return Refused(Reason.NOT_ENROLLED)
    if act == Act.BOOK and state.booking is not None:
        return Refused(Reason.ALREADY_BOOKED)
    if act == Act.CANCEL and (state.booking is None or state.booking.state != BookingState.BOOKED):
        return Refused(Reason.CHANGED_MEANWHILE, {"state": state.was})
    if act == Act.BOOK and not state.places:
        return Refused(Reason.CLOSED)
    if isinstance(verdict, Refused) and verdict.reason not in (*_LATE, *_EARLY):
        return verdict
    if (over := _period_over(state, days)) is not None:
        return Refused(Reason.PAST_LIMIT, {"since": over})
    if act == Act.BOOK and state.free == 0:
        return Refused(Reason.FULL)
    return None


def _period_over(state: DayState, days: Days) -> datetime | None:
    """Since when the past day's period is over, None while it lasts: what is done then belongs to its bills."""
    if state.day >= days.today:
        return None
    periods = offer_of(days.town).periods.get(state.enrolment.activity.service_id, [])
    last = next((period.last_day for period in periods if period.first_day <= state.day <= period.last_day), state.day)
    if days.today <= last:
        return None
    return datetime.combine(last + timedelta(days=1), time.min, days.town.tz).astimezone(UTC)


def late_surcharge(state: DayState, days: Days) -> Surcharge | None:
    """What the town adds to the price of a day booked past its limit, None when it adds nothing. Prices come later."""
    try:
        rule = rules_of(days.town).service(state.enrolment.activity.service.slug).late.book.rule()
    except KeyError:
        return None
    return rule.surcharge_for(state.unit.slug)


def late_still_due(state: DayState, days: Days) -> int:
    """Which part of the price, in per cent, the town leaves due of a day cancelled past its limit."""
    try:
        return rules_of(days.town).service(state.enrolment.activity.service.slug).late.cancel.rule().still_due
    except KeyError:
        return 100
