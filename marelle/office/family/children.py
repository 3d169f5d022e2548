"""The children: school, diet, what marks them, their other home."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy, ngettext

from marelle.activities.queries import rules_of
from marelle.families.models import Child, Household, Residence
from marelle.families.queries import kids_of
from marelle.foundation.components.kids import Kid
from marelle.office.family.sight import Card, Mark, Sight

NO_SCHOOL = Mark(word=gettext_lazy("École à indiquer"), icon="school", css="wait")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRow:
    child: Child
    kid: Kid
    age: str
    school: str
    diet: str
    marks: Sequence[Mark]
    other_homes: Sequence[Household]


def children(sight: Sight) -> Card:
    """Two queries: the badges, and the other homes. Marks are asked of whoever has some."""
    from marelle.office.family.providers import MARKS

    found = [provider(sight) for provider in MARKS]
    kids = kids_of(sight.household)
    homes: dict[int, list[Household]] = {}
    for residence in (
        Residence.objects.filter(child__in=sight.children)
        .exclude(household=sight.household)
        .select_related("household")
        .order_by("household__name", "id")
    ):
        homes.setdefault(residence.child_id, []).append(residence.household)
    named = any(child.diet for child in sight.children)
    diets = {diet.slug: diet.name for diet in rules_of(sight.town).diets} if named else {}
    rows = [
        ChildRow(
            child=child,
            kid=kids[child.pk],
            age=age_words(child, sight),
            school=", ".join(str(part) for part in (child.level, child.class_name, child.school) if part),
            diet=diets.get(child.diet, child.diet),
            marks=[mark for marks in found for mark in marks.get(child.pk, ())],
            other_homes=homes.get(child.pk, []),
        )
        for child in sight.children
    ]
    return Card(
        template="office/families/cards/_children.html",
        facts={"rows": rows, "hidden": len(kids) - len(rows)},
    )


def age_words(child: Child, sight: Sight) -> str:
    born, today = child.birth_date, sight.today
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if months < 24:
        return ngettext("%(n)d mois", "%(n)d mois", months) % {"n": months}
    return ngettext("%(n)d an", "%(n)d ans", months // 12) % {"n": months // 12}


def without_school(sight: Sight) -> Mapping[int, Sequence[Mark]]:
    return {child.pk: [NO_SCHOOL] for child in sight.children if child.school_id is None}
