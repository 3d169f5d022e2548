"""Saying that a child will not come, too late to cancel; and taking it back."""

import uuid
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.bookings.queries.absences import Key, cause_name
from marelle.bookings.queries.days import Days
from marelle.bookings.services.absences import (
    Announcement,
    NothingToTakeBack,
    UnknownCause,
    announce_absence,
    take_back_absence,
)
from marelle.families.models import Child
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.sentences import day_words, midsentence, sentence
from marelle.foundation.typed import typed
from marelle.portal.absences import OTHER, AbsencePage, absence_page, checked, key_of, what_words
from marelle.portal.children import HouseholdChild, badges_of, children_of
from marelle.portal.tabs import tab_required
from marelle.portal.tracking import request_page
from marelle.requests.queries import find_request
from marelle.townfile.town import Tab

NOTE_MOST = 500
#: More days than a family can book in the time that the page looks at.
MOST = 500


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.BOOKINGS)
def announce(request: GuardianHttpRequest) -> HttpResponse:
    """The form (`jour` and `service` tick what they name), its check, and the record: one address, `do` says which."""
    town = municipality()
    household, at = request.household, request.at
    children = children_of(household)
    keys = _keys(request, children)
    page, days = absence_page(
        town=town, household=household, children=children, at=at, ticked=keys, asked=_asked(request)
    )
    form = {
        "cause": typed(request.POST, "cause", most=60),
        "note": typed(request.POST, "note"),
        "send_key": _send_key(request),
    }
    problems: list[dict[str, str]] = []
    do = request.POST.get("do") if request.method == "POST" else ""
    if do in ("check", "send"):
        problems = _problems(page, keys, form, children, days)
        if do == "check" and not problems:
            return _check(request, town, children, days, keys, form)
    if do == "send":
        sent = uuid.uuid5(uuid.UUID(str(form["send_key"])), str(household.pk))
        # A form sent twice finds its own absences in the way: the service knows its key, and answers with its request.
        outcome = _announce(request, town, keys, form, sent) if _complete(keys, form) else None
        if outcome is not None and outcome.request is not None:
            for unmet in outcome.unmet:
                messages.warning(
                    request, f"{_line_words(unmet.key, children, days)} : {sentence(unmet.refusal, town.tz)}."
                )
            return redirect(f"{reverse('portal:request', args=[outcome.request.number])}?envoyee=1")
        if outcome is not None and not problems:  # it changed between our reading and the service's
            problems = [
                {"text": f"{_line_words(unmet.key, children, days)} : {sentence(unmet.refusal, town.tz)}.", "href": ""}
                for unmet in outcome.unmet
            ]
    return render(
        request,
        "portal/demarches/absence.html",
        {
            "municipality": town,
            "page": page,
            "children": children,
            "form": form,
            "note_most": NOTE_MOST,
            "other": OTHER,
            "problems": problems,
            "steps": _steps(),
        },
        status=422 if problems else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.BOOKINGS)
def take_back(request: GuardianHttpRequest, number: str) -> HttpResponse:
    """The days of one announcement that have not begun: those ticked are taken back."""
    found = find_request(number, household=request.household)
    if found is None:
        raise Http404
    town = municipality()
    page = request_page(found, town=town, badges=badges_of(children_of(request.household)), at=request.at)
    if not page.is_absence:
        raise Http404
    lines = {line.id for group in page.groups for line in group.lines if line.can_take_back}
    if request.method == "POST":
        said = set(request.POST.getlist("d"))
        wanted = {line for line in lines if str(line) in said}
        if not wanted and lines:
            messages.warning(request, _("Cochez au moins un jour."))
            return redirect("portal:take_back_absence", number=number)
        try:
            taken = take_back_absence(town=town, request_id=found.pk, line_ids=wanted, user=request.user, at=request.at)
            messages.success(
                request,
                ngettext(
                    "Signalement annulé : la réservation tient comme avant.",
                    "Signalement annulé pour %(n)d jours : les réservations tiennent comme avant.",
                    len(taken),
                )
                % {"n": len(taken)},
            )
        except NothingToTakeBack:
            messages.warning(request, _("Il n’y a plus rien à annuler : c’est déjà fait, ou l’accueil a commencé."))
        return redirect("portal:request", number=number)
    if not lines:
        messages.info(request, _("Il n’y a plus rien à annuler : c’est déjà fait, ou l’accueil a commencé."))
        return redirect("portal:request", number=number)
    return render(request, "portal/demarches/absence_back.html", {"municipality": town, "page": page})


def _steps() -> list[str]:
    return [_("Choisir"), _("Vérifier"), _("Terminé")]


def _keys(request: GuardianHttpRequest, children: list[HouseholdChild]) -> set[Key]:
    """The days that came back. One of another family's child, or not of our making, is not found."""
    said = request.POST.getlist("d")
    mine = {one.id for one in children}
    keys = {key_of(one) for one in said[:MOST]}
    if len(said) > MOST or any(key is None or key[0] not in mine for key in keys):
        raise Http404
    return {key for key in keys if key is not None}


def _asked(request: GuardianHttpRequest) -> tuple[str, date] | None:
    if request.method == "POST":
        return None
    said, service = request.GET.get("jour", ""), typed(request.GET, "service", most=60)
    try:
        return (service, date.fromisoformat(said)) if len(said) == 10 and service else None
    except ValueError:
        return None


def _send_key(request: GuardianHttpRequest) -> uuid.UUID:
    if request.method != "POST":
        return uuid.uuid4()
    try:
        return uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None


def _complete(keys: set[Key], form: dict[str, object]) -> bool:
    return bool(keys and form["cause"]) and len(str(form["note"])) <= NOTE_MOST


def _problems(
    page: AbsencePage, keys: set[Key], form: dict[str, object], children: list[HouseholdChild], days: Days
) -> list[dict[str, str]]:
    """What stops the form, line by line; the days that stand in the way keep their tick's place."""
    problems = []
    choices = [(child, choice) for child in page.children for choice in child.choices]
    for child, choice in choices:
        if choice.why:
            words = _("%(name)s, %(day)s, %(what)s : %(why)s.") % {
                "name": child.name,
                "day": choice.day,
                "what": midsentence(choice.what),
                "why": choice.why,
            }
            problems.append({"text": words, "href": f"#d-{choice.key}"})
    for key in sorted(keys - days.states.keys(), key=lambda key: key[2]):
        problems.append(
            {
                "text": _("%(line)s : ce jour n’est plus réservé.") % {"line": _line_words(key, children, days)},
                "href": "",
            }
        )
    if not keys:
        first = choices[0][1].key if choices else ""
        problems.append({"text": _("Cochez au moins un jour."), "href": f"#d-{first}" if first else ""})
    known = {OTHER, *(cause.slug for cause in page.causes)}
    if form["cause"] not in known:
        first_cause = page.causes[0].slug if page.causes else OTHER
        problems.append({"text": _("Choisissez une raison."), "href": f"#c-{first_cause}"})
    if len(str(form["note"])) > NOTE_MOST:
        words = _("Le message est trop long : %(most)d caractères au plus.") % {"most": NOTE_MOST}
        problems.append({"text": words, "href": "#note"})
    return problems


def _check(
    request: GuardianHttpRequest,
    town: Municipality,
    children: list[HouseholdChild],
    days: Days,
    keys: set[Key],
    form: dict[str, object],
) -> HttpResponse:
    cause = "" if form["cause"] == OTHER else str(form["cause"])
    return render(
        request,
        "portal/demarches/absence_check.html",
        {
            "municipality": town,
            "groups": checked(keys, days, town=town, children=children, cause=cause, at=request.at),
            "cause": cause_name(town, cause) or _("Autre raison"),
            "form": form,
            "steps": _steps(),
        },
    )


def _announce(
    request: GuardianHttpRequest, town: Municipality, keys: set[Key], form: dict[str, object], send_key: uuid.UUID
) -> Announcement:
    try:
        return announce_absence(
            town=town,
            user=request.user,
            household=request.household,
            keys=keys,
            cause="" if form["cause"] == OTHER else str(form["cause"]),
            note=str(form["note"]),
            send_key=send_key,
            at=request.at,
        )
    except (Child.DoesNotExist, UnknownCause):
        raise Http404 from None


def _line_words(key: Key, children: list[HouseholdChild], days: Days) -> str:
    """ "Inès, lundi 16 novembre, cantine"."""
    name = next((one.name for one in children if one.id == key[0]), "")
    state = days.states.get(key)
    parts = [name, day_words(key[2])]
    if state is not None:
        parts.append(midsentence(what_words(state, days)))
    return ", ".join(part for part in parts if part)
