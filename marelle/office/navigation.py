"""The agents' rail. A new page adds its line to `DESTINATIONS`; the rest follows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import AgentRole
from marelle.foundation.postman import not_sent_count
from marelle.office.mails import DESK, mails_for
from marelle.office.queue import sites_of
from marelle.requests.queries import waiting

Kind = AgentRole.Kind
EVERYONE = frozenset(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """`url_name`: the page's; its address begins those of all the pages under it. `kinds`: the agents who see it.
    `count`: what waits there for an agent, asked on every page (one query); nothing is shown for 0."""

    label: Promise | str
    url_name: str
    icon: str
    kinds: frozenset[AgentRole.Kind] = EVERYONE
    count: Callable[[AgentRole, datetime], int] | None = None


DESTINATIONS: tuple[Destination, ...] = (
    Destination(label=_("Aujourd’hui"), url_name="office:home", icon="layout-dashboard"),
    Destination(
        label=_("Demandes"), url_name="office:queue", icon="inbox", count=lambda role, at: waiting(sites_of(role)).count
    ),
    Destination(label=_("Familles"), url_name="office:families", icon="users-round"),
    Destination(label=_("Ouvertures"), url_name="office:openings", icon="calendar-days", kinds=frozenset(DESK)),
    Destination(label=_("Fermetures et sorties"), url_name="office:closures", icon="calendar-x-2"),
    Destination(label=_("Actualités"), url_name="office:news", icon="megaphone"),
    Destination(
        label=_("E-mails"),
        url_name="office:mails",
        icon="mail",
        kinds=frozenset(DESK),
        count=lambda role, at: not_sent_count(mails_for(role, at=at)),
    ),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`nav`, `person`, and `home_url` for the town's name, on the pages of an agent's view; nothing elsewhere."""
    role: AgentRole | None = getattr(request, "agent", None)
    if role is None:
        return {}
    shown = [place for place in DESTINATIONS if role.kind in place.kinds]
    addresses = {place.url_name: reverse(place.url_name) for place in shown}
    # "/agents/" begins every address: the longest that fits is where we are.
    here = max((url for url in addresses.values() if request.path.startswith(url)), key=len, default="")
    return {
        "home_url": reverse("office:home"),
        "person": {
            "name": str(request.user),
            "initial": str(request.user)[:1].upper(),
            "role": role.job_title or role.get_kind_display(),
            "theme": request.user.theme,  # type: ignore[union-attr]
            "account_url": reverse("accounts:account"),
            "sign_out_url": reverse("accounts:sign_out"),
            "keys": request.session.get("keys", "on"),
        },
        "nav": [
            {
                "label": place.label,
                "url": addresses[place.url_name],
                "icon": place.icon,
                "current": addresses[place.url_name] == here,
                "count": place.count(role, request.at) if place.count else 0,  # type: ignore[attr-defined]
            }
            for place in shown
        ],
    }
