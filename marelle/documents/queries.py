"""Reading what homes handed in. Whatever is asked names the home that gave it: a document is never found through the
child alone."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.documents.models import SupportingDocument, TermsAcceptance
from marelle.families.models import Child, Household
from marelle.requests.models import Act
from marelle.rules import papers as rules
from marelle.rules.papers import NOTHING, DocumentState, Handed, Standing
from marelle.townfile.town import Paper, PaperSubject


class Subject(NamedTuple):
    """What is asked: a paper (its slug), of a child or of a guardian (ids), of the household when neither."""

    paper: str
    child: int | None = None
    guardian: int | None = None


def standing(
    *,
    town: Municipality,
    household: Household,
    children: Collection[Child],
    school_year: str,
    papers: Iterable[str],
    on: date,
) -> Mapping[Subject, Standing]:
    """Where each of these papers stands for the home on that day: one entry for each child, or for each guardian, or
    one for the household, as the paper is about. Slugs that the town does not know are left out.

    `school_year` is the label of the year that yearly papers are asked for. `Standing.key` is the document's id. One
    query, and one more for the guardians when a paper is about them, whatever the children and papers.
    """
    asked = [paper for slug in dict.fromkeys(papers) if (paper := find_paper(town, slug)) is not None]
    subjects = _subjects(asked, household, children)
    handed = _handed(household, asked, school_year)
    return {
        subject: rules.standing(paper.rule(), handed[subject], on=on) if subject in handed else NOTHING
        for paper in asked
        for subject in subjects[paper.slug]
    }


def find_paper(town: Municipality, slug: str) -> Paper | None:
    """The town's paper of that slug, None when its file does not (or no longer) say it."""
    try:
        return rules_of(town).paper(slug)
    except KeyError:
        return None


def _subjects(
    asked: Collection[Paper], household: Household, children: Collection[Child]
) -> Mapping[str, list[Subject]]:
    guardians: list[int] = []
    if any(paper.about is PaperSubject.GUARDIAN for paper in asked):
        guardians = list(household.guardianships.values_list("guardian_id", flat=True))
    found: dict[str, list[Subject]] = {}
    for paper in asked:
        match paper.about:
            case PaperSubject.CHILD:
                found[paper.slug] = [Subject(paper.slug, child=child.pk) for child in children]
            case PaperSubject.GUARDIAN:
                found[paper.slug] = [Subject(paper.slug, guardian=guardian) for guardian in guardians]
            case PaperSubject.HOUSEHOLD:
                found[paper.slug] = [Subject(paper.slug)]
    return found


def _handed(household: Household, asked: Collection[Paper], school_year: str) -> Mapping[Subject, list[Handed]]:
    yearly = [paper.slug for paper in asked if paper.rule().each_year]
    lasting = [paper.slug for paper in asked if not paper.rule().each_year]
    rows = (
        counted(household)
        .filter(Q(paper__in=lasting) | Q(paper__in=yearly, school_year=school_year))
        .order_by()
        .values_list("id", "paper", "child", "guardian", "state", "handed_at", "valid_until", "reason")
    )
    handed: dict[Subject, list[Handed]] = defaultdict(list)
    for id, paper, child, guardian, state, at, until, reason in rows:
        handed[Subject(paper, child, guardian)].append(
            Handed(key=id, state=DocumentState(state), at=at, valid_until=until, reason=reason)
        )
    return handed


def counted(household: Household) -> "QuerySet[SupportingDocument]":
    """The home's documents that say something of its papers: none that was replaced or withdrawn, no proof of absence
    (which speaks of that absence alone)."""
    return SupportingDocument.objects.filter(household=household).exclude(
        Q(state__in=(DocumentState.REPLACED, DocumentState.WITHDRAWN)) | Q(line__act=Act.ABSENT, line__isnull=False)
    )


def latest_of(documents: Collection[SupportingDocument], *, town: Municipality, on: date) -> Mapping[UUID, Standing]:
    """By document, where its paper stands on that day, for those of these documents that the standing is said of: not
    for one that another has taken the place of. One query."""
    homes: dict[tuple[int, str], dict[Subject, list[Handed]]] = defaultdict(lambda: defaultdict(list))
    rows = SupportingDocument.objects.filter(
        household__in={document.household_id for document in documents},
        paper__in={document.paper for document in documents},
        line=None,
    ).exclude(state__in=(DocumentState.REPLACED, DocumentState.WITHDRAWN))
    for row in rows:
        homes[row.household_id, row.school_year][Subject(row.paper, row.child_id, row.guardian_id)].append(_read(row))
    found: dict[UUID, Standing] = {}
    for (_home, _year), subjects in homes.items():
        for subject, handed in subjects.items():
            paper = find_paper(town, subject.paper)
            if paper is not None and handed:
                standing = rules.standing(paper.rule(), handed, on=on)
                if isinstance(standing.key, UUID):
                    found[standing.key] = standing
    return found


def _read(row: SupportingDocument) -> Handed:
    return Handed(
        key=row.pk, state=DocumentState(row.state), at=row.handed_at, valid_until=row.valid_until, reason=row.reason
    )


def accepted_terms(*, town: Municipality, household: Household, terms: Iterable[str]) -> frozenset[str]:
    """Those of these regulations (slugs) whose version of today the household accepted. One query."""
    versions = {known.slug: known.version for known in rules_of(town).terms}
    wanted = [slug for slug in terms if slug in versions]
    rows = TermsAcceptance.objects.filter(household=household, terms__in=wanted).values_list("terms", "version")
    return frozenset(slug for slug, version in rows if versions[slug] == version)
