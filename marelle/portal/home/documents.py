"""What is to do about the home's papers: those refused, those that end soon, those not given yet."""

from collections.abc import Iterable
from datetime import time, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.bookings.queries.papers import Enrolled, HomePapers
from marelle.documents.giving import Item
from marelle.foundation.sentences import day_words, list_words
from marelle.portal.documents import address_of
from marelle.portal.home.glance import Glance
from marelle.portal.home.todo import Todo
from marelle.rules.papers import PaperState


def papers_to_give(glance: Glance) -> Iterable[Todo]:
    """Of the papers that the services of the children require: two queries at most for a school year, none where no
    service requires any."""
    home = HomePapers(
        town=glance.town,
        household=glance.household,
        children=[(one.child, one.kid) for one in glance.children],
        at=glance.at,
    )
    asked = home.asked(enrolled=[Enrolled.of(one) for one in glance.enrolments])
    for item in asked:
        if item.standing.state is PaperState.REFUSED:
            yield Todo(
                title=_("%(paper)s, %(who)s : document refusé") % {"paper": item.name, "who": item.who},
                text=item.standing.reason,
                icon="circle-x",
                url=address_of(item.key),
                action=_("Remplacer"),
                hidden=_hidden(item),
            )
    for item in asked:
        if item.standing.state is PaperState.EXPIRING and item.standing.valid_until is not None:
            end = item.standing.valid_until
            yield Todo(
                title=_("%(paper)s, %(who)s : à renouveler") % {"paper": item.name, "who": item.who},
                text=_("Valable jusqu’au %(day)s.") % {"day": day_words(end)},
                icon="clock-alert",
                url=address_of(item.key),
                action=_("Donner"),
                hidden=_hidden(item),
                until=glance.calendar.instant(end + timedelta(days=1), time(0)),
            )
    missing = [item for item in asked if item.standing.state in (PaperState.MISSING, PaperState.EXPIRED)]
    if missing:
        names = list(dict.fromkeys(item.name for item in missing))
        yield Todo(
            title=ngettext("Un document à donner", "%(n)d documents à donner", len(missing)) % {"n": len(missing)},
            text=_("%(names)s. Une photo suffit.") % {"names": list_words(names)},
            icon="file-text",
            url=reverse("portal:documents"),
            action=_("Donner"),
            hidden=_(" les documents"),
        )


def _hidden(item: Item) -> str:
    return _(" : %(paper)s, %(who)s") % {"paper": item.name, "who": item.who}
