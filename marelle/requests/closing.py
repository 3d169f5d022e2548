"""Closing a request with a message: the answer is said, and what was asked is accepted, in one transaction."""

import uuid
from datetime import datetime

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from marelle.accounts.models import User
from marelle.foundation.files.verdicts import Judged
from marelle.requests.models import RequestLine
from marelle.requests.services import AlreadyAnswered, Answer, Verdict, answer
from marelle.requests.thread import write
from marelle.rules.lifecycles import LineState


@sensitive_variables("text")
@transaction.atomic
def close_with(
    *,
    request_id: int,
    text: str,
    send_key: uuid.UUID,
    by: User,
    at: datetime,
    judged: Judged | None = None,
    file_name: str = "",
) -> Answer:
    """Accept every line that waits, and say so in the thread; the family gets the answer's e-mail, not a second one for
    the message. Raises AlreadyAnswered, NothingWritten and Unsettled: nothing is written then."""
    waits = RequestLine.objects.filter(request=request_id, state=LineState.PENDING).values_list("id", flat=True)
    verdicts = {line: Verdict(accept=True) for line in waits}
    if not verdicts:
        request = RequestLine.objects.filter(request=request_id).select_related("request")[0].request
        raise AlreadyAnswered(request, "", request.answered_at)
    write(
        request_id=request_id,
        text=text,
        send_key=send_key,
        by=by,
        at=at,
        as_agent=True,
        judged=judged,
        file_name=file_name,
        tell=False,
    )
    return answer(request_id=request_id, verdicts=verdicts, by=by, at=at)
