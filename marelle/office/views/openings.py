"""The periods that open to reservation: when, to how many families, and what came of the e-mails."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.bookings.queries.openings import Announced, announced, opens_for
from marelle.families.labels import AUDIENCE_WORDS
from marelle.families.permissions import households_for
from marelle.foundation.sentences import moment_words, span_words
from marelle.office.mails import DESK
from marelle.office.queue import sites_of

#: How long an opening that has passed is still shown, and how far ahead one is.
RECENT, AHEAD = timedelta(days=30), timedelta(days=365)


@require_safe
@agent_required(*DESK)
def index(request: AgentHttpRequest) -> HttpResponse:
    """The openings to come, the soonest first, then those of the last month; "?tri=recentes" turns the dates round."""
    town, at = municipality(), request.at
    latest_first = request.GET.get("tri") == "recentes"
    among = households_for(request.agent, at=request.at) if sites_of(request.agent) else None
    found = announced(town, since=at - RECENT, at=at, among=among)
    found = [one for one in found if one.instants[0] <= at + AHEAD]
    rows = [_row(one, town, at) for one in (reversed(found) if latest_first else found)]
    return render(
        request,
        "office/openings/index.html",
        {
            "to_come": [row for row in rows if row["to_come"]],
            "opened": [row for row in rows if not row["to_come"]],
            "latest_first": latest_first,
        },
    )


def _row(one: Announced, town: Municipality, at: datetime) -> dict[str, Any]:
    def words(moment: datetime, *, opens: bool = False) -> str:
        return moment_words(moment, town.tz, opens=opens, year=moment.astimezone(town.tz).year != at.year)

    return {
        "one": one,
        "to_come": one.instants[-1] > at,
        "span": span_words(one.period.first_day, one.period.last_day),
        "openings": [
            {
                "words": words(instant, opens=True),
                "past": instant <= at,
                "who": [AUDIENCE_WORDS[who] for who in opens_for(one.period, instant)],
            }
            for instant in one.instants
        ],
        "first": words(one.first) if one.first else "",
        "last": words(one.last) if one.last and one.last != one.first else "",
    }
