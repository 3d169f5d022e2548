"""One day of a service, on a page of its own."""

from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from marelle.activities.models import BookingMode
from marelle.bookings.queries.combinations import reach
from marelle.bookings.queries.days import basket_lines_among, load_days
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.sentences import day_words
from marelle.portal.navigation import tell_basket
from marelle.portal.planning.clashes import rule_clashes, rule_words
from marelle.portal.planning.place import contacts_of, place_of
from marelle.portal.planning.sheet import day_sheet
from marelle.portal.planning.stretches import Stretches
from marelle.portal.planning.ticks import keep_ticks, outlives_session, seal
from marelle.portal.tabs import tab_required
from marelle.townfile.town import Tab


@require_http_methods(["GET", "HEAD", "POST"])
@outlives_session
@guardian_required
@tab_required(Tab.BOOKINGS)
def day(request: GuardianHttpRequest, service: str, day: str) -> HttpResponse:
    """The day's sheet. POST keeps its boxes in the basket, then goes back to the planning, or to the check."""
    place = place_of(request, service)
    if place.service.booking_mode != BookingMode.DAYS or not place.enrolments:
        raise Http404
    try:
        date_ = date.fromisoformat(day) if len(day) == 10 else None
    except ValueError:
        date_ = None
    stretches = Stretches(place, today=request.at.astimezone(place.town.tz).date())
    if date_ is None or not stretches.first <= date_ <= stretches.last:
        raise Http404
    source = {**(request.POST if request.method == "POST" else request.GET).dict()}
    if not any(source.get(name) for name in ("vue", "mois", "semaine", "periode")):
        source["mois"] = f"{date_:%Y-%m}"
    stretch = stretches.asked(source)
    assert stretch is not None
    back = f"{reverse('portal:planning', args=[place.service.slug])}?{stretch.query}"
    if request.method == "POST":
        keep_ticks(request, place)
        return redirect("portal:check" if request.POST.get("do") == "check" else back)
    lines = basket_lines_among(place.live, user=request.user, household=request.household)
    tell_basket(request, len(lines))
    known = {enrolment.pk for enrolment in place.enrolments}
    mine = [line for line in lines if line.enrolment_id in known]
    dates = {date_} | reach(place.town, ((line.enrolment, line.date) for line in mine if line.date == date_))
    days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, dates=dates, lines=mine, glance=True)
    clashes = rule_clashes([line for line in mine if line.date in dates], days, town=place.town, kids=place.kids)
    words = day_words(date_)
    return render(
        request,
        "portal/planning/day.html",
        {
            "place": place,
            "stretch": stretch,
            "sheet": day_sheet(place, days, date_, basket=lines, at=request.at),
            "day": date_,
            "day_words": words[:1].upper() + words[1:],
            "seal": seal(request),
            "back": back,
            "rules": rule_words(place.town, place.service),
            "clashes": [clash for clash in clashes if clash.key.endswith(date_.isoformat())],
            "count": len(lines),
            "contacts": contacts_of(place),
            "sites": sorted({enrolment.activity.site.name for enrolment in place.enrolments}),
        },
    )
