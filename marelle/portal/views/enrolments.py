"""The enrolments of each child: the list, one of them, changing it, ending it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from marelle.activities.models import BookingMode, Validation
from marelle.activities.queries import municipality, open_weekdays, rules_of
from marelle.bookings.labels import ENROLMENT_LOOKS
from marelle.bookings.models import Enrolment
from marelle.bookings.questions import answers_in_words, questions_for
from marelle.bookings.services.changes import (
    ChangeWaiting,
    DaysAhead,
    NotAccepted,
    change_enrolment,
    days_ahead,
    end_enrolment,
    waiting_change,
)
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.sentences import weekday_words, weekdays_words
from marelle.portal.children import HouseholdChild, children_of
from marelle.portal.enrolling.details import Asked, ChildDetails, read_details
from marelle.portal.tabs import tab_required
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import Tab

SHOWN = (
    EnrolmentState.SUBMITTED,
    EnrolmentState.INCOMPLETE,
    EnrolmentState.ACCEPTED,
    EnrolmentState.REFUSED,
    EnrolmentState.ENDED,
)


@require_safe
@guardian_required
@tab_required(Tab.REQUESTS)
def enrolments(request: GuardianHttpRequest) -> HttpResponse:
    """By child, the last word on each service of the years that are not over: two queries."""
    town = municipality()
    today = request.at.astimezone(town.tz).date()
    children = children_of(request.household)
    last: dict[tuple[int, int, int], Enrolment] = {}
    for enrolment in (
        Enrolment.objects.filter(household=request.household, state__in=SHOWN, school_year__last_day__gte=today)
        .select_related("activity__service", "activity__site", "school_year", "line__request")
        .order_by("school_year__first_day", "activity__service__position", "id")
    ):
        last[enrolment.child_id, enrolment.activity_id, enrolment.school_year_id] = enrolment
    rows: dict[int, list[dict[str, Any]]] = {one.id: [] for one in children}
    for enrolment in last.values():
        if enrolment.child_id in rows:
            rows[enrolment.child_id].append(
                {
                    "enrolment": enrolment,
                    "look": ENROLMENT_LOOKS[EnrolmentState(enrolment.state)],
                    "days": weekdays_words(enrolment.usual_weekdays),
                }
            )
    return render(
        request,
        "portal/demarches/enrolments.html",
        {"municipality": town, "children": [(one, rows[one.id]) for one in children]},
    )


def _load(request: GuardianHttpRequest, enrolment_id: int) -> Enrolment:
    found = (
        Enrolment.objects.filter(pk=enrolment_id, household=request.household, child__households=request.household)
        .select_related("child", "activity__service", "activity__site", "school_year", "group", "line__request")
        .first()
    )
    if found is None:
        raise Http404
    return found


@require_safe
@guardian_required
@tab_required(Tab.REQUESTS)
def enrolment(request: GuardianHttpRequest, enrolment_id: int) -> HttpResponse:
    """Everything that was said of one enrolment, and what can be done with it."""
    town = municipality()
    found = _load(request, enrolment_id)
    questions = questions_for(found.activity, town=rules_of(town), school_year=found.school_year)
    change = waiting_change(found)
    return render(
        request,
        "portal/demarches/enrolment.html",
        {
            "municipality": town,
            "enrolment": found,
            "child": _child(request, found),
            "look": ENROLMENT_LOOKS[EnrolmentState(found.state)],
            "answers": answers_in_words(questions, found.answers),
            "days": weekdays_words(found.usual_weekdays),
            "by_days": found.activity.service.booking_mode == BookingMode.DAYS,
            "change": change,
            "can_change": found.state == EnrolmentState.ACCEPTED and change is None,
        },
    )


def _child(request: GuardianHttpRequest, found: Enrolment) -> HouseholdChild:
    return next(one for one in children_of(request.household) if one.id == found.child_id)


def _key(request: GuardianHttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def change(request: GuardianHttpRequest, enrolment_id: int) -> HttpResponse:
    """Other answers, other usual days; at once or asked, as the service takes enrolments."""
    town = municipality()
    found = _load(request, enrolment_id)
    here = reverse("portal:enrolment", args=[found.pk])
    if found.state != EnrolmentState.ACCEPTED or waiting_change(found) is not None:
        return redirect(here)
    one = _child(request, found)
    questions = questions_for(found.activity, town=rules_of(town), school_year=found.school_year)
    details: tuple[ChildDetails, ...] = (
        ChildDetails(
            child=one,
            asked=tuple(
                Asked(
                    question=question,
                    child=one,
                    services=(found.activity.service.short_name,),
                    value=found.answers.get(question.slug, ""),
                )
                for question in questions
            ),
        ),
    )
    weekdays = _weekdays(found)
    ticked = set(found.usual_weekdays)
    problems: list[dict[str, str]] = []
    send_key = uuid.uuid4()
    if request.method == "POST":
        send_key = _key(request)
        answers, problems, details = read_details(request.POST, details, school_year=found.school_year)
        ticked = {day for day in weekdays if str(day) in request.POST.getlist("day")}
        if not problems:
            try:
                changed = change_enrolment(
                    town=town,
                    enrolment=found,
                    answers=answers[str(one.id)],
                    weekdays=sorted(ticked),
                    send_key=send_key,
                    user=request.user,
                    at=request.at,
                )
            except (NotAccepted, ChangeWaiting):
                messages.warning(request, _("Cette inscription a changé entre-temps : rien n’est envoyé."))
                return redirect(here)
            if changed.request is not None:
                return redirect(f"{reverse('portal:request', args=[changed.request.number])}?envoyee=1")
            if changed.usual_days_kept:
                messages.success(request, _("Vos jours habituels sont enregistrés."))
            else:
                messages.info(request, _("Rien n’a changé."))
            return redirect(here)
    return render(
        request,
        "portal/demarches/enrolment_change.html",
        {
            "municipality": town,
            "enrolment": found,
            "child": one,
            "details": details,
            "weekdays": [(day, weekday_words(day), day in ticked) for day in weekdays],
            "problems": problems,
            "send_key": send_key,
            "at_once": found.activity.service.validation_enrol == Validation.IMMEDIATE,
        },
        status=422 if problems else 200,
    )


def _weekdays(found: Enrolment) -> list[int]:
    if found.activity.service.booking_mode != BookingMode.DAYS:
        return []
    year = found.school_year
    opened = open_weekdays(groups=[found.group_id], first=year.first_day, last=year.last_day).get(found.group_id, [])
    return opened if len(opened) > 1 else []


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def end(request: GuardianHttpRequest, enrolment_id: int) -> HttpResponse:
    """GET asks, POST sends the request."""
    town = municipality()
    found = _load(request, enrolment_id)
    here = reverse("portal:enrolment", args=[found.pk])
    if request.method == "POST":
        try:
            asked = end_enrolment(town=town, enrolment=found, send_key=_key(request), user=request.user, at=request.at)
        except DaysAhead as fault:
            messages.warning(request, _ahead_words(fault.count))
            return redirect(here)
        except (NotAccepted, ChangeWaiting):
            messages.warning(request, _("Cette inscription a changé entre-temps : rien n’est envoyé."))
            return redirect(here)
        return redirect(f"{reverse('portal:request', args=[asked.number])}?envoyee=1")
    if found.state != EnrolmentState.ACCEPTED or waiting_change(found) is not None:
        return redirect(here)
    ahead = days_ahead(found, town=town, at=request.at)
    return render(
        request,
        "portal/demarches/enrolment_end.html",
        {
            "municipality": town,
            "enrolment": found,
            "child": _child(request, found),
            "ahead": _ahead_words(ahead) if ahead else "",
            "send_key": uuid.uuid4(),
            "at_once": found.activity.service.validation_enrol == Validation.IMMEDIATE,
        },
    )


def _ahead_words(count: int) -> str:
    return ngettext(
        "%(n)d jour est encore réservé : annulez-le d’abord au planning.",
        "%(n)d jours sont encore réservés : annulez-les d’abord au planning.",
        count,
    ) % {"n": count}
