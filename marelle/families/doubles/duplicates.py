"""Households that may be one and the same family: what an agent looks at before accepting a new one, or merging two.

Three signs, each a reason of its own: a child of the same names and birth date (or the same INE), a telephone number in
common, adults of alike names at one address. A child known to be in both homes is no sign: that is shared custody.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum

from django.db.models import Q

from marelle.families.models import Child, Guardian, Household
from marelle.families.spelling import place, plain

#: How alike two names must be, from 0 to 1: "Nadia Benali" and "Nadja Benalli" are (0.88).
ALIKE = 0.85


class Sign(StrEnum):
    CHILD = "child"
    PHONE = "phone"
    ADULT = "adult"


@dataclass(slots=True)
class Likeness:
    """A household that looks like another one, and why: for each sign, whose names show it."""

    household: Household
    signs: dict[Sign, list[str]] = field(default_factory=dict)

    def add(self, sign: Sign, name: str) -> None:
        names = self.signs.setdefault(sign, [])
        if name not in names:
            names.append(name)


def same_phone(one: str, other: str) -> bool:
    """Whether two numbers are one, however they are written: "+33 6 12 34 56 78" is "06.12.34.56.78"."""
    return len(digits(one)) >= 9 and digits(one) == digits(other)


def digits(phone: str) -> str:
    """A French number's nine digits after the zero; a foreign one whole."""
    only = re.sub(r"\D", "", phone)
    if len(only) == 10 and only[0] == "0":
        return only[1:]
    return re.sub(r"^(00)?33(0)?(?=\d{9}$)", "", only)


def alike(one: str, other: str) -> bool:
    """Whether two people's names are one, but for a slip or the order of first and last name."""
    first, second = sorted(plain(one).split()), sorted(plain(other).split())
    return first == second or SequenceMatcher(None, " ".join(first), " ".join(second)).ratio() >= ALIKE


def near_duplicates(household: Household) -> list[Likeness]:
    """The other households that may be the same family, those with most signs first. A constant number of queries."""
    adults = list(household.guardians.all())
    children = list(household.children.all())
    found: dict[int, Likeness] = {}

    def liken(homes: Iterable[Household], sign: Sign, name: str) -> None:
        for home in homes:
            if home.pk != household.pk:
                found.setdefault(home.pk, Likeness(home)).add(sign, name)

    own = {child.pk for child in children}
    births: dict[object, list[Child]] = defaultdict(list)
    wanted = Q(birth_date__in=[child.birth_date for child in children])
    wanted |= Q(ine__in=[child.ine for child in children if child.ine])
    for other in Child.objects.filter(wanted).exclude(pk__in=own).prefetch_related("households"):
        births[other.birth_date].append(other)
        for child in children:
            if child.ine and child.ine == other.ine:
                liken(other.households.all(), Sign.CHILD, str(other))
    for child in children:
        for other in births[child.birth_date]:
            if plain(str(child)) == plain(str(other)):
                liken(other.households.all(), Sign.CHILD, str(other))

    mine = {digits(phone) for adult in adults for phone in (adult.phone, adult.other_phone) if len(digits(phone)) >= 9}
    here = place(household.address, household.postcode, household.city)
    ids = {adult.pk for adult in adults}
    near = Q()
    if mine:
        # The last digits, as they stand in a number however it is spaced: narrows what is compared.
        for number in mine:
            near |= Q(phone__endswith=number[-2:]) | Q(other_phone__endswith=number[-2:])
    if here:
        near |= Q(households__postcode=household.postcode, households__city__iexact=household.city)
    if not near:
        return _ordered(found)
    for person in Guardian.objects.filter(near).exclude(pk__in=ids).distinct().prefetch_related("households"):
        homes = list(person.households.all())
        if mine & {digits(person.phone), digits(person.other_phone)}:
            liken(homes, Sign.PHONE, str(person))
        if here and any(alike(str(adult), str(person)) for adult in adults):
            at_one_place = [home for home in homes if place(home.address, home.postcode, home.city) == here]
            liken(at_one_place, Sign.ADULT, str(person))
    return _ordered(found)


def _ordered(found: dict[int, Likeness]) -> list[Likeness]:
    return sorted(found.values(), key=lambda one: (-len(one.signs), one.household.name, one.household.pk))
