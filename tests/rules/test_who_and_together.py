"""Who may book, and which days go together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marelle.rules.combinations import (
    Apart,
    Consecutive,
    DaysPer,
    FullWeek,
    Per,
    Together,
    apart_by_composition,
    broken_rules,
    tied,
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


def test_lines_of_one_rule_stand_or_fall_together() -> None:
    week = {(day, "matin") for day in WEEK}
    next_week = {(day + timedelta(days=7), "matin") for day in WEEK}
    other = {(MONDAY, "soir")}
    groups = tied([FullWeek(units=("matin",))], asked=week | next_week | other)
    assert sorted(groups, key=len) == sorted([frozenset(other), frozenset(week), frozenset(next_week)], key=len)
    assert tied([], asked=week) == [frozenset({line}) for line in sorted(week)]


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
