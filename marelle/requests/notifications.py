"""The e-mails of requests that are of no service. They carry nothing of a request but labels and reasons, and not even
those of one that is about health."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.activities.queries import municipality
from marelle.families.queries import addressees
from marelle.foundation import outbox
from marelle.foundation.models import OutboxMail
from marelle.requests.labels import LINE_LOOKS, TOLD_LOOK
from marelle.requests.models import Act, FamilyRequest, RequestLine
from marelle.requests.topics import WRITE
from marelle.rules.lifecycles import LineState


def sent(*, request: FamilyRequest, lines: Sequence[RequestLine], at: datetime) -> None:
    """Confirm to every guardian of the household what was sent, with its number."""
    _post("requests/sent", request=request, lines=lines, at=at)


def answered(*, request: FamilyRequest, lines: Sequence[RequestLine], at: datetime) -> None:
    """Tell every guardian what was answered, line by line; the lines not answered yet are not named."""
    _post("requests/answered", request=request, lines=lines, at=at)


def answer_taken_back(*, request: FamilyRequest, lines: Sequence[RequestLine], at: datetime) -> None:
    """Tell every guardian that an answer they were told does not hold: these lines wait again."""
    _post("requests/answer_taken_back", request=request, lines=lines, at=at)


def message_to_family(*, request: FamilyRequest, at: datetime) -> None:
    """Tell every guardian that a message waits; nothing of what it says."""
    outbox.post_each(
        kind="requests/message",
        letters=[
            outbox.Letter(
                to_address=guardian.email,
                to_name=str(guardian),
                household_id=request.household_id,
                context={"number": request.number, "first_name": guardian.first_name},
            )
            for guardian in addressees(request.household)
        ],
        at=at,
    )


def message_to_town(*, request: FamilyRequest, at: datetime) -> None:
    """Tell the agent who follows the request, else its site, else the town's office, that a message waits. Nobody is
    told when none of them has an address."""
    town = municipality()
    agent = request.assigned_to if request.assigned_to is not None and request.assigned_to.is_active else None
    site = next((line.site for line in request.lines.select_related("site") if line.site is not None), None)
    address = (agent.email if agent is not None else "") or (site.email if site is not None else "") or town.email
    if address:
        outbox.post(
            kind="requests/message_to_town",
            to_address=address,
            to_name=str(agent) if agent is not None else (town.department_name or town.name),
            at=at,
            context={"number": request.number},
        )


def _post(kind: str, *, request: FamilyRequest, lines: Sequence[RequestLine], at: datetime) -> None:
    context = {
        "number": request.number,
        "topic": request.topic,
        "joins": all(line.act == Act.JOIN for line in lines),
        "lines": [
            {
                "child": line.child.first_name if line.child is not None else "",
                "what": "" if request.is_health else line.label,
                "state": line.state,
                "reason": "" if request.is_health else line.reason,
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
    is_message = mail.context.get("topic") == WRITE
    looks = LINE_LOOKS | ({LineState.ACCEPTED: TOLD_LOOK} if is_message else {})
    lines = [
        line | {"what": line["what"] or _("votre demande"), "look": looks[LineState(line["state"])]}
        for line in mail.context["lines"]
    ]
    return {
        "lines": lines,
        "is_message": is_message,
        "opens_space": bool(mail.context.get("joins")) and {line["state"] for line in lines} == {LineState.ACCEPTED},
        "accepted": sum(line["state"] == LineState.ACCEPTED for line in lines),
        "refused": sum(line["state"] == LineState.REFUSED for line in lines),
        "request_path": reverse("portal:request", args=[mail.context["number"]]),
    }


def _message(mail: OutboxMail) -> dict[str, Any]:
    return {"request_path": reverse("portal:request", args=[mail.context["number"]]) + "#messages"}


def _message_to_town(mail: OutboxMail) -> dict[str, Any]:
    return {"request_path": reverse("office:request", args=[mail.context["number"]]) + "#messages"}


builders = {
    "sent": _lines,
    "answered": _lines,
    "answer_taken_back": _lines,
    "message": _message,
    "message_to_town": _message_to_town,
}
