"""Sending a request of one of the town's types (`requests.topics`): a form's answers, a few words, one number."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from marelle.accounts.models import User
from marelle.families.models import Child, Household
from marelle.foundation import audit
from marelle.foundation.sealing import seal
from marelle.requests import notifications
from marelle.requests.content import FieldAnswer, FormContent
from marelle.requests.models import Act, FamilyRequest, RequestForm, RequestKind, RequestLine
from marelle.requests.services import NewLine, open_request
from marelle.townfile.town import RequestSubject, RequestTo, RequestType


class NotOfThisHome(Exception):
    """The request is about a child, and this one is not of the household; or it is about the household."""


@sensitive_variables("answers", "words")
@transaction.atomic
def ask(
    *,
    household: Household,
    topic: RequestType,
    child: Child | None,
    answers: Sequence[FieldAnswer],
    words: str,
    send_key: uuid.UUID,
    by: User,
    at: datetime,
    tz: ZoneInfo,
) -> tuple[FamilyRequest, RequestLine, bool]:
    """Write the request, its only line and its sealed form, and tell the family its number; whether it is new. The same
    `send_key` of the same household is the same request.

    Neither the audit trail nor the e-mail says more than the type's name, nor even that for a type about health. Raises
    NotOfThisHome.
    """
    Household.objects.select_for_update(no_key=True).only("id").get(pk=household.pk)
    key = uuid.uuid5(send_key, f"request:{household.pk}")
    done = FamilyRequest.objects.filter(send_key=key).first()
    if done is not None:
        return done, done.lines.get(), False
    of_a_child = topic.about is RequestSubject.CHILD
    if of_a_child != (child is not None):
        raise NotOfThisHome
    if child is not None and not household.residences.filter(child_id=child.pk).exists():
        raise NotOfThisHome
    site = child.school if child is not None and topic.to is RequestTo.SITE else None
    request, lines = open_request(
        household=household,
        kind=RequestKind.QUESTION,
        send_key=key,
        lines=[NewLine(act=Act.ASK, child=child, site=site, label=topic.name)],
        by=by,
        at=at,
        tz=tz,
        topic=topic.slug,
    )
    request.is_health, request.answer_days = topic.health, topic.answer_days
    request.save(update_fields=["is_health", "answer_days"])
    if answers or words:
        form = RequestForm(request=request)
        form.sealed = seal(FormContent(answers=tuple(answers), words=words).to_bytes(), bound_to=form.bound_to())
        form.save(force_insert=True)
    audit.record(
        at=at,
        by=by.actor(),
        action="request.sent",
        subject=request,
        household_id=household.pk,
        text=(
            _("Demande n° %(number)s envoyée.") % {"number": request.number}
            if topic.health
            else _("Demande n° %(number)s envoyée : %(what)s.") % {"number": request.number, "what": topic.name}
        ),
        facts={"topic": "" if topic.health else topic.slug, "child": child.pk if child is not None else None},
    )
    notifications.sent(request=request, lines=lines, at=at)
    return request, request.lines.get(), True
