"""Inviting many at once: choose whom, see how many, send now or later, read what became of it."""

import uuid
from collections import defaultdict
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from marelle.accounts.permissions import AgentHttpRequest
from marelle.activities.queries import municipality
from marelle.families.joining.invitations import (
    Classroom,
    cancel_round,
    chosen,
    deliveries,
    not_in_yet,
    pupilages,
    schedule_round,
    send_round,
)
from marelle.families.models import InvitationRound, RoundState
from marelle.foundation.models import MailState
from marelle.foundation.sentences import moment_words
from marelle.office.household_form import schools_offered
from marelle.office.views.imports import town_wide

PAGE = 50
ROUNDS = 10


@require_http_methods(["GET", "HEAD", "POST"])
@town_wide
def index(request: AgentHttpRequest) -> HttpResponse:
    """Who waits for an invitation, by school and class; GET with choices counts them, POST sends."""
    data = request.POST if request.method == "POST" else request.GET
    among = pupilages()
    schools, classes = choices(data)
    guests = chosen(among, schools=schools, classes=classes)
    town = municipality()
    problem = ""
    if request.method == "POST":
        due_at, problem = when(request, data)
        if not problem:
            key = send_key(data)
            decided = schedule_round(
                send_key=key,
                schools=schools,
                classes=classes,
                due_at=due_at,
                by=request.user.actor(as_agent=True),
                at=request.at,
            )
            if due_at <= request.at:
                send_round(decided.pk, at=request.at)
            else:
                messages.success(
                    request, _("Envoi programmé : %(when)s.") % {"when": moment_words(due_at, town.tz, year=True)}
                )
            return redirect("office:invitation_round", decided.pk)
    by_school: defaultdict[int | None, set[int]] = defaultdict(set)
    by_class: defaultdict[tuple[int | None, str], set[int]] = defaultdict(set)
    for one in among:
        by_school[one.school].add(one.guardian)
        by_class[one.school, one.class_name].add(one.guardian)
    offered = [
        {
            "school": school,
            "count": len(by_school[school.pk]),
            "chosen": school.pk in schools,
            "classes": [
                {"name": name, "count": len(ids), "value": f"{where}|{name}", "chosen": (where, name) in classes}
                for (where, name), ids in sorted(by_class.items(), key=lambda item: item[0][1])
                if where == school.pk and name
            ],
        }
        for school in schools_offered()
        if by_school[school.pk]
    ]
    return render(
        request,
        "office/invitations/index.html",
        {
            "everybody": len({one.guardian for one in among}),
            "count": len(guests),
            "offered": offered,
            "narrowed": bool(schools or classes),
            "schools": sorted(schools),
            "classes": [f"{school}|{name}" for school, name in sorted(classes)],
            "rounds": InvitationRound.objects.annotate(
                total=Count("guests", filter=~Q(guests__mail=None))
            ).select_related("again_of")[:ROUNDS],
            "send_key": uuid.uuid4(),
            "problem": problem,
            "problems": [{"text": problem, "href": "#moment"}] if problem else [],
            "moment": data.get("moment", "")[:20],
            "later": data.get("quand") == "later",
            "earliest": request.at.astimezone(town.tz).strftime("%Y-%m-%dT%H:%M"),
        },
        status=422 if problem else 200,
    )


def choices(data: QueryDict) -> tuple[set[int], set[Classroom]]:
    schools = {int(text) for text in data.getlist("ecole") if text.isdecimal() and len(text) < 10}
    classes = set()
    for text in data.getlist("classe"):
        school, _bar, name = text.replace("\x00", "").partition("|")
        if school.isdecimal() and len(school) < 10 and len(name) <= 60:
            classes.add((int(school), name))
    return schools, classes


def when(request: AgentHttpRequest, data: QueryDict) -> tuple[datetime, str]:
    """The instant asked for, and what is wrong with it."""
    if data.get("quand") != "later":
        return request.at, ""
    try:
        said = datetime.fromisoformat(data.get("moment", ""))
    except ValueError:
        return request.at, _("Indiquez le jour et l’heure de l’envoi.")
    due_at = said.replace(tzinfo=municipality().tz)
    if due_at <= request.at:
        return request.at, _("L’envoi doit être dans le futur.")
    if due_at.year > request.at.year + 1:
        return request.at, _("Choisissez une date avant la fin de l’année prochaine.")
    return due_at, ""


def send_key(data: QueryDict) -> uuid.UUID:
    try:
        return uuid.UUID(data.get("send_key", ""))
    except ValueError:
        raise Http404 from None


@require_http_methods(["GET", "HEAD", "POST"])
@town_wide
def report(request: AgentHttpRequest, round_id: int) -> HttpResponse:
    """What became of a round; POST calls it off, or invites again those who have not come in."""
    sending = get_object_or_404(InvitationRound, pk=round_id)
    by = request.user.actor(as_agent=True)
    if request.method == "POST":
        match request.POST.get("do", ""):
            case "cancel":
                if cancel_round(round=sending, by=by, at=request.at):
                    messages.success(request, _("Envoi annulé : aucune invitation n’est partie."))
                else:
                    messages.info(request, _("Cet envoi est déjà commencé ou annulé."))
            case "again":
                again = schedule_round(
                    send_key=send_key(request.POST),
                    schools=[],
                    classes=[],
                    due_at=request.at,
                    by=by,
                    at=request.at,
                    again_of=sending,
                )
                send_round(again.pk, at=request.at)
                return redirect("office:invitation_round", again.pk)
            case _other:
                raise Http404
        return redirect("office:invitation_round", sending.pk)
    told = deliveries(sending)
    shown = request.GET.get("voir", "")
    kinds = {
        "envoyees": [one for one in told if one.state == MailState.SENT],
        "en-attente": [one for one in told if one.state in (MailState.WAITING, MailState.SENDING)],
        "echecs": [one for one in told if one.failed],
        "comptes-ouverts": [one for one in told if one.active],
    }
    page = Paginator(kinds.get(shown, told), PAGE).get_page(request.GET.get("page"))
    unopened = not_in_yet(sending.pk).count() if sending.state == RoundState.SENT else 0
    answer = render(
        request,
        "office/invitations/report.html",
        {
            "round": sending,
            "page": page,
            "shown": shown,
            "total": len(told),
            "counts": {name: len(found) for name, found in kinds.items()},
            "sent": len(kinds["envoyees"]),
            "waiting": len(kinds["en-attente"]),
            "failed": len(kinds["echecs"]),
            "active": len(kinds["comptes-ouverts"]),
            "again": unopened,
            "again_words": ngettext("Renvoyer à %(n)d personne", "Renvoyer à %(n)d personnes", unopened)
            % {"n": unopened},
            "send_key": uuid.uuid4(),
        },
    )
    if sending.state == RoundState.SENDING:
        answer["Refresh"] = "3"
    return answer
