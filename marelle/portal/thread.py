"""What a family reads of the thread of its request: the form it sent, the papers, the messages of both sides."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.documents.models import SupportingDocument
from marelle.documents.queries import find_paper
from marelle.families.models import Household
from marelle.foundation.files.verdicts import size_words
from marelle.portal.moments import near_moment_words
from marelle.requests.labels import answer_words
from marelle.requests.models import FamilyRequest
from marelle.requests.thread import Said, log_reading, may_write, read_form, read_thread
from marelle.rules.papers import DocumentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file of a message. `about`: who joined it, what kind of file, how heavy."""

    name: str
    about: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message as it is shown. `who`: "Vous", another adult of the home, or the service."""

    who: str
    mine: bool
    moment: str
    at: datetime
    text: str
    file: Attached | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """`answers`: what the form asked, with what was answered; `words`: what the family added to it. `problem`: why the
    last message was not taken, `typed` what it said."""

    number: str
    bubbles: tuple[Bubble, ...]
    answers: tuple[tuple[str, str], ...]
    words: str
    open: bool
    unread: bool
    send_key: str
    typed: str = ""
    problem: str = ""
    files: tuple[Attached, ...] = field(default=())

    @property
    def has_form(self) -> bool:
        return bool(self.answers or self.words)


def thread_of(
    request: FamilyRequest,
    *,
    town: Municipality,
    user: User,
    household: Household,
    unread: bool,
    send_key: str,
    at: datetime,
    typed: str = "",
    problem: str = "",
) -> Thread:
    """Two queries whatever was written. What tells of health is written down as read by this guardian."""
    content = read_form(request)
    said = read_thread(request)
    if request.is_health and (content.answers or content.words or said):
        line = request.lines.select_related("child").first()
        log_reading(request, child=line.child if line else None, by=user, at=at, household=household)
    bubbles = tuple(_bubble(one, request, town=town, user=user, at=at) for one in said)
    return Thread(
        number=request.number,
        bubbles=bubbles,
        answers=tuple((answer.label, answer_words(answer)) for answer in content.answers),
        words=content.words,
        open=may_write(request, at=at),
        unread=unread,
        send_key=send_key,
        typed=typed,
        problem=problem,
        files=_files(bubbles),
    )


def _files(bubbles: Sequence[Bubble]) -> tuple[Attached, ...]:
    return tuple(bubble.file for bubble in bubbles if bubble.file is not None)


def _bubble(said: Said, request: FamilyRequest, *, town: Municipality, user: User, at: datetime) -> Bubble:
    mine = said.by_id == user.pk and not said.by_agent
    who = _("Vous") if mine else said.by_label
    if said.by_agent:
        who = town.department_name or town.name
    attached = None
    if said.file is not None:
        kind = _("PDF") if said.file.kind == "pdf" else _("Photo")
        attached = Attached(
            name=said.file.name,
            about=f"{who} · {kind}, {size_words(said.file.size)}",
            url=reverse("portal:message_file", args=[request.number, said.id]),
        )
    moment = near_moment_words(said.at, at=at, town=town)
    return Bubble(who=who, mine=mine, moment=moment, at=said.at, text=said.text, file=attached)


def papers_of(request: FamilyRequest, *, town: Municipality) -> list[Attached]:
    """The documents that came with the request: one query."""
    found = SupportingDocument.objects.filter(line__request=request).exclude(state=DocumentState.WITHDRAWN)
    rows = []
    for document in found.order_by("handed_at", "id"):
        paper = find_paper(town, document.paper)
        rows.append(
            Attached(
                name=paper.name if paper is not None else document.paper,
                about=_paper_words(document),
                url=reverse("documents:file", args=[document.pk]) if document.file_id is not None else "",
            )
        )
    return rows


def _paper_words(document: SupportingDocument) -> str:
    words = {
        DocumentState.TO_REVIEW: _("En attente de vérification"),
        DocumentState.ACCEPTED: _("Accepté"),
        DocumentState.REFUSED: _("Refusé"),
        DocumentState.REPLACED: _("Remplacé"),
    }
    return words.get(DocumentState(document.state), "")
