"""What services require of the children of a home, and where each thing stands (docs/algorithms/prerequisites.md).

A constant number of queries, whatever the number of children and services; none for what no service requires.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from marelle.activities.models import Municipality, SchoolYear
from marelle.activities.queries import rules_of
from marelle.bookings.models import Enrolment
from marelle.documents.models import TermsAcceptance
from marelle.documents.queries import Subject, standing
from marelle.families.models import Child, Household
from marelle.families.queries import HealthState, health_standing
from marelle.rules import prerequisites as rules
from marelle.rules.decisions import Decision, Reason, Refused
from marelle.rules.lifecycles import EnrolmentState
from marelle.rules.papers import PaperState, Standing
from marelle.rules.prerequisites import Item, Kind, Known, Needs, Stage, State
from marelle.townfile.town import PaperSubject, ServiceKind, Town

_DOSSIER = {
    EnrolmentState.ACCEPTED: State.MET,
    EnrolmentState.SUBMITTED: State.WAITING,
    EnrolmentState.INCOMPLETE: State.INCOMPLETE,
    EnrolmentState.REFUSED: State.REFUSED,
}
_BEST_FIRST = (State.MET, State.WAITING, State.INCOMPLETE, State.REFUSED)
_HEALTH = {
    HealthState.UP_TO_DATE: State.MET,
    HealthState.OUTDATED: State.OUTDATED,
    HealthState.MISSING: State.MISSING,
}


@dataclass(frozen=True, kw_only=True)
class Prerequisites:
    """What is known of these children for one school year, ready to be asked service by service.

    `dossiers`: the enrolment that says where the school dossier of a child stands, by child id, when there is one of
    this home. `papers`: where each paper stands, by whom it is about.
    """

    town: Municipality
    school_year: SchoolYear
    on: date
    known: Mapping[int, Known]
    dossiers: Mapping[int, Enrolment]
    papers: Mapping[Subject, Standing]

    def items(
        self,
        *,
        child: int,
        service: str,
        stage: Stage = Stage.ASKING,
        answered: Collection[str] = (),
        wait_until: date | None = None,
    ) -> tuple[Item, ...]:
        """All that the service (its slug) requires of the child. `answered`: the questions that have their answer.
        `wait_until`: the last day of the papers that may wait; as of a send today when it is not said."""
        needs = needs_of(rules_of(self.town), service)
        known = self.known[child]
        if needs.may_wait and wait_until is None:
            wait_until = self.waits_until(service)
        return rules.read(
            needs,
            Known(
                dossier=known.dossier,
                health=known.health,
                papers=known.papers,
                answered=frozenset(answered),
                accepted_terms=known.accepted_terms,
                outdated_terms=known.outdated_terms,
            ),
            stage=stage,
            on=self.on,
            wait_until=wait_until,
        )

    def waits_until(self, service: str) -> date | None:
        """Until when the papers of the service that may wait would, were it asked for today; None without any."""
        needs = needs_of(rules_of(self.town), service)
        if not needs.may_wait:
            return None
        return rules.waits_until(sent_on=self.on, year_begins=self.school_year.first_day, days=needs.wait_days)

    def decide(self, items: Iterable[Item]) -> Decision:
        """The rule's decision, with the names of what it speaks of instead of their slugs."""
        return named(rules.decide(items), rules_of(self.town))


def named(decision: Decision, town: Town) -> Decision:
    if not isinstance(decision, Refused):
        return decision
    if decision.reason is Reason.MISSING_PAPER:
        names = {paper.slug: paper.name for paper in town.papers}
        return Refused(decision.reason, {"papers": _names(decision.facts["papers"], names)})
    if decision.reason is Reason.ANSWER_MISSING:
        names = {question.slug: question.label for question in town.questions}
        return Refused(decision.reason, {"questions": _names(decision.facts["questions"], names)})
    return decision


def _names(slugs: object, names: Mapping[str, str]) -> tuple[str, ...]:
    assert isinstance(slugs, tuple)
    return tuple(names.get(slug, slug) for slug in slugs)


def needs_of(town: Town, service: str) -> Needs:
    """What the service requires; nothing for one that the town's document has dropped."""
    try:
        return town.needs_of(town.service(service))
    except KeyError:
        return Needs()


def school_services(town: Town) -> frozenset[str]:
    """The services in which a child gets its place at a school."""
    return frozenset(service.slug for service in town.services if service.kind is ServiceKind.SCHOOL)


def load_prerequisites(
    *,
    town: Municipality,
    household: Household,
    children: Sequence[Child],
    school_year: SchoolYear,
    services: Iterable[str],
    on: date,
) -> Prerequisites:
    """Read what these services (slugs) require of these children: at most five queries."""
    document = rules_of(town)
    all_needs = [needs_of(document, service) for service in services]
    papers = list(dict.fromkeys(slug for needs in all_needs for slug in needs.papers))
    terms = {slug for needs in all_needs for slug in needs.terms}
    dossiers: dict[int, Enrolment] = {}
    dossier_states: dict[int, State] = {}
    if children and any(needs.dossier for needs in all_needs):
        dossiers, dossier_states = _dossiers(document, household, children, school_year)
    health: dict[int, State] = {}
    if children and any(needs.health for needs in all_needs):
        found = health_standing(children, school_year, today=on)
        health = {child: _HEALTH[said.state] for child, said in found.items()}
    standings: Mapping[Subject, Standing] = {}
    if children and papers:
        standings = standing(
            town=town, household=household, children=children, school_year=school_year.label, papers=papers, on=on
        )
    accepted: frozenset[str] = frozenset()
    outdated: frozenset[str] = frozenset()
    if terms:
        accepted, outdated = _terms(document, household, terms)
    return Prerequisites(
        town=town,
        school_year=school_year,
        on=on,
        known={
            child.pk: Known(
                dossier=dossier_states.get(child.pk, State.MISSING),
                health=health.get(child.pk, State.MISSING),
                papers=_papers_of(child, papers, standings),
                accepted_terms=accepted,
                outdated_terms=outdated,
            )
            for child in children
        },
        dossiers=dossiers,
        papers=standings,
    )


def subjects_of(paper: str, child: int, standings: Mapping[Subject, Standing]) -> list[Subject]:
    """For whom a paper is asked when a child needs it: the child, the household, or each of its guardians."""
    return [subject for subject in standings if subject.paper == paper and subject.child in (None, child)]


def is_of_child(town: Town, paper: str) -> bool:
    return town.paper(paper).about is PaperSubject.CHILD


def _papers_of(child: Child, papers: Iterable[str], standings: Mapping[Subject, Standing]) -> dict[str, PaperState]:
    return {
        slug: rules.worst(standings[subject].state for subject in subjects_of(slug, child.pk, standings))
        for slug in papers
    }


def _dossiers(
    document: Town, household: Household, children: Sequence[Child], school_year: SchoolYear
) -> tuple[dict[int, Enrolment], dict[int, State]]:
    """A place at school is the child's, whichever home asked for it; what was not accepted is its own home's alone."""
    mine: dict[int, Enrolment] = {}
    states: dict[int, State] = {}
    rows = (
        Enrolment.objects.filter(
            child__in=[child.pk for child in children],
            school_year=school_year,
            activity__service__slug__in=school_services(document),
            state__in=list(_DOSSIER),
        )
        .select_related("activity__service", "activity__site", "line__request")
        .order_by("id")
    )
    for row in rows:
        if row.household_id != household.pk and row.state != EnrolmentState.ACCEPTED:
            continue
        state = _DOSSIER[EnrolmentState(row.state)]
        before = states.get(row.child_id)
        if before is None or _BEST_FIRST.index(state) <= _BEST_FIRST.index(before):
            states[row.child_id] = state
            if row.household_id == household.pk:
                mine[row.child_id] = row
    return mine, states


def _terms(document: Town, household: Household, terms: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    versions = {known.slug: known.version for known in document.terms}
    rows = list(
        TermsAcceptance.objects.filter(household=household, terms__in=terms).order_by().values_list("terms", "version")
    )
    accepted = frozenset(slug for slug, version in rows if versions.get(slug) == version)
    return accepted, frozenset(slug for slug, _version in rows) - accepted


def booking_refusals(*, town: Municipality, enrolments: Sequence[Enrolment], on: date) -> Mapping[int, Refused]:
    """By enrolment id, why no day may be booked under it now though it was accepted: something that ends by itself has
    ended, or a paper that could wait is due. No query for services that require nothing of the kind."""
    document = rules_of(town)
    held: dict[tuple[int, int], list[Enrolment]] = {}
    for enrolment in enrolments:
        needs = needs_of(document, enrolment.activity.service.slug)
        if needs.health or needs.dossier or needs.papers:
            held.setdefault((enrolment.household_id, enrolment.school_year_id), []).append(enrolment)
    refusals: dict[int, Refused] = {}
    for group in held.values():
        found = load_prerequisites(
            town=town,
            household=group[0].household,
            children=list({e.child_id: e.child for e in group}.values()),
            school_year=group[0].school_year,
            services={e.activity.service.slug for e in group},
            on=on,
        )
        for enrolment in group:
            items = found.items(
                child=enrolment.child_id,
                service=enrolment.activity.service.slug,
                stage=Stage.BOOKING,
                wait_until=enrolment.papers_due or date.max,
            )
            decision = found.decide(items)
            if isinstance(decision, Refused):
                refusals[enrolment.pk] = decision
    return refusals


__all__ = [
    "Item",
    "Kind",
    "Prerequisites",
    "Stage",
    "State",
    "booking_refusals",
    "is_of_child",
    "load_prerequisites",
    "named",
    "needs_of",
    "school_services",
    "subjects_of",
]
