"""What holds past a limit, and what stays due when a child does not come."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from marelle.rules.absences import AbsencePolicy, CauseRule, ProofStep, announced_costs, judge_absence
from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.lateness import LateMode, LateRule, Surcharge, judge_late
from marelle.rules.limits import SameDay

CALENDAR = SchoolCalendar.for_zone("C")
DAY = date(2026, 11, 23)
SINCE = datetime(2026, 11, 20, 8, tzinfo=UTC)
PAST = Refused(Reason.PAST_LIMIT, {"since": SINCE})


def late(rule: LateRule, *, unit: str = "repas", at: datetime = SINCE, times_before: int = 0):  # type: ignore[no-untyped-def]
    return judge_late(
        rule, PAST, unit=unit, day=DAY, at=at, starts_at=time(12), calendar=CALENDAR, times_before=times_before
    )


def test_blocked_stays_refused() -> None:
    assert late(LateRule()).decision == PAST


@pytest.mark.row("D10")
def test_an_agent_adds_with_the_units_surcharge() -> None:
    rule = LateRule(
        mode=LateMode.AGENT, by_unit=(("matin", Surcharge(add_cents=400)), ("soir", Surcharge(add_cents=1000)))
    )
    assert late(rule, unit="matin").decision == Refused(Reason.AGENT_ONLY, {"since": SINCE})
    assert late(rule, unit="matin").surcharge == Surcharge(add_cents=400)
    assert late(rule, unit="soir").surcharge == Surcharge(add_cents=1000)


def test_booked_late_until_a_second_limit_with_half_more() -> None:
    # R04: booked late +50 %
    rule = LateRule(mode=LateMode.ALLOWED, until=SameDay(at=time(9)), surcharge=Surcharge(add_percent=50))
    second = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert late(rule).decision == Allowed(until=second)
    assert late(rule).surcharge == Surcharge(add_percent=50)
    assert late(rule, at=second).decision == PAST


def test_the_surcharge_may_start_at_the_third_time() -> None:
    rule = LateRule(mode=LateMode.AGENT, surcharge=Surcharge(add_cents=250), from_nth=3)
    assert [late(rule, times_before=n).surcharge for n in range(4)] == [
        None,
        None,
        Surcharge(add_cents=250),
        Surcharge(add_cents=250),
    ]


def test_another_refusal_is_not_softened() -> None:
    full = Refused(Reason.FULL)
    rule = LateRule(mode=LateMode.ALLOWED)
    answer = judge_late(rule, full, unit="repas", day=DAY, at=SINCE, starts_at=time(12), calendar=CALENDAR)
    assert answer.decision == full


WEEK = [date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 26), date(2026, 11, 27)]
#: R12: a certificate within 72 h: free; from 72 h to 10 days: 2 waiting days; later: refused.
R12 = AbsencePolicy(
    causes=(
        CauseRule(cause="maladie", steps=(ProofStep(within_hours=72), ProofStep(within_days=10, waiting_days=2))),
        CauseRule(cause="greve", always_free=True),
    )
)


def due(policy: AbsencePolicy, **told: object) -> list[int]:
    days = judge_absence(policy, days=WEEK, calendar=CALENDAR, starts_at=time(12), **told)  # type: ignore[arg-type]
    return [day.still_due for day in days]


def test_a_certificate_in_time_frees_all_days() -> None:
    # Monday 23rd, 12:00 + 72 h = Thursday 26th, 12:00
    limit = datetime(2026, 11, 26, 11, tzinfo=UTC)
    assert due(R12, cause="maladie", proof_at=limit - timedelta(minutes=1)) == [0, 0, 0, 0]
    assert due(R12, cause="maladie", proof_at=limit) == [100, 100, 0, 0]


def test_a_certificate_after_ten_days_is_refused() -> None:
    tenth = datetime(2026, 12, 3, 23, tzinfo=UTC)
    assert due(R12, cause="maladie", proof_at=tenth - timedelta(minutes=1)) == [100, 100, 0, 0]
    assert due(R12, cause="maladie", proof_at=tenth) == [100] * 4
    days = judge_absence(R12, cause="maladie", days=WEEK, calendar=CALENDAR, starts_at=time(12), proof_at=tenth)
    assert {day.reason for day in days} == {Reason.PROOF_TOO_LATE}
    days = judge_absence(R12, cause="maladie", days=WEEK, calendar=CALENDAR, starts_at=time(12))
    assert {day.reason for day in days} == {Reason.PROOF_MISSING}


def test_a_strike_is_free_and_an_unknown_cause_is_not() -> None:
    assert due(R12, cause="greve") == [0] * 4
    assert due(R12, cause="oubli") == [100] * 4
    assert due(R12, cause=None) == [100] * 4


def test_the_first_day_is_due_and_the_next_are_free_when_told_before_ten() -> None:
    # R06: sick: day 1 due, next days free when told before 10:00
    rule = CauseRule(cause="maladie", told_before=SameDay(at=time(10)), first_days_due=1)
    policy = AbsencePolicy(causes=(rule,))
    assert due(policy, cause="maladie", told_at=datetime(2026, 11, 23, 8, tzinfo=UTC)) == [100, 0, 0, 0]
    assert due(policy, cause="maladie", told_at=datetime(2026, 11, 24, 9, 0, tzinfo=UTC)) == [100, 100, 0, 0]
    assert due(policy, cause="maladie") == [100] * 4


def test_a_proof_within_five_days_keeps_a_tenth() -> None:
    # R37: proof within 5 days: up to 10 % kept
    policy = AbsencePolicy(causes=(CauseRule(cause="maladie", steps=(ProofStep(within_days=5, still_due=10),)),))
    assert due(policy, cause="maladie", proof_at=datetime(2026, 11, 27, tzinfo=UTC)) == [10] * 4


def test_a_town_may_bill_half_of_any_absence() -> None:
    assert due(AbsencePolicy(still_due=50), cause=None) == [50] * 4


TOLD = datetime(2026, 11, 23, 8, tzinfo=UTC)


def announced(policy: AbsencePolicy, cause: str | None) -> list[tuple[int, int | None, datetime | None]]:
    costs = announced_costs(policy, cause=cause, days=WEEK, calendar=CALENDAR, told_at=TOLD, starts_at=time(12))
    return [(cost.still_due, cost.proven, cost.proof_until) for cost in costs]


def test_an_announced_absence_costs_all_until_the_proof_of_the_first_delay() -> None:
    assert announced(R12, "maladie") == [(100, 0, datetime(2026, 11, 26, 11, tzinfo=UTC))] * 4
    assert announced(R12, "greve") == [(0, None, None)] * 4
    assert announced(R12, None) == [(100, None, None)] * 4


def test_waiting_days_stay_due_even_with_the_proof() -> None:
    step = ProofStep(within_days=3, waiting_days=1)
    policy = AbsencePolicy(causes=(CauseRule(cause="maladie", steps=(step,)),))
    assert [proven for _due, proven, _until in announced(policy, "maladie")] == [100, 0, 0, 0]


def test_an_absence_told_in_time_needs_no_proof() -> None:
    rule = CauseRule(cause="maladie", told_before=SameDay(at=time(10)), first_days_due=1)
    assert announced(AbsencePolicy(causes=(rule,)), "maladie") == [(100, None, None), *[(0, None, None)] * 3]
