"""The e-mails of requests that are of no service. They carry nothing of a request but labels and reasons."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from marelle.families.queries import addressees
from marelle.foundation import outbox
from marelle.foundation.models import OutboxMail
from marelle.requests.labels import LINE_LOOKS
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.rules.lifecycles import LineState


def sent(*, request: FamilyRequest, lines: Sequence[RequestLine], at: datetime) -> None:
    """Confirm to every guardian of the household what was sent, with its number."""
    _post("requests/sent", request=request, lines=lines, at=at)


def answered(*, request: FamilyRequest, lines: Sequence[RequestLine], at: datetime) -> None:
    """Tell every guardian what was answered, line by line; the lines not answered yet are not named."""
    _post("requests/answered", request=request, lines=lines, at=at)


def _post(kind: str, *, request: FamilyRequest, lines: Sequence[RequestLine], at: datetime) -> None:
    context = {
        "number": request.number,
        "lines": [
            {
                "child": line.child.first_name if line.child is not None else "",
                "what": line.label,
                "state": line.state,
                "reason": line.reason,
            }
            for line in lines
        ],
    }
    outbox.post_each(
        kind=kind,
        letters=[
            outbox.Letter(
                to_address=guardian.email,
                to_name=str(guardian),
                household_id=request.household_id,
                context=context | {"first_name": guardian.first_name},
            )
            for guardian in addressees(request.household)
        ],
        at=at,
    )


def _lines(mail: OutboxMail) -> dict[str, Any]:
    lines = [line | {"look": LINE_LOOKS[LineState(line["state"])]} for line in mail.context["lines"]]
    return {
        "lines": lines,
        "accepted": sum(line["state"] == LineState.ACCEPTED for line in lines),
        "refused": sum(line["state"] == LineState.REFUSED for line in lines),
        "request_path": reverse("portal:request", args=[mail.context["number"]]),
    }


builders = {"sent": _lines, "answered": _lines}
