"""Many days at once, on pages of their own: the typical week, and any stretch from one day to another."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marelle.activities.models import BookingMode, Unit
from marelle.activities.queries import open_weekdays
from marelle.bookings.queries.days import Days, DayState, load_days
from marelle.bookings.services.enrolments import keep_usual_days
from marelle.bookings.services.shortcuts import choose_days
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.components.grid import Kid
from marelle.portal.planning.place import Place, place_of
from marelle.portal.planning.report import tell_chosen
from marelle.portal.planning.stretches import Stretch, Stretches, View
from marelle.portal.planning.week_template import template_form, year_of
from marelle.portal.tabs import tab_required
from marelle.rules.recurrence import days_of_week_template
from marelle.townfile.town import Tab

Cells = dict[tuple[int, int], set[int]]  # the weekdays of each child and unit


@dataclass(frozen=True, slots=True)
class WeekdayBox:
    name: str
    weekday: str
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class UnitRow:
    unit: str
    boxes: list[WeekdayBox]


def _open_place(request: GuardianHttpRequest, service: str) -> tuple[Place, Stretches, Stretch]:
    place = place_of(request, service)
    if place.service.booking_mode != BookingMode.DAYS or not place.enrolments:
        raise Http404
    stretches = Stretches(place, today=request.at.astimezone(place.town.tz).date())
    stretch = stretches.asked((request.POST if request.method == "POST" else request.GET).dict())
    assert stretch is not None
    return place, stretches, stretch


def _span(place: Place, stretches: Stretches, stretch: Stretch, said: str) -> tuple[date, date]:
    """From today on, at the earliest."""
    if said == "year":
        year = year_of(place, stretch.month)
        first, last = year.first_day, year.last_day
    elif said == "period":
        first, last, _name = stretches.whole(stretch)
    else:
        first, last = stretch.first_day, stretch.last_day
    return max(first, stretches.today), last


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.BOOKINGS)
def week_template(request: GuardianHttpRequest, service: str) -> HttpResponse:
    """The typical week: tick weekdays for each child, and the free days of the chosen span go in the basket; or, with
    "act=cancel", the reserved ones of these weekdays are taken back."""
    place, stretches, stretch = _open_place(request, service)
    if request.method == "POST":
        wanted: Cells = {}
        for value in request.POST.getlist("day"):
            child, unit, weekday = _numbers(value, 3)
            wanted.setdefault((child, unit), set()).add(weekday)
        first, last = _span(place, stretches, stretch, request.POST.get("span", "shown"))
        if not wanted:
            messages.error(request, _("Cochez au moins un jour de la semaine type."))
            return redirect(f"{reverse('portal:week_template', args=[place.service.slug])}?{stretch.query}")
        on = _reserves(request)
        _choose(request, place, wanted, first=first, last=last, on=on)
        if on and "keep" in request.POST:
            for enrolment in place.enrolments:
                mine = [days for (child, _unit), days in wanted.items() if child == enrolment.child_id]
                keep_usual_days(
                    enrolment=enrolment, weekdays=sorted(set().union(*mine)), user=request.user, at=request.at
                )
            messages.success(request, _("Jours habituels gardés."))
        return redirect(f"{reverse('portal:planning', args=[place.service.slug])}?{stretch.query}")
    days = load_days(
        town=place.town, enrolments=place.enrolments, at=request.at, first=stretch.first, last=stretch.last
    )
    return render(
        request,
        "portal/planning/week_template.html",
        {"place": place, "stretch": stretch, "template": template_form(place, days, stretch)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.BOOKINGS)
def day_range(request: GuardianHttpRequest, service: str) -> HttpResponse:
    """From one day to another: units × weekdays for the children ticked. `pour`: the column it was asked from, as
    "child.unit"."""
    place, stretches, stretch = _open_place(request, service)
    here = f"{reverse('portal:planning', args=[place.service.slug])}?{stretch.query}"
    faults: list[tuple[str, str]] = []
    typed = request.POST if request.method == "POST" else None
    if typed is not None:
        span = typed.get("span", "dates")
        children = {child for value in typed.getlist("enfants") for child in _numbers(value, 1)}
        cells: Cells = {}
        for value in typed.getlist("day"):
            unit, weekday = _numbers(value, 2)
            for child in children:
                cells.setdefault((child, unit), set()).add(weekday)
        first, last = _day(typed.get("du", "")), _day(typed.get("au", ""))
        if not children:
            faults.append(("enfants", _("Cochez au moins un enfant.")))
        if not typed.getlist("day"):
            faults.append(("jours", _("Cochez au moins un jour de la semaine.")))
        if span == "dates":
            if first is None or last is None:
                faults.append(("du", _("Les deux dates doivent exister, par exemple 01/12/2026.")))
            elif last < first:
                faults.append(("du", _("La date de fin doit venir après celle du début.")))
            else:
                first, last = max(first, stretches.today), min(last, stretches.last)
        else:
            first, last = _span(place, stretches, stretch, span)
        if not faults and first is not None and last is not None:
            _choose(request, place, cells, first=first, last=last, on=_reserves(request))
            return redirect(here)
    only = request.GET.get("pour", "")
    picked = _numbers(only, 2) if only else None
    return render(
        request,
        "portal/planning/range.html",
        {"place": place, "stretch": stretch, "faults": faults}
        | _range_form(request, place, stretches, stretch, picked),
        status=422 if faults else 200,
    )


def _range_form(
    request: GuardianHttpRequest, place: Place, stretches: Stretches, stretch: Stretch, picked: list[int] | None
) -> dict[str, object]:
    typed = request.POST
    posted = request.method == "POST"
    kids: dict[int, Kid] = {e.child_id: place.kids[e.child_id] for e in place.enrolments if e.child_id in place.kids}
    days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, dates=())
    _first, _last, period = stretches.whole(stretch)
    opened = open_weekdays(
        groups={enrolment.group_id for enrolment in place.enrolments}, first=stretches.first, last=stretches.last
    )
    weekdays = sorted({day for found in opened.values() for day in found})
    ticked = set(typed.getlist("day"))
    units: list[Unit] = [u for u in days.units[place.service.id] if picked is None or u.id == picked[1]]
    chosen = {int(v) for v in typed.getlist("enfants") if v.isdecimal()} if posted else set(kids)
    if picked is not None and not posted:
        chosen = {picked[0]}
    return {
        "several_units": len(days.units[place.service.id]) > 1,
        "children": [(kid, child in chosen) for child, kid in kids.items()],
        "weekdays": [str(WEEKDAYS[day]).capitalize() for day in weekdays],
        "rows": [
            UnitRow(
                unit.name,
                [WeekdayBox(f"{unit.id}.{day}", str(WEEKDAYS[day]), f"{unit.id}.{day}" in ticked) for day in weekdays],
            )
            for unit in units
        ],
        "du": typed.get("du") or max(stretches.first, stretches.today).isoformat(),
        "au": typed.get("au") or stretches.last.isoformat(),
        "least": stretches.today.isoformat(),
        "most": stretches.last.isoformat(),
        "span": typed.get("span") or ("period" if picked else "dates"),
        "period_words": period,
        "shows_week": stretch.view == View.WEEK,
    }


def _reserves(request: GuardianHttpRequest) -> bool:
    """Whether the pressed button reserves; the other one cancels."""
    return request.POST.get("act") != "cancel"


def _choose(request: GuardianHttpRequest, place: Place, wanted: Cells, *, first: date, last: date, on: bool) -> None:
    """Put these weekdays in the basket (or take them back), and say what came of it. A child or a unit that is not
    theirs is a 404."""
    days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, first=first, last=last)
    children = {enrolment.child_id for enrolment in place.enrolments}
    units = {unit.id for unit in days.units[place.service.id]}
    if any(child not in children or unit not in units for child, unit in wanted):
        raise Http404
    chosen = choose_days(
        user=request.user,
        household=request.household,
        days=days,
        chosen=_of_weekdays(days, wanted, first=first, last=last),
        on=on,
        at=request.at,
    )
    tell_chosen(request, chosen, place, on=on)


def _of_weekdays(days: Days, wanted: Cells, *, first: date, last: date) -> list[DayState]:
    found: list[DayState] = []
    for (child, unit), weekdays in wanted.items():
        mine = {state.day: state for key, state in days.states.items() if key[:2] == (child, unit)}
        open_days: Collection[date] = mine.keys()
        found += [
            mine[day] for day in days_of_week_template(weekdays=weekdays, first=first, last=last, open_days=open_days)
        ]
    return found


def _numbers(text: str, count: int) -> list[int]:
    """ "12.5" → [12, 5]. Whatever is not ours is a 404."""
    parts = text.split(".")
    if len(parts) != count or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise Http404
    return [int(part) for part in parts]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
