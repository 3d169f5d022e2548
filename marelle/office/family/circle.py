"""Who is around the children: who may fetch them, whom to call, what their homes allow."""

from dataclasses import dataclass

from marelle.activities.queries import rules_of
from marelle.families.circle.authorised import days_words
from marelle.families.circle.permission_answers import Permitted, permissions_of
from marelle.families.models import AuthorisedPerson, Child, EmergencyContact, Household
from marelle.families.queries import year_of
from marelle.foundation.sentences import list_words
from marelle.office.family.sight import Card, Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    person: AuthorisedPerson
    children: str
    days: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A permission of a child: what counts, and each home's answer when they are several."""

    name: str
    given: bool
    answers: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildPermissions:
    child: Child
    permissions: tuple[Allowed, ...]


def circle(sight: Sight) -> Card | None:
    """Six queries. Agents read the answers of both homes; the contacts and persons are this home's."""
    if not sight.children:
        return None
    seen = {child.pk for child in sight.children}
    fetchers = [
        Fetcher(
            person=person, children=list_words(c.first_name for c in person.children.all()), days=days_words(person)
        )
        for person in sight.household.authorised.filter(removed_at=None).prefetch_related("children")
        if seen & {child.pk for child in person.children.all()}
    ]
    contacts: list[EmergencyContact] = [
        contact
        for contact in sight.household.contacts.prefetch_related("children")
        if seen & {child.pk for child in contact.children.all()}
    ]
    asked: dict[int, list[Permitted]] = {}  # a town without a file yet asks nothing
    if sight.town.document_hash:
        year = year_of(sight.town, today=sight.today)
        asked = permissions_of(sight.children, rules=rules_of(sight.town), school_year=year, on=sight.today)
    homes = Household.objects.in_bulk(
        {home for permitted in asked.values() for one in permitted for home in one.answers}
    )
    return Card(
        template="office/families/cards/_circle.html",
        facts={
            "fetchers": fetchers,
            "contacts": contacts,
            "permissions": [
                ChildPermissions(
                    child=child,
                    permissions=tuple(
                        Allowed(
                            name=one.permission.name,
                            given=one.is_given,
                            answers=tuple((homes[home].name, answer.allowed) for home, answer in one.answers.items()),
                        )
                        for one in asked.get(child.pk, ())
                    ),
                )
                for child in sight.children
            ],
        },
    )
