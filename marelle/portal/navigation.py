"""What the families' pages show around their content: destinations, person, basket. One query at most, the basket's,
and only when a template asks for it; those of the urgent news only while there may be some."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marelle.bookings.queries.baskets import basket_count
from marelle.portal.guidance import topic_of
from marelle.portal.news import alerts, door_news
from marelle.portal.tabs import tabs_off
from marelle.townfile.town import Tab

_PLACES = {
    "home": "home",
    "plannings": "plannings",
    "planning": "plannings",
    "week_template": "plannings",
    "check": "plannings",
    "send": "plannings",
    "remove_line": "plannings",
    "demarches": "demarches",
    "documents": "demarches",
    "withdraw_document": "demarches",
    "enrol": "demarches",
    "absence": "demarches",
    "take_back_absence": "demarches",
    "request": "demarches",
    "withdraw": "demarches",
    "ask": "demarches",
    "say": "demarches",
    "certificates": "demarches",
    "child": "family",
    "permissions": "family",
    "diet": "family",
    "health": "family",
    "edit_health": "family",
    "confirm_health": "family",
    "health_readings": "family",
    "new_contact": "family",
    "contact": "family",
    "new_person": "family",
    "person": "family",
    "family": "family",
    "history": "family",
    "news": "home",
    "news_post": "home",
    "correct_me": "family",
    "correct_address": "family",
    "correct_insurance": "family",
    "correct_quotient": "family",
    "correct_child": "family",
    "mails": "family",
}


#: The destinations that a town may switch off.
_TABS = {"plannings": Tab.BOOKINGS, "demarches": Tab.REQUESTS}


def tell_basket(request: HttpRequest, count: int) -> None:
    """For a view that has read the whole basket: the navigation need not count it again."""
    request.basket_count = count  # type: ignore[attr-defined]


@lru_cache(maxsize=8)
def _links(language: str | None) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What is the same on every page, in one language: for nobody, and a guardian's destinations."""
    around: dict[str, Any] = {
        "help_url": reverse("portal:help"),
        "footer_links": [
            {"label": _("Accessibilité"), "url": reverse("portal:accessibility"), "conformity": True},
            {"label": _("Données personnelles"), "url": reverse("portal:privacy")},
            {"label": _("Mentions légales"), "url": reverse("portal:legal")},
            {"label": _("Conditions d’utilisation"), "url": reverse("portal:terms")},
        ],
    }
    places = (
        ("home", _("Accueil"), "house"),
        ("plannings", _("Planning"), "calendar-days"),
        ("demarches", _("Démarches"), "clipboard-list"),
        ("family", _("Famille"), "users"),
    )
    return around, [
        {"place": place, "label": label, "url": reverse(f"portal:{place}"), "icon": icon}
        for place, label, icon in places
    ]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """On every page but the agents': `help_url` and `footer_links`. On a guardian's pages also `nav`, a list of {label,
    url, icon, current, count}; `person`: {name, initial, theme, account_url,
    switch_url, sign_out_url}; `basket_count`, the user's
    choices not sent yet, and `check_url`, where they are sent; `alerts`, the urgent news not read
    yet; `topic`, what helps on this page; `unread`, in how many threads something waits to be read, and
    `messages_url`, where they are listed. At the door `door_news`, what the town tells strangers."""
    match = request.resolver_match
    if match is not None and match.app_name == "office":
        return {}
    around, places = _links(get_language())
    household = getattr(request, "household", None)
    if household is None:
        if match is not None and match.view_name == "accounts:door":
            return around | {"door_news": SimpleLazyObject(lambda: door_news(at=request.at))}  # type: ignore[attr-defined]
        return around
    here = _PLACES.get(match.url_name or "", "") if match is not None and match.app_name == "portal" else ""
    user = request.user
    count = getattr(request, "basket_count", None)
    if count is None:
        count = SimpleLazyObject(lambda: basket_count(user=user, household=household))  # type: ignore[arg-type]
    off = tabs_off(household)
    reads = Tab.REQUESTS not in off
    awaits = household.awaits_since is not None
    if awaits:
        places = []
    seen = getattr(request, "seen", None) is not None  # by an agent, whose account and session are none of this page's
    return around | {
        "nav": [
            place | {"current": place["place"] == here, "count": count if place["place"] == "plannings" else 0}
            for place in places
            if _TABS.get(place["place"]) not in off
        ],
        "messages_url": f"{reverse('portal:demarches')}?etat=messages#suivre" if places and reads else "",
        "unread": getattr(household, "unread", 0),
        "person": {
            "name": str(user),
            "initial": str(user)[:1].upper(),
            "account_url": "" if seen else reverse("accounts:account"),
            "theme": user.theme,  # type: ignore[union-attr]
            "switch_url": reverse("families:switch") if len(getattr(request, "households", ())) > 1 else "",
            "sign_out_url": "" if seen else reverse("accounts:sign_out"),
        },
        "basket_count": count,
        "alerts": () if awaits else SimpleLazyObject(lambda: alerts(household, user, at=request.at)),  # type: ignore[arg-type,attr-defined]
        "check_url": reverse("portal:check"),
        "topic": topic_of(match.url_name or "" if match is not None else "", here),
    }
