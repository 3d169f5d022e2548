"""A place waited for or offered: what the family reads, and its answer."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marelle.activities.queries import municipality
from marelle.bookings.labels import BOOKING_LOOKS
from marelle.bookings.queries.waiting import of_household, ranks
from marelle.bookings.services.waiting import DoesNotGo, OfferOver, accept_offer, leave_list
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.queries import kids_of
from marelle.foundation.sentences import day_words, midsentence, sentence
from marelle.portal.moments import near_moment_words
from marelle.portal.planning.waiting import rank_words
from marelle.portal.tabs import tab_required
from marelle.rules.lifecycles import BookingState
from marelle.townfile.town import Tab


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.BOOKINGS)
def place(request: GuardianHttpRequest, booking_id: int) -> HttpResponse:
    """GET tells where the place stands and writes nothing: the e-mail leads here. POST `do`: accept, or leave."""
    found = of_household(request.household, booking_id)
    if found is None:
        raise Http404
    if request.method == "POST":
        return _answer(request, booking_id)
    town = municipality()
    state = BookingState(found.state)
    over = state == BookingState.OFFERED and found.waits_until is not None and found.waits_until <= request.at
    service = found.unit.service
    return render(
        request,
        "portal/places/place.html",
        {
            "municipality": town,
            "booking": found,
            "kid": kids_of(request.household).get(found.child_id),
            "service": service,
            "service_words": midsentence(service.name),
            "day": day_words(found.date),
            "until": near_moment_words(found.waits_until, at=request.at, town=town) if found.waits_until else "",
            "state": BookingState.EXPIRED if over else state,
            "look": BOOKING_LOOKS[BookingState.EXPIRED if over else state],
            "rank": rank_words(ranks([found]).get(found.pk, 0)),
            "month": f"{found.date:%Y-%m}",
        },
    )


def _answer(request: GuardianHttpRequest, booking_id: int) -> HttpResponse:
    act = request.POST.get("do")
    try:
        if act == "accept":
            accept_offer(booking_id=booking_id, by=request.user, at=request.at)
            messages.success(request, _("C’est réservé."))
        elif act == "leave":
            left = leave_list(booking_id=booking_id, by=request.user, at=request.at)
            told = _("Vous n’attendez plus de place %(day)s.") % {"day": day_words(left.date)}
            messages.success(request, told)
        else:
            raise Http404
    except DoesNotGo as fault:
        text = _("Cette place ne va pas avec les autres jours de l’enfant. %(why)s.")
        messages.error(request, text % {"why": sentence(fault.refusal, municipality().tz)})
    except OfferOver:
        messages.warning(request, _("Trop tard : cette place n’attend plus votre réponse."))
    return redirect("portal:place", booking_id)
