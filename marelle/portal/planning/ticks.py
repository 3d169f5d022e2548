"""The boxes that a planning's page posts: brought to the basket, or kept at the door when the session has ended."""

import re
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from marelle.accounts import waiting
from marelle.accounts.models import User
from marelle.accounts.permissions import ArrivedHttpRequest, to_the_door
from marelle.bookings.queries.days import Days, load_days
from marelle.bookings.services.baskets import Key, Shown, fill_basket
from marelle.families.permissions import GuardianHttpRequest, choose_household, households_of
from marelle.foundation.components.grid import unpack_seen
from marelle.foundation.sentences import day_words
from marelle.portal.planning.panel import tell_clashes, warn_once
from marelle.portal.planning.place import Place, place_of

SALT = "marelle.portal.planning.ticks"
#: What a planning's form says beside its boxes: the stretch that it shows.
STRETCH = ("vue", "mois", "semaine", "periode", "lieu", "enfant")

#: The number that a device gives to what it keeps.
NUMBER = re.compile(r"[a-z0-9-]{1,40}")

View = Callable[..., HttpResponse]


def seal(request: GuardianHttpRequest) -> str:
    """For whom a page with boxes is made, in a form that nobody else can write."""
    return signing.dumps([request.user.pk, request.household.pk], salt=SALT)


def keep_ticks(
    request: GuardianHttpRequest,
    place: Place,
    *,
    span: tuple[date, date] | None = None,
    posted: QueryDict | None = None,
) -> Days:
    """Bring the basket to what the posted boxes say, telling what could not be taken. The days read: those of the cells
    shown, or all from the first to the last of `span`, which holds them. A posting that carries a number is taken into
    account once."""
    form = request.POST if posted is None else posted
    shown, number = _shown(form), form.get("number", "")
    if span is None:
        dates = {day for _child, _unit, day in shown}
        days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, dates=dates, glance=True)
    else:
        days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, first=span[0], last=span[1])
    missing = [key for key in shown if key not in days.states]
    if missing:
        # A day that closed since the page was drawn is told as such; another family's child is nobody's business.
        children = {enrolment.child_id for enrolment in place.enrolments}
        units = {unit.id for unit in days.units[place.service.id]}
        if any(child not in children or unit not in units for child, unit, _day in shown):
            raise Http404
        for key in missing:
            if shown[key].ticked and shown[key].was == "free":
                warn_once(request, _("%(day)s : ce jour a fermé entre-temps.") % {"day": day_words(key[2])})
            del shown[key]
    _basket, clashes = fill_basket(
        user=request.user,
        household=request.household,
        days=days,
        shown=shown,
        at=request.at,
        number=number if NUMBER.fullmatch(number) else "",
    )
    tell_clashes(request, clashes, place)
    return days


def _shown(posted: QueryDict) -> dict[Key, Shown]:
    """The cells that the page showed, and how they came back. A form that is not ours is a 404."""
    ticked = set(posted.getlist("want"))
    shown: dict[Key, Shown] = {}
    for packed, css in unpack_seen(posted.getlist("seen")).items():
        try:
            child, unit, day = packed.split(".")
            key = int(child), int(unit), date.fromisoformat(day)
        except ValueError:
            raise Http404 from None
        # A refused day is free again: the page shows the refusal, the basket sees a free day.
        shown[key] = Shown(was=css if css in {"pending", "booked"} else "free", ticked=packed in ticked)
    return shown


def outlives_session(view: View) -> View:
    """For the pages that post boxes, outside `guardian_required`. Posted when the session has ended, the boxes of a
    page made for somebody wait at the door, in the visitor's session, for that person to sign in again; the basket is
    not touched before. A form without a good seal is only sent to the door."""

    @wraps(view)
    def guarded(request: ArrivedHttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or request.user.is_authenticated:
            return view(request, *args, **kwargs)
        stretch = urlencode([(name, request.POST[name]) for name in STRETCH if request.POST.get(name)])
        page = f"{request.path}?{stretch}" if stretch else request.path
        response = to_the_door(request, page=page)
        _park(request, page)
        return response

    return guarded


def _park(request: ArrivedHttpRequest, page: str) -> None:
    try:
        user_id, household_id = signing.loads(
            request.POST.get("seal", ""), salt=SALT, max_age=request.session.get_session_cookie_age()
        )
    except (signing.BadSignature, ValueError, TypeError):
        return
    kept = QueryDict(mutable=True)
    kept["number"] = request.POST.get("number", "")
    for name in ("seen", "want"):
        kept.setlist(name, request.POST.getlist(name))
    kept["household"], kept["page"] = str(household_id), page
    if kept.getlist("seen") and waiting.leave(
        request.session, user_id=user_id, name=page, what=kept.urlencode(), at=request.at
    ):
        request.session.set_expiry(0)


def take_up(request: HttpRequest, user: User, waited: list[str]) -> None:
    """The user has signed in again: bring to their baskets the boxes that waited at the door, and say so. What is not
    theirs any more is left out."""
    asked = cast(GuardianHttpRequest, request)
    taken = False
    for what in waited:
        kept = QueryDict(what)
        try:
            path, _cut, query = kept["page"].partition("?")
            service = resolve(path).kwargs["service"]
            asked.household = choose_household(user, request.session, int(kept["household"]))
            asked.households = list(households_of(user))
            place = place_of(asked, service, asked=QueryDict(query).get("lieu", ""))
            keep_ticks(asked, place, posted=kept)
        except (Http404, Resolver404, KeyError, ValueError):
            continue
        taken = True
    if taken:
        tell_found_again(asked)


def tell_found_again(request: GuardianHttpRequest) -> None:
    messages.success(request, _("Vos derniers choix sont retrouvés. Ils sont gardés, rien n’est encore envoyé."))
