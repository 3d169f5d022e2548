"""What stays due when a child does not come (docs/algorithms/lateness.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from marelle.rules.calendars import ONE_DAY, SchoolCalendar
from marelle.rules.decisions import Reason
from marelle.rules.limits import Moment, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStep:
    """A delay for the proof (hours from the first day's start, or days after it) and what then stays due."""

    within_hours: int | None = None
    within_days: int | None = None
    waiting_days: int = 0
    still_due: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseRule:
    """What a cause of absence changes: free whatever happens, free by proof in steps, or free when told in time."""

    cause: str
    always_free: bool = False
    steps: tuple[ProofStep, ...] = ()
    told_before: Moment | None = None
    first_days_due: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsencePolicy:
    """The town's causes, and the part of the price (per cent) due for any other absence."""

    causes: tuple[CauseRule, ...] = ()
    still_due: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentDay:
    """The part of the price due for a day of absence, in per cent, and why when it is not nothing."""

    day: date
    still_due: int
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceCost:
    """What a day costs as its absence is announced, in per cent of its price: `still_due` as things stand, `proven`
    when the proof comes before `proof_until` (None: no proof changes anything)."""

    day: date
    still_due: int
    proven: int | None = None
    proof_until: datetime | None = None


def proof_due(step: ProofStep, *, first_day: date, starts_at: time | None, calendar: SchoolCalendar) -> datetime:
    """The instant (aware, UTC) before which the proof must have come."""
    if step.within_hours is not None:
        start = datetime.combine(first_day, starts_at or time(0)) + timedelta(hours=step.within_hours)
        return calendar.instant(start.date(), start.time())
    return calendar.instant(first_day + ONE_DAY * (step.within_days or 0), None)


def judge_absence(
    policy: AbsencePolicy,
    *,
    cause: str | None,
    days: Sequence[date],
    calendar: SchoolCalendar,
    starts_at: time | None = None,
    proof_at: datetime | None = None,
    told_at: datetime | None = None,
) -> list[AbsentDay]:
    """Say for each booked day of one absence, in order, what stays due.

    `proof_at` and `told_at` are aware instants, None when it did not happen.
    """
    days = sorted(days)
    if not days:
        return []
    rule = next((known for known in policy.causes if known.cause == cause), None)
    if rule is None:
        reason = Reason.CAUSE_NOT_ACCEPTED if cause is not None else None
        return [AbsentDay(day=day, still_due=policy.still_due, reason=reason) for day in days]
    if rule.always_free:
        return [AbsentDay(day=day, still_due=0) for day in days]
    if rule.steps:
        return _by_proof(policy, rule, days, calendar, starts_at, proof_at)
    return _by_telling(policy, rule, days, calendar, starts_at, told_at)


def announced_costs(
    policy: AbsencePolicy,
    *,
    cause: str | None,
    days: Sequence[date],
    calendar: SchoolCalendar,
    told_at: datetime,
    starts_at: time | None = None,
) -> list[AbsenceCost]:
    """What each day of one absence costs, in order, when the family announces it at `told_at`, without a proof yet.

    Of several delays for the proof, the first is told: it leaves the least to pay."""
    now = judge_absence(policy, cause=cause, days=days, calendar=calendar, starts_at=starts_at, told_at=told_at)
    rule = next((known for known in policy.causes if known.cause == cause), None)
    if rule is None or rule.always_free or not rule.steps or not now:
        return [AbsenceCost(day=day.day, still_due=day.still_due) for day in now]
    until = proof_due(rule.steps[0], first_day=now[0].day, starts_at=starts_at, calendar=calendar)
    proven = judge_absence(
        policy, cause=cause, days=days, calendar=calendar, starts_at=starts_at, told_at=told_at,
        proof_at=until - timedelta(microseconds=1),
    )  # fmt: skip
    return [
        AbsenceCost(day=before.day, still_due=before.still_due, proven=after.still_due, proof_until=until)
        for before, after in zip(now, proven, strict=True)
    ]


def _by_proof(
    policy: AbsencePolicy,
    rule: CauseRule,
    days: Sequence[date],
    calendar: SchoolCalendar,
    starts_at: time | None,
    proof_at: datetime | None,
) -> list[AbsentDay]:
    if proof_at is None:
        return [AbsentDay(day=day, still_due=policy.still_due, reason=Reason.PROOF_MISSING) for day in days]
    for step in rule.steps:
        if proof_at < proof_due(step, first_day=days[0], starts_at=starts_at, calendar=calendar):
            return [
                AbsentDay(day=day, still_due=policy.still_due if n < step.waiting_days else step.still_due)
                for n, day in enumerate(days)
            ]
    return [AbsentDay(day=day, still_due=policy.still_due, reason=Reason.PROOF_TOO_LATE) for day in days]


def _by_telling(
    policy: AbsencePolicy,
    rule: CauseRule,
    days: Sequence[date],
    calendar: SchoolCalendar,
    starts_at: time | None,
    told_at: datetime | None,
) -> list[AbsentDay]:
    found = []
    for n, day in enumerate(days):
        if rule.told_before is None:
            in_time = told_at is not None
        else:
            until = moment(rule.told_before, day=day, starts_at=starts_at, calendar=calendar)
            in_time = told_at is not None and until is not None and told_at < until
        free = in_time and n >= rule.first_days_due
        found.append(AbsentDay(day=day, still_due=0 if free else policy.still_due))
    return found
