"""What homes allow their children, of what the town asks: yes or no, each school year, each home for itself.

A child of two homes has a permission when every home that answered says yes, and one did.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import SchoolYear
from marelle.families.models import Child, Household, PermissionAnswer
from marelle.families.permissions import must_belong
from marelle.foundation.audit import record
from marelle.foundation.french import of_name
from marelle.rules.eligibility import age_on
from marelle.townfile.town import Permission, Town


@dataclass(frozen=True, slots=True)
class Permitted:
    """A permission for a child: every home's answer, by household."""

    permission: Permission
    answers: Mapping[int, PermissionAnswer]

    @property
    def is_given(self) -> bool:
        """What counts: yes from everybody who answered, and somebody did."""
        return bool(self.answers) and all(answer.allowed for answer in self.answers.values())

    def of(self, household: Household) -> PermissionAnswer | None:
        return self.answers.get(household.pk)


def asked_of(rules: Town, child: Child, *, on: date) -> list[Permission]:
    """The permissions that the town asks for a child of that age."""
    age = age_on(child.birth_date, on)
    return [one for one in rules.permissions if one.min_age is None or age >= one.min_age]


def permissions_of(
    children: Iterable[Child], *, rules: Town, school_year: SchoolYear | None, on: date
) -> dict[int, list[Permitted]]:
    """By child id, each permission asked of the child with what the homes answered: one query."""
    children = list(children)
    answers: dict[tuple[int, str], dict[int, PermissionAnswer]] = {}
    if school_year is not None:
        for answer in PermissionAnswer.objects.filter(
            child__in=children, school_year=school_year.label, household__residences__child=F("child")
        ):
            answers.setdefault((answer.child_id, answer.permission), {})[answer.household_id] = answer
    return {
        child.pk: [Permitted(one, answers.get((child.pk, one.slug), {})) for one in asked_of(rules, child, on=on)]
        for child in children
    }


@transaction.atomic
def answer_permissions(
    *,
    child: Child,
    household: Household,
    answers: Mapping[str, bool],
    names: Mapping[str, str],
    school_year: SchoolYear,
    by: User,
    at: datetime,
) -> int:
    """Write this home's answers, by the permission's slug (`names`: as families read them); how many were new or
    changed. Raises PermissionDenied."""
    must_belong(by, household, [child])
    list(Household.objects.select_for_update(no_key=True).filter(pk=household.pk).values_list("id"))
    kept = {
        answer.permission: answer
        for answer in PermissionAnswer.objects.filter(child=child, household=household, school_year=school_year.label)
    }
    changed = []
    for slug, allowed in answers.items():
        answer = kept.get(slug)
        if answer is not None and answer.allowed == allowed:
            continue
        if answer is None:
            answer = PermissionAnswer(child=child, household=household, permission=slug, school_year=school_year.label)
        answer.allowed, answer.answered_at, answer.answered_by = allowed, at, str(by)
        answer.save()
        changed.append(f"{names[slug]} : {_('oui') if allowed else _('non')}")
    if changed:
        record(
            at=at,
            by=by.actor(),
            action="permissions.answered",
            subject=child,
            household_id=household.pk,
            text=_("Autorisations %(child)s, %(year)s. %(answers)s.")
            % {"child": of_name(child.first_name), "year": school_year.label, "answers": ", ".join(changed)},
        )
    return len(changed)
