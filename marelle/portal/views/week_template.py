"""The typical week, as a page of its own; the planning offers the same form in a dialog."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marelle.activities.models import BookingMode
from marelle.bookings.queries.days import Days, DayState, load_days
from marelle.bookings.services.baskets import (
    add_days,
)
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.portal.planning.months import Month, open_span
from marelle.portal.planning.panel import tell_skipped
from marelle.portal.planning.place import Place, place_of
from marelle.portal.planning.week_template import template_form, year_of
from marelle.rules.decisions import Allowed, Decision, Refused
from marelle.rules.recurrence import days_of_week_template


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def week_template(request: GuardianHttpRequest, service: str) -> HttpResponse:
    """The typical week: tick weekdays for each child, and the free days of the chosen span go in the basket."""
    place = place_of(request, service)
    if place.service.booking_mode != BookingMode.DAYS or not place.enrolments:
        raise Http404
    source = request.POST if request.method == "POST" else request.GET
    month = Month.parse(source.get("mois", "")) or open_span(
        enrolments=place.enrolments, today=request.at.astimezone(place.town.tz).date()
    ).default_month(request.at.astimezone(place.town.tz).date())
    today = request.at.astimezone(place.town.tz).date()
    if request.method == "POST":
        first, last = _template_span(place, month, request.POST.get("span", "month"), today=today)
        days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, first=first, last=last)
        return _apply_template(request, place, days, month, first=first, last=last)
    days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, first=month.first, last=month.last)
    return render(
        request,
        "portal/planning/week_template.html",
        {"place": place, "month": month, "template": template_form(place, days, month)},
    )


def _template_span(place: Place, month: Month, span: str, *, today: date) -> tuple[date, date]:
    if span == "year":
        year = year_of(place, month)
        return max(today, year.first_day), year.last_day
    return max(today, month.first_day), month.last_day


def _apply_template(
    request: GuardianHttpRequest, place: Place, days: Days, month: Month, *, first: date, last: date
) -> HttpResponse:
    wanted: dict[tuple[int, int], set[int]] = {}
    for value in request.POST.getlist("day"):
        try:
            child, unit, weekday = (int(part) for part in value.split("."))
        except ValueError:
            raise Http404 from None
        wanted.setdefault((child, unit), set()).add(weekday)
    children = {enrolment.child_id for enrolment in place.enrolments}
    units = {unit.id for unit in days.units[place.service.id]}
    if any(child not in children or unit not in units for child, unit in wanted):
        raise Http404
    here = f"{reverse('portal:planning', args=[place.service.slug])}?mois={month}"
    if not wanted:
        messages.error(request, _("Cochez au moins un jour de la semaine type."))
        return redirect(f"{reverse('portal:week_template', args=[place.service.slug])}?mois={month}")
    added: list[DayState] = []
    skipped: list[tuple[DayState, Decision]] = []
    for (child, unit), weekdays in wanted.items():
        mine = {state.day: state for key, state in days.states.items() if key[:2] == (child, unit)}
        for day in days_of_week_template(weekdays=weekdays, first=first, last=last, open_days=mine.keys()):
            state = mine[day]
            if state.booking is not None or state.day < days.today:
                continue
            verdict = state.may_add()
            if isinstance(verdict, Allowed) and state.refusal is None:
                added.append(state)
            elif isinstance(verdict, Refused):
                skipped.append((state, verdict))
    add_days(user=request.user, household=request.household, states=added, at=request.at)
    noun = place.service.unit_noun if len(added) == 1 else place.service.unit_noun_plural
    if added:
        messages.success(
            request,
            _("%(n)d %(noun)s à ajouter. Vérifiez, puis envoyez.") % {"n": len(added), "noun": noun},
        )
    else:
        messages.info(request, _("Rien à ajouter : ces jours sont déjà demandés, ou ne peuvent plus l’être."))
    tell_skipped(request, skipped, place)
    return redirect(here)
