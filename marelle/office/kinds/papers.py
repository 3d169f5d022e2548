"""Documents to answer: each shown beside its line, with the end of validity that the town's rule proposes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from marelle.documents.labels import DOCUMENT_LOOKS, subject_words
from marelle.documents.models import SupportingDocument
from marelle.documents.permissions import documents_for
from marelle.documents.queries import find_paper
from marelle.documents.services.reviews import ends_of
from marelle.documents.services.undoing import answers_to_take_back
from marelle.foundation.files.verdicts import FileKind
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words, moment_words
from marelle.office.kinds.kind import Kind, Seen
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.rules.papers import DocumentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A document beside its line. `hidden`: it tells of health, and this agent may not read health."""

    line: RequestLine
    document: SupportingDocument | None
    name: str
    who: str
    facts: tuple[str, ...] = ()
    look: Look
    url: str = ""
    is_picture: bool = False
    end: date | None = None
    hidden: bool = False

    @property
    def waits(self) -> bool:
        return self.document is not None and self.document.state == DocumentState.TO_REVIEW


def pane(seen: Seen) -> dict[str, Any]:
    """Five queries at most, whatever the number of documents. `take_back`: the answers that this agent may take
    back."""
    lines = {line.pk: line for line in seen.lines}
    documents = list(
        documents_for(seen.agent, town=seen.town, at=seen.at)
        .filter(review__in=lines)
        .select_related("child", "guardian", "file", "line")
        .order_by("review__position")
    )
    known = {document.review_id: document for document in documents}
    ends = ends_of(documents, town=seen.town)
    answered = [document for document in documents if document.reviewed_at is not None]
    mine = answers_to_take_back(seen.agent, town=seen.town, at=seen.at).filter(review__in=lines) if answered else ()
    undone = {document.pk for document in mine}
    rows = [shown(line, known.get(line.pk), ends, seen) for line in seen.lines]
    return {
        "documents": rows,
        "take_back": [row for row in rows if row.document is not None and row.document.pk in undone],
        "number": seen.request.number,
    }


def shown(
    line: RequestLine, document: SupportingDocument | None, ends: Mapping[UUID, date | None], seen: Seen
) -> Shown:
    if document is None:
        who = line.child.first_name if line.child is not None else ""
        look = Look(_("Réservé"), "lock", "off")
        return Shown(line=line, document=None, name=line.label, who=who, look=look, hidden=True)
    paper = find_paper(seen.town, document.paper)
    facts = []
    if document.issued_on is not None:
        facts.append(_("daté du %(day)s") % {"day": day_words(document.issued_on, year=True)})
    if document.valid_until is not None and document.state == DocumentState.TO_REVIEW:
        facts.append(
            _("valable jusqu’au %(day)s d’après la famille") % {"day": day_words(document.valid_until, year=True)}
        )
    if document.line is not None and document.line.date is not None:
        facts.append(_("absence du %(day)s") % {"day": day_words(document.line.date)})
    facts.append(_("reçu le %(moment)s") % {"moment": moment_words(document.handed_at, seen.town.tz)})
    return Shown(
        line=line,
        document=document,
        name=f"{paper.name if paper is not None else document.paper} {document.school_year}".strip(),
        who=subject_words(child=document.child, guardian=document.guardian),
        facts=tuple(facts),
        look=DOCUMENT_LOOKS[DocumentState(document.state)],
        url=reverse("documents:file", args=[document.pk]) if document.file is not None else "",
        is_picture=document.file is not None and document.file.kind == FileKind.PICTURE,
        end=ends.get(document.pk),
    )


def details(data: QueryDict, line: RequestLine) -> dict[str, Any]:
    """The end that the agent read or corrected; nothing when the form does not say, and the rule's end is taken."""
    said = data.get(f"fin-{line.pk}")
    if said is None:
        return {}
    if data.get(f"toujours-{line.pk}"):
        return {"valid_until": None}
    try:
        day = parse_date(said[:10])
    except ValueError:
        day = None
    return {"valid_until": day} if day is not None else {}


def tag(request: FamilyRequest, pending: Sequence[RequestLine]) -> Look:
    return Look(_("À vérifier"), "file-text", "wait")


KIND = Kind(
    template="office/kinds/_papers.html",
    pane=pane,
    tag=tag,
    line_template="office/kinds/_paper_line.html",
    details=details,
    may_accept_several=False,
)
