"""What is to do about the children themselves: health files to fill in or confirm, permissions to answer. Nothing of
what a file holds, nor that there is a PAI, is said here: the page asks for no password."""

from collections.abc import Iterable
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.activities.queries import rules_of
from marelle.families.circle.permission_answers import permissions_of
from marelle.families.queries import HealthState, health_standing, year_of
from marelle.foundation.sentences import list_words
from marelle.portal.children import HouseholdChild
from marelle.portal.home.glance import Glance
from marelle.portal.home.todo import Todo

#: How long before a plan ends the family is told to look at the file.
PLAN_ENDS = timedelta(days=30)


def health_to_tell(glance: Glance) -> Iterable[Todo]:
    """Where a service of the town requires it: files never filled in, then those of another school year, then those
    with a date that nears. The page that it leads to says which child comes next."""
    rules, year = rules_of(glance.town), year_of(glance.town, today=glance.today)
    if year is None or not glance.children or not any(one.requires.health_file for one in rules.services):
        return
    standings = health_standing([one.child for one in glance.children], year, today=glance.today)
    missing = [one for one in glance.children if standings[one.id].state is HealthState.MISSING]
    outdated = [one for one in glance.children if standings[one.id].state is HealthState.OUTDATED]
    ending = [
        one
        for one in glance.children
        if standings[one.id].is_up_to_date
        and (until := standings[one.id].plan_until) is not None
        and until < glance.today + PLAN_ENDS
    ]
    if missing:
        yield _todo(
            missing,
            title=_("Remplissez la fiche santé : %(names)s"),
            text=_("Sans elle, rien ne peut être demandé aux services qui l’exigent."),
            url=reverse("portal:edit_health", args=[missing[0].id]),
            action=_("Remplir"),
        )
    if outdated:
        yield _todo(
            outdated,
            title=_("Confirmez la fiche santé : %(names)s"),
            text=_("Une minute si rien n’a changé depuis l’année dernière."),
            url=reverse("portal:health", args=[outdated[0].id]),
            action=_("Confirmer"),
        )
    if ending:
        yield _todo(
            ending,
            title=_("Relisez la fiche santé : %(names)s"),
            text=_("Une date qui y est indiquée approche ou est passée."),
            url=reverse("portal:health", args=[ending[0].id]),
            action=_("Relire"),
        )


def permissions_to_answer(glance: Glance) -> Iterable[Todo]:
    """Each school year, for the children of a home who are in a service."""
    rules, year = rules_of(glance.town), year_of(glance.town, today=glance.today)
    enrolled = {enrolment.child_id for enrolment in glance.enrolments}
    children = [one for one in glance.children if one.id in enrolled]
    if year is None or not children or not rules.permissions:
        return
    asked = permissions_of([one.child for one in children], rules=rules, school_year=year, on=glance.today)
    waiting = [one for one in children if any(said.of(glance.household) is None for said in asked[one.id])]
    if waiting:
        yield Todo(
            title=_("Répondez aux autorisations : %(names)s") % {"names": list_words(one.name for one in waiting)},
            text=_("Photos, soins urgents, départ : pour l’année %(year)s.") % {"year": year.label},
            icon="clipboard-list",
            url=reverse("portal:permissions", args=[waiting[0].id]),
            action=_("Répondre"),
            hidden=_(" aux autorisations : %(name)s") % {"name": waiting[0].name},
        )


def _todo(children: list[HouseholdChild], *, title: str, text: str, url: str, action: str) -> Todo:
    return Todo(
        title=title % {"names": list_words(one.name for one in children)},
        text=text,
        icon="heart-pulse",
        url=url,
        action=action,
        hidden=_(" la fiche santé : %(name)s") % {"name": children[0].name},
    )
