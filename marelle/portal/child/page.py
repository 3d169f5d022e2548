"""A child's page: what the town knows of them, what their home says, and what waits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.bookings.models import Enrolment
from marelle.families.circle.authorised import KEPT, days_words
from marelle.families.circle.permission_answers import Permitted, permissions_of
from marelle.families.labels import Look
from marelle.families.models import AuthorisedPerson, EmergencyContact, Guardianship, HealthFile, Household
from marelle.families.queries import HealthStanding, HealthState, health_standing, year_of
from marelle.foundation.sentences import day_words
from marelle.portal.children import HouseholdChild, age_words
from marelle.requests.corrections import Pending, pending_corrections, pending_of
from marelle.rules.lifecycles import EnrolmentState

HEALTH_LOOKS = {
    HealthState.MISSING: Look(gettext_lazy("À remplir"), "circle-alert", "stop"),
    HealthState.OUTDATED: Look(gettext_lazy("À confirmer"), "triangle-alert", "wait"),
    HealthState.UP_TO_DATE: Look(gettext_lazy("À jour"), "circle-check", "ok"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Somebody who may fetch the child. `days`: when, "" for always; `over`: those days are past."""

    person: AuthorisedPerson
    days: str
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A permission as the home reads it. `own`: its answer, None without; never the other home's."""

    permitted: Permitted
    own: bool | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildPage:
    one: HouseholdChild
    about: str
    services: tuple[str, ...]
    diets: bool
    diet: str
    diet_waiting: Pending | None
    health: HealthStanding
    health_look: Look
    health_words: str
    adults: tuple[Guardianship, ...]
    fetchers: tuple[Fetcher, ...]
    removed: tuple[AuthorisedPerson, ...]
    permissions: tuple[Answered, ...]
    contacts: tuple[tuple[int, EmergencyContact], ...]  # with their rank, after the adults

    @property
    def unanswered(self) -> bool:
        return any(answered.own is None for answered in self.permissions)


def child_page(
    *, town: Municipality, household: Household, one: HouseholdChild, today: date, at: datetime
) -> ChildPage:
    """Eight queries. The health file is not opened."""
    rules, child = rules_of(town), one.child
    year = year_of(town, today=today)
    health = (
        health_standing([child], year, today=today)[child.pk]
        if year is not None
        else HealthStanding(HealthState.UP_TO_DATE)
    )
    people = list(AuthorisedPerson.objects.filter(household=household, children=child).order_by("created_at", "id"))
    adults = tuple(household.guardianships.select_related("guardian").order_by("position", "id"))
    asked = permissions_of([child], rules=rules, school_year=year, on=today)[child.pk]
    return ChildPage(
        one=one,
        about=" · ".join(
            filter(
                None,
                [age_words(child.birth_date, today), ", ".join(filter(None, [child.level, str(child.school or "")]))],
            )
        ),
        services=tuple(services_of(household, [one.id], today=today).get(one.id, ())),
        diets=bool(rules.diets),
        diet_waiting=pending_of(pending_corrections(household), child).get("diet"),
        diet=next((diet.name for diet in rules.diets if diet.slug == child.diet), child.diet),
        health=health,
        health_look=HEALTH_LOOKS[health.state],
        health_words=_confirmed_words(one, town=town),
        adults=adults,
        fetchers=tuple(_fetcher(person, today=today) for person in people if person.removed_at is None),
        removed=tuple(person for person in people if person.removed_at and person.removed_at > at - KEPT),
        permissions=tuple(_answered(permitted, household, town=town) for permitted in asked),
        contacts=tuple(enumerate(household.contacts.filter(children=child), start=len(adults) + 1)),
    )


def services_of(household: Household, children: Collection[int], *, today: date) -> dict[int, list[str]]:
    """The services in which these children are enrolled by this home, by child id."""
    found: dict[int, list[str]] = {}
    for child_id, name in (
        Enrolment.objects.filter(
            household=household,
            child__in=children,
            state=EnrolmentState.ACCEPTED,
            school_year__last_day__gte=today,
        )
        .order_by("activity__service__position", "activity__service_id")
        .values_list("child_id", "activity__service__name")
    ):
        if name not in found.setdefault(child_id, []):
            found[child_id].append(name)
    return found


def _confirmed_words(one: HouseholdChild, *, town: Municipality) -> str:
    file = HealthFile.objects.filter(child=one.child).only("confirmed_at", "school_year").first()
    if file is None:
        return _("Sans elle, votre enfant ne peut pas être inscrit aux services qui la demandent.")
    facts = {"day": day_words(file.confirmed_at.astimezone(town.tz).date(), year=True), "year": file.school_year}
    if not file.school_year:
        return _("Confirmée le %(day)s.") % facts
    return _("Confirmée le %(day)s, pour l’année %(year)s.") % facts


def _fetcher(person: AuthorisedPerson, *, today: date) -> Fetcher:
    return Fetcher(person=person, days=days_words(person), over=bool(person.last_day and person.last_day < today))


def _answered(permitted: Permitted, household: Household, *, town: Municipality) -> Answered:
    own = permitted.of(household)
    if own is None:
        return Answered(permitted=permitted, own=None, said=_("Pas encore de réponse cette année"))
    day = day_words(own.answered_at.astimezone(town.tz).date(), year=True)
    said = _("Répondu le %(day)s par %(name)s") % {"day": day, "name": own.answered_by}
    return Answered(permitted=permitted, own=own.allowed, said=said)


def others(children: Sequence[HouseholdChild], one: HouseholdChild) -> list[HouseholdChild]:
    return [other for other in children if other.id != one.id]
