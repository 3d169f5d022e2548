"""What the portal sent and what it could not send."""

from datetime import UTC, datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.foundation import postman
from marelle.foundation.models import MailState
from marelle.office.mails import DESK, mails_for

PAGE = 25


@require_safe
@agent_required(*DESK)
def index(request: AgentHttpRequest) -> HttpResponse:
    mails = mails_for(request.agent, at=request.at)
    troubled = Paginator(postman.troubled(mails).order_by("-created_at"), PAGE).get_page(request.GET.get("page"))
    sent = mails.filter(state=MailState.SENT).order_by("-created_at")[:PAGE]
    waiting = mails.filter(state=MailState.WAITING, attempts=0).count()
    return render(request, "office/mails/index.html", {"troubled": troubled, "sent": sent, "waiting": waiting})


@require_POST
@agent_required(*DESK)
def decide(request: AgentHttpRequest, mail_id: object) -> HttpResponse:
    """POST `do`: "send" or "drop". A mail that meanwhile left, or that a colleague decided on, is left alone."""
    mail = get_object_or_404(mails_for(request.agent, at=request.at), pk=mail_id)
    by, at = request.user.actor(as_agent=True), request.at
    if request.POST.get("do") == "drop":
        done = postman.drop(mail=mail, by=by, at=at)
        sentence = _("E-mail à %(address)s abandonné.") % {"address": mail.to_address}
    else:
        done = postman.send_again(mail=mail, by=by, at=at, now=datetime.now(UTC))
        sentence = _("L’e-mail à %(address)s repart.") % {"address": mail.to_address}
    if done:
        messages.success(request, sentence)
    else:
        messages.info(request, _("Rien à faire : cet e-mail est parti, ou un collègue s’en est occupé."))
    return redirect("office:mails")
