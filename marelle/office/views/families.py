"""Families, as agents see them: find one, register one, invite its adults, read what was done."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.queries import municipality
from marelle.families.models import Guardian, Guardianship, Household
from marelle.families.permissions import households_for
from marelle.families.queries import invitation_state, matching, with_people
from marelle.families.services import (
    AddressInUse,
    AlreadyIn,
    AlreadyInvited,
    ChildAlreadyKnown,
    NoAddress,
    invite_guardian,
    register_household,
    set_audiences,
)
from marelle.foundation.typed import typed
from marelle.office.family.page import family_page, sight_of
from marelle.office.household_form import MOST_CHILDREN, MOST_GUARDIANS, HouseholdForm
from marelle.office.imports import may_import
from marelle.office.mails import DESK
from marelle.rules.eligibility import Audience

PAGE = 25

SORTS = {"nom": ("name", "id"), "recentes": ("-created_at", "-id")}
HAS_ADDRESS = ~Q(guardian__email="")
OUTSIDE = Q(guardian__user__is_active=False, guardian__user__activated_at=None)
NEVER_INVITED = HAS_ADDRESS & (Q(guardian__user=None) | OUTSIDE & Q(guardian__user__invitations=0))
NOT_IN_YET = OUTSIDE & Q(guardian__user__invitations__gt=0)
FILTERS = {"a-inviter": NEVER_INVITED, "sans-reponse": NOT_IN_YET}


@require_safe
@agent_required()
def index(request: AgentHttpRequest) -> HttpResponse:
    words = typed(request.GET, "q", most=100)
    sort = request.GET.get("tri", "nom")
    chosen = request.GET.get("voir", "")
    found = matching(households_for(request.agent, at=request.at), words)
    if chosen in FILTERS:
        found = found.filter(pk__in=Guardianship.objects.filter(FILTERS[chosen]).values("household"))
    shown = with_people(found.order_by(*SORTS.get(sort, SORTS["nom"])))
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "office/families/index.html",
        {
            "page": page,
            "families": [listed(household) for household in page],
            "q": words,
            "sort": sort,
            "chosen": chosen,
            "may_register": request.agent.kind in DESK,
            "may_import": may_import(request.agent),
        },
    )


def listed(household: Household) -> dict[str, Any]:
    return {
        "household": household,
        "guardians": [guardian_facts(link.guardian) for link in household.guardianships.all()],
        "children": list(household.children.all()),
    }


def guardian_facts(guardian: Guardian) -> dict[str, Any]:
    user = guardian.user
    return {
        "guardian": guardian,
        "state": invitation_state(guardian),
        "invitations": user.invitations if user else 0,
        "invited_at": user.invited_at if user else None,
        "activated_at": user.activated_at if user else None,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required(*DESK)
def new(request: AgentHttpRequest) -> HttpResponse:
    today = request.at.astimezone(municipality().tz).date()
    do = request.POST.get("do", "save")
    if request.method != "POST":
        form = HouseholdForm.blank(today=today)
    elif do != "save":
        form = HouseholdForm.changed(request.POST, do=do, today=today)
    else:
        form = HouseholdForm.sent(request.POST, today=today)
        if form.is_valid() and (household := register(request, form)):
            return redirect("office:family", household.pk)
    return render(
        request,
        "office/families/new.html",
        {
            "form": form,
            "may_add_guardian": len(form.guardians) < MOST_GUARDIANS,
            "may_add_child": len(form.children) < MOST_CHILDREN,
        },
    )


def register(request: AgentHttpRequest, form: HouseholdForm) -> Household | None:
    """The household, its adults invited if that was asked; None, and why in the form, when someone was quicker."""
    try:
        household = register_household(
            name=form.home.cleaned_data["name"],
            address=form.address(),
            guardians=form.new_guardians(),
            children=form.new_children(),
            is_resident=form.home.cleaned_data["is_resident"],
            invite=form.home.cleaned_data["invite"],
            by=request.user.actor(as_agent=True),
            at=request.at,
        )
    except AddressInUse as error:
        form.problems = [{"text": words_in_use(error), "href": ""}]
        return None
    except ChildAlreadyKnown as error:
        form.problems = [{"text": _("%(name)s est déjà dans une autre famille.") % {"name": error.child}, "href": ""}]
        return None
    invited = [
        guardian.email for guardian in form.new_guardians() if guardian.email and form.home.cleaned_data["invite"]
    ]
    sentence = _("Famille %(name)s enregistrée.") % {"name": household.name}
    if invited:
        sentence += " " + ngettext(
            "Invitation envoyée à %(addresses)s.", "Invitations envoyées à %(addresses)s.", len(invited)
        ) % {"addresses": ", ".join(invited)}
    messages.success(request, sentence)
    return household


def words_in_use(error: AddressInUse) -> str:
    return " ".join(
        _("L’adresse %(address)s est déjà utilisée par %(name)s.") % {"address": address, "name": name}
        for address, name in error.holders.items()
    )


@require_safe
@agent_required()
def detail(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """Everything about a family on one page: `office.family`."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    sight = sight_of(household, role=request.agent, town=municipality(), at=request.at, query=request.GET)
    return render(request, "office/families/detail.html", {"household": household, "page": family_page(sight)})


@require_POST
@agent_required(*DESK)
def audiences(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """Which early openings the family has a right to: `a` holds the boxes that are ticked."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    ticked = set(request.POST.getlist("a"))
    changed = set_audiences(
        household=household,
        audiences=[one for one in Audience if one in ticked],
        by=request.user.actor(as_agent=True),
        at=request.at,
    )
    if changed:
        messages.success(request, _("Priorités de la famille %(name)s enregistrées.") % {"name": household.name})
    else:
        messages.info(request, _("Rien n’a changé."))
    return redirect("office:family", household.pk)


@require_POST
@agent_required(*DESK)
def invite(request: AgentHttpRequest, household_id: int, guardian_id: int) -> HttpResponse:
    """Invite one adult, once for each page that was shown: `after` is how many invitations it told."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    guardian = get_object_or_404(household.guardians, pk=guardian_id)
    shown = request.POST.get("after", "")
    try:
        mail = invite_guardian(
            guardian=guardian,
            by=request.user.actor(as_agent=True),
            at=request.at,
            after=int(shown) if shown.isdecimal() and len(shown) < 5 else None,
        )
    except AlreadyInvited:
        messages.info(request, _("L’invitation est déjà partie."))
    except NoAddress:
        messages.error(request, _("%(name)s n’a pas d’adresse e-mail.") % {"name": guardian})
    except AlreadyIn:
        messages.info(request, _("%(name)s a déjà un compte ouvert.") % {"name": guardian})
    except AddressInUse as error:
        messages.error(request, words_in_use(error))
    else:
        messages.success(request, _("Invitation envoyée à %(address)s.") % {"address": mail.to_address})
    return redirect("office:family", household.pk)
