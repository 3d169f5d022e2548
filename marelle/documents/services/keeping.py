"""How long documents are kept: what no longer serves is erased, file first (docs/hosting.md)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from marelle.documents.models import SupportingDocument
from marelle.foundation.files.store import discard
from marelle.rules.papers import DocumentState

#: How many files go in one transaction; the same tick takes the rest.
AT_ONCE = 200


def tick(*, at: datetime) -> int:
    """Erase the documents whose time is over; how many. May run in several workers at once."""
    done = 0
    while some := erase(at=at):
        done += some
    return done


@transaction.atomic
def erase(*, at: datetime) -> int:
    """Erase some of the documents that are kept no longer: the file, the date and the words. That one was given, when
    and what became of it stays."""
    documents = list(
        over(at=at)
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("file")
        .order_by("id")[:AT_ONCE]
    )
    files = [document.file for document in documents if document.file is not None]
    for document in documents:
        document.file, document.issued_on, document.reason = None, None, ""
    SupportingDocument.objects.bulk_update(documents, ["file", "issued_on", "reason"])
    discard(files)
    return len(documents)


def over(*, at: datetime) -> "QuerySet[SupportingDocument]":
    """Refused, replaced or taken back a while ago, or no longer valid since long."""
    left = at - timedelta(days=settings.DOCUMENTS_KEPT_DAYS)
    ended = at.date() - timedelta(days=settings.EXPIRED_DOCUMENTS_KEPT_DAYS)
    return SupportingDocument.objects.filter(file__isnull=False).filter(
        Q(ended_at__lt=left) | Q(state=DocumentState.ACCEPTED, valid_until__lt=ended)
    )
