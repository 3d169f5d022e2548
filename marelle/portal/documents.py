"""The page of a home's documents: what it has to give, what it gave, and where each stands."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.activities.queries import rules_of
from marelle.bookings.queries.papers import HomePapers
from marelle.documents.giving import Item
from marelle.documents.labels import DOCUMENT_LOOKS, STANDING_LOOKS, subject_words
from marelle.documents.models import SupportingDocument
from marelle.documents.permissions import documents_of
from marelle.documents.queries import find_paper
from marelle.families.spelling import plain
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words
from marelle.portal.moments import near_moment_words
from marelle.rules import papers
from marelle.rules.papers import DocumentState, Handed, PaperState
from marelle.townfile.town import Paper, PaperSubject

PER_PAGE = 20
#: From how many documents on they are searched and sorted.
MANY = 6
#: How they are sorted: what the address says, and in which words.
ORDERS: dict[str, Promise] = {
    "": gettext_lazy("Les plus récents d’abord"),
    "nom": gettext_lazy("Par document"),
    "fin": gettext_lazy("Par fin de validité"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRow:
    document: SupportingDocument
    name: str
    who: str
    valid: str
    look: Look
    can_withdraw: bool
    again_url: str = ""  # where to give a refused one anew


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
    searched: bool  # whether there are enough of them for that
    others: tuple[Other, ...]

    def with_items(self, shown: Collection[Item]) -> "DocumentsPage":
        """The same, these items as they came out of a form in the place of theirs; those that it did not have first."""
        by_key = {item.key: item for item in shown}
        mine = [by_key.pop(item.key, item) for item in self.items]
        return replace(self, items=(*by_key.values(), *mine))


def documents_page(
    home: HomePapers, *, chosen: str = "", number: str | None = None, words: str = "", order: str = ""
) -> DocumentsPage:
    """`chosen`: the key of an item that the address names, shown first whatever is asked. `words`: only the documents
    whose row says all of them; `order`: one of `ORDERS`. A constant number of queries."""
    asked = home.asked()
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
    given = [_row(document, home) for document in documents]
    rows = [row for row in given if _says(row, words)] if words else given
    if order == "nom":
        rows.sort(key=lambda row: plain(f"{row.name} {row.who}"))
    elif order == "fin":
        rows.sort(key=lambda row: row.document.valid_until or date.max)
    page = Paginator(rows, PER_PAGE).get_page(number)
    return DocumentsPage(
        items=tuple(items),
        rows=tuple(page.object_list),
        page=page,
        searched=len(given) >= MANY,
        others=tuple(_other(paper, home) for paper in rules_of(home.town).papers if _can_give(paper, home)),
    )


def _says(row: GivenRow, words: str) -> bool:
    said = plain(f"{row.name} {row.who} {row.look.word}")
    return all(word in said for word in plain(words).split())


def _row(document: SupportingDocument, home: HomePapers) -> GivenRow:
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
        again_url=_again(document, paper, home),
    )


def _again(document: SupportingDocument, paper: Paper | None, home: HomePapers) -> str:
    """An older one may still hold, so that nothing asks for it: a refused one can be given anew all the same."""
    if document.state != DocumentState.REFUSED or document.line_id or paper is None or not _can_give(paper, home):
        return ""
    who = f"c{document.child_id}" if document.child_id else f"g{document.guardian_id}" if document.guardian_id else "h"
    year = home.years[0] if paper.rule().each_year else "-"
    return address_of(f"{paper.slug}.{who}.{year}.0")


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


def _can_give(paper: Paper, home: HomePapers) -> bool:
    return (paper.about is not PaperSubject.CHILD or bool(home.children)) and bool(
        home.years or not paper.rule().each_year
    )


def _other(paper: Paper, home: HomePapers) -> Other:
    year = home.years[0] if paper.rule().each_year else "-"
    subjects: list[tuple[str, str]]
    match paper.about:
        case PaperSubject.CHILD:
            subjects = [(f"c{child.pk}", child.first_name) for child, _kid in home.children]
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
