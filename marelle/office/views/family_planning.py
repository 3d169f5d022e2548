"""A family's planning in the hands of an agent: choose, check with a reason, record."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.bookings.queries.menus import Order
from marelle.bookings.queries.months import Month
from marelle.bookings.services.overrides import Change, book_for_family
from marelle.families.permissions import households_for
from marelle.foundation.typed import typed
from marelle.office.family_planning import (
    Family,
    carried_changes,
    family_of,
    month_page,
    packed,
    read_check,
    services_of,
    ticked_changes,
)
from marelle.office.mails import DESK
from marelle.office.queue import sites_of
from marelle.office.refusals import MODELS, OVERRIDE, reason_from
from marelle.office.shortcuts import Report, carry_out
from marelle.requests.services import ReasonMissing
from marelle.rules.calendars import BeyondCalendar

#: Characters of an agent's own words; with a ready-made reason they fit in what a line keeps.
LONGEST_WORDS = 400


@require_safe
@agent_required(*DESK)
def plannings(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """The first service of the family that is reserved by days; without one, its page says so."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    service = next(iter(services_of(request.agent, household)), None)
    if service is None:
        messages.info(request, _("Aucun enfant de cette famille n’est inscrit à un service réservé par jour."))
        return redirect("office:family", household.pk)
    return redirect("office:family_planning", household.pk, service.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required(*DESK)
@never_cache
def planning(request: AgentHttpRequest, household_id: int, service: str) -> HttpResponse:
    """A month of the service. POST writes nothing: it shows another month with the choices kept, what a shortcut chose,
    or their check."""
    family = family_of(request.agent, household_id, service, at=request.at)
    if request.method != "POST":
        return _month(request, family, asked=request.GET.get("mois", ""), chosen=())
    changes = ticked_changes(request.POST)
    name, _cut, rest = request.POST.get("do", "").partition(":")
    if name == "check" and changes:
        return _check(request, family, changes)
    if name == "check":
        messages.info(request, _("Aucun changement : cochez ou décochez des jours."))
    shown = request.POST.get("mois", "")
    order, month = Order.parse(request.POST.get("do", "")), Month.parse(shown)
    if order is not None and month is not None:
        changes, report = carry_out(order, family, changes, month=month, at=request.at)
        return _month(request, family, asked=shown, chosen=changes, report=report)
    if name == "back":
        changes = carried_changes(request.POST, "avant")
    elif name == "undo":
        changes = []
    return _month(request, family, asked=rest or shown, chosen=changes)


@require_POST
@agent_required(*DESK)
def record(request: AgentHttpRequest, household_id: int, service: str) -> HttpResponse:
    """Record what the check showed. A repeated form lands on the same request."""
    family = family_of(request.agent, household_id, service, at=request.at)
    changes = carried_changes(request.POST)
    try:
        key = uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None
    if not changes:
        return redirect("office:family_planning", family.household.pk, family.service.slug)
    read_check(family, changes, at=request.at)  # a child or a unit that is not the agent's: 404
    try:
        done = book_for_family(
            town=family.town,
            household=family.household,
            changes=changes,
            reason=reason_from(
                kind=OVERRIDE,
                slug=request.POST.get("modele", ""),
                words=typed(request.POST, "motif", most=LONGEST_WORDS),
            ),
            by=request.user,
            send_key=key,
            at=request.at,
            sites=sites_of(request.agent),
            billed=request.POST.get("facture", "oui") != "non",
        )
    except ReasonMissing:
        return _check(request, family, changes, key=key, reason_missing=True)
    if done.request is None:
        messages.error(request, _("Rien n’a été enregistré. Voici pourquoi."))
        return _check(request, family, changes, status=409)
    messages.success(
        request,
        _("Demande n° %(number)s enregistrée. La famille reçoit un e-mail.") % {"number": done.request.number},
    )
    if done.undone:
        n = len(done.undone)
        text = ngettext(
            "%(n)d jour n’a pas pu être enregistré : complet, ou changé entre-temps.",
            "%(n)d jours n’ont pas pu être enregistrés : complets, ou changés entre-temps.",
            n,
        )
        messages.warning(request, text % {"n": n})
    address = reverse("office:family_planning", args=[family.household.pk, family.service.slug])
    return redirect(f"{address}?mois={Month.of(min(change.day for change in changes))}")


def _month(
    request: AgentHttpRequest,
    family: Family,
    *,
    asked: str,
    chosen: Sequence[Change],
    report: Report | None = None,
) -> HttpResponse:
    try:
        page = month_page(family, asked=asked, chosen=chosen, at=request.at)
    except BeyondCalendar:
        raise Http404 from None
    return render(
        request,
        "office/planning/month.html",
        {
            "municipality": family.town,
            "family": family,
            "page": page,
            "kept": packed(page.kept),
            "report": report.text if report else "",
            "before": packed(report.before) if report else "",
        },
    )


def _check(
    request: AgentHttpRequest,
    family: Family,
    changes: Sequence[Change],
    *,
    key: uuid.UUID | None = None,
    reason_missing: bool = False,
    status: int = 200,
) -> HttpResponse:
    check = read_check(family, changes, at=request.at)
    missing = _("Dites pourquoi vous passez outre : la famille le lit.") if reason_missing else ""
    context: dict[str, Any] = {
        "municipality": family.town,
        "family": family,
        "check": check,
        "kept": packed(changes),
        "month": Month.of(min(change.day for change in changes)),
        "send_key": key or uuid.uuid4(),
        "models": MODELS[OVERRIDE],
        "model": request.POST.get("modele", ""),
        "words": typed(request.POST, "motif", most=LONGEST_WORDS),
        "billed": request.POST.get("facture", "oui") != "non",
        "reason_error": missing,
        "problems": [{"text": missing, "href": "#modele"}] if missing else [],
    }
    return render(request, "office/planning/check.html", context, status=422 if reason_missing else status)
