"""What only agents with the right to may open of a child: the health file, and who is forbidden. Each opening asks why,
and is written down; nothing of it stands in an address, a message or a title."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.queries import municipality
from marelle.families.circle.authorised import check_identity as check
from marelle.families.circle.forbidden import forbid as record
from marelle.families.circle.forbidden import lift as lift_one
from marelle.families.circle.forbidden import open_forbidden
from marelle.families.health.files import open_health
from marelle.families.models import AuthorisedPerson, Child, ForbiddenPerson, HealthReading, Household, ReadingReason
from marelle.families.permissions import children_for, households_for
from marelle.families.queries import health_standing, year_of
from marelle.foundation.files import store
from marelle.foundation.files.store import FileGone
from marelle.foundation.sentences import day_words

REASONS = (ReadingReason.DAY, ReadingReason.QUESTION, ReadingReason.PLAN, ReadingReason.EMERGENCY)
LAST = 10


class WhyForm(forms.Form):
    why = forms.ChoiceField(
        label=gettext_lazy("Pourquoi ouvrez-vous cette fiche ?"),
        choices=[(reason.value, reason.label) for reason in REASONS],
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choisissez un motif."),
            "invalid_choice": gettext_lazy("Choisissez un motif."),
        },
    )


class ForbidForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Prénom et nom"),
        max_length=120,
        error_messages={"required": gettext_lazy("Indiquez le prénom et le nom.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Décision"),
        max_length=1000,
        help_text=gettext_lazy("Le jugement : sa date, le tribunal, ce qu’il interdit."),
        error_messages={"required": gettext_lazy("Indiquez la décision qui l’interdit.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )


@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
@cache_control(private=True, no_store=True)
def health(request: AgentHttpRequest, household_id: int, child_id: int) -> HttpResponse:
    """Why first; then the file and who is forbidden. The answer to a POST: nothing to come back to."""
    household, child = _child(request, household_id, child_id)
    town = municipality()
    form = WhyForm(request.POST if request.method == "POST" else None)
    around: dict[str, Any] = {"municipality": town, "household": household, "child": child, "form": form}
    if not (form.is_bound and form.is_valid()):
        last = HealthReading.objects.filter(child=child)[:LAST]
        return render(
            request, "office/families/health.html", around | {"readings": last}, status=422 if form.errors else 200
        )
    why = ReadingReason(form.cleaned_data["why"])
    found = open_health(child=child, reader=request.user, as_agent=True, why=why, at=request.at)
    forbidden = open_forbidden(child=child, reader=request.user, why=why, at=request.at)
    today = request.at.astimezone(town.tz).date()
    year = year_of(town, today=today)
    if found is not None:
        content, file = found.content, found.file
        around |= {
            "content": content,
            "file": file,
            "standing": health_standing([child], year, today=today)[child.pk] if year else None,
            "confirmed": day_words(file.confirmed_at.astimezone(town.tz).date(), year=True),
            "plan_until": day_words(file.plan_until, year=True) if file.plan_until else "",
            "vaccinated_on": day_words(content.vaccinated_on, year=True) if content.vaccinated_on else "",
        }
    return render(request, "office/families/health_opened.html", around | {"forbidden": forbidden})


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
@cache_control(private=True, no_store=True)
def forbid(request: AgentHttpRequest, household_id: int, child_id: int) -> HttpResponse:
    """Record somebody whom a judgment forbids to fetch the child."""
    household, child = _child(request, household_id, child_id)
    form = ForbidForm(request.POST if request.method == "POST" else None)
    try:
        key = uuid.UUID(request.POST["key"]) if form.is_bound else uuid.uuid4()
    except (KeyError, ValueError):
        raise Http404 from None
    if form.is_bound and form.is_valid():
        record(
            id=key,
            child=child,
            name=form.cleaned_data["name"],
            note=form.cleaned_data["note"],
            by=request.user,
            at=request.at,
        )
        messages.success(request, _("C’est inscrit. Les familles ne le voient pas."))
        return redirect("office:child_health", household.pk, child.pk)
    return render(
        request,
        "office/families/forbid.html",
        {"municipality": municipality(), "household": household, "child": child, "form": form, "key": key},
        status=422 if form.errors else 200,
    )


@require_POST
@agent_required()
def lift(request: AgentHttpRequest, household_id: int, child_id: int, forbidden_id: uuid.UUID) -> HttpResponse:
    household, child = _child(request, household_id, child_id)
    row = get_object_or_404(ForbiddenPerson.objects.defer("sealed"), pk=forbidden_id, child=child)
    if lift_one(row=row, by=request.user, at=request.at):
        messages.success(request, _("L’interdiction est levée."))
    return redirect("office:child_health", household.pk, child.pk)


@require_POST
@agent_required()
def check_identity(request: AgentHttpRequest, household_id: int, person_id: uuid.UUID) -> HttpResponse:
    person = _person(request, household_id, person_id)
    if check(person=person, by=request.user, at=request.at):
        messages.success(request, _("Identité vérifiée : %(name)s.") % {"name": person.name})
    return redirect("office:family", household_id)


@require_safe
@agent_required()
def person_photo(request: AgentHttpRequest, household_id: int, person_id: uuid.UUID) -> HttpResponse:
    person = _person(request, household_id, person_id)
    if person.photo is None:
        raise Http404
    try:
        return store.respond(person.photo)
    except FileGone:
        raise Http404 from None


def _child(request: AgentHttpRequest, household_id: int, child_id: int) -> tuple[Household, Child]:
    """404 for a child whom the agent does not see, 403 for an agent who reads no health file."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    child = get_object_or_404(children_for(request.agent, at=request.at), pk=child_id, residences__household=household)
    if not request.agent.reads_health:
        raise PermissionDenied
    return household, child


def _person(request: AgentHttpRequest, household_id: int, person_id: uuid.UUID) -> AuthorisedPerson:
    """Somebody whom this home lets fetch a child that the agent sees."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    return get_object_or_404(
        AuthorisedPerson.objects.select_related("photo")
        .filter(children__in=children_for(request.agent, at=request.at))
        .distinct(),
        pk=person_id,
        household=household,
        removed_at=None,
    )
