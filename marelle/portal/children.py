"""The children of a household as the families' pages show them: each with the badge that is theirs on every page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import ngettext

from marelle.families.models import Child, Household
from marelle.foundation.components.kids import Kid, kids


@dataclass(frozen=True, slots=True)
class HouseholdChild:
    child: Child
    kid: Kid

    @property
    def id(self) -> int:
        return self.child.pk

    @property
    def name(self) -> str:
        return self.child.first_name


def children_of(household: Household) -> list[HouseholdChild]:
    """Eldest first, school at hand: one query. Badges go by the order in which the children joined the household, so
    that a new child changes nobody's."""
    children = list(
        Child.objects.filter(residences__household=household).select_related("school").order_by("residences__id")
    )
    badges = kids([(str(child.pk), child.first_name) for child in children])
    found = [HouseholdChild(child, badge) for child, badge in zip(children, badges, strict=True)]
    return sorted(found, key=lambda one: (one.child.birth_date, one.child.pk))


def badges_of(children: Sequence[HouseholdChild]) -> dict[int, Kid]:
    return {one.id: one.kid for one in children}


def age_words(born: date, today: date) -> str:
    """ "8 ans", and "5 mois" before the second birthday."""
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if months < 24:
        return ngettext("%(n)d mois", "%(n)d mois", months) % {"n": months}
    return ngettext("%(n)d an", "%(n)d ans", months // 12) % {"n": months // 12}
