"""The pages of the portal that answer before anybody is asked."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.portal.asking.ask import Ask, Occasion
from marelle.townfile.town import RequestGroup


def around(occasion: Occasion) -> Iterable[tuple[RequestGroup, Ask]]:
    yield (
        RequestGroup.OTHER,
        Ask(
            title=_("Donner un document"),
            text=_("Photo ou PDF, et où en sont ceux que vous avez donnés"),
            url=reverse("portal:documents"),
        ),
    )
    yield (
        RequestGroup.OTHER,
        Ask(
            title=_("Aide et contact"),
            text=_("Appeler le service, comprendre le portail"),
            url=reverse("portal:help"),
        ),
    )
    yield (
        RequestGroup.OTHER,
        Ask(title=_("Voir l’historique du foyer"), text=_("Qui a fait quoi, et quand"), url=reverse("portal:history")),
    )
