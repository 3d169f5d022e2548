"""An agent asks for more before answering an enrolment, and the family completes it. The line stays pending all along:
whoever answers or withdraws does it as before."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.bookings import notifications
from marelle.bookings.models import Enrolment
from marelle.bookings.services.sending import lock_children
from marelle.foundation import audit
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.requests.services import AlreadyAnswered, ReasonMissing, lock_pending
from marelle.rules.lifecycles import ENROLMENT, EnrolmentEvent, EnrolmentState, LineState, next_state


@transaction.atomic
def ask_more(
    *, request_id: int, line_ids: Collection[int], what: str, by: User, at: datetime
) -> tuple[FamilyRequest, list[Enrolment]]:
    """Ask the family for what these enrolments lack, in the words that it will read; it gets one e-mail. What was
    already asked of them is replaced. Raises AlreadyAnswered, and ReasonMissing without words."""
    what = what.strip()
    if not what:
        raise ReasonMissing
    lock_children(RequestLine.objects.filter(request=request_id).values_list("child_id", flat=True))
    request, lines = lock_pending(request_id=request_id, line_ids=line_ids)
    enrolments = _enrolments(line.pk for line in lines)
    for enrolment in enrolments:
        if enrolment.state == EnrolmentState.SUBMITTED:
            enrolment.state = next_state(ENROLMENT, EnrolmentState.SUBMITTED, EnrolmentEvent.ASK_MORE)
        enrolment.reason, enrolment.reply, enrolment.changed_at = what[:500], "", at
    Enrolment.objects.bulk_update(enrolments, ["state", "reason", "reply", "changed_at"])
    if enrolments:
        audit.record(
            at=at,
            by=by.actor(as_agent=True),
            action="enrolment.more_asked",
            subject=request,
            household_id=request.household_id,
            text=_("Demande n° %(number)s : un complément est demandé.") % {"number": request.number},
        )
        notifications.enrolments_incomplete(request=request, enrolments=enrolments, at=at)
    return request, enrolments


@transaction.atomic
def complete(*, request_id: int, reply: str, by: User, at: datetime) -> list[Enrolment]:
    """Say that what was asked for is there: the enrolments wait for an agent again, and keep their rank. Said twice, it
    changes nothing. Raises AlreadyAnswered when an agent answered, or the family withdrew, meanwhile."""
    lock_children(RequestLine.objects.filter(request=request_id).values_list("child_id", flat=True))
    request = FamilyRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    pending = request.lines.filter(state=LineState.PENDING).values_list("id", flat=True)
    waiting = _enrolments(pending)
    if not waiting:
        answered = request.lines.exclude(answered_by_label="").order_by("-answered_at").first()
        raise AlreadyAnswered(
            request, answered.answered_by_label if answered else "", answered.answered_at if answered else None
        )
    enrolments = [e for e in waiting if e.state == EnrolmentState.INCOMPLETE]
    for enrolment in enrolments:
        enrolment.state = next_state(ENROLMENT, EnrolmentState.INCOMPLETE, EnrolmentEvent.COMPLETE)
        enrolment.reply, enrolment.changed_at = reply.strip()[:500], at
    if enrolments:
        Enrolment.objects.bulk_update(enrolments, ["state", "reply", "changed_at"])
        audit.record(
            at=at,
            by=by.actor(),
            action="enrolment.completed",
            subject=request,
            household_id=request.household_id,
            text=_("Demande n° %(number)s complétée.") % {"number": request.number},
        )
    return enrolments


def _enrolments(lines: Collection[int] | object) -> list[Enrolment]:
    return list(
        Enrolment.objects.filter(line__in=lines)  # type: ignore[misc]
        .select_related("child", "activity__service", "activity__site", "school_year")
        .order_by("line__position")
    )
