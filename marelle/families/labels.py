"""What agents and families read about accounts."""

from enum import Enum
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Look(NamedTuple):
    word: Promise | str
    icon: str
    css: str


class InvitationState(Enum):
    """Where a guardian stands with their account."""

    NO_ADDRESS = Look(_("Sans adresse e-mail"), "circle-help", "")
    NOT_INVITED = Look(_("À inviter"), "mail", "")
    INVITED = Look(_("Invitation envoyée"), "hourglass", "wait")
    ACTIVE = Look(_("Compte ouvert"), "circle-check", "ok")
    CLOSED = Look(_("Compte fermé"), "ban", "stop")

    @property
    def word(self) -> Promise | str:
        return self.value.word

    @property
    def icon(self) -> str:
        return self.value.icon

    @property
    def css(self) -> str:
        return self.value.css
