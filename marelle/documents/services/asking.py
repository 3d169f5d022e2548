"""Sending a request with the papers that go with it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from marelle.accounts.models import User
from marelle.documents.services.handing_in import hand_in
from marelle.families.models import Child, Household
from marelle.foundation.files.verdicts import Judged
from marelle.requests.asking import ask
from marelle.requests.content import FieldAnswer
from marelle.requests.models import FamilyRequest
from marelle.townfile.town import Paper, PaperSubject, RequestType


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A file for one of the papers that the request type names; `name` is what the family called it."""

    paper: Paper
    judged: Judged
    name: str


@sensitive_variables("answers", "words")
@transaction.atomic
def ask_with_papers(
    *,
    household: Household,
    topic: RequestType,
    child: Child | None,
    answers: Sequence[FieldAnswer],
    words: str,
    papers: Sequence[Given],
    school_year: str,
    send_key: uuid.UUID,
    by: User,
    at: datetime,
    tz: ZoneInfo,
) -> FamilyRequest:
    """The request and its papers, all or nothing; they wait for an agent with it. `school_year` is the label of the
    year that yearly papers are given for. Sent twice, it is one request and one document each. Raises NotOfThisHome and
    NotAsked."""
    request, line, is_new = ask(
        household=household,
        topic=topic,
        child=child,
        answers=answers,
        words=words,
        send_key=send_key,
        by=by,
        at=at,
        tz=tz,
    )
    for given in papers if is_new else ():
        hand_in(
            household=household,
            paper=given.paper,
            judged=given.judged,
            name=given.name,
            by=by,
            at=at,
            child=child if given.paper.about is PaperSubject.CHILD else None,
            school_year=school_year,
            line=line,
            send_key=uuid.uuid5(request.send_key, given.paper.slug),
        )
    return request
