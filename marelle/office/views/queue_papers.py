"""What the queue does of documents beside answering them: taking an answer back."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from marelle.accounts.permissions import agent_required
from marelle.documents.services import TooLate, take_back_answers
from marelle.office.views.queue import Desk


@require_POST
@agent_required()
def take_back_answer(request: HttpRequest, number: str) -> HttpResponse:
    """Take back the ticked answers (`reponse`: line, and when it was answered), as they stood on the page."""
    desk = Desk(request)
    opened = desk.load(number)
    answers = dict(said for value in request.POST.getlist("reponse")[:50] if (said := _read(value)) is not None)
    if not answers:
        messages.warning(request, _("Cochez la réponse à reprendre."))
    else:
        try:
            back = take_back_answers(
                request=opened,
                answers=answers,
                town=desk.town,
                agent=desk.agent,
                by=request.user,  # type: ignore[arg-type]
                at=request.at,  # type: ignore[attr-defined]
            )
        except TooLate:
            words = _(
                "Cette réponse ne se reprend plus : elle date de plus d’un jour, ou le document a changé depuis."
                " Rien n’est modifié."
            )
            messages.warning(request, words)
        else:
            done = ngettext(
                "La réponse est reprise : le document attend à nouveau. La famille est prévenue.",
                "Les réponses sont reprises : les documents attendent à nouveau. La famille est prévenue.",
                len(back) or len(answers),
            )
            messages.success(request, done)
    return redirect(reverse("office:request", args=[opened.number]) + desk.query + "#detail")


def _read(value: str) -> tuple[int, datetime] | None:
    line, _bar, when = value.partition("|")
    if not (line.isascii() and line.isdecimal() and len(line) < 13):
        return None
    try:
        at = datetime.fromisoformat(when)
    except ValueError:
        return None
    return (int(line), at) if at.tzinfo is not None else None
