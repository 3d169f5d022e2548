"""The month of a service: choose days."""

import re
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from marelle.activities.models import BookingMode
from marelle.activities.queries import municipality
from marelle.bookings.queries.cells import is_editable
from marelle.bookings.queries.days import Days, DayState, basket_lines_among, live_enrolments, load_days
from marelle.bookings.services.baskets import (
    Key,
    Shown,
    empty_basket,
    fill_basket,
)
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.components.grid import unpack_seen
from marelle.foundation.sentences import day_words
from marelle.portal.navigation import tell_basket
from marelle.portal.planning.deadlines import deadline_words
from marelle.portal.planning.grid import MonthPage, month_page
from marelle.portal.planning.menus import whole_menu
from marelle.portal.planning.months import Month, open_span
from marelle.portal.planning.panel import panel, tell_clashes, tell_skipped
from marelle.portal.planning.place import SHOWN, Place, contacts_of, place_of
from marelle.portal.planning.week_template import template_form
from marelle.rules.calendars import BeyondCalendar
from marelle.rules.decisions import Decision


@require_safe
@guardian_required
def plannings(request: GuardianHttpRequest) -> HttpResponse:
    """The first service that the family may reserve; else the page that says how to begin."""
    town = municipality()
    enrolments = live_enrolments(town=town, household=request.household, states=SHOWN)
    services = sorted(
        {enrolment.activity.service for enrolment in enrolments},
        key=lambda service: (service.booking_mode != BookingMode.DAYS, service.position, service.id),
    )
    if services:
        return redirect("portal:planning", service=services[0].slug)
    return render(request, "portal/planning/none.html", {"waiting": False})


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def planning(request: GuardianHttpRequest, service: str) -> HttpResponse:
    """The month of a service. POST brings the basket to what the boxes say, then does what the pressed button asks."""
    place = place_of(request, service)
    if place.service.booking_mode != BookingMode.DAYS or not place.enrolments:
        if request.method == "POST":
            raise Http404
        return render(request, "portal/planning/closed.html", {"place": place})
    if request.method == "POST":
        return _planning_post(request, place)
    month = _month(request, place)
    if isinstance(month, HttpResponse):
        return month
    lines = basket_lines_among(place.live, user=request.user, household=request.household)
    tell_basket(request, len(lines))
    try:
        page = month_page(
            town=place.town,
            service=place.service,
            enrolments=place.enrolments,
            kids=place.kids,
            basket=lines,
            month=month,
            at=request.at,
            unfolded="tout" in request.GET,
        )
    except BeyondCalendar as fault:
        return render(request, "portal/planning/beyond.html", {"place": place, "fault": fault}, status=404)
    context = (
        panel(place, lines, page.days.states.keys())
        | _month_links(place, page, request)
        | {
            "municipality": place.town,
            "place": place,
            "page": page,
            "menu": whole_menu(month),
            "legend": page.legend,
            "limit": deadline_words(place.town, place.service, page.days.units[place.service.id]),
            "template": template_form(place, page.days, month),
            "contacts": contacts_of(place),
        }
    )
    return render(request, "portal/planning/month.html", context)


def _planning_post(request: GuardianHttpRequest, place: Place) -> HttpResponse:
    month = Month.parse(request.POST.get("mois", "")) or Month.of(request.at.astimezone(place.town.tz).date())
    shown = _shown(request, place)
    dates = {day for _child, _unit, day in shown}
    action = request.POST.get("do", "save")
    bulk = Bulk.parse(action)
    if bulk is not None:
        days = load_days(
            town=place.town, enrolments=place.enrolments, at=request.at, first=month.first, last=month.last
        )
    else:
        days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, dates=dates)
    if any(key not in days.states for key in shown):
        # A day that closed since the page was drawn is told as such; another family's child is nobody's business.
        children = {enrolment.child_id for enrolment in place.enrolments}
        units = {unit.id for unit in days.units[place.service.id]}
        if any(child not in children or unit not in units for child, unit, _day in shown):
            raise Http404
        gone = [key for key in shown if key not in days.states]
        for key in gone:
            if shown[key].ticked and shown[key].was == "free":
                messages.warning(request, _("%(day)s : ce jour a fermé entre-temps.") % {"day": day_words(key[2])})
            del shown[key]
    _basket, clashes = fill_basket(
        user=request.user, household=request.household, days=days, shown=shown, at=request.at
    )
    tell_clashes(request, clashes, place)
    if action == "keep":  # sent by the page as it closes: nobody reads the answer
        return HttpResponse(status=204)
    here = f"{reverse('portal:planning', args=[place.service.slug])}?mois={month}"
    if action == "check":
        return redirect("portal:check")
    if action == "undo":
        count = empty_basket(user=request.user, household=request.household, service_id=place.service.id)
        messages.info(request, ngettext("%(n)d changement effacé.", "%(n)d changements effacés.", count) % {"n": count})
        return redirect(here)
    if action.startswith("go:"):
        return redirect(request.path + f"?mois={Month.parse(action[3:]) or month}")
    if action.startswith("tab:"):
        return redirect(next((tab.url for tab in place.tabs if tab.service.slug == action[4:]), here))
    if action == "template":
        return redirect(f"{reverse('portal:week_template', args=[place.service.slug])}?mois={month}")
    if bulk is not None:
        _bulk(request, place, days, bulk)
    return redirect(here)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A menu's act: on every displayed day, those of a weekday (for one child or all), or those of a week."""

    ticks: bool
    weekday: int | None = None
    child: int | None = None
    week: tuple[int, int] | None = None

    @classmethod
    def parse(cls, action: str) -> "Bulk | None":
        """ "col-3-on-12", as the page's menus write it; None for anything else."""
        found = BULK.fullmatch(action)
        if found is None:
            return None
        try:
            week = date.fromisoformat(found["monday"]).isocalendar()[:2] if found["monday"] else None
        except ValueError:
            return None
        return cls(
            ticks=found["sets"] == "on",
            weekday=int(found["weekday"]) if found["weekday"] else None,
            child=int(found["child"]) if found["child"] else None,
            week=week,
        )

    def concerns(self, state: DayState) -> bool:
        return (
            (self.weekday is None or state.day.weekday() == self.weekday)
            and (self.child is None or state.enrolment.child_id == self.child)
            and (self.week is None or state.day.isocalendar()[:2] == self.week)
        )


BULK = re.compile(
    r"(?:all|col-(?P<weekday>[0-6])|row-(?P<monday>\d{4}-\d\d-\d\d))-(?P<sets>on|off)(?:-(?P<child>\d{1,18}))?",
    re.ASCII,
)


def _bulk(request: GuardianHttpRequest, place: Place, days: Days, bulk: Bulk) -> None:
    """A menu's act on the displayed days, for who has no JavaScript: recorded days are only unticked by "off"."""
    chosen: dict[Key, Shown] = {}
    skipped: list[tuple[DayState, Decision]] = []
    for state in days.states.values():
        if not bulk.concerns(state):
            continue
        if not is_editable(state, today=days.today) or state.refusal is not None:
            if bulk.ticks and state.booking is None and state.day >= days.today:
                skipped.append((state, state.may_add()))
            continue
        chosen[state.key] = Shown(was=state.was, ticked=bulk.ticks)
    fill_basket(user=request.user, household=request.household, days=days, shown=chosen, at=request.at)
    count = len(chosen)
    text = (
        ngettext("%(n)d jour coché.", "%(n)d jours cochés.", count)
        if bulk.ticks
        else ngettext("%(n)d jour décoché.", "%(n)d jours décochés.", count)
    ) % {"n": count}
    messages.success(request, text)
    tell_skipped(request, skipped, place)


def _month(request: GuardianHttpRequest, place: Place) -> Month | HttpResponse:
    asked = request.GET.get("mois", "")
    month = Month.parse(asked)
    if month is None:
        today = request.at.astimezone(place.town.tz).date()
        month = open_span(enrolments=place.enrolments, today=today).default_month(today)
        if asked:
            return redirect(f"{request.path}?mois={month}")
    return month


def _month_links(place: Place, page: MonthPage, request: GuardianHttpRequest) -> dict[str, object]:
    today = page.days.today
    years = [enrolment.school_year for enrolment in place.enrolments]
    first, last = min(year.first_day for year in years), max(year.last_day for year in years)
    before, after = page.month.shifted(-1), page.month.shifted(1)
    return {
        "month": page.month,
        "before": before if before.last_day >= first else None,
        "after": after if after.first_day <= last else None,
        "is_current": page.month == Month.of(today),
        "current": Month.of(today) if first <= today <= last else None,
    }


def _shown(request: GuardianHttpRequest, place: Place) -> dict[Key, Shown]:
    """The cells that the page showed, and how they came back. A form that is not ours is a 404."""
    ticked = set(request.POST.getlist("want"))
    shown: dict[Key, Shown] = {}
    for packed, css in unpack_seen(request.POST.getlist("seen")).items():
        try:
            child, unit, day = packed.split(".")
            key = int(child), int(unit), date.fromisoformat(day)
        except ValueError:
            raise Http404 from None
        # A refused day is free again: the page shows the refusal, the basket sees a free day.
        shown[key] = Shown(was=css if css in {"pending", "booked"} else "free", ticked=packed in ticked)
    return shown
