"""What the town's file lets families ask for."""

from collections.abc import Iterable, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.portal.asking.ask import Ask, Occasion
from marelle.requests.topics import WRITE, topics
from marelle.townfile.town import PortalPage, RequestGroup, RequestSubject, RequestType

#: Where each page stands that a request type may lead to.
PAGES: Mapping[PortalPage, str] = {PortalPage.HOUSEHOLD: "portal:family", PortalPage.DOCUMENTS: "portal:documents"}


def town_topics(occasion: Occasion) -> Iterable[tuple[RequestGroup, Ask]]:
    """No query."""
    for topic in topics(occasion.town):
        yield topic.group, _ask(occasion, topic)


def _ask(occasion: Occasion, topic: RequestType) -> Ask:
    if topic.page is not None:
        return Ask(title=topic.name, text=_first_sentence(topic.help), url=reverse(PAGES[topic.page]))
    if topic.about is RequestSubject.CHILD and not occasion.children:
        return Ask(title=topic.name, text=_("Aucun enfant n’est rattaché à votre foyer : écrivez-nous."))
    days = topic.answer_days or occasion.town.answer_working_days
    promise = ngettext("Réponse sous %(n)d jour ouvré", "Réponse sous %(n)d jours ouvrés", days) % {"n": days}
    return Ask(
        title=topic.name,
        text=promise if topic.slug == WRITE else _first_sentence(topic.help) or promise,
        url=reverse("portal:ask", args=[topic.slug]),
    )


def _first_sentence(text: str) -> str:
    """A card has room for one."""
    first = text.partition("\n")[0]
    return first.partition(". ")[0].rstrip(".")
