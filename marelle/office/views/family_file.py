"""What agents write in a family's file: corrections that count at once, calls, a child's second home."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.queries import municipality
from marelle.families.calls import note_call
from marelle.families.facts import Subject
from marelle.families.models import Guardian, Guardianship, Household
from marelle.families.permissions import children_for, households_for
from marelle.families.queries import matching
from marelle.families.services import attach_child
from marelle.foundation.typed import typed
from marelle.office.mails import DESK
from marelle.requests.correction_forms import (
    AdultForm,
    ChildForm,
    CorrectionForm,
    HouseholdForm,
    PlaceForm,
    QuotientForm,
)
from marelle.requests.corrections import Change, correct, pending_corrections, pending_of

FOUND = 20


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Motif"),
        max_length=300,
        help_text=gettext_lazy("La famille le lit, dans son e-mail et sur sa demande. N’écrivez rien de médical."),
        error_messages={"required": gettext_lazy("Indiquez le motif : la famille le lit.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class CallForm(forms.Form):
    who = forms.CharField(
        label=gettext_lazy("Qui appelle ?"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    words = forms.CharField(
        label=gettext_lazy("Ce qui a été dit"),
        max_length=400,
        help_text=gettext_lazy("Les agents le lisent dans l’historique. N’écrivez rien de médical."),
        error_messages={"required": gettext_lazy("Écrivez en quelques mots ce qui a été dit.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required(*DESK)
def correction(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """`quoi` says of what: "foyer", "quotient", "adulte-12", "place-12" (of that adult), "enfant-7"."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    form_class, subject, title = _what(request, household)
    today = request.at.astimezone(municipality().tz).date()
    data = request.POST if request.method == "POST" else None
    # An agent starts from what stands, not from what the family asks and nobody has answered.
    form = form_class(subject=subject, waiting={}, today=today, data=data)
    reason = ReasonForm(data)
    problems: list[dict[str, str]] = []
    send_key = uuid.uuid4()
    if data is not None:
        try:
            send_key = uuid.UUID(data.get("send_key", ""))
        except ValueError:
            raise Http404 from None
        if form.is_valid() & reason.is_valid():
            return _corrected(request, household, form.changes(), reason.cleaned_data["reason"], send_key)
        problems = [{"text": str(error), "href": "#id_reason"} for error in reason.errors.get("reason", [])]
    return render(
        request,
        "office/families/correct.html",
        {
            "household": household,
            "form": form,
            "reason": reason,
            "title": title,
            "problems": problems,
            "waiting": list(pending_of(pending_corrections(household), subject).values()),
            "send_key": send_key,
        },
        status=422 if data is not None else 200,
    )


def _corrected(
    request: AgentHttpRequest, household: Household, changes: list[Change], reason: str, send_key: uuid.UUID
) -> HttpResponse:
    done = correct(
        household=household, changes=changes, reason=reason, by=request.user, at=request.at, send_key=send_key
    )
    if done is None:
        messages.info(request, _("Rien n’a changé."))
    else:
        messages.success(
            request,
            _("Dossier corrigé, demande n° %(number)s. La famille est prévenue.") % {"number": done.number},
        )
    return redirect("office:family", household.pk)


def _what(request: AgentHttpRequest, household: Household) -> tuple[type[CorrectionForm], Subject, str]:
    what, _dash, number = request.GET.get("quoi", "").partition("-")
    id = int(number) if number.isascii() and number.isdecimal() and len(number) < 13 else 0
    match what:
        case "foyer":
            return HouseholdForm, household, _("Corriger le foyer %(name)s") % {"name": household.name}
        case "quotient":
            return QuotientForm, household, _("Nouveau quotient des %(name)s") % {"name": household.name}
        case "adulte":
            guardian = get_object_or_404(Guardian, pk=id, households=household)
            return AdultForm, guardian, _("Corriger %(name)s") % {"name": guardian}
        case "place":
            place = get_object_or_404(
                Guardianship.objects.select_related("guardian"), guardian_id=id, household=household
            )
            return PlaceForm, place, _("Place de %(name)s dans le foyer") % {"name": place.guardian}
        case "enfant":
            child = get_object_or_404(
                children_for(request.agent, at=request.at), pk=id, residences__household=household
            )
            return ChildForm, child, _("Corriger %(name)s") % {"name": child}
    raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required(*DESK)
def call(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """A call is noted in the history, for the agents."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    form = CallForm(request.POST or None)
    send_key = uuid.uuid4()
    if request.method == "POST":
        try:
            send_key = uuid.UUID(request.POST.get("send_key", ""))
        except ValueError:
            raise Http404 from None
        if form.is_valid():
            note_call(
                household=household,
                who=form.cleaned_data["who"],
                words=form.cleaned_data["words"],
                by=request.user.actor(as_agent=True),
                at=request.at,
                key=send_key,
            )
            messages.success(request, _("Appel noté."))
            return redirect("office:family", household.pk)
    return render(
        request,
        "office/families/call.html",
        {"household": household, "form": form, "send_key": send_key},
        status=422 if request.method == "POST" else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required(*DESK)
def attach(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """Say that a child known in another household lives here too."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    others = children_for(request.agent, at=request.at).exclude(residences__household=household)
    if request.method == "POST":
        number = request.POST.get("child", "")
        child = get_object_or_404(others, pk=int(number) if number.isascii() and number.isdecimal() else 0)
        attach_child(household=household, child=child, by=request.user.actor(as_agent=True), at=request.at)
        messages.success(
            request,
            _("%(child)s vit aussi chez les %(name)s.") % {"child": child.first_name, "name": household.name},
        )
        return redirect("office:family", household.pk)
    words = typed(request.GET, "q", most=100)
    found: Any = []
    if words:
        homes = matching(households_for(request.agent, at=request.at), words).values("pk")
        found = (
            others.filter(residences__household__in=homes)
            .distinct()
            .select_related("school")
            .prefetch_related("households")
            .order_by("last_name", "first_name", "id")[:FOUND]
        )
    return render(request, "office/families/attach.html", {"household": household, "q": words, "found": found})
