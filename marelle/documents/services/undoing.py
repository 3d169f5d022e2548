"""Taking back an answer given to a document by mistake."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _

from marelle.accounts.models import AgentRole, User
from marelle.activities.models import Municipality
from marelle.documents.models import SupportingDocument
from marelle.documents.permissions import documents_for
from marelle.documents.services.handing_in import lock_papers_of
from marelle.foundation import audit
from marelle.foundation.sentences import list_words
from marelle.requests import notifications
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.requests.services import ask_anew, describe, lock_requests_of
from marelle.rules.lifecycles import LineState
from marelle.rules.papers import DocumentState

#: How long after an answer an agent may take it back: the day of work and the next morning.
UNDO = timedelta(hours=24)


class TooLate(Exception):
    """None of these answers can be taken back (any more): it was long ago, the family gave another document since, or
    somebody took it back and answered anew."""


def answers_to_take_back(agent: AgentRole, *, town: Municipality, at: datetime) -> "QuerySet[SupportingDocument]":
    """The documents whose answer this agent may take back: one that the agent could have given, not long ago, for a
    document handed in by itself, of a home that has given no other for the same paper and subject since. The proof of
    an absence, once accepted, has set what the absence costs: that answer stays."""
    newer = SupportingDocument.objects.filter(
        Q(child=OuterRef("child")) | Q(child=None, guardian=OuterRef("guardian")) | Q(child=None, guardian=None),
        household=OuterRef("household"),
        paper=OuterRef("paper"),
        school_year=OuterRef("school_year"),
        handed_at__gt=OuterRef("handed_at"),
    ).exclude(state=DocumentState.WITHDRAWN)
    prefetch_related_objects([agent], "sites")
    sites = [site.pk for site in agent.sites.all()]
    return documents_for(agent, town=town, at=at).filter(
        Q(review__site__in=sites) if sites else Q(),
        Q(state=DocumentState.REFUSED) | Q(state=DocumentState.ACCEPTED, line=None),
        ~Exists(newer),
        review__state__in=(LineState.ACCEPTED, LineState.REFUSED),
        review__answered_at=F("reviewed_at"),
        reviewed_at__gt=at - UNDO,
        file__isnull=False,
    )


@transaction.atomic
def take_back_answers(
    *,
    request: FamilyRequest,
    answers: Mapping[int, datetime],
    town: Municipality,
    agent: AgentRole,
    by: User,
    at: datetime,
) -> list[RequestLine]:
    """Make documents wait again as if nobody had answered them; every adult of the home is told. `answers`: by line
    id, when the answer that is taken back was given; another one given since stays.

    Gives the lines that wait anew; none when they wait already (sent twice). Raises TooLate; nothing is done then.
    """
    lock_papers_of(request.household)
    lock_requests_of(list(answers))
    lines = list(RequestLine.objects.filter(request=request, id__in=answers).select_related("child"))
    if lines and all(line.state == LineState.PENDING for line in lines):
        return []
    mine = answers_to_take_back(agent, town=town, at=at).filter(review__in=[line.pk for line in lines])
    documents = list(mine.select_for_update(no_key=True, of=("self",)).order_by("id"))
    if not documents or any(answers[document.review_id or 0] != document.reviewed_at for document in documents):
        raise TooLate
    _wait_again(documents)
    waiting = {document.review_id for document in documents}
    ask_anew(line_ids=[line for line in waiting if line is not None])
    back = [line for line in lines if line.pk in waiting]
    audit.record(
        at=at,
        by=by.actor(as_agent=True),
        action="request.answer_taken_back",
        subject=request,
        household_id=request.household_id,
        text=_("Demande n° %(number)s : réponse reprise, donnée par erreur (%(what)s).")
        % {"number": request.number, "what": list_words(line.label for line in back)},
        facts={"lines": [describe(line) for line in back]},
    )
    notifications.answer_taken_back(request=request, lines=back, at=at)
    return back


def _wait_again(documents: Collection[SupportingDocument]) -> None:
    for document in documents:
        document.state, document.reason, document.valid_until = DocumentState.TO_REVIEW, "", document.said_until
        document.ended_at = document.reviewed_at = document.told_end = document.told_refusal_at = None
        document.reviewed_by_label, document.said_until = "", None
    SupportingDocument.objects.bulk_update(
        documents,
        [
            "state", "reason", "valid_until", "said_until", "ended_at", "reviewed_at", "reviewed_by_label", "told_end",
            "told_refusal_at",
        ],
    )  # fmt: skip
