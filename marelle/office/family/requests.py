"""The family's last requests."""

from marelle.bookings.labels import absence_look
from marelle.office.family.sight import Card, Sight
from marelle.office.queue import what_words
from marelle.requests.labels import request_look
from marelle.requests.models import RequestKind
from marelle.requests.queries import latest_of

SHOWN = 6


def requests(sight: Sight) -> Card:
    """Two queries."""
    return Card(
        template="office/families/cards/_requests.html",
        facts={
            "requests": [
                {
                    "request": request,
                    "what": what_words(list(request.lines.all())),
                    "state": (absence_look if request.kind == RequestKind.ABSENCE else request_look)(
                        line.state for line in request.lines.all()
                    ),
                }
                for request in latest_of(sight.household, count=SHOWN)
            ]
        },
    )
