"""What holds once a limit is past (docs/algorithms/lateness.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.limits import Moment, moment


class LateMode(StrEnum):
    BLOCKED = "blocked"
    AGENT = "agent"
    ALLOWED = "allowed"


class CountedPer(StrEnum):
    CHILD = "child"
    FAMILY = "family"


class CountedOver(StrEnum):
    MONTH = "month"
    SCHOOL_YEAR = "school_year"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surcharge:
    """What is added to a price: exactly one of these. Cents are whole; per cent and times are exact hundredths."""

    add_cents: int | None = None
    add_percent: int | None = None
    times_hundredths: int | None = None
    price_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRule:
    """What becomes of a booking (or cancelling) past its limit.

    `until` is the second limit of "allowed". `by_unit` holds the surcharges that differ. `still_due` is the
    part of the price, in per cent, that a late cancellation leaves due.
    """

    mode: LateMode = LateMode.BLOCKED
    until: Moment | None = None
    surcharge: Surcharge | None = None
    by_unit: tuple[tuple[str, Surcharge], ...] = ()
    from_nth: int = 1
    counted_per: CountedPer = CountedPer.CHILD
    counted_over: CountedOver = CountedOver.SCHOOL_YEAR
    still_due: int = 100

    def surcharge_for(self, unit: str, *, times_before: int = 0) -> Surcharge | None:
        """The surcharge for a unit, knowing how often it already happened; None before the nth time."""
        if times_before + 1 < self.from_nth:
            return None
        return dict(self.by_unit).get(unit, self.surcharge)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateAnswer:
    """The decision for a family past the limit, and the surcharge that goes with it (or with the agent's act)."""

    decision: Decision
    surcharge: Surcharge | None = None


def judge_late(
    rule: LateRule,
    refused: Refused,
    *,
    unit: str,
    day: date,
    at: datetime,
    starts_at: time | None,
    calendar: SchoolCalendar,
    times_before: int = 0,
) -> LateAnswer:
    """Soften a `PAST_LIMIT` as the town's late policy says; any other refusal comes back as it is."""
    if refused.reason is not Reason.PAST_LIMIT or rule.mode is LateMode.BLOCKED:
        return LateAnswer(decision=refused)
    surcharge = rule.surcharge_for(unit, times_before=times_before)
    if rule.mode is LateMode.AGENT:
        return LateAnswer(decision=Refused(Reason.AGENT_ONLY, dict(refused.facts)), surcharge=surcharge)
    start = calendar.instant(day, starts_at)
    if rule.until is None:
        until: datetime | None = start
    else:
        until = moment(rule.until, day=day, starts_at=starts_at, calendar=calendar)
    if until is None or at >= until:
        return LateAnswer(decision=refused)
    return LateAnswer(decision=Allowed(until=until), surcharge=surcharge)
