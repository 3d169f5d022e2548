"""Who may book: ages, levels, schools, residence, and who may book first (docs/algorithms/combinations.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from marelle.rules.decisions import Allowed, Decision, Reason, Refused


class Audience(StrEnum):
    """Families that may be given an earlier opening."""

    RESIDENTS = "residents"
    SIBLINGS = "siblings"
    WORKING_PARENTS = "working_parents"
    ENROLLED_BEFORE = "enrolled_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildFacts:
    """What eligibility needs to know of a child and its family; slugs for the school, names for level and class."""

    birth_date: date
    level: str | None = None
    class_name: str | None = None
    school: str | None = None
    resident: bool = False
    audiences: frozenset[Audience] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a child must be; whatever is not set refuses nobody. Ages are completed years, both included."""

    min_age: int | None = None
    max_age: int | None = None
    levels: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    schools: tuple[str, ...] = ()
    residents_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyOpening:
    """An instant (aware) from which some families may book."""

    who: Audience
    opens_at: datetime


def age_on(birth_date: date, day: date) -> int:
    """Completed years; who is born on 29 February turns a year older on 1 March in ordinary years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def eligible(criteria: Criteria, *, child: ChildFacts, day: date) -> Decision:
    """Whether the child meets the criteria on that day."""
    age = age_on(child.birth_date, day)
    if criteria.min_age is not None and age < criteria.min_age:
        return Refused(Reason.TOO_YOUNG, {"age": age, "min_age": criteria.min_age})
    if criteria.max_age is not None and age > criteria.max_age:
        return Refused(Reason.TOO_OLD, {"age": age, "max_age": criteria.max_age})
    if criteria.levels and child.level not in criteria.levels:
        return Refused(Reason.OTHER_LEVEL, {"levels": criteria.levels})
    if criteria.classes and child.class_name not in criteria.classes:
        return Refused(Reason.OTHER_CLASS, {"classes": criteria.classes})
    if criteria.schools and child.school not in criteria.schools:
        return Refused(Reason.OTHER_SCHOOL, {"sites": criteria.schools})
    if criteria.residents_only and not child.resident:
        return Refused(Reason.RESIDENTS_ONLY)
    return Allowed()


def group_for(groups: Sequence[tuple[str, Criteria]], *, child: ChildFacts, day: date) -> str | Refused:
    """The slug of the first group whose criteria the child meets, or why there is none."""
    refusals: list[Refused] = []
    for slug, criteria in groups:
        decision = eligible(criteria, child=child, day=day)
        if isinstance(decision, Allowed):
            return slug
        refusals.append(decision)
    if refusals and all(refusal.reason is refusals[0].reason for refusal in refusals):
        return _widest(refusals)
    levels = dict.fromkeys(level for _slug, criteria in groups for level in criteria.levels)
    return Refused(Reason.OTHER_LEVEL, {"levels": tuple(levels)})


def _widest(refusals: Sequence[Refused]) -> Refused:
    """Of refusals for one reason, the one that says the most generous bound."""
    first = refusals[0]
    if first.reason is Reason.TOO_YOUNG:
        return min(refusals, key=lambda refusal: int(str(refusal.facts["min_age"])))
    if first.reason is Reason.TOO_OLD:
        return max(refusals, key=lambda refusal: int(str(refusal.facts["max_age"])))
    return first


def own_opening(
    opens_at: datetime | None, early: Iterable[EarlyOpening], *, audiences: Collection[Audience]
) -> datetime | None:
    """The instant from which a family of these audiences may book; None when it always could."""
    if opens_at is None:
        return None
    return min([opens_at, *(opening.opens_at for opening in early if opening.who in audiences)])


def may_start(opens_at: datetime | None, early: Sequence[EarlyOpening], *, child: ChildFacts, at: datetime) -> Decision:
    """Whether the period is open for this child's family at that instant."""
    audiences = child.audiences | ({Audience.RESIDENTS} if child.resident else frozenset())
    own = own_opening(opens_at, early, audiences=audiences)
    if own is None or at >= own:
        return Allowed()
    if any(at >= opening.opens_at for opening in early):
        return Refused(Reason.PRIORITY_ONLY, {"opens": own})
    return Refused(Reason.NOT_OPEN_YET, {"opens": own})
