"""What a family asked through one of the town's request types: its form, its papers. Its messages stand below, as on
any request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.accounts.models import AgentRole, User
from marelle.documents.labels import DOCUMENT_LOOKS
from marelle.documents.permissions import documents_for
from marelle.documents.queries import find_paper
from marelle.foundation.look import Look
from marelle.office.kinds.kind import Kind, Seen
from marelle.office.refusals import QUESTION_REFUSALS
from marelle.requests.labels import answer_words
from marelle.requests.models import FamilyRequest
from marelle.requests.services import Answer, Unsettled, Verdict, answer
from marelle.requests.thread import log_reading, read_form, reads
from marelle.rules.papers import DocumentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    name: str
    look: Look
    url: str


def pane(seen: Seen) -> dict[str, Any]:
    """Two queries: the form, the papers; what tells of health is written down as read by this agent, and stays closed
    to who may not read health."""
    if not reads(seen.request, seen.agent):
        return {"closed": True}
    content = read_form(seen.request)
    child = seen.lines[0].child if seen.lines else None
    if content.answers or content.words:
        log_reading(seen.request, child=child, by=seen.agent.user, at=seen.at)
    documents = documents_for(seen.agent, town=seen.town, at=seen.at).filter(line__in=[line.pk for line in seen.lines])
    papers = []
    for document in documents.order_by("handed_at", "id"):
        paper = find_paper(seen.town, document.paper)
        papers.append(
            Paper(
                name=paper.name if paper is not None else document.paper,
                look=DOCUMENT_LOOKS[DocumentState(document.state)],
                url=reverse("documents:file", args=[document.pk]) if document.file_id is not None else "",
            )
        )
    return {
        "closed": False,
        "answers": [(one.label, answer_words(one)) for one in content.answers],
        "words": content.words,
        "papers": papers,
    }


@transaction.atomic
def answer_question(*, request_id: int, verdicts: Mapping[int, Verdict], by: User, at: datetime) -> Answer:
    """As any request; what tells of health is answered by who may read it."""
    request = FamilyRequest.objects.get(pk=request_id)
    if request.is_health and not AgentRole.objects.filter(user=by, reads_health=True).exists():
        raise Unsettled(
            request.lines.all()[0],
            _("Cette demande parle de santé : un agent qui peut lire la santé y répond."),
        )
    return answer(request_id=request_id, verdicts=verdicts, by=by, at=at)


KIND = Kind(answer=answer_question, template="office/kinds/_question.html", pane=pane, refusals=QUESTION_REFUSALS)
