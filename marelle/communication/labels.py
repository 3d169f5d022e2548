"""The words of what the town tells families."""

from enum import Enum

from django.utils.translation import gettext_lazy as _

from marelle.bookings.labels import Look


class PostState(Enum):
    """Where a piece of news stands at an instant. Its value is its name in an address."""

    DRAFT = "brouillons"
    SCHEDULED = "programmees"
    ONLINE = "en-ligne"
    WITHDRAWN = "retirees"

    @property
    def look(self) -> Look:
        return _LOOKS[self]


_LOOKS = {
    PostState.DRAFT: Look(_("Brouillon"), "pencil", "off"),
    PostState.SCHEDULED: Look(_("Programmée"), "clock", "wait"),
    PostState.ONLINE: Look(_("En ligne"), "circle-check", "ok"),
    PostState.WITHDRAWN: Look(_("Retirée"), "minus", "off"),
}
