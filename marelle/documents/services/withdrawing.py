"""Taking a document back while nobody has answered it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.documents.labels import guarded_name, subject_words
from marelle.documents.models import SupportingDocument
from marelle.documents.queries import find_paper
from marelle.documents.services.handing_in import lock_papers_of
from marelle.foundation import audit
from marelle.requests.models import RequestLine
from marelle.requests.services import close_lines, lock_requests_of
from marelle.rules.lifecycles import LineState
from marelle.rules.papers import DocumentState


class NotWaiting(Exception):
    """An agent answered it, another replaced it, or it was taken back already."""


@transaction.atomic
def withdraw(*, document: SupportingDocument, town: Municipality, by: User, at: datetime) -> None:
    """Take back a document that waits for review. Raises NotWaiting."""
    lock_papers_of(document.household)
    line = document.review_id
    if line is not None:
        lock_requests_of([line])
    found = SupportingDocument.objects.select_for_update(no_key=True, of=("self",)).get(pk=document.pk)
    if found.state != DocumentState.TO_REVIEW:
        raise NotWaiting
    found.state, found.ended_at = DocumentState.WITHDRAWN, at
    found.save(update_fields=["state", "ended_at"])
    waiting = RequestLine.objects.filter(reviewed_document=found, state=LineState.PENDING)
    for asked in waiting.select_related("request"):
        close_lines(asked.request, [asked], state=LineState.WITHDRAWN, by=str(by), at=at)
    paper = find_paper(town, found.paper)
    audit.record(
        at=at,
        by=by.actor(),
        action="document.withdrawn",
        subject=found,
        household_id=found.household_id,
        text=_("Document retiré : %(paper)s (%(who)s).")
        % {
            "paper": guarded_name(paper) if paper is not None else found.paper,
            "who": subject_words(child=found.child, guardian=found.guardian),
        },
    )
