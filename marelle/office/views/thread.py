"""The messages of a request at the desk: writing, closing with an answer, who follows it, its files."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from marelle.accounts.permissions import agent_required
from marelle.foundation.files.judging import judge
from marelle.foundation.files.store import FileGone, respond
from marelle.foundation.files.verdicts import Faulty
from marelle.foundation.typed import typed
from marelle.office.refusals import message_from
from marelle.office.thread import followers
from marelle.office.views.queue import Desk, already_words, show
from marelle.requests.closing import close_with
from marelle.requests.models import RequestKind, RequestMessage
from marelle.requests.services import AlreadyAnswered
from marelle.requests.thread import (
    LONGEST,
    NothingWritten,
    ThreadClosed,
    assign,
    log_reading,
    mark_read,
    reads,
    write,
)


@sensitive_post_parameters("message")
@require_POST
@agent_required()
def say(request: HttpRequest, number: str) -> HttpResponse:
    """`do`: "ecrire", or "clore", which accepts what the family asked with this message. What is wrong comes back as
    typed (422), but for the file."""
    desk = Desk(request)
    opened = desk.load(number)
    do = request.POST.get("do", "")
    try:
        key = uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        return HttpResponseBadRequest()
    closing = do == "clore" and opened.kind == RequestKind.QUESTION
    if do not in ("ecrire", "clore") or (do == "clore" and not closing) or not reads(opened, desk.agent):
        return HttpResponseBadRequest()
    model, words = request.POST.get("modele", ""), typed(request.POST, "message")
    text = message_from(slug=model, words=words)
    file = request.FILES.get("piece")
    judged = judge(file) if file is not None else None
    problem = ""
    if isinstance(judged, Faulty):
        problem, judged = str(judged), None
    elif len(text) > LONGEST:
        problem = _("Le message est trop long : %(most)d caractères au plus.") % {"most": LONGEST}
    if not problem:
        told = {"request_id": opened.pk, "text": text, "send_key": key, "by": request.user, "at": request.at}  # type: ignore[attr-defined]
        brought = {"judged": judged, "file_name": file.name or "" if file is not None else ""}
        try:
            if closing:
                close_with(**told, **brought)  # type: ignore[arg-type]
                messages.success(request, _("Demande close. La famille est prévenue."))
            else:
                write(**told, **brought, as_agent=True)  # type: ignore[arg-type]
                messages.success(request, _("Message envoyé à la famille."))
        except NothingWritten:
            problem = _("Écrivez un message, choisissez un modèle, ou joignez un fichier.")
        except ThreadClosed:
            messages.warning(request, _("Cette demande est close depuis plus de 30 jours."))
        except AlreadyAnswered as fault:
            messages.warning(request, already_words(fault, desk.town))
    if problem:
        return show(desk, opened, model=model, words=words, problem=problem, send_key=str(key))
    return redirect(_back(number, desk))


@require_POST
@agent_required()
def read(request: HttpRequest, number: str) -> HttpResponse:
    """The page's script sends it when the messages are shown; a button does without script."""
    desk = Desk(request)
    opened = desk.load(number)
    if reads(opened, desk.agent):
        mark_read(request_id=opened.pk, by=request.user, as_agent=True)  # type: ignore[arg-type]
    return redirect(_back(number, desk))


@require_POST
@agent_required()
def give(request: HttpRequest, number: str) -> HttpResponse:
    """Entrust the request to an agent who may see it (`a`, a user's id), or to nobody."""
    desk = Desk(request)
    opened = desk.load(number)
    said = request.POST.get("a", "")
    roles = followers(list(opened.lines.all()))
    to = next((role.user for role in roles if str(role.user_id) == said), None)
    if said and to is None:
        return HttpResponseBadRequest()
    assign(request_id=opened.pk, to=to, by=request.user, at=request.at)  # type: ignore[arg-type,attr-defined]
    messages.success(
        request,
        _("Demande confiée à %(who)s.") % {"who": to} if to is not None else _("Plus personne ne suit cette demande."),
    )
    return redirect(_back(number, desk))


@require_safe
@agent_required()
def file(request: HttpRequest, number: str, message: uuid.UUID) -> HttpResponse:
    """The file of a message, for agents who may see the request and what is written in it."""
    desk = Desk(request)
    opened = desk.load(number)
    one = RequestMessage.objects.select_related("file").filter(request=opened, pk=message, file__isnull=False).first()
    if one is None or one.file is None or not reads(opened, desk.agent):
        raise Http404
    line = next(iter(opened.lines.all()), None)
    log_reading(
        opened,
        child=line.child if line is not None else None,
        by=request.user,  # type: ignore[arg-type]
        at=request.at,  # type: ignore[attr-defined]
    )
    try:
        return respond(one.file)
    except FileGone:
        raise Http404 from None


def _back(number: str, desk: Desk) -> str:
    return reverse("office:request", args=[number]) + desk.query + "#messages"
