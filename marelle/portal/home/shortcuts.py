"""The ways that families take most, only those that lead somewhere today."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.portal.home.glance import Glance
from marelle.portal.tabs import is_on
from marelle.requests.topics import WRITE
from marelle.townfile.town import Tab


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    label: str
    icon: str
    url: str


def shortcuts(glance: Glance, *, has_requests: bool) -> tuple[Shortcut, ...]:
    enrol = Shortcut(label=_("Inscrire à un service"), icon="clipboard-list", url=reverse("portal:enrol"))
    found = []
    bookings, requests = is_on(glance.town, Tab.BOOKINGS), is_on(glance.town, Tab.REQUESTS)
    if glance.bookable and bookings:
        found.append(Shortcut(label=_("Réserver ou annuler"), icon="calendar-plus", url=reverse("portal:plannings")))
        found.append(Shortcut(label=_("Signaler une absence"), icon="user-x", url=reverse("portal:absence")))
        found.append(
            Shortcut(
                label=_("Qui vient chercher ?"),
                icon="user-check",
                url=f"{reverse('portal:new_person')}?jour={glance.today.isoformat()}",
            )
        )
    if glance.children and requests:
        found.append(enrol)
    if requests:
        found.append(Shortcut(label=_("Écrire à la mairie"), icon="mail", url=reverse("portal:ask", args=[WRITE])))
    if has_requests and requests:
        found.append(
            Shortcut(label=_("Suivre mes demandes"), icon="inbox", url=f"{reverse('portal:demarches')}#suivre")
        )
    found.append(Shortcut(label=_("Aide et contact"), icon="circle-question-mark", url=reverse("portal:help")))
    return tuple(found)
