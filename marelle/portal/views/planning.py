"""The planning of a service: a month, a week or a period; choose days."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from marelle.activities.models import BookingMode
from marelle.activities.queries import municipality
from marelle.bookings.queries.combinations import rules_for
from marelle.bookings.queries.days import basket_lines_among, live_enrolments
from marelle.bookings.queries.menus import Order, whole_menu
from marelle.bookings.services.baskets import empty_basket
from marelle.bookings.services.sending import load_basket_days
from marelle.bookings.services.shortcuts import choose_days
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.sentences import moment_words
from marelle.portal.navigation import tell_basket
from marelle.portal.planning.clashes import RuleClash, rule_clashes, rule_words
from marelle.portal.planning.deadlines import deadline_words
from marelle.portal.planning.grid import planning_page
from marelle.portal.planning.openings import BUTTONS, coming, tell_or_hush
from marelle.portal.planning.panel import panel
from marelle.portal.planning.place import SHOWN, Place, contacts_of, place_of
from marelle.portal.planning.report import last_token, tell_chosen, undo_last
from marelle.portal.planning.sites import centre, must_choose
from marelle.portal.planning.stretches import Stretches, View
from marelle.portal.planning.ticks import keep_ticks, outlives_session, seal, tell_found_again
from marelle.portal.planning.week_template import template_form
from marelle.portal.tabs import tab_required
from marelle.rules.calendars import BeyondCalendar
from marelle.townfile.town import Tab


@require_safe
@guardian_required
@tab_required(Tab.BOOKINGS)
def plannings(request: GuardianHttpRequest) -> HttpResponse:
    """The first service that the family may reserve; else the page that says how to begin."""
    enrolments = live_enrolments(town=municipality(), household=request.household, states=SHOWN)
    services = sorted(
        {enrolment.activity.service for enrolment in enrolments},
        key=lambda service: (service.booking_mode != BookingMode.DAYS, service.position, service.id),
    )
    if services:
        return redirect("portal:planning", service=services[0].slug)
    return render(request, "portal/planning/none.html", {"waiting": False})


@require_http_methods(["GET", "HEAD", "POST"])
@outlives_session
@guardian_required
@tab_required(Tab.BOOKINGS)
def planning(request: GuardianHttpRequest, service: str) -> HttpResponse:
    """A stretch of a service. POST brings the basket to what the boxes say, then does what the pressed button asks."""
    place = place_of(request, service)
    if place.service.booking_mode != BookingMode.DAYS or not place.enrolments:
        if request.method == "POST":
            button, _cut, slug = request.POST.get("do", "").partition(":")
            if button not in BUTTONS:
                raise Http404
            tell_or_hush(request, place, button, slug)
            return redirect(request.path)
        openings = coming(place, request.household, at=request.at)
        return render(request, "portal/planning/closed.html", {"place": place, "openings": openings})
    stretches = Stretches(place, today=request.at.astimezone(place.town.tz).date())
    if request.method == "POST":
        return _planning_post(request, place, stretches)
    if must_choose(place, stretches, request.GET.dict()):
        return redirect("portal:planning_place", service=place.service.slug)
    stretch = stretches.asked(request.GET.dict())
    assert stretch is not None
    named = request.GET.get(str(stretch.view), "")
    if named and named != stretch.key:
        return redirect(f"{request.path}?{stretch.query}")
    lines = basket_lines_among(place.live, user=request.user, household=request.household)
    tell_basket(request, len(lines))
    try:
        page = planning_page(
            town=place.town,
            service=place.service,
            enrolments=place.enrolments,
            kids=place.kids,
            basket=lines,
            stretch=stretch,
            at=request.at,
            unfolded="tout" in request.GET,
        )
    except BeyondCalendar as fault:
        return render(request, "portal/planning/beyond.html", {"place": place, "fault": fault}, status=404)
    units = page.days.units[place.service.id]
    before, after = stretches.around(stretch)
    book, cancel = stretch.whole_words
    context = panel(place, lines, page.days.states.keys()) | {
        "municipality": place.town,
        "place": place,
        "page": page,
        "stretch": stretch,
        "before": before,
        "after": after,
        "current": stretches.current(stretch),
        "options": stretches.options(stretch),
        "views": [(view, view.word, view == stretch.view) for view in View],
        "centre": centre(place, stretches, stretch),
        "openings": coming(place, request.household, at=request.at, stretch=stretch),
        "menu": whole_menu(units, book=book, cancel=cancel),
        "legend": page.legend,
        "rules": rule_words(place.town, place.service),
        "clashes": page.clashes,
        "has_rules": bool(rules_for(place.town, place.service)),
        "limit": deadline_words(place.town, place.service, units),
        "template": template_form(place, page.days, stretch),
        "contacts": contacts_of(place),
        "seal": seal(request),
        "owner": f"{request.user.pk}.{request.household.pk}",
        "undo_token": last_token(request),
        "printed": moment_words(request.at, place.town.tz, year=True),
    }
    return render(request, "portal/planning/month.html", context)


def _planning_post(request: GuardianHttpRequest, place: Place, stretches: Stretches) -> HttpResponse:
    stretch = stretches.asked(request.POST.dict())
    assert stretch is not None
    action = request.POST.get("do", "save")
    order = Order.parse(action)
    first, last = stretch.first_day, stretch.last_day
    if order is not None and order.span == "period":
        first, last, _name = stretches.whole(stretch)
    span = (min(first, stretch.first), max(last, stretch.last)) if order is not None else None
    days = keep_ticks(request, place, span=span)
    here = f"{reverse('portal:planning', args=[place.service.slug])}?{stretch.query}"
    name, _cut, rest = action.partition(":")
    match name:
        case "keep":  # sent by the script, which reads only how it went
            if rest == "device":
                tell_found_again(request)
            return HttpResponse(status=204)
        case "look":  # asked by the page as boxes are ticked: what does not go together
            return render(request, "portal/planning/_clashes.html", {"clashes": _clashes(request, place)})
        case "check":
            return redirect("portal:check")
        case "tell" | "hush":
            tell_or_hush(request, place, name, rest)
        case "undo":
            count = empty_basket(
                user=request.user, household=request.household, service_id=place.service.id, at=request.at
            )
            text = ngettext("%(n)d changement effacé.", "%(n)d changements effacés.", count)
            messages.info(request, text % {"n": count})
        case "back":
            undo_last(request, place, rest)
        case "go":
            asked = rest or request.POST.get("vers", "")
            return redirect(f"{request.path}?{stretches.target(asked, stretch=stretch).query}")
        case "pick" if rest.isdecimal() and len(rest) < 3:
            query = stretch.query.partition("&enfant=")[0]
            return redirect(f"{request.path}?{query}&enfant={rest}")
        case "tab":
            return redirect(next((tab.url for tab in place.tabs if tab.service.slug == rest), here))
        case "place":
            return redirect("portal:planning_place", service=place.service.slug)
        case "template":
            return redirect(f"{reverse('portal:week_template', args=[place.service.slug])}?{stretch.query}")
        case "range":
            pour = f"&pour={rest}" if rest else ""
            return redirect(f"{reverse('portal:day_range', args=[place.service.slug])}?{stretch.query}{pour}")
    if order is not None:
        chosen = choose_days(
            user=request.user,
            household=request.household,
            days=days,
            chosen=[state for state in days.states.values() if order.takes(state, first=first, last=last)],
            on=order.on,
            at=request.at,
        )
        tell_chosen(request, chosen, place, on=order.on)
    return redirect(here)


def _clashes(request: GuardianHttpRequest, place: Place) -> tuple[RuleClash, ...]:
    known = {enrolment.pk for enrolment in place.enrolments}
    lines = basket_lines_among(place.live, user=request.user, household=request.household)
    lines = [line for line in lines if line.enrolment_id in known]
    days = load_basket_days(lines, town=place.town, at=request.at, glance=True)
    return rule_clashes(lines, days, town=place.town, kids=place.kids)
