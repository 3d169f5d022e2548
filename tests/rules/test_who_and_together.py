"""Who may book, and which days go together."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marelle.rules.combinations import (
    Apart,
    Change,
    Combination,
    Consecutive,
    DaysPer,
    FullWeek,
    Line,
    Per,
    Standing,
    Together,
    apart_by_composition,
    broken_rules,
    refused_changes,
)
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.eligibility import (
    Audience,
    ChildFacts,
    Criteria,
    EarlyOpening,
    age_on,
    eligible,
    group_for,
    may_start,
)
from marelle.rules.recurrence import days_of_week_template

LINA = ChildFacts(birth_date=date(2020, 11, 23), level="CP", school="ecole", resident=True)
MONDAY = date(2026, 11, 23)
WEEK = [MONDAY + timedelta(days=n) for n in range(5)]
Lines = Collection[Line]


def test_a_child_is_a_year_older_on_its_birthday() -> None:
    assert age_on(LINA.birth_date, date(2026, 11, 22)) == 5
    assert age_on(LINA.birth_date, MONDAY) == 6
    assert age_on(date(2020, 2, 29), date(2026, 2, 28)) == 5
    assert age_on(date(2020, 2, 29), date(2026, 3, 1)) == 6


def test_the_group_follows_the_childs_age_on_the_day() -> None:
    groups = [("petits", Criteria(max_age=5)), ("grands", Criteria(min_age=6, max_age=11))]
    assert group_for(groups, child=LINA, day=date(2026, 11, 22)) == "petits"
    assert group_for(groups, child=LINA, day=MONDAY) == "grands"
    old = group_for(groups, child=LINA, day=date(2033, 1, 1))
    assert old == Refused(Reason.TOO_OLD, {"age": 12, "max_age": 11})


def test_each_criterion_says_what_is_missing() -> None:
    assert eligible(Criteria(min_age=7), child=LINA, day=MONDAY) == Refused(Reason.TOO_YOUNG, {"age": 6, "min_age": 7})
    assert eligible(Criteria(levels=("CE1",)), child=LINA, day=MONDAY) == Refused(
        Reason.OTHER_LEVEL, {"levels": ("CE1",)}
    )
    assert eligible(Criteria(schools=("autre",)), child=LINA, day=MONDAY) == Refused(
        Reason.OTHER_SCHOOL, {"sites": ("autre",)}
    )
    assert eligible(Criteria(residents_only=True), child=LINA, day=MONDAY) == Allowed()


def test_residents_book_a_week_before_the_others() -> None:
    # St-Jean-Bonnefonds: residents from 21 August 7:00, others from 28 August 7:00
    everybody = datetime(2026, 8, 28, 5, tzinfo=UTC)
    early = [EarlyOpening(who=Audience.RESIDENTS, opens_at=datetime(2026, 8, 21, 5, tzinfo=UTC))]
    from_outside = ChildFacts(birth_date=LINA.birth_date)
    between = datetime(2026, 8, 22, tzinfo=UTC)
    assert may_start(everybody, early, child=LINA, at=between) == Allowed()
    assert may_start(everybody, early, child=from_outside, at=between) == Refused(
        Reason.PRIORITY_ONLY, {"opens": everybody}
    )
    before = datetime(2026, 8, 20, tzinfo=UTC)
    assert may_start(everybody, early, child=LINA, at=before) == Refused(
        Reason.NOT_OPEN_YET, {"opens": early[0].opens_at}
    )
    assert may_start(everybody, early, child=from_outside, at=everybody) == Allowed()


def test_mornings_go_by_full_weeks() -> None:
    # Balmes Dauphinoises: mornings by full weeks only
    rule = FullWeek(units=("matin",))
    taken = {(day, "matin") for day in WEEK[:4]}
    (broken,) = broken_rules([rule], taken=taken, open_days={"matin": WEEK})
    assert broken.refused == Refused(Reason.NEEDS_FULL_WEEK, {"missing": (WEEK[4],)})
    assert broken.lines == taken
    assert broken_rules([rule], taken=taken, open_days={"matin": WEEK[:4]}) == []
    assert broken_rules([rule], taken=taken, open_days={"matin": WEEK}, locked={(WEEK[4], "matin")}) == []


def test_afternoons_go_by_two_days_in_a_row() -> None:
    rule = Consecutive(units=("soir",), days=2)
    alone = {(WEEK[0], "soir"), (WEEK[2], "soir"), (WEEK[3], "soir")}
    (broken,) = broken_rules([rule], taken=alone, open_days={"soir": WEEK})
    assert broken.lines == {(WEEK[0], "soir")}
    without_tuesday = [WEEK[0], *WEEK[2:]]
    assert broken_rules([rule], taken=alone, open_days={"soir": without_tuesday}) == [], (
        "closed days do not break a run"
    )


def test_days_are_counted_by_week_or_period() -> None:
    rule = DaysPer(units=("journee",), least=3, most=4)
    two = {(day, "journee") for day in WEEK[:2]}
    (few,) = broken_rules([rule], taken=two, open_days={"journee": WEEK})
    assert few.refused == Refused(Reason.TOO_FEW_DAYS, {"days": 3, "per": "week"})
    assert broken_rules([rule], taken=two, open_days={"journee": WEEK[:2]}) == [], "the week has only two open days"
    five = {(day, "journee") for day in WEEK}
    (many,) = broken_rules([rule], taken=five, open_days={"journee": WEEK})
    assert many.refused.reason is Reason.TOO_MANY_DAYS
    whole = DaysPer(units=("journee",), per=Per.PERIOD, most=4)
    assert len(broken_rules([whole], taken=five, open_days={"journee": WEEK})) == 1


def test_a_meal_goes_with_a_half_day_and_a_day_without_its_parts() -> None:
    meal = Together(units=("repas",), needs=("matin", "apres-midi"))
    (alone,) = broken_rules([meal], taken={(MONDAY, "repas")}, open_days={})
    assert alone.refused == Refused(Reason.NEEDS_UNIT, {"units": ("matin", "apres-midi")})
    assert broken_rules([meal], taken={(MONDAY, "repas"), (MONDAY, "matin")}, open_days={}) == []
    rules = apart_by_composition(
        {"matin": ("matin",), "apres-midi": ("apres-midi",), "journee": ("matin", "apres-midi")}
    )
    assert rules == (Apart(units=("matin", "journee")), Apart(units=("apres-midi", "journee")))
    both = {(MONDAY, "matin"), (MONDAY, "journee")}
    (apart,) = broken_rules(rules, taken=both, open_days={})
    assert apart.lines == both


def standing(
    *, taken: Lines = (), leaving: Lines = (), elsewhere: Lines = (), locked: Lines = (), **open_days: list[date]
) -> Standing:
    return Standing(
        taken=frozenset(taken),
        leaving=frozenset(leaving),
        elsewhere=frozenset(elsewhere),
        locked=frozenset(locked),
        open_days={unit.replace("_", "-"): days for unit, days in open_days.items()},
    )


def add(*lines: Line) -> list[Change]:
    return [Change(line, adds=True) for line in lines]


def give_back(*lines: Line, asked: bool = False) -> list[Change]:
    return [Change(line, adds=False, asked=asked) for line in lines]


def reasons(refused: dict[Line, Refused]) -> dict[Line, Reason]:
    return {line: why.reason for line, why in refused.items()}


def test_the_days_of_a_full_week_stand_or_fall_together() -> None:
    rules = [FullWeek(units=("matin",))]
    week = [(day, "matin") for day in WEEK]
    next_week = [(day + timedelta(days=7), "matin") for day in WEEK]
    free = standing(matin=[day for day, _unit in week + next_week], soir=WEEK)
    assert refused_changes(rules, standing=free, changes=add(*week, *next_week, (MONDAY, "soir"))) == {}
    some = refused_changes(rules, standing=free, changes=add(*week[:4], *next_week))
    assert reasons(some) == dict.fromkeys(week[:4], Reason.NEEDS_FULL_WEEK)
    assert some[week[0]].facts["missing"] == (WEEK[4],)
    booked = standing(taken=week, matin=WEEK)
    assert reasons(refused_changes(rules, standing=booked, changes=give_back(week[2]))) == {
        week[2]: Reason.NEEDS_FULL_WEEK
    }
    assert refused_changes(rules, standing=booked, changes=give_back(*week)) == {}
    late = standing(taken=week, locked=week[:2], matin=WEEK)
    assert refused_changes(rules, standing=late, changes=give_back(*week[2:])) == {}, "Monday and Tuesday are past"


def test_a_meal_falls_with_its_half_day() -> None:
    rules = [Together(units=("repas",), needs=("matin", "apres-midi")), Apart(units=("matin", "journee"))]
    meal, morning = (MONDAY, "repas"), (MONDAY, "matin")
    nothing = standing(matin=WEEK, repas=WEEK, journee=WEEK)
    assert refused_changes(rules, standing=nothing, changes=add(meal, morning)) == {}
    both = standing(taken=[meal, morning], matin=WEEK, repas=WEEK)
    assert reasons(refused_changes(rules, standing=both, changes=give_back(morning))) == {morning: Reason.NEEDS_UNIT}
    assert refused_changes(rules, standing=both, changes=give_back(morning, meal)) == {}
    day_booked = standing(taken=[(MONDAY, "journee")], matin=WEEK, repas=WEEK, journee=WEEK)
    fallen = refused_changes(rules, standing=day_booked, changes=add(meal, morning))
    assert reasons(fallen) == {morning: Reason.EXCLUDES_UNIT, meal: Reason.NEEDS_UNIT}


def test_a_swap_waits_for_the_answer_to_its_cancellation() -> None:
    rules = [Apart(units=("matin", "journee"))]
    morning, day = (MONDAY, "matin"), (MONDAY, "journee")
    booked = standing(taken=[morning], matin=WEEK, journee=WEEK)
    assert refused_changes(rules, standing=booked, changes=[*add(day), *give_back(morning)]) == {}
    asked = refused_changes(rules, standing=booked, changes=[*add(day), *give_back(morning, asked=True)])
    assert reasons(asked) == {day: Reason.EXCLUDES_UNIT, morning: Reason.TIED}, "nobody is left with nothing"
    leaving = standing(leaving=[morning], matin=WEEK, journee=WEEK)
    assert reasons(refused_changes(rules, standing=leaving, changes=add(day))) == {day: Reason.EXCLUDES_UNIT}
    other_home = standing(elsewhere=[morning], matin=WEEK, journee=WEEK)
    assert reasons(refused_changes(rules, standing=other_home, changes=add(day))) == {day: Reason.OTHER_HOUSEHOLD}


def test_an_agents_exception_stops_nothing_but_worse() -> None:
    lone = [(MONDAY, "journee")]
    rules = [DaysPer(units=("journee",), least=3, most=3)]
    exception = standing(taken=lone, journee=WEEK)
    assert refused_changes(rules, standing=exception, changes=add((WEEK[1], "journee"))) == {}, "it comes closer"
    assert refused_changes(rules, standing=exception, changes=give_back(*lone)) == {}, "nothing is left"
    four = [(day, "journee") for day in WEEK[:4]]
    crowded = standing(taken=four, journee=WEEK)
    assert refused_changes(rules, standing=crowded, changes=give_back(four[0])) == {}
    assert reasons(refused_changes(rules, standing=crowded, changes=add((WEEK[4], "journee")))) == {
        (WEEK[4], "journee"): Reason.TOO_MANY_DAYS
    }


def test_a_day_too_many_refuses_all_that_are_added_to_that_week() -> None:
    rules = [DaysPer(units=("journee",), most=3)]
    two = standing(taken=[(day, "journee") for day in WEEK[:2]], journee=WEEK)
    added = [(WEEK[2], "journee"), (WEEK[3], "journee")]
    assert set(refused_changes(rules, standing=two, changes=add(*added))) == set(added)


def test_a_run_is_broken_across_the_holidays_too() -> None:
    rules = [Consecutive(units=("mercredi",), days=2)]
    wednesdays = [date(2026, 10, 14), date(2026, 11, 4), date(2026, 11, 18)]
    both = standing(taken=[(day, "mercredi") for day in wednesdays[:2]], mercredi=wednesdays)
    gone = (wednesdays[0], "mercredi")
    assert reasons(refused_changes(rules, standing=both, changes=give_back(gone))) == {
        gone: Reason.NEEDS_CONSECUTIVE_DAYS
    }


UNITS = ("matin", "repas", "apres-midi", "journee")
SOME_RULES: list[Combination] = [
    Together(units=("repas",), needs=("matin", "apres-midi")),
    Apart(units=("matin", "journee")),
    Apart(units=("apres-midi", "journee")),
    DaysPer(units=("journee",), least=2, most=3),
    FullWeek(units=("apres-midi",)),
    Consecutive(units=("matin",), days=2),
]
some_lines = st.frozensets(st.tuples(st.sampled_from(WEEK), st.sampled_from(UNITS)), max_size=9)


@given(
    rules=st.lists(st.sampled_from(SOME_RULES), unique=True),
    taken=some_lines,
    leaving=some_lines,
    locked=some_lines,
    touched=some_lines,
    asked=st.booleans(),
)
def test_what_is_left_of_the_changes_breaks_nothing_further(
    rules: list[Combination],
    taken: frozenset[Line],
    leaving: frozenset[Line],
    locked: frozenset[Line],
    touched: frozenset[Line],
    asked: bool,
) -> None:
    taken -= leaving
    touched -= leaving | locked
    now = standing(
        taken=taken, leaving=leaving, locked=locked, matin=WEEK, repas=WEEK, apres_midi=WEEK[:4], journee=WEEK
    )
    changes = [Change(line, adds=line not in taken, asked=asked and line in taken) for line in sorted(touched)]
    refused = refused_changes(rules, standing=now, changes=changes)
    kept = [change for change in changes if change.line not in refused]
    assert set(refused) <= set(touched)
    assert not rules or refused_changes(rules, standing=now, changes=kept) == {}, "what is left can be sent as it is"
    if not rules:
        assert refused == {}
    after = (taken | {c.line for c in kept if c.adds}) - {c.line for c in kept if not c.adds}
    if not broken_rules(rules, taken=taken | leaving, open_days=now.open_days, locked=locked) and not leaving:
        assert broken_rules(rules, taken=after, open_days=now.open_days, locked=locked) == []


@given(
    weekdays=st.sets(st.integers(0, 6)),
    first=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    last=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    open_days=st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=60),
)
def test_a_typical_week_gives_the_open_days_ticked(
    weekdays: set[int], first: date, last: date, open_days: list[date]
) -> None:
    found = days_of_week_template(weekdays=weekdays, first=first, last=last, open_days=open_days)
    assert found == sorted(set(found))
    assert set(found) == {day for day in open_days if first <= day <= last and day.weekday() in weekdays}
