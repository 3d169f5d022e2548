"""Where, and for which holidays: chosen before the days."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marelle.activities.models import BookingMode
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.portal.planning.place import place_of
from marelle.portal.planning.sites import has_sites, period_cards, site_cards
from marelle.portal.planning.stretches import Stretches
from marelle.portal.tabs import tab_required
from marelle.townfile.town import Tab


@require_safe
@guardian_required
@tab_required(Tab.BOOKINGS)
def planning_place(request: GuardianHttpRequest, service: str) -> HttpResponse:
    """Choose the establishment, when the children are enrolled at several; then the period."""
    place = place_of(request, service)
    if place.service.booking_mode != BookingMode.DAYS or not place.enrolments:
        raise Http404
    stretches = Stretches(place, today=request.at.astimezone(place.town.tz).date())
    return render(
        request,
        "portal/planning/place.html",
        {
            "place": place,
            "sites": site_cards(place),
            "needs_site": has_sites(place) and not place.site,
            "periods": period_cards(place, stretches, household=request.household, at=request.at),
        },
    )
