"""Who waits for a place of a service on a day, and offering one by hand."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.models import Service
from marelle.activities.queries import municipality
from marelle.bookings.models import Booking
from marelle.bookings.queries.days import waiting_list_of
from marelle.bookings.queries.waiting import waiting_list
from marelle.bookings.services.waiting import NothingToOffer, OfferOver, offer_by_hand
from marelle.foundation.sentences import day_words, moment_words
from marelle.office.mails import DESK
from marelle.office.queue import sites_of
from marelle.townfile.town import WaitingList


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def waiting(request: AgentHttpRequest, service: str, day: str) -> HttpResponse:
    """The list, group by group, in order. POST offers a place to one of them, where the town's file leaves it to an
    agent of the desk."""
    found = get_object_or_404(Service, slug=service)
    try:
        when = date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    town = municipality()
    listed = waiting_list(service_id=found.pk, day=when, sites=sites_of(request.agent))
    by_hand = waiting_list_of(town, found) == WaitingList.AGENT and request.agent.kind in DESK
    if request.method == "POST":
        return _offer(request, {one.booking.pk: one.booking for one in listed} if by_hand else {}, service, day)
    return render(
        request,
        "office/waiting/index.html",
        {
            "municipality": town,
            "service": found,
            "day": day_words(when),
            "date": day,
            "by_hand": by_hand,
            "rows": [
                {
                    "booking": one.booking,
                    "rank": one.rank,
                    "until": moment_words(one.booking.waits_until, town.tz) if one.booking.waits_until else "",
                }
                for one in listed
            ],
        },
    )


def _offer(request: AgentHttpRequest, mine: dict[int, Booking], service: str, day: str) -> HttpResponse:
    chosen = request.POST.get("reservation", "")
    if not chosen.isdigit() or int(chosen) not in mine:
        raise Http404
    try:
        booking = offer_by_hand(booking_id=int(chosen), by=request.user, at=request.at)
        told = _("La place est proposée à %(name)s : la famille reçoit un e-mail.")
        messages.success(request, told % {"name": booking.child.first_name})
    except OfferOver:
        messages.warning(request, _("Cet enfant n’attend plus de place."))
    except NothingToOffer:
        messages.warning(request, _("Il n’y a pas de place à proposer, ou le délai de réservation est passé."))
    return redirect("office:waiting", service, day)
