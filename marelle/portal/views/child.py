"""A child's page, and what its home allows it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marelle.activities.queries import municipality, rules_of
from marelle.families.circle.permission_answers import answer_permissions, permissions_of
from marelle.families.models import PermissionAnswer
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.queries import year_of
from marelle.foundation.french import of_name
from marelle.portal.child.forms import DietForm, PermissionsForm
from marelle.portal.child.page import child_page
from marelle.portal.children import HouseholdChild, children_of
from marelle.requests.corrections import Change, ask_corrections, pending_corrections, pending_of


def child_among(children: list[HouseholdChild], child_id: int) -> HouseholdChild:
    """Raises Http404 for a child of another home."""
    for one in children:
        if one.id == child_id:
            return one
    raise Http404


def address_of(one: HouseholdChild, section: str = "") -> str:
    return reverse("portal:child", args=[one.id]) + (f"#{section}" if section else "")


@require_safe
@guardian_required
def child(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    town = municipality()
    children = children_of(request.household)
    one = child_among(children, child_id)
    today = request.at.astimezone(town.tz).date()
    page = child_page(town=town, household=request.household, one=one, today=today, at=request.at)
    return render(
        request,
        "portal/child/child.html",
        {"municipality": town, "page": page, "one": one, "children": children, "user_id": request.user.pk},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def diet(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    """Another diet, which an agent accepts before the kitchen changes anything."""
    town = municipality()
    diets = rules_of(town).diets
    one = child_among(children_of(request.household), child_id)
    if not diets:
        raise Http404
    waiting = pending_of(pending_corrections(request.household), one.child).get("diet")
    data: Any = request.POST if request.method == "POST" else None
    form = DietForm(data, diets=diets, initial={"diet": waiting.after if waiting else one.child.diet or None})
    try:
        send_key = uuid.UUID(request.POST["send_key"]) if data is not None else uuid.uuid4()
    except (KeyError, ValueError):
        raise Http404 from None
    if form.is_bound and form.is_valid():
        asked = ask_corrections(
            household=request.household,
            changes=[Change(subject=one.child, field="diet", after=form.cleaned_data["diet"])],
            by=request.user,
            at=request.at,
            # A guardian of two homes may send one page for each, from two windows: two requests.
            send_key=uuid.uuid5(send_key, str(request.household.pk)),
        )
        if asked is None:
            messages.info(request, _("Rien n’a changé."))
        else:
            words = _("Demande n° %(number)s envoyée. La cantine sert le menu actuel jusqu’à la réponse.")
            messages.success(request, words % {"number": asked.number})
        return redirect(address_of(one, "repas"))
    return render(
        request,
        "portal/child/diet.html",
        {"municipality": town, "one": one, "form": form, "send_key": send_key},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def permissions(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    """The home's answers for the school year; the last year's are shown until they are given anew."""
    town = municipality()
    one = child_among(children_of(request.household), child_id)
    today = request.at.astimezone(town.tz).date()
    year = year_of(town, today=today)
    asked = permissions_of([one.child], rules=rules_of(town), school_year=year, on=today)[one.id]
    if year is None or not asked:
        raise Http404
    kept: dict[str, bool] = {}
    for answer in PermissionAnswer.objects.filter(child=one.child, household=request.household).order_by("school_year"):
        kept[answer.permission] = answer.allowed
    data: Any = request.POST if request.method == "POST" else None
    form = PermissionsForm(data, asked=asked, before=kept)
    if form.is_bound and form.is_valid():
        changed = answer_permissions(
            child=one.child,
            household=request.household,
            answers=form.answers(),
            names={permitted.permission.slug: permitted.permission.name for permitted in asked},
            school_year=year,
            by=request.user,
            at=request.at,
        )
        if changed:
            messages.success(request, _("Autorisations %(name)s enregistrées.") % {"name": of_name(one.name)})
        else:
            messages.info(request, _("Rien n’a changé."))
        return redirect(address_of(one, "autorisations"))
    mine = [permitted.of(request.household) for permitted in asked]
    return render(
        request,
        "portal/child/permissions.html",
        {
            "municipality": town,
            "one": one,
            "form": form,
            "year": year,
            "renewed": bool(kept) and not all(mine),
        },
        status=422 if form.errors else 200,
    )
