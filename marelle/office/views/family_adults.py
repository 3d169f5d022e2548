"""The adults of a household, as the office's agents decide: one more, one less."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.families.models import Guardian, Guardianship, Household
from marelle.families.permissions import households_for
from marelle.families.places import LastAdult, add_adult, end_place
from marelle.families.queries import matching
from marelle.families.services import AddressInUse, NewGuardian
from marelle.foundation.typed import typed
from marelle.office.household_form import GuardianForm
from marelle.office.mails import DESK
from marelle.requests.correction_forms import link_field

FOUND = 20


class NewAdultForm(GuardianForm):
    link = link_field()

    def guardian(self) -> NewGuardian:
        facts = {name: self.cleaned_data[name] for name in ("first_name", "last_name", "email", "phone")}
        return NewGuardian(**facts)


class EndForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Motif"),
        max_length=300,
        help_text=gettext_lazy(
            "La famille le lit dans son historique. Par exemple : séparation. N’écrivez rien de médical."
        ),
        error_messages={"required": gettext_lazy("Indiquez le motif : la famille le lit.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    sure = forms.BooleanField(
        label=gettext_lazy("Je confirme : son compte n’ouvre plus ce foyer"),
        error_messages={"required": gettext_lazy("Cochez la case pour confirmer.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required(*DESK)
def add(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """Somebody known in another home (`guardian`), or somebody new."""
    seen = households_for(request.agent, at=request.at)
    household = get_object_or_404(seen, pk=household_id)
    others = Guardian.objects.filter(households__in=seen.values("pk")).exclude(households=household).distinct()
    form = NewAdultForm()
    if request.method == "POST" and (number := request.POST.get("guardian", "")):
        right = number.isascii() and number.isdecimal() and len(number) < 13
        return _added(request, household, get_object_or_404(others, pk=int(number) if right else 0))
    if request.method == "POST":
        form = NewAdultForm(request.POST)
        if form.is_valid():
            try:
                return _added(request, household, form.guardian(), **_place(form))
            except AddressInUse as error:
                for name in error.holders.values():
                    words = _("Cette adresse est déjà utilisée par %(name)s. Cherchez cet adulte ci-dessus.")
                    form.add_error("email", words % {"name": name})
    words = typed(request.GET, "q", most=100)
    found: Any = []
    if words:
        homes = matching(seen, words).values("pk")
        found = (
            others.filter(households__in=homes)
            .prefetch_related("households")
            .order_by("last_name", "first_name", "id")[:FOUND]
        )
    return render(
        request,
        "office/families/add_adult.html",
        {"household": household, "form": form, "q": words, "found": found},
        status=422 if form.is_bound else 200,
    )


def _place(form: NewAdultForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("link", "is_legal")}


def _added(
    request: AgentHttpRequest,
    household: Household,
    adult: NewGuardian | Guardian,
    *,
    link: str = "",
    is_legal: bool | None = None,
) -> HttpResponse:
    place = add_adult(
        household=household,
        adult=adult,
        link=link,
        is_legal=is_legal,
        by=request.user.actor(as_agent=True),
        at=request.at,
    )
    messages.success(
        request,
        _("%(adult)s fait partie du foyer %(name)s.") % {"adult": place.guardian, "name": household.name},
    )
    return redirect("office:family", household.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required(*DESK)
def end(request: AgentHttpRequest, household_id: int, guardian_id: int) -> HttpResponse:
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    guardian = get_object_or_404(Guardian, pk=guardian_id, households=household)
    form = EndForm(request.POST if request.method == "POST" else None)
    problems: list[dict[str, str]] = []
    if form.is_valid():
        try:
            end_place(
                household=household,
                guardian=guardian,
                reason=form.cleaned_data["reason"],
                by=request.user.actor(as_agent=True),
                at=request.at,
            )
        except Guardianship.DoesNotExist:
            raise Http404 from None
        except LastAdult:
            words = _("%(name)s est le seul adulte du foyer. Ajoutez d’abord l’autre adulte.")
            problems = [{"text": words % {"name": guardian}, "href": ""}]
        else:
            messages.success(
                request,
                _("%(adult)s ne fait plus partie du foyer %(name)s.") % {"adult": guardian, "name": household.name},
            )
            return redirect("office:family", household.pk)
    return render(
        request,
        "office/families/end_place.html",
        {"household": household, "guardian": guardian, "form": form, "problems": problems},
        status=422 if form.is_bound else 200,
    )
