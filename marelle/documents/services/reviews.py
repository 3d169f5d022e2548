"""What agents answer to documents: the lines that ask it, and what an answer does."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marelle.accounts.models import AgentRole, User
from marelle.activities.models import Municipality, SchoolYear
from marelle.activities.queries import municipality
from marelle.documents.models import SupportingDocument
from marelle.documents.permissions import health_papers
from marelle.documents.queries import find_paper
from marelle.families.models import Child, Household
from marelle.foundation.audit import Actor
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import NewLine, Unsettled, Verdict, add_lines, open_request
from marelle.rules.lifecycles import RequestState
from marelle.rules.papers import DocumentState

#: Documents given one after the other are one request: as long as nobody answered it, and for so long.
TOGETHER = timedelta(hours=12)


def ask_review(
    *, household: Household, label: str, child: Child | None, health: bool, by: User, at: datetime, by_agent: bool
) -> RequestLine:
    """A line by which an agent answers a document: of the request that the home's last documents made, while it is
    recent and open, else of a new one. Documents that tell of health (`health`) make their own: what is answered to
    them stands in no e-mail. In the caller's transaction, which holds the household."""
    line = NewLine(act=Act.GIVE, child=child, site=child.school if child is not None else None, label=label)
    recent = (
        FamilyRequest.objects.select_for_update(no_key=True)
        .filter(
            household=household,
            kind=RequestKind.PAPER,
            state=RequestState.SENT,
            by_agent=by_agent,
            is_health=health,
            sent_at__gt=at - TOGETHER,
        )
        .order_by("-id")
        .first()
    )
    if recent is not None:
        return add_lines(recent, [line], by=by, at=at)[0]
    request, lines = open_request(
        household=household,
        kind=RequestKind.PAPER,
        send_key=uuid.uuid4(),
        lines=[line],
        by=by,
        at=at,
        tz=municipality().tz,
        by_agent=by_agent,
    )
    if health:
        request.is_health = True
        request.save(update_fields=["is_health"])
    return lines[0]


def settle(
    *,
    request: FamilyRequest,
    accepted: Sequence[RequestLine],
    refused: Sequence[RequestLine],
    withdrawn: Sequence[RequestLine],
    verdicts: Mapping[int, Verdict],
    by: Actor,
    at: datetime,
) -> None:
    """Carry out the answers to the documents of these lines (`settings.SETTLERS`), those that came with them as well as
    those that they ask about. `Verdict.details` may hold "valid_until", a date or None for ever; without it, what the
    town's rule proposes.

    Raises Unsettled for an agent who may not read health and answers a document that tells of it.
    """
    lines = {line.id: line for line in (*accepted, *refused, *withdrawn)}
    documents = list(
        SupportingDocument.objects.select_for_update(no_key=True, of=("self",))
        .filter(Q(review__in=lines) | Q(line__in=lines, review=None), state=DocumentState.TO_REVIEW)
        .order_by("id")
    )
    town = municipality()
    if by.is_agent:
        _check_health(documents, lines, town, by)
    ends = ends_of(documents, town=town)
    taken, left = {line.id for line in accepted}, {line.id for line in withdrawn}
    proven: list[SupportingDocument] = []
    for document in documents:
        line = document.review_id if document.review_id is not None else document.line_id
        assert line is not None
        if line in left:
            document.state, document.ended_at = DocumentState.WITHDRAWN, at
            continue
        document.reviewed_at, document.reviewed_by_label = at, by.label
        document.said_until = document.valid_until
        if line in taken:
            document.state = DocumentState.ACCEPTED
            details = verdicts[line].details
            document.valid_until = details["valid_until"] if "valid_until" in details else ends[document.pk]
            if document.review_id is not None and document.line_id is not None:
                proven.append(document)
        else:
            document.state, document.ended_at = DocumentState.REFUSED, at
            document.reason = verdicts[line].reason.strip()[:500]
    SupportingDocument.objects.bulk_update(
        documents, ["state", "ended_at", "reviewed_at", "reviewed_by_label", "valid_until", "said_until", "reason"]
    )
    for document in proven:
        import_string(settings.PROVEN)(line_id=document.line_id, handed_at=document.handed_at, by=by, at=at)


def ends_of(documents: Collection[SupportingDocument], *, town: Municipality) -> Mapping[UUID, date | None]:
    """The last day on which each of these documents holds by the town's rule, None for ever. One query."""
    labels = {document.school_year for document in documents if document.school_year}
    years = dict(SchoolYear.objects.filter(label__in=labels).values_list("label", "last_day")) if labels else {}
    found: dict[UUID, date | None] = {}
    for document in documents:
        paper = find_paper(town, document.paper)
        if paper is None or document.line_id is not None:
            found[document.pk] = document.valid_until
            continue
        found[document.pk] = paper.rule().proposed_end(
            issued_on=document.issued_on,
            handed_on=document.handed_at.astimezone(town.tz).date(),
            said=document.valid_until,
            year_end=years.get(document.school_year),
        )
    return found


def _check_health(
    documents: Sequence[SupportingDocument], lines: Mapping[int, RequestLine], town: Municipality, by: Actor
) -> None:
    guarded = health_papers(town)
    told = [document for document in documents if document.paper in guarded]
    if told and not AgentRole.objects.filter(user=by.id, reads_health=True).exists():
        line = lines[told[0].review_id if told[0].review_id is not None else told[0].line_id or 0]
        raise Unsettled(line, _("Un document de santé attend un agent qui peut lire la santé : rien n’est répondu."))
