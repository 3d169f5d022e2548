"""The basket beside the grid, in words; and what is told of choices that could not be taken."""

from collections.abc import Collection, Sequence
from itertools import groupby

from django.contrib import messages
from django.utils.translation import gettext as _

from marelle.bookings.labels import acts_words
from marelle.bookings.models import BasketLine
from marelle.bookings.queries.months import Month
from marelle.bookings.services.baskets import (
    Clash,
    Key,
)
from marelle.families.permissions import GuardianHttpRequest
from marelle.foundation.sentences import day_words, sentence
from marelle.portal.planning.place import Place
from marelle.requests.models import Act


def panel(place: Place, lines: Sequence[BasketLine], shown: Collection[Key]) -> dict[str, object]:
    """The basket beside the grid: the lines of the cells shown, and in a few words those of other months and
    services."""
    here = [line for line in lines if (line.child_id, line.unit_id, line.date) in shown]
    elsewhere = [line for line in lines if (line.child_id, line.unit_id, line.date) not in shown]
    words = []
    by_month = sorted(elsewhere, key=lambda line: (line.enrolment.activity.service.position, line.date))
    for (service, month), found in groupby(
        by_month, key=lambda line: (line.enrolment.activity.service.short_name, Month.of(line.date))
    ):
        what = acts_words(line.act for line in found)
        words.append(_("%(service)s, %(month)s : %(what)s") % {"service": service, "month": month.words, "what": what})
    return {
        "basket_lines": [
            {
                "kid": place.kids.get(line.child_id),
                "adds": line.act == Act.BOOK,
                "day": day_words(line.date),
                "cents": None,
            }
            for line in here
        ],
        "basket_elsewhere": words,
        "basket_extra_add": sum(line.act == Act.BOOK for line in elsewhere),
        "basket_extra_drop": sum(line.act == Act.CANCEL for line in elsewhere),
        "basket_summary": acts_words(line.act for line in lines),
    }


def tell_clashes(request: GuardianHttpRequest, clashes: Sequence[Clash], place: Place) -> None:
    for clash in clashes[:5]:
        kid = place.kids.get(clash.key[0])
        warn_once(
            request,
            _("%(day)s, %(name)s : %(why)s.")
            % {
                "day": day_words(clash.key[2]).capitalize(),
                "name": kid.name if kid else "",
                "why": sentence(clash.refusal, place.town.tz),
            },
        )


def warn_once(request: GuardianHttpRequest, text: str) -> None:
    """A script posts the same boxes several times before a page is shown: what waits to be told is not told twice."""
    told = messages.get_messages(request)
    said = {message.message for message in told}
    told.used = False  # type: ignore[union-attr]  # reading them here is not showing them
    if text not in said:
        messages.warning(request, text)
