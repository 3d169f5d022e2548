"""The messages of a request: writing one, saying that they were read, reading their files."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from marelle.families.permissions import GuardianHttpRequest, before_acceptance, guardian_required
from marelle.foundation.files.judging import judge
from marelle.foundation.files.store import FileGone, respond
from marelle.foundation.files.verdicts import Faulty
from marelle.foundation.typed import typed
from marelle.portal.views.request import found_or_404, shown
from marelle.requests.models import RequestMessage
from marelle.requests.thread import LONGEST, NothingWritten, ThreadClosed, log_reading, mark_read, write


@sensitive_post_parameters("message")
@require_POST
@guardian_required
@before_acceptance
def say(request: GuardianHttpRequest, number: str) -> HttpResponse:
    """What is wrong comes back as typed (422), but for the file, which must be chosen again."""
    found = found_or_404(request, number)
    try:
        key = uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None
    text = typed(request.POST, "message")
    file = request.FILES.get("piece")
    judged = judge(file) if file is not None else None
    problem = ""
    if isinstance(judged, Faulty):
        problem, judged = str(judged), None
    elif len(text) > LONGEST:
        problem = _("Le message est trop long : %(most)d caractères au plus.") % {"most": LONGEST}
    if not problem:
        try:
            write(
                request_id=found.pk,
                text=text,
                send_key=key,
                by=request.user,
                at=request.at,
                judged=judged,
                file_name=file.name or "" if file is not None else "",
            )
        except NothingWritten:
            problem = _("Écrivez votre message, ou joignez un fichier.")
        except ThreadClosed:
            messages.warning(request, _("Cette demande est close depuis plus de 30 jours : faites-en une nouvelle."))
            return redirect("portal:request", number=number)
    if problem:
        return shown(request, number, typed=text, problem=problem, send_key=str(key))
    messages.success(request, _("Votre message est envoyé."))
    return redirect(f"{reverse('portal:request', args=[found.number])}#messages")


@require_POST
@guardian_required
@before_acceptance
def read(request: GuardianHttpRequest, number: str) -> HttpResponse:
    """The page's script sends it when the messages are shown; a button does without script."""
    mark_read(request_id=found_or_404(request, number).pk, by=request.user)
    return redirect("portal:request", number=number)


@require_safe
@guardian_required
@before_acceptance
def file(request: GuardianHttpRequest, number: str, message: uuid.UUID) -> HttpResponse:
    """The file of a message, for the household of its request alone."""
    found = found_or_404(request, number)
    one = RequestMessage.objects.select_related("file").filter(request=found, pk=message, file__isnull=False).first()
    if one is None or one.file is None:
        raise Http404
    if found.is_health:
        line = found.lines.select_related("child").first()
        log_reading(
            found, child=line.child if line else None, by=request.user, at=request.at, household=request.household
        )
    try:
        return respond(one.file)
    except FileGone:
        raise Http404 from None
