"""Check, send, take a line out."""

import uuid
from datetime import date
from itertools import groupby

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from marelle.activities.queries import municipality
from marelle.bookings.models import BasketLine
from marelle.bookings.queries.baskets import basket_lines, days_gone_by
from marelle.bookings.services.baskets import agree_to_wait, remove_line
from marelle.bookings.services.sending import Choice, choice_of, judge_lines, load_basket_days, send_basket
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.queries import kids_of
from marelle.foundation.sentences import day_words
from marelle.portal.navigation import tell_basket
from marelle.portal.planning.check import checked_line
from marelle.portal.tabs import tab_required
from marelle.requests.queries import find_request
from marelle.townfile.town import Tab


@require_safe
@never_cache  # going back after a send must not show as unsent what has left
@guardian_required
@tab_required(Tab.BOOKINGS)
def check(request: GuardianHttpRequest) -> HttpResponse:
    """Everything in the basket, as sentences, with each day's limit and what would be refused now."""
    town = municipality()
    household = request.household
    lines = basket_lines(user=request.user, household=household)
    tell_basket(request, len(lines))
    days = load_basket_days(lines, town=town, at=request.at, glance=True)
    verdicts = judge_lines(lines, days)
    kids = kids_of(household)
    checked = [checked_line(line, verdicts[line.id], days, town, kids) for line in lines]
    groups = [
        {"kid": kid, "lines": list(found)} for kid, found in groupby(checked, key=lambda line: kids[line.line.child_id])
    ]
    problems = [line for line in checked if line.problem]
    return render(
        request,
        "portal/planning/check.html",
        {
            "municipality": town,
            "steps": [_("Choisir"), _("Vérifier"), _("Terminé")],
            "groups": groups,
            "problems": problems,
            "ready": len(checked) - len(problems),
            "send_key": lines[0].basket.send_key if lines else "",
            "shown": " ".join(_packed(line) for line in lines),
            "sent_number": _own_number(request),
            "asked": any(line.asked for line in checked if not line.problem),
            "waiting": sum(line.waits for line in checked),
            "gone_by": days_gone_by(user=request.user, household=household, at=request.at),
        },
    )


def _own_number(request: GuardianHttpRequest) -> str:
    """The number of the request just sent, when some of its lines stayed here; nothing for one that is not theirs."""
    number = request.GET.get("envoyee", "")
    return number if number and find_request(number, household=request.household) else ""


@require_POST
@guardian_required
@tab_required(Tab.BOOKINGS)
def send(request: GuardianHttpRequest) -> HttpResponse:
    """Send what the check showed. A repeated send lands on the same request."""
    try:
        key = uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None
    sending = send_basket(
        town=municipality(),
        user=request.user,
        household=request.household,
        send_key=key,
        at=request.at,
        shown=_choices(request.POST["shown"]) if "shown" in request.POST else None,
    )
    if sending.request is None:
        if not sending.unsent:
            messages.info(request, _("Il n’y a rien à envoyer : votre demande est déjà partie, ou elle est vide."))
            return redirect("portal:check")
        messages.error(request, _("Aucun jour n’a pu être envoyé. Voici pourquoi."))
        return redirect("portal:check")
    if sending.unsent:
        messages.warning(
            request,
            ngettext(
                "%(n)d jour n’a pas pu être envoyé : il reste dans votre sélection, avec la raison.",
                "%(n)d jours n’ont pas pu être envoyés : ils restent dans votre sélection, avec la raison.",
                len(sending.unsent),
            )
            % {"n": len(sending.unsent)},
        )
        return redirect(f"{reverse('portal:check')}?envoyee={sending.request.number}")
    return redirect(f"{reverse('portal:request', args=[sending.request.number])}?envoyee=1")


def _packed(line: BasketLine) -> str:
    child, unit, day, act = choice_of(line)
    return f"{child}.{unit}.{day.isoformat()}.{act}"


def _choices(packed: str) -> set[Choice]:
    """What the check listed. A form that is not ours is a 404."""
    try:
        return {
            (int(child), int(unit), date.fromisoformat(day), act)
            for child, unit, day, act in (choice.split(".") for choice in packed.split())
        }
    except ValueError:
        raise Http404 from None


@require_POST
@guardian_required
@tab_required(Tab.BOOKINGS)
def wait(request: GuardianHttpRequest, line: int) -> HttpResponse:
    """Keep a full day in the basket, to stand in its waiting list."""
    agree_to_wait(user=request.user, household=request.household, line_id=line, at=request.at)
    return redirect(f"{reverse('portal:check')}#ligne-{line}")


@require_POST
@guardian_required
@tab_required(Tab.BOOKINGS)
def remove(request: GuardianHttpRequest, line: int) -> HttpResponse:
    """Take a line out, say which, and come back to the place where it stood."""
    lines = basket_lines(user=request.user, household=request.household)
    rank = next((rank for rank, one in enumerate(lines) if one.pk == line), None)
    if rank is None:
        return redirect("portal:check")
    remove_line(user=request.user, household=request.household, line_id=line, at=request.at)
    gone = lines.pop(rank)
    messages.success(
        request,
        _("Retiré de votre demande : %(name)s, %(day)s.")
        % {"name": gone.child.first_name, "day": day_words(gone.date)},
    )
    if not lines:
        return redirect("portal:check")
    return redirect(f"{reverse('portal:check')}#ligne-{lines[min(rank, len(lines) - 1)].pk}")
