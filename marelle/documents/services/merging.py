"""What merging two families asks of documents: one to review for a paper, one acceptance of a version."""

from collections.abc import Mapping
from datetime import datetime

from marelle.documents.models import SupportingDocument, TermsAcceptance
from marelle.families.doubles.merging import Merge, drop_clashes
from marelle.foundation.audit import Actor
from marelle.requests.models import RequestLine
from marelle.requests.services import close_lines
from marelle.rules.lifecycles import LineState
from marelle.rules.papers import DocumentState

#: The tables of this room where two rows could become one too many.
SETTLES = ("documents.SupportingDocument", "documents.TermsAcceptance")


def settle_clashes(*, merge: Merge, by: Actor, at: datetime) -> None:
    drop_clashes(TermsAcceptance, ("household", "terms", "version"), {"household": {merge.gone.pk: merge.kept.pk}})
    best: dict[tuple[object, ...], SupportingDocument] = {}
    older: list[SupportingDocument] = []
    for document in SupportingDocument.objects.filter(
        household__in=(merge.gone, merge.kept), state=DocumentState.TO_REVIEW
    ).order_by("-handed_at", "pk"):
        key = (
            document.paper,
            document.school_year,
            _moved(document.child_id, merge.children),
            _moved(document.guardian_id, merge.guardians),
            document.line_id,
        )
        if best.setdefault(key, document) is not document:
            older.append(document)
    reviews = [document.review_id for document in older if document.review_id is not None]
    for line in RequestLine.objects.filter(id__in=reviews, state=LineState.PENDING).select_related("request"):
        close_lines(line.request, [line], state=LineState.WITHDRAWN, by=by.label, at=at)
    SupportingDocument.objects.filter(pk__in=[document.pk for document in older]).update(
        state=DocumentState.REPLACED, ended_at=at
    )


def _moved(id: int | None, moves: Mapping[int, int]) -> int | None:
    return moves.get(id, id) if id is not None else None
