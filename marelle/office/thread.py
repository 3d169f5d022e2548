"""The thread of a request as agents read it, and who follows the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality
from marelle.foundation.files.verdicts import size_words
from marelle.foundation.sentences import moment_words
from marelle.office.refusals import MESSAGES, Model
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.requests.thread import Said, log_reading, may_write, read_thread, reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """`ours`: an agent wrote it. `file_about`: its kind and weight."""

    who: str
    ours: bool
    moment: str
    at: datetime
    text: str
    file_name: str = ""
    file_about: str = ""
    file_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """`closed`: this agent may not read what tells of health. `can_close`: the message may be its answer."""

    bubbles: tuple[Bubble, ...]
    closed: bool
    open: bool
    unread: bool
    can_close: bool
    models: Sequence[Model]
    agents: Sequence[AgentRole]
    assigned: int
    assigned_words: str
    send_key: str
    model: str = ""
    typed: str = ""
    problem: str = ""


def thread_of(
    request: FamilyRequest,
    *,
    town: Municipality,
    agent: AgentRole,
    can_close: bool,
    send_key: str,
    at: datetime,
    model: str = "",
    typed: str = "",
    problem: str = "",
) -> Thread:
    """Three queries, whatever was written: the messages, the agents who may follow the request, and their users."""
    readable = reads(request, agent)
    said = read_thread(request) if readable else []
    lines = list(request.lines.all())
    if said and lines:
        log_reading(request, child=lines[0].child, by=agent.user, at=at)
    return Thread(
        bubbles=tuple(_bubble(one, request, town) for one in said),
        closed=not readable,
        open=may_write(request, at=at),
        unread=request.unread_since is not None,
        can_close=can_close and readable,
        models=MESSAGES,
        agents=followers(lines),
        assigned=request.assigned_to_id or 0,
        assigned_words=_assigned_words(request, agent),
        send_key=send_key,
        model=model,
        typed=typed,
        problem=problem,
    )


def followers(lines: Sequence[RequestLine]) -> list[AgentRole]:
    """The agents who may see the request: those of its sites, and those of all sites. One query."""
    sites = {line.site_id or (line.activity.site_id if line.activity is not None else None) for line in lines}
    roles = AgentRole.objects.filter(Q(sites=None) | Q(sites__in=[site for site in sites if site]))
    return list(roles.filter(user__is_active=True).select_related("user").distinct().order_by("user__name", "id"))


def _assigned_words(request: FamilyRequest, agent: AgentRole) -> str:
    if request.assigned_to_id is None:
        return _("Personne ne suit cette demande.")
    if request.assigned_to_id == agent.user_id:
        return _("Vous suivez cette demande.")
    return _("%(who)s suit cette demande.") % {"who": request.assigned_to_label}


def _bubble(said: Said, request: FamilyRequest, town: Municipality) -> Bubble:
    file = said.file
    return Bubble(
        who=said.by_label,
        ours=said.by_agent,
        moment=moment_words(said.at, town.tz),
        at=said.at,
        text=said.text,
        file_name=file.name if file is not None else "",
        file_about=size_words(file.size) if file is not None else "",
        file_url=reverse("office:message_file", args=[request.number, said.id]) if file is not None else "",
    )
