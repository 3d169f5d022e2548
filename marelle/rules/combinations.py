"""Which days and units go together (docs/algorithms/combinations.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from marelle.rules.decisions import Reason, Refused

#: A unit's slug on a day.
Line = tuple[date, str]


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
    """A rule that does not hold, the lines that it concerns, and the refusal to give for them."""

    rule: Combination
    lines: frozenset[Line]
    refused: Refused


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

    `open_days` gives each unit's open days of the period looked at; `locked` the lines that can no longer be booked,
    which "full weeks" does not ask for.
    """
    broken: list[Broken] = []
    for rule in rules:
        broken += _broken(rule, set(taken), open_days, set(locked))
    return broken


def tied(rules: Iterable[Combination], *, asked: Collection[Line]) -> list[frozenset[Line]]:
    """Split the lines asked for into sets that stand or fall together.

    Lines are tied when one rule speaks of both: of one week (full weeks, days per week), of one day (together), of
    days in a row (consecutive: days at most a week apart), or of the whole period. `Apart` ties nothing.
    """
    parent = {line: line for line in asked}

    def root(line: Line) -> Line:
        while parent[line] != line:
            line = parent[line]
        return line

    lines = sorted(asked)
    for rule in rules:
        for n, one in enumerate(lines):
            for other in lines[n + 1 :]:
                if _ties(rule, one, other):
                    parent[root(other)] = root(one)
    together: dict[Line, set[Line]] = {}
    for line in lines:
        together.setdefault(root(line), set()).add(line)
    return [frozenset(group) for group in together.values()]


def _ties(rule: Combination, one: Line, other: Line) -> bool:
    (day, unit), (other_day, other_unit) = one, other
    match rule:
        case FullWeek():
            return unit == other_unit and unit in rule.units and _week(day) == _week(other_day)
        case Consecutive():
            return unit == other_unit and unit in rule.units and abs((day - other_day).days) <= 7
        case DaysPer():
            both = unit in rule.units and other_unit in rule.units
            return both and rule.least is not None and (rule.per is Per.PERIOD or _week(day) == _week(other_day))
        case Together():
            ways = (unit in rule.units and other_unit in rule.needs) or (
                other_unit in rule.units and unit in rule.needs
            )
            return day == other_day and ways
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
            return _broken_runs(rule, taken, open_days)
        case DaysPer():
            return _broken_counts(rule, taken, open_days)
        case Together():
            alone = {(day, unit) for day, unit in taken if unit in rule.units} - {
                (day, unit) for day, _need in taken if _need in rule.needs for unit in rule.units
            }
            return [
                Broken(rule, frozenset({line}), Refused(Reason.NEEDS_UNIT, {"units": rule.needs}))
                for line in sorted(alone)
            ]
        case Apart():
            found = []
            for day in sorted({day for day, _unit in taken}):
                units = [unit for unit in rule.units if (day, unit) in taken]
                if len(units) > 1:
                    lines = frozenset((day, unit) for unit in units)
                    found.append(Broken(rule, lines, Refused(Reason.EXCLUDES_UNIT, {"units": tuple(units)})))
            return found


def _broken_weeks(
    rule: FullWeek, taken: set[Line], open_days: Mapping[str, Collection[date]], locked: set[Line]
) -> list[Broken]:
    found = []
    for unit in rule.units:
        for monday in sorted({_week(day) for day, known in taken if known == unit}):
            wanted = [day for day in sorted(open_days.get(unit, ())) if _week(day) == monday]
            missing = tuple(day for day in wanted if (day, unit) not in taken and (day, unit) not in locked)
            if missing:
                lines = frozenset((day, unit) for day in wanted if (day, unit) in taken)
                found.append(Broken(rule, lines, Refused(Reason.NEEDS_FULL_WEEK, {"missing": missing})))
    return found


def _broken_runs(rule: Consecutive, taken: set[Line], open_days: Mapping[str, Collection[date]]) -> list[Broken]:
    found: list[Broken] = []

    def judge(unit: str, run: Sequence[date]) -> None:
        if run and len(run) < rule.days:
            lines = frozenset((day, unit) for day in run)
            found.append(Broken(rule, lines, Refused(Reason.NEEDS_CONSECUTIVE_DAYS, {"days": rule.days})))

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


def _broken_counts(rule: DaysPer, taken: set[Line], open_days: Mapping[str, Collection[date]]) -> list[Broken]:
    opened = {day for unit in rule.units for day in open_days.get(unit, ())}
    mine = {(day, unit) for day, unit in taken if unit in rule.units}
    spans: dict[date | None, set[Line]] = {}
    for line in mine:
        spans.setdefault(_week(line[0]) if rule.per is Per.WEEK else None, set()).add(line)
    found = []
    for span, lines in sorted(spans.items(), key=lambda item: item[0] or date.min):
        days = len({day for day, _unit in lines})
        possible = len([day for day in opened if span is None or _week(day) == span])
        facts = {"per": rule.per.value}
        if rule.least is not None and days < min(rule.least, possible):
            found.append(Broken(rule, frozenset(lines), Refused(Reason.TOO_FEW_DAYS, {"days": rule.least, **facts})))
        if rule.most is not None and days > rule.most:
            found.append(Broken(rule, frozenset(lines), Refused(Reason.TOO_MANY_DAYS, {"days": rule.most, **facts})))
    return found
