"""Which papers a home is asked for: those that the services of its children require, and where each stands."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.bookings.models import Absence, Enrolment
from marelle.documents.queries import Subject, find_paper, standing
from marelle.families.models import Child, Household
from marelle.requests.models import RequestLine
from marelle.rules.lifecycles import EnrolmentState
from marelle.rules.papers import Standing
from marelle.townfile.town import Paper

#: What a family asked for or has: a service that refused, or that it left, asks for nothing.
ASKING = (EnrolmentState.SUBMITTED, EnrolmentState.INCOMPLETE, EnrolmentState.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPaper:
    """A paper asked of the home. `school_year`: the label of the year that it is asked for, "" when it is not yearly;
    `services`: the names of those that require it, in order."""

    subject: Subject
    paper: Paper
    school_year: str
    services: tuple[str, ...]
    standing: Standing


def papers_asked(*, town: Municipality, household: Household, children: Sequence[Child], on: date) -> list[AskedPaper]:
    """What the services of this year and of the next require of the home: one entry for each paper and subject, in the
    order of the town's papers, then of the children. A constant number of queries."""
    years = _required(town, household, on=on)
    asked: dict[tuple[Subject, str], AskedPaper] = {}
    for year, services in years.items():
        papers = list(dict.fromkeys(slug for by_child in services.values() for slug in by_child))
        stands = standing(town=town, household=household, children=children, school_year=year, papers=papers, on=on)
        for subject, stand in stands.items():
            paper = find_paper(town, subject.paper)
            assert paper is not None
            wanting = [
                name
                for child, by_paper in services.items()
                if subject.child in (None, child)
                for name in by_paper.get(subject.paper, ())
            ]
            if not wanting:
                continue
            label = year if paper.rule().each_year else ""
            before = asked.get((subject, label))
            names = dict.fromkeys([*(before.services if before else ()), *wanting])
            asked[subject, label] = AskedPaper(
                subject=subject, paper=paper, school_year=label, services=tuple(names), standing=stand
            )
    order = {paper.slug: n for n, paper in enumerate(rules_of(town).papers)}
    child_order = {child.pk: n for n, child in enumerate(children)}
    return sorted(
        asked.values(),
        key=lambda one: (one.school_year, order[one.paper.slug], child_order.get(one.subject.child or 0, -1)),
    )


def _required(
    town: Municipality, household: Household, *, on: date
) -> Mapping[str, Mapping[int, Mapping[str, list[str]]]]:
    """By label of school year, by child, by paper: the names of the services that require it."""
    rules = rules_of(town)
    found: dict[str, dict[int, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    rows = (
        Enrolment.objects.filter(household=household, state__in=ASKING, school_year__last_day__gte=on)
        .order_by("school_year__first_day", "activity__service__position", "activity__service_id")
        .values_list("school_year__label", "child_id", "activity__service__slug", "activity__service__short_name")
    )
    for year, child, slug, name in rows:
        try:
            required = rules.service(slug).requires.papers
        except KeyError:
            continue
        for paper in required:
            found[year][child][paper].append(name)
    return found


def proof_paper(town: Municipality, *, service: str, cause: str) -> Paper | None:
    """The paper that proves an absence of this cause (slugs), None when the service asks for none."""
    try:
        causes = rules_of(town).service(service).absences.causes
    except KeyError:
        return None
    slug = next((known.paper for known in causes if known.cause == cause), None)
    return find_paper(town, slug) if slug else None


def absence_line(town: Municipality, *, household: Household, line_id: int, paper: str) -> RequestLine | None:
    """The line of the home's absence that this paper may prove, while the absence stands; None otherwise."""
    absence = (
        Absence.objects.filter(line=line_id, line__request__household=household, booking__isnull=False)
        .select_related("line__service", "line__child", "line__request")
        .first()
    )
    if absence is None or absence.line.service is None:
        return None
    wanted = proof_paper(town, service=absence.line.service.slug, cause=absence.cause)
    return absence.line if wanted is not None and wanted.slug == paper else None
