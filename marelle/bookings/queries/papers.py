"""Which papers a home is asked for: those that the services of its children require, and where each stands."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from marelle.activities.models import Municipality, SchoolYear
from marelle.activities.queries import rules_of
from marelle.bookings.models import Absence, Enrolment
from marelle.documents.giving import Item
from marelle.documents.queries import Subject, find_paper, standing
from marelle.families.models import Child, Guardian, Household
from marelle.foundation.components.kids import Kid
from marelle.requests.models import RequestLine
from marelle.rules.lifecycles import EnrolmentState
from marelle.rules.papers import Standing
from marelle.townfile.town import Paper, PaperSubject

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


class Enrolled(NamedTuple):
    """An enrolment, as much of it as says which papers are required."""

    year: str
    child: int
    service: str
    service_name: str
    state: str

    @classmethod
    def of(cls, enrolment: Enrolment) -> "Enrolled":
        """Its child, service and year must be at hand."""
        service = enrolment.activity.service
        return cls(enrolment.school_year.label, enrolment.child_id, service.slug, service.short_name, enrolment.state)


def papers_asked(
    *,
    town: Municipality,
    household: Household,
    children: Sequence[Child],
    on: date,
    enrolled: Iterable[Enrolled] | None = None,
) -> list[AskedPaper]:
    """What the services of this year and of the next require of the home: one entry for each paper and subject, in the
    order of the town's papers, then of the children. `enrolled`: the home's enrolments of these years, for who has read
    them. A constant number of queries."""
    years = _required(town, _enrolled(household, on=on) if enrolled is None else enrolled)
    if not years:
        return []
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


def _enrolled(household: Household, *, on: date) -> Iterable[Enrolled]:
    rows = (
        Enrolment.objects.filter(household=household, state__in=ASKING, school_year__last_day__gte=on)
        .order_by("school_year__first_day", "activity__service__position", "activity__service_id")
        .values_list(
            "school_year__label", "child_id", "activity__service__slug", "activity__service__short_name", "state"
        )
    )
    return [Enrolled(*row) for row in rows]


def _required(town: Municipality, enrolled: Iterable[Enrolled]) -> Mapping[str, Mapping[int, Mapping[str, list[str]]]]:
    """By label of school year, by child, by paper: the names of the services that require it."""
    found: dict[str, dict[int, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for one in enrolled:
        if one.state not in ASKING:
            continue
        try:
            required = rules_of(town).service(one.service).requires.papers
        except KeyError:
            continue
        for paper in required:
            found[one.year][one.child][paper].append(one.service_name)
    return dict(sorted(found.items()))


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


class HomePapers:
    """A home and whom its papers may be about, read once: what it is asked for, and the items by which it is given.

    `children`: the home's, each with its badge where badges are shown."""

    def __init__(
        self, *, town: Municipality, household: Household, children: Sequence[tuple[Child, Kid | None]], at: datetime
    ) -> None:
        self.town, self.household, self.children, self.at = town, household, list(children), at
        self.today = at.astimezone(town.tz).date()

    @cached_property
    def guardians(self) -> list[Guardian]:
        adults = Guardian.objects.filter(guardianships__household=self.household)
        return list(adults.order_by("guardianships__position"))

    @cached_property
    def years(self) -> list[str]:
        """The labels of the school years that are not over, in order."""
        years = SchoolYear.objects.filter(last_day__gte=self.today, archived_at=None).order_by("first_day")
        return list(years.values_list("label", flat=True))

    def asked(self, *, enrolled: Iterable[Enrolled] | None = None) -> list[Item]:
        """What the services of its children require, each with where it stands (`papers_asked`)."""
        children = {child.pk: (child, kid) for child, kid in self.children}
        nobody: tuple[Child | None, Kid | None] = (None, None)
        items = []
        for one in papers_asked(
            town=self.town,
            household=self.household,
            children=[child for child, _kid in self.children],
            on=self.today,
            enrolled=enrolled,
        ):
            child, kid = children.get(one.subject.child or 0, nobody)
            items.append(
                Item(
                    paper=one.paper,
                    school_year=one.school_year,
                    child=child,
                    kid=kid,
                    guardian=next((known for known in self.guardians if known.pk == one.subject.guardian), None)
                    if one.subject.guardian
                    else None,
                    standing=one.standing,
                    services=one.services,
                )
            )
        return items

    def others(self) -> list[Item]:
        """Everything that the home may give, required or not, for this school year: the town's papers in their order,
        each for every subject that it is about."""
        found: list[Item] = []
        for paper in rules_of(self.town).papers:
            year = self.years[0] if paper.rule().each_year and self.years else ""
            if paper.rule().each_year and not year:
                continue
            match paper.about:
                case PaperSubject.CHILD:
                    found += [Item(paper=paper, school_year=year, child=one, kid=kid) for one, kid in self.children]
                case PaperSubject.GUARDIAN:
                    found += [Item(paper=paper, school_year=year, guardian=adult) for adult in self.guardians]
                case PaperSubject.HOUSEHOLD:
                    found.append(Item(paper=paper, school_year=year))
        return found

    def item_of(self, key: str) -> Item | None:
        """The item that a form or an address names; None when it is not this home's to give."""
        parts = key.split(".")
        if len(parts) != 4 or len(key) > 120:
            return None
        slug, who, year, line = parts
        paper = find_paper(self.town, slug)
        number = _number(who[1:])
        if paper is None or not who or year not in (self.years if paper.rule().each_year else ["-"]):
            return None
        child, kid = next(
            ((one, kid) for one, kid in self.children if who[0] == "c" and one.pk == number), (None, None)
        )
        guardian = next((one for one in self.guardians if who[0] == "g" and one.pk == number), None)
        fits = {
            PaperSubject.CHILD: child is not None,
            PaperSubject.GUARDIAN: guardian is not None,
            PaperSubject.HOUSEHOLD: who == "h",
        }[paper.about]
        if not fits:
            return None
        proven = None
        if line != "0":
            proven = absence_line(self.town, household=self.household, line_id=_number(line), paper=slug)
            if proven is None or child is None or proven.child_id != child.pk:
                return None
        return Item(
            paper=paper,
            school_year="" if year == "-" else year,
            child=child,
            kid=kid,
            guardian=guardian,
            line=proven,
        )


def _number(said: str) -> int:
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 18 else 0
