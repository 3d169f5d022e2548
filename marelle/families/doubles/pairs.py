"""The families that may be registered twice, two by two: those that agents look at, to merge them or to say that they
are not the same. The signs are `families.doubles.duplicates`'."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from marelle.families.doubles.duplicates import Sign, alike, digits
from marelle.families.models import DistinctHouseholds, Guardianship, Household, Residence
from marelle.families.spelling import place, plain
from marelle.foundation.audit import Actor, record

#: So many households that share one sign (a school's phone, a shelter's address) are no doubles.
CROWD = 6

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    first: Household
    second: Household
    signs: dict[Sign, list[str]]


def pairs(households: "QuerySet[Household]") -> list[Pair]:
    """The pairs among these households, those with most signs first. Homes that share a child are two homes of that
    child, and those that an agent said to be distinct are. Four queries."""
    homes = {home.pk: home for home in households}
    residences = list(Residence.objects.filter(household__in=homes).select_related("child"))
    adults = list(Guardianship.objects.filter(household__in=homes).select_related("guardian"))
    apart = {frozenset(ids) for ids in DistinctHouseholds.objects.values_list("one", "other")}
    shared: dict[int, set[int]] = defaultdict(set)
    for residence in residences:
        shared[residence.child_id].add(residence.household_id)
    for together in shared.values():
        apart |= {frozenset(two) for two in combinations(together, 2)}
    found: dict[frozenset[int], dict[Sign, list[str]]] = {}

    def liken(ids: Iterable[int], sign: Sign, name: str) -> None:
        alike_homes = sorted(set(ids))
        if len(alike_homes) > CROWD:
            return
        for two in combinations(alike_homes, 2):
            if frozenset(two) not in apart:
                names = found.setdefault(frozenset(two), {}).setdefault(sign, [])
                if name not in names:
                    names.append(name)

    _group(
        residences,
        key=lambda one: (plain(str(one.child)), one.child.birth_date),
        tell=lambda group: liken((one.household_id for one in group), Sign.CHILD, str(group[0].child)),
    )
    numbers: dict[str, list[Guardianship]] = defaultdict(list)
    for link in adults:
        for phone in (link.guardian.phone, link.guardian.other_phone):
            if len(digits(phone)) >= 9:
                numbers[digits(phone)].append(link)
    for group in numbers.values():
        if len({link.guardian_id for link in group}) > 1:
            liken((link.household_id for link in group), Sign.PHONE, str(group[0].guardian))

    def neighbours(group: Sequence[Guardianship]) -> None:
        for one, other in combinations(group, 2):
            if one.guardian_id != other.guardian_id and alike(str(one.guardian), str(other.guardian)):
                liken((one.household_id, other.household_id), Sign.ADULT, str(other.guardian))

    where = {pk: place(home.address, home.postcode, home.city) for pk, home in homes.items()}
    _group(
        (link for link in adults if where[link.household_id]), key=lambda one: where[one.household_id], tell=neighbours
    )
    return sorted(
        (Pair(first=homes[min(ids)], second=homes[max(ids)], signs=signs) for ids, signs in found.items()),
        key=lambda pair: (-len(pair.signs), pair.first.name, pair.first.pk, pair.second.pk),
    )


def _group(rows: Iterable[Row], *, key: Callable[[Row], object], tell: Callable[[list[Row]], None]) -> None:
    groups: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    for group in groups.values():
        if len(group) > 1:
            tell(group)


@transaction.atomic
def say_distinct(*, one: Household, other: Household, by: Actor, at: datetime) -> bool:
    """Say that two households are not the same: they are shown as a pair no more. Whether it was not said yet."""
    first, second = sorted((one, other), key=lambda home: home.pk)
    _said, is_new = DistinctHouseholds.objects.get_or_create(
        one=first, other=second, defaults={"said_at": at, "said_by": by.label}
    )
    if is_new:
        record(
            at=at,
            by=by,
            action="household.distinct",
            subject=first,
            text=_("Les familles %(one)s (n° %(first)d) et %(other)s (n° %(second)d) ne sont pas les mêmes.")
            % {"one": first.name, "first": first.pk, "other": second.name, "second": second.pk},
        )
    return is_new
