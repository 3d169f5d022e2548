"""The thread of a request, any request: the family and the town write to each other under its number.

What is written is sealed, and neither the e-mails nor the audit trail repeat a word of it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from marelle.accounts.models import AgentRole, User
from marelle.families.models import Child, HealthReading, Household, ReadingReason
from marelle.foundation import audit
from marelle.foundation.files.store import keep, path_of
from marelle.foundation.files.verdicts import Judged
from marelle.foundation.models import StoredFile
from marelle.foundation.sealing import seal, unseal
from marelle.requests import notifications
from marelle.requests.content import FormContent
from marelle.requests.models import FamilyRequest, RequestForm, RequestMessage, UnreadThread
from marelle.rules.lifecycles import RequestState

#: How long after its answer a request may still be written about.
OPEN_AFTER = timedelta(days=30)
LONGEST = 4_000


class ThreadClosed(Exception):
    """The request has had its answer for too long."""


class NothingWritten(ValueError):
    """Neither words nor a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message, opened."""

    id: uuid.UUID
    at: datetime
    by_id: int | None
    by_label: str
    by_agent: bool
    text: str
    file: StoredFile | None


def may_write(request: FamilyRequest, *, at: datetime) -> bool:
    """As long as it waits, and thirty days after."""
    if request.state == RequestState.SENT:
        return True
    return request.answered_at is not None and at < request.answered_at + OPEN_AFTER


def reads(request: FamilyRequest, role: AgentRole) -> bool:
    """Whether this agent, who may see the request, may also read what is written in it."""
    return role.reads_health or not request.is_health


@sensitive_variables()
def read_thread(request: FamilyRequest) -> list[Said]:
    """What was written, oldest first: one query. For who has just been let see the request (`reads`)."""
    return [
        Said(
            id=message.pk,
            at=message.at,
            by_id=message.by_id,
            by_label=message.by_label,
            by_agent=message.by_agent,
            text=unseal(bytes(message.sealed), bound_to=message.bound_to()).decode(),
            file=message.file,
        )
        for message in request.messages.select_related("file")
    ]


@sensitive_variables()
def read_form(request: FamilyRequest) -> FormContent:
    """What the family wrote in the form, empty for what has none: one query."""
    form = RequestForm.objects.filter(request=request).first()
    if form is None:
        return FormContent()
    return FormContent.from_bytes(unseal(bytes(form.sealed), bound_to=form.bound_to()))


def log_reading(
    request: FamilyRequest, *, child: Child | None, by: User, at: datetime, household: Household | None = None
) -> None:
    """Write who opened what a request says of a child's health; `household`: the home of a guardian who reads."""
    if not request.is_health or child is None:
        return
    HealthReading.objects.create(
        child=child,
        what=HealthReading.What.REQUEST,
        at=at,
        reader_id=by.pk,
        reader_label=str(by),
        by_agent=household is None,
        household_id=None if household is None else household.pk,
        why=ReadingReason.QUESTION if household is None else ReadingReason.OWN,
    )


@sensitive_variables("text")
def write(
    *,
    request_id: int,
    text: str,
    send_key: uuid.UUID,
    by: User,
    at: datetime,
    as_agent: bool = False,
    judged: Judged | None = None,
    file_name: str = "",
    tell: bool = True,
) -> RequestMessage:
    """Add a message, with a file perhaps, and tell the other side that one waits (`tell`: by e-mail). Whoever calls has
    checked that `by` may see the request.

    The same `send_key` on the same request is the same message. Raises ThreadClosed and NothingWritten; no file stays
    then.
    """
    kept: list[StoredFile] = []
    try:
        with transaction.atomic():
            return _write(
                request_id=request_id,
                text=text.strip()[:LONGEST],
                key=uuid.uuid5(send_key, f"message:{request_id}"),
                by=by,
                at=at,
                as_agent=as_agent,
                judged=judged,
                file_name=file_name,
                tell=tell,
                kept=kept,
            )
    except BaseException:
        for stored in kept:
            path_of(stored.id).unlink(missing_ok=True)
        raise


@sensitive_variables("text")
def _write(
    *,
    request_id: int,
    text: str,
    key: uuid.UUID,
    by: User,
    at: datetime,
    as_agent: bool,
    judged: Judged | None,
    file_name: str,
    tell: bool,
    kept: list[StoredFile],
) -> RequestMessage:
    request = FamilyRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    done = RequestMessage.objects.filter(send_key=key).first()
    if done is not None:
        return done
    if not may_write(request, at=at):
        raise ThreadClosed
    if not text and judged is None:
        raise NothingWritten
    if judged is not None:
        # A file about health keeps no name that could tell of it.
        kept.append(keep(judged, name=_("Pièce jointe") if request.is_health else file_name, at=at))
    message = RequestMessage(
        request=request,
        send_key=key,
        at=at,
        by=by,
        by_label=str(by),
        by_agent=as_agent,
        file=kept[0] if kept else None,
    )
    message.sealed = seal(text.encode(), bound_to=message.bound_to())
    message.save(force_insert=True)
    _mark(request, by=by, at=at, as_agent=as_agent)
    words = (
        _("Message du service, demande n° %(number)s.") if as_agent else _("Message au service, demande n° %(number)s.")
    )
    audit.record(
        at=at,
        by=by.actor(as_agent=as_agent),
        action="request.message",
        subject=request,
        household_id=request.household_id,
        text=words % {"number": request.number},
        facts={"file": bool(kept)},
    )
    if tell and as_agent:
        notifications.message_to_family(request=request, at=at)
    elif tell:
        notifications.message_to_town(request=request, at=at)
    return message


def _mark(request: FamilyRequest, *, by: User, at: datetime, as_agent: bool) -> None:
    """Who writes has read; the other side has not."""
    if not as_agent:
        UnreadThread.objects.filter(request=request, user=by).delete()
        if request.unread_since is None:
            request.unread_since = at
            request.save(update_fields=["unread_since"])
        return
    request.unread_since = None
    request.save(update_fields=["unread_since"])
    users = (
        User.objects.filter(guardian__households=request.household_id).exclude(pk=by.pk).values_list("pk", flat=True)
    )
    UnreadThread.objects.bulk_create(
        [UnreadThread(request=request, user_id=user) for user in users], ignore_conflicts=True
    )


def mark_read(*, request_id: int, by: User, as_agent: bool = False) -> None:
    """Say that the thread was read: by this guardian, or by the agents. It changes no state, so it leaves no audit
    line."""
    if as_agent:
        FamilyRequest.objects.filter(pk=request_id, unread_since__isnull=False).update(unread_since=None)
    else:
        UnreadThread.objects.filter(request=request_id, user=by).delete()


def unread_threads(*, user: User, household: Household) -> Sequence[int]:
    """The requests of this household in which the town wrote what the user has not read: one query, latest first."""
    marks = UnreadThread.objects.filter(user=user, request__household=household).order_by("-request_id")
    return list(marks.values_list("request_id", flat=True))


@transaction.atomic
def assign(*, request_id: int, to: User | None, by: User, at: datetime) -> FamilyRequest:
    """Say which agent takes care of a request, or nobody any more. The same again changes nothing. Whoever calls has
    checked that `to` may see it."""
    request = FamilyRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.assigned_to_id == (to.pk if to is not None else None):
        return request
    request.assigned_to, request.assigned_to_label = to, str(to) if to is not None else ""
    request.save(update_fields=["assigned_to", "assigned_to_label"])
    words = (
        _("Demande n° %(number)s confiée à %(who)s.")
        if to is not None
        else _("Demande n° %(number)s : personne ne la suit.")
    )
    audit.record(
        at=at,
        by=by.actor(as_agent=True),
        action="request.assigned",
        subject=request,
        household_id=request.household_id,
        text=words % {"number": request.number, "who": str(to)},
        facts={"to": to.pk if to is not None else None},
    )
    return request
