"""The page of a home's documents: what it has to give, what it gave, and where each stands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from marelle.activities.models import Municipality, SchoolYear
from marelle.activities.queries import rules_of
from marelle.bookings.queries.papers import AskedPaper, absence_line, papers_asked
from marelle.documents.giving import Item
from marelle.documents.labels import DOCUMENT_LOOKS, STANDING_LOOKS, subject_words
from marelle.documents.models import SupportingDocument
from marelle.documents.permissions import documents_of
from marelle.documents.queries import find_paper
from marelle.families.models import Guardian, Household
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words
from marelle.portal.children import HouseholdChild
from marelle.portal.moments import near_moment_words
from marelle.rules import papers
from marelle.rules.papers import DocumentState, Handed, PaperState
from marelle.townfile.town import Paper, PaperSubject

PER_PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRow:
    document: SupportingDocument
    name: str
    who: str
    valid: str
    look: Look
    can_withdraw: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A paper that nothing requires, which may be given all the same: its name, and where to give it for whom."""

    name: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsPage:
    items: tuple[Item, ...]
    rows: tuple[GivenRow, ...]
    page: "Page[Any]"
    others: tuple[Other, ...]

    def with_items(self, shown: Collection[Item]) -> "DocumentsPage":
        """The same, these items as they came out of a form in the place of theirs; those that it did not have first."""
        by_key = {item.key: item for item in shown}
        mine = [by_key.pop(item.key, item) for item in self.items]
        return replace(self, items=(*by_key.values(), *mine))


class Home:
    """A home and whom its papers may be about: read once, for the page and for its form."""

    def __init__(
        self, *, town: Municipality, household: Household, children: Sequence[HouseholdChild], at: datetime
    ) -> None:
        self.town, self.household, self.children, self.at = town, household, list(children), at
        self.today = at.astimezone(town.tz).date()
        self.guardians = list(
            Guardian.objects.filter(guardianships__household=household).order_by("guardianships__position")
        )
        self.years = [
            year.label
            for year in SchoolYear.objects.filter(last_day__gte=self.today, archived_at=None).order_by("first_day")
        ]

    def asked(self) -> list[AskedPaper]:
        return papers_asked(
            town=self.town,
            household=self.household,
            children=[one.child for one in self.children],
            on=self.today,
        )

    def item(self, one: AskedPaper) -> Item:
        child = next((known for known in self.children if known.id == one.subject.child), None)
        return Item(
            paper=one.paper,
            school_year=one.school_year,
            child=child.child if child else None,
            kid=child.kid if child else None,
            guardian=next((known for known in self.guardians if known.pk == one.subject.guardian), None),
            standing=one.standing,
            services=one.services,
        )

    def item_of(self, key: str) -> Item | None:
        """The item that a form or an address names; None when it is not this home's to give."""
        parts = key.split(".")
        if len(parts) != 4 or len(key) > 120:
            return None
        slug, who, year, line = parts
        paper = find_paper(self.town, slug)
        number = int(who[1:]) if who[1:].isascii() and who[1:].isdecimal() and len(who) < 19 else 0
        if paper is None or not (line.isascii() and line.isdecimal() and len(line) < 19):
            return None
        child = next((one for one in self.children if who[0] == "c" and one.id == number), None)
        guardian = next((one for one in self.guardians if who[0] == "g" and one.pk == number), None)
        fits = {
            PaperSubject.CHILD: child is not None,
            PaperSubject.GUARDIAN: guardian is not None,
            PaperSubject.HOUSEHOLD: who == "h",
        }[paper.about]
        if not fits or year not in (self.years if paper.rule().each_year else ["-"]):
            return None
        proven = None
        if line != "0":
            proven = absence_line(self.town, household=self.household, line_id=int(line), paper=slug)
            if proven is None or child is None or proven.child_id != child.id:
                return None
        return Item(
            paper=paper,
            school_year="" if year == "-" else year,
            child=child.child if child else None,
            kid=child.kid if child else None,
            guardian=guardian,
            line=proven,
        )


def documents_page(home: Home, *, chosen: str = "", number: str | None = None) -> DocumentsPage:
    """`chosen`: the key of an item that the address names, shown first whatever is asked. A constant number of
    queries."""
    asked = [home.item(one) for one in home.asked()]
    items = [item for item in asked if item.standing.to_do]
    extra = home.item_of(chosen) if chosen else None
    if extra is not None:
        known = next((item for item in asked if item.key == extra.key), extra)
        items = [known, *(item for item in items if item.key != extra.key)]
    documents = (
        documents_of(home.household)
        .exclude(state__in=(DocumentState.REPLACED, DocumentState.WITHDRAWN))
        .select_related("child", "guardian", "line")
        .order_by("-handed_at", "id")
    )
    page = Paginator(documents, PER_PAGE).get_page(number)
    return DocumentsPage(
        items=tuple(items),
        rows=tuple(_row(document, home) for document in page.object_list),
        page=page,
        others=tuple(_other(paper, home) for paper in rules_of(home.town).papers if _can_give(paper, home)),
    )


def _row(document: SupportingDocument, home: Home) -> GivenRow:
    paper = find_paper(home.town, document.paper)
    name = paper.name if paper is not None else document.paper
    who = subject_words(child=document.child, guardian=document.guardian)
    if document.line is not None and document.line.date is not None:
        who = _("%(name)s, absence du %(day)s") % {"name": who, "day": day_words(document.line.date)}
    sent = near_moment_words(document.handed_at, at=home.at, town=home.town)
    return GivenRow(
        document=document,
        name=f"{name} {document.school_year}".strip(),
        who=f"{who} · {_('envoyé')} {sent}" if not document.by_agent else f"{who} · {_('remis au service')} {sent}",
        valid=_valid_words(document, paper),
        look=_look(document, paper, today=home.today),
        can_withdraw=document.state == DocumentState.TO_REVIEW and not document.by_agent,
    )


def _valid_words(document: SupportingDocument, paper: Paper | None) -> str:
    if document.state == DocumentState.REFUSED:
        return document.reason
    if document.valid_until is not None:
        return _("Jusqu’au %(day)s") % {"day": day_words(document.valid_until, year=True)}
    if document.state != DocumentState.ACCEPTED:
        return ""
    return _("Pour cette absence") if document.line_id else _("Toujours")


def _look(document: SupportingDocument, paper: Paper | None, *, today: date) -> Look:
    state = DocumentState(document.state)
    if state is not DocumentState.ACCEPTED or paper is None:
        return DOCUMENT_LOOKS[state]
    handed = Handed(key=document.pk, state=state, at=document.handed_at, valid_until=document.valid_until)
    return STANDING_LOOKS[PaperState(papers.standing(paper.rule(), [handed], on=today).state)]


def _can_give(paper: Paper, home: Home) -> bool:
    return (paper.about is not PaperSubject.CHILD or bool(home.children)) and bool(
        home.years or not paper.rule().each_year
    )


def _other(paper: Paper, home: Home) -> Other:
    year = home.years[0] if paper.rule().each_year else "-"
    subjects: list[tuple[str, str]]
    match paper.about:
        case PaperSubject.CHILD:
            subjects = [(f"c{one.id}", one.name) for one in home.children]
        case PaperSubject.GUARDIAN:
            subjects = [(f"g{one.pk}", str(one)) for one in home.guardians]
        case PaperSubject.HOUSEHOLD:
            subjects = [("h", _("Toute la famille"))]
    return Other(
        name=paper.name,
        choices=tuple((words, address_of(f"{paper.slug}.{who}.{year}.0")) for who, words in subjects),
    )


def address_of(key: str) -> str:
    """Where a document of this key is given."""
    return f"{reverse('portal:documents')}?{urlencode({'donner': key})}#d-{key.replace('.', '_')}"
