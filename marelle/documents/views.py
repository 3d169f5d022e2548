"""Serving a document to who may see it."""

import uuid

from django.db import transaction
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from marelle.accounts.permissions import ArrivedHttpRequest, lacks_second_step, role_of, to_the_door
from marelle.activities.queries import municipality
from marelle.documents.models import DocumentReading, SupportingDocument
from marelle.documents.permissions import documents_for, health_papers
from marelle.families.permissions import households_of
from marelle.foundation.files.store import FileGone, respond
from marelle.foundation.files.verdicts import FileKind


@require_safe
def file(request: ArrivedHttpRequest, document_id: uuid.UUID) -> HttpResponse:
    """The document's file: for the adults of the home that gave it, and for the agents who may see it; nobody else
    learns that it is there. `telecharger` saves it. Opening one that tells of health is written down."""
    user = request.user
    if not user.is_authenticated:
        return to_the_door(request)
    town = municipality()
    found = SupportingDocument.objects.filter(pk=document_id).select_related("file")
    document = found.filter(household__in=households_of(user)).first()
    by_agent = False
    if document is None and (role := role_of(user)) is not None and not lacks_second_step(role):
        document = documents_for(role, town=town, at=request.at).filter(pk=document_id).select_related("file").first()
        by_agent = True
    if document is None or document.file is None:
        raise Http404
    try:
        answer = respond(document.file, download="telecharger" in request.GET)
    except FileGone:
        raise Http404 from None
    if document.paper in health_papers(town) and request.method == "GET":
        with transaction.atomic():
            DocumentReading.objects.create(
                document=document, at=request.at, reader_id=user.pk, reader_label=str(user), by_agent=by_agent
            )
    # The agents' queue shows it beside the answer.
    answer["X-Frame-Options"] = "SAMEORIGIN"
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    if document.file.kind == FileKind.PDF:
        policy += "; object-src 'self'"
    answer["Content-Security-Policy"] = policy
    return answer
