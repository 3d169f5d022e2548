"""Which days and units go together (docs/algorithms/combinations.md)."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from marelle.rules.decisions import Reason, Refused

#: A unit's slug on a day.
Line = tuple[date, str]


#: The reasons for which days do not go together.
REASONS = frozenset(
    {
        Reason.NEEDS_FULL_WEEK,
        Reason.NEEDS_CONSECUTIVE_DAYS,
        Reason.TOO_FEW_DAYS,
        Reason.TOO_MANY_DAYS,
        Reason.NEEDS_UNIT,
        Reason.EXCLUDES_UNIT,
        Reason.TIED,
    }
)


class Per(StrEnum):
    WEEK = "week"
    PERIOD = "period"


@dataclass(frozen=True, slots=True, kw_only=True)
class FullWeek:
    """Each of the units is taken on every open day of a week, or on none."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consecutive:
    """Each of the units is taken at least `days` open days in a row."""

    units: tuple[str, ...]
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysPer:
    """At least and at most so many days, whatever the unit among these, per week or per period."""

    units: tuple[str, ...]
    per: Per = Per.WEEK
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Each of the units is taken only with one of `needs` on the same day."""

    units: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """At most one of the units on one day."""

    units: tuple[str, ...]


Combination = FullWeek | Consecutive | DaysPer | Together | Apart


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold, the lines that it concerns, and the refusal to give for them.

    `where`: what it does not hold for (a week, a day, a line…); `by`: how far from holding, in days or units.
    """

    rule: Combination
    lines: frozenset[Line]
    refused: Refused
    where: Hashable
    by: int

    @property
    def is_crowding(self) -> bool:
        """Whether there is too much, rather than too little."""
        return self.refused.reason in (Reason.EXCLUDES_UNIT, Reason.TOO_MANY_DAYS)


@dataclass(frozen=True, slots=True)
class Change:
    """A line that is asked for, or given back. `asked`: it is given back only once an agent agrees."""

    line: Line
    adds: bool
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a child stands in one period, before the changes.

    `taken`: what it has or waits an answer for; `leaving`: what it has asked to give back, without an answer yet;
    `elsewhere`: what its other home has booked; `locked`: the lines that the family cannot change any more;
    `open_days`: each unit's open days of the period.
    """

    taken: frozenset[Line] = frozenset()
    leaving: frozenset[Line] = frozenset()
    elsewhere: frozenset[Line] = frozenset()
    locked: frozenset[Line] = frozenset()
    open_days: Mapping[str, Collection[date]]


def apart_by_composition(parts: Mapping[str, Collection[str]]) -> tuple[Apart, ...]:
    """The rules that composed units carry by nature: never with a unit that shares one of their parts.

    `parts` gives each unit's component units (itself alone for a simple unit).
    """
    slugs = list(parts)
    return tuple(
        Apart(units=(one, other))
        for n, one in enumerate(slugs)
        for other in slugs[n + 1 :]
        if set(parts[one]) & set(parts[other])
    )


def broken_rules(
    rules: Iterable[Combination],
    *,
    taken: Collection[Line],
    open_days: Mapping[str, Collection[date]],
    locked: Collection[Line] = (),
) -> list[Broken]:
    """Return every rule that `taken`, what the child would have, breaks.

    `open_days` gives each unit's open days of the period looked at; `locked` the lines that can no longer be changed,
    of which "full weeks", "in a row" and "at least" ask nothing.
    """
    broken: list[Broken] = []
    for rule in rules:
        broken += _broken(rule, set(taken), open_days, set(locked))
    return broken


def refused_changes(
    rules: Sequence[Combination], *, standing: Standing, changes: Collection[Change], lost: Collection[Line] = ()
) -> dict[Line, Refused]:
    """The changes that the rules refuse, each with why: all those that together leave a rule more broken than before.
    `lost`: what was asked for with them and cannot be had for another reason.

    What is refused stays as it was, and the others are looked at again without it: lines that hold only together fall
    together. A rule that was broken before (an agent's exception) stops nothing that does not break it further.
    """
    kept = {change.line: change for change in changes}
    refused: dict[Line, Refused] = {}
    before = {(broken.rule, broken.where): broken.by for broken in _all_broken(rules, standing, ())}
    while kept:
        fallen = _left_alone(rules, kept.values(), {*refused, *lost})
        for broken in _all_broken(rules, standing, kept.values()):
            if broken.by > before.get((broken.rule, broken.where), 0):
                for change in _to_blame(broken, kept.values(), standing):
                    fallen.setdefault(change.line, _said(broken, standing))
        if not fallen:
            break
        for line, why in fallen.items():
            del kept[line]
            refused[line] = why
    return refused


def _all_broken(rules: Sequence[Combination], standing: Standing, changes: Collection[Change]) -> list[Broken]:
    """What would not hold, seen from the worst side: a line that waits to be given back still crowds, and no longer
    completes."""
    added = {change.line for change in changes if change.adds}
    given_back = {change.line for change in changes if not change.adds}
    still_there = {change.line for change in changes if change.asked}
    most = (standing.taken | standing.leaving | added) - (given_back - still_there)
    least = (standing.taken | added) - given_back
    found = []
    for rule in rules:
        crowded = most | standing.elsewhere if isinstance(rule, Apart) else most
        crowding = broken_rules([rule], taken=crowded, open_days=standing.open_days, locked=standing.locked)
        lacking = broken_rules([rule], taken=least, open_days=standing.open_days, locked=standing.locked)
        found += [broken for broken in crowding if broken.is_crowding]
        found += [broken for broken in lacking if not broken.is_crowding]
    return found


def _to_blame(broken: Broken, changes: Collection[Change], standing: Standing) -> list[Change]:
    """The changes without which the rule would not be more broken: those of its lines, and those tied to them."""
    if broken.is_crowding:
        found = [change for change in changes if change.adds and change.line in broken.lines]
    else:
        found = [
            change
            for change in changes
            if (change.adds and change.line in broken.lines)
            or (not change.adds and any(_ties(broken.rule, change.line, line, standing) for line in broken.lines))
        ]
    return found or [change for change in changes if change.line[1] in _units_of(broken.rule)]


def _left_alone(
    rules: Sequence[Combination], changes: Collection[Change], refused: Collection[Line]
) -> dict[Line, Refused]:
    """The lines given back only to make room, on one day, for another that was refused: they are kept."""
    kept = {change.line for change in changes if change.adds}
    alone: dict[Line, Refused] = {}
    for change in changes:
        day, unit = change.line
        others = [
            (day, other)
            for rule in rules
            if isinstance(rule, Apart) and unit in rule.units
            for other in rule.units
            if other != unit
        ]
        if not change.adds and any(line in refused for line in others) and not any(line in kept for line in others):
            instead = tuple(dict.fromkeys(other for _day, other in others if (day, other) in refused))
            alone[change.line] = Refused(Reason.TIED, {"units": instead})
    return alone


def _said(broken: Broken, standing: Standing) -> Refused:
    """The refusal; the other home's own word when it is alone in the way."""
    if broken.refused.reason is Reason.EXCLUDES_UNIT and broken.lines & standing.elsewhere:
        return Refused(Reason.OTHER_HOUSEHOLD)
    return broken.refused


def _units_of(rule: Combination) -> tuple[str, ...]:
    return (*rule.units, *rule.needs) if isinstance(rule, Together) else rule.units


def _ties(rule: Combination, one: Line, other: Line, standing: Standing) -> bool:
    """Whether the rule speaks of both lines at once: of one week, of one day, of days in a row, of the period."""
    (day, unit), (other_day, other_unit) = one, other
    match rule:
        case FullWeek():
            return unit == other_unit and _week(day) == _week(other_day)
        case Consecutive():
            days = sorted(standing.open_days.get(unit, ()))
            near = unit == other_unit and day in days and other_day in days
            return near and abs(days.index(day) - days.index(other_day)) < rule.days
        case DaysPer():
            return unit in rule.units and (rule.per is Per.PERIOD or _week(day) == _week(other_day))
        case Together():
            return day == other_day and unit in rule.needs
        case Apart():
            return False


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _broken(
    rule: Combination, taken: set[Line], open_days: Mapping[str, Collection[date]], locked: set[Line]
) -> list[Broken]:
    match rule:
        case FullWeek():
            return _broken_weeks(rule, taken, open_days, locked)
        case Consecutive():
            return _broken_runs(rule, taken, open_days, locked)
        case DaysPer():
            return _broken_counts(rule, taken, open_days, locked)
        case Together():
            alone = {(day, unit) for day, unit in taken if unit in rule.units} - {
                (day, unit) for day, _need in taken if _need in rule.needs for unit in rule.units
            }
            return [
                Broken(rule, frozenset({line}), Refused(Reason.NEEDS_UNIT, {"units": rule.needs}), line, 1)
                for line in sorted(alone)
            ]
        case Apart():
            found = []
            for day in sorted({day for day, _unit in taken}):
                units = [unit for unit in rule.units if (day, unit) in taken]
                if len(units) > 1:
                    lines = frozenset((day, unit) for unit in units)
                    refused = Refused(Reason.EXCLUDES_UNIT, {"units": tuple(units)})
                    found.append(Broken(rule, lines, refused, day, len(units) - 1))
            return found


def _broken_weeks(
    rule: FullWeek, taken: set[Line], open_days: Mapping[str, Collection[date]], locked: set[Line]
) -> list[Broken]:
    found = []
    for unit in rule.units:
        for monday in sorted({_week(day) for day, known in taken if known == unit}):
            wanted = [day for day in sorted(open_days.get(unit, ())) if _week(day) == monday]
            missing = tuple(day for day in wanted if (day, unit) not in taken and (day, unit) not in locked)
            lines = frozenset((day, unit) for day in wanted if (day, unit) in taken)
            if missing and not lines <= locked:
                refused = Refused(Reason.NEEDS_FULL_WEEK, {"missing": missing})
                found.append(Broken(rule, lines, refused, (unit, monday), len(missing)))
    return found


def _broken_runs(
    rule: Consecutive, taken: set[Line], open_days: Mapping[str, Collection[date]], locked: set[Line]
) -> list[Broken]:
    """One for each day of a run that is too short."""
    found: list[Broken] = []

    def judge(unit: str, run: Sequence[date]) -> None:
        lines = frozenset((day, unit) for day in run)
        if run and len(run) < rule.days and not lines <= locked:
            refused = Refused(Reason.NEEDS_CONSECUTIVE_DAYS, {"days": rule.days})
            found.extend(Broken(rule, lines, refused, line, rule.days - len(run)) for line in sorted(lines))

    for unit in rule.units:
        run: list[date] = []
        for day in sorted(open_days.get(unit, ())):
            if (day, unit) in taken:
                run.append(day)
            else:
                judge(unit, run)
                run = []
        judge(unit, run)
    return found


def _broken_counts(
    rule: DaysPer, taken: set[Line], open_days: Mapping[str, Collection[date]], locked: set[Line]
) -> list[Broken]:
    opened = {day for unit in rule.units for day in open_days.get(unit, ())}
    spans: dict[date | None, set[Line]] = {}
    for line in taken:
        if line[1] in rule.units:
            spans.setdefault(_week(line[0]) if rule.per is Per.WEEK else None, set()).add(line)
    found = []
    for span, mine in sorted(spans.items(), key=lambda item: item[0] or date.min):
        lines = frozenset(mine)
        days = len({day for day, _unit in lines})
        possible = len([day for day in opened if span is None or _week(day) == span])
        facts = {"per": rule.per.value}
        if rule.least is not None and days < (least := min(rule.least, possible)) and not lines <= locked:
            refused = Refused(Reason.TOO_FEW_DAYS, {"days": rule.least, **facts})
            found.append(Broken(rule, lines, refused, ("least", span), least - days))
        if rule.most is not None and days > rule.most:
            refused = Refused(Reason.TOO_MANY_DAYS, {"days": rule.most, **facts})
            found.append(Broken(rule, lines, refused, ("most", span), days - rule.most))
    return found
