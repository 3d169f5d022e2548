"""Who is around the children of a home: whom to call, and who may fetch them."""

import uuid
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marelle.accounts.permissions import recently_proved, to_the_proof
from marelle.activities.queries import municipality
from marelle.families.circle.authorised import authorise, change_person, remove_person, restore_person
from marelle.families.circle.contacts import TooMany, move_contact, remove_contact, save_contact
from marelle.families.models import AuthorisedPerson, EmergencyContact
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.files import store
from marelle.foundation.files.store import FileGone
from marelle.portal.child.forms import ContactForm, PersonForm
from marelle.portal.child.opened import may_send, opened
from marelle.portal.children import HouseholdChild, children_of
from marelle.portal.views.child import address_of, child_among

WHAT = "circle"


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def new_contact(request: GuardianHttpRequest) -> HttpResponse:
    children = children_of(request.household)
    return _contact(request, children, _asked_child(request, children), None)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def contact(request: GuardianHttpRequest, contact_id: uuid.UUID) -> HttpResponse:
    """`do`: save, up, down or remove; `enfant`: from whose page."""
    children = children_of(request.household)
    kept = get_object_or_404(EmergencyContact, pk=contact_id, household=request.household)
    one = _asked_child(request, children)
    do = request.POST.get("do", "save")
    if request.method == "POST" and do in ("up", "down"):
        move_contact(contact=kept, child=one.child, up=do == "up", by=request.user, at=request.at)
        return redirect(address_of(one, "urgence"))
    if request.method == "POST" and do == "remove":
        remove_contact(contact=kept, by=request.user, at=request.at)
        messages.success(request, _("%(name)s n’est plus un contact d’urgence.") % {"name": kept.name})
        return redirect(address_of(one, "urgence"))
    return _contact(request, children, one, kept)


def _contact(
    request: GuardianHttpRequest,
    children: list[HouseholdChild],
    one: HouseholdChild,
    kept: EmergencyContact | None,
) -> HttpResponse:
    initial: dict[str, Any] = ContactForm.of(kept) if kept else {"children": [str(other.id) for other in children]}
    key = kept.pk if kept else _key(request)
    form = ContactForm(request.POST if request.method == "POST" else None, kids=children, initial=initial)
    problems = []
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            save_contact(
                id=key,
                household=request.household,
                children=form.chosen(),
                name=data["name"],
                link=data["link"],
                phone=data["phone"],
                other_phone=data["other_phone"],
                by=request.user,
                at=request.at,
            )
        except TooMany as fault:
            problems = [_too_many(fault)]
        else:
            messages.success(request, _("%(name)s : contact d’urgence enregistré.") % {"name": data["name"]})
            return redirect(address_of(one, "urgence"))
    return render(
        request,
        "portal/child/contact.html",
        {
            "municipality": municipality(),
            "one": one,
            "form": form,
            "kept": kept,
            "key": key,
            "problems": problems,
            "several": len(children) > 1,
        },
        status=422 if form.errors or problems else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def new_person(request: GuardianHttpRequest) -> HttpResponse:
    """`enfant`: for whom; `jour` ("2026-11-27"): for that day only."""
    children = children_of(request.household)
    return _person(request, children, _asked_child(request, children), None)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def person(request: GuardianHttpRequest, person_id: uuid.UUID) -> HttpResponse:
    """`do`: save, remove or restore; `enfant`: from whose page."""
    children = children_of(request.household)
    kept = get_object_or_404(AuthorisedPerson, pk=person_id, household=request.household)
    one = _asked_child(request, children)
    do = request.POST.get("do", "save")
    if request.method == "POST" and do == "remove":
        remove_person(person=kept, by=request.user, at=request.at)
        messages.success(request, _("%(name)s ne peut plus venir chercher vos enfants.") % {"name": kept.name})
        return redirect(address_of(one, "chercher"))
    if request.method == "POST" and do == "restore":
        if not recently_proved(request):
            return to_the_proof(request)
        restore_person(person=kept, by=request.user, at=request.at)
        messages.success(request, _("%(name)s peut de nouveau venir chercher vos enfants.") % {"name": kept.name})
        return redirect(address_of(one, "chercher"))
    if kept.removed_at is not None:
        raise Http404
    return _person(request, children, one, kept)


@require_safe
@guardian_required
def photo(request: GuardianHttpRequest, person_id: uuid.UUID) -> HttpResponse:
    """The picture that this home gave of somebody."""
    kept = get_object_or_404(
        AuthorisedPerson.objects.select_related("photo"), pk=person_id, household=request.household, photo__isnull=False
    )
    assert kept.photo is not None
    try:
        return store.respond(kept.photo)
    except FileGone:
        raise Http404 from None


def _person(
    request: GuardianHttpRequest,
    children: list[HouseholdChild],
    one: HouseholdChild,
    kept: AuthorisedPerson | None,
) -> HttpResponse:
    """The password is asked before the form; once it is open, it may be sent."""
    if request.method == "POST" and not may_send(request, WHAT):
        return to_the_proof(request)
    if request.method != "POST" and not recently_proved(request):
        return to_the_proof(request)
    town = municipality()
    today = request.at.astimezone(town.tz).date()
    initial: dict[str, Any] = {"children": [str(one.id)], "when": "always"}
    if kept is not None:
        initial = PersonForm.of(kept)
    elif (day := _day(request)) is not None:
        initial |= {"when": "some", "first_day": day, "last_day": day}
    key = kept.pk if kept else _key(request)
    sent = request.method == "POST"
    form = PersonForm(
        request.POST if sent else None, request.FILES if sent else None, kids=children, today=today, initial=initial
    )
    problems = []
    if form.is_bound and form.is_valid():
        said = form.said()
        try:
            if kept is None:
                authorise(id=key, household=request.household, said=said, by=request.user, at=request.at)
            else:
                change_person(person=kept, said=said, by=request.user, at=request.at)
        except TooMany as fault:
            problems = [_too_many(fault)]
        else:
            messages.success(request, _("%(name)s peut venir chercher vos enfants.") % {"name": said.name})
            return redirect(address_of(one, "chercher"))
    return render(
        request,
        "portal/child/person.html",
        {
            "municipality": town,
            "one": one,
            "form": form,
            "kept": kept,
            "key": key,
            "problems": problems,
            "opened": opened(request, WHAT),
            "several": len(children) > 1,
        },
        status=422 if form.errors or problems else 200,
    )


def _asked_child(request: GuardianHttpRequest, children: list[HouseholdChild]) -> HouseholdChild:
    """From whose page one comes; the first child's when the address does not say. 404 without children."""
    said = request.POST.get("enfant") or request.GET.get("enfant") or ""
    if said.isdecimal() and len(said) < 12:
        return child_among(children, int(said))
    if not children:
        raise Http404
    return children[0]


def _key(request: GuardianHttpRequest) -> uuid.UUID:
    """The key that the form brings back: what it writes is written once."""
    try:
        return uuid.UUID(request.POST["key"])
    except (KeyError, ValueError):
        return uuid.uuid4()


def _day(request: GuardianHttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get("jour", ""))
    except ValueError:
        return None


def _too_many(fault: TooMany) -> dict[str, str]:
    return {"text": _("Vous avez déjà %(most)d personnes : enlevez-en une d’abord.") % {"most": fault.most}, "href": ""}
