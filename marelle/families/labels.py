"""What agents and families read about accounts and priorities."""

from enum import Enum, StrEnum
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marelle.rules.eligibility import Audience


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


#: What an agent ticks on a family's page.
AUDIENCE_WORDS: dict[Audience, Promise | str] = {
    Audience.RESIDENTS: _("Habite la commune"),
    Audience.SIBLINGS: _("Frère ou sœur déjà dans le service"),
    Audience.WORKING_PARENTS: _("Tous les parents du foyer travaillent"),
    Audience.ENROLLED_BEFORE: _("Déjà dans le service l’année dernière"),
}
#: Why a period opens earlier to a family, as the family reads it.
AUDIENCE_CAUSES: dict[Audience, Promise | str] = {
    Audience.RESIDENTS: _("parce que vous habitez la commune"),
    Audience.SIBLINGS: _("parce qu’un frère ou une sœur y va déjà"),
    Audience.WORKING_PARENTS: _("parce que les parents du foyer travaillent"),
    Audience.ENROLLED_BEFORE: _("parce que vous y alliez déjà l’année dernière"),
}


class Topic(StrEnum):
    """The e-mails that a guardian may refuse. Answers, changes of their days, closings, invoices always leave."""

    NEWS = "news"
    REMINDERS = "reminders"


TOPIC_WORDS: dict[Topic, Promise | str] = {
    Topic.NEWS: _("Actualités de la mairie"),
    Topic.REMINDERS: _("Rappels : jours à réserver, pièces à renouveler"),
}


def legal_words(is_legal: bool | None) -> str:
    """Whether an adult has parental authority, as agents and the home read it beside a name."""
    if is_legal is None:
        return gettext("Responsabilité légale : non précisée")
    return gettext("autorité parentale") if is_legal else gettext("sans autorité parentale")
