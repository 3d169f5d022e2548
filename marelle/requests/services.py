"""Opening and answering a family's request. What a line *does* when it is answered is the business of the room
above."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from marelle.accounts.models import User
from marelle.activities.models import Activity, Unit
from marelle.families.models import Child, Household
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.rules.lifecycles import LineState, RequestState

#: After this long, whoever opened a request is taken to have left it.
HELD = timedelta(minutes=30)


class AlreadyAnswered(Exception):
    """Somebody answered first. `by` and `when` say who, for the sentence the second agent reads."""

    def __init__(self, request: FamilyRequest, by: str, when: datetime | None) -> None:
        super().__init__(f"{request.number} was answered by {by}")
        self.request, self.by, self.when = request, by, when


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """A line to write. `at_once`: accepted at the send, no agent is asked. `late`: past its limit, by an agent, who
    says the `reason`."""

    act: Act
    child: Child
    activity: Activity
    unit: Unit | None = None
    day: date | None = None
    at_once: bool = False
    late: bool = False
    reason: str = ""


def open_request(
    *,
    household: Household,
    kind: RequestKind,
    send_key: UUID,
    lines: Sequence[NewLine],
    by: User,
    at: datetime,
    tz: ZoneInfo,
    message: str = "",
    by_agent: bool = False,
) -> tuple[FamilyRequest, list[RequestLine]]:
    """Write a request and its lines, in the caller's transaction. A request whose every line is accepted at once is
    answered from the start. `by_agent`: `by` is an agent who acts for the family."""
    answered = all(line.at_once for line in lines)
    request = FamilyRequest.objects.create(
        household=household,
        kind=kind,
        state=RequestState.ANSWERED if answered else RequestState.SENT,
        answered_at=at if answered else None,
        send_key=send_key,
        sent_at=at,
        sent_year=at.astimezone(tz).year,
        sent_by=by,
        sent_by_label=str(by),
        by_agent=by_agent,
        message=message,
        effect_date=min((line.day for line in lines if line.day), default=None),
    )
    rows = RequestLine.objects.bulk_create(
        RequestLine(
            request=request,
            position=position,
            act=line.act,
            child=line.child,
            service_id=line.activity.service_id,
            activity=line.activity,
            unit=line.unit,
            date=line.day,
            state=LineState.ACCEPTED if line.at_once else LineState.PENDING,
            at_once=line.at_once,
            late=line.late,
            reason=line.reason,
            answered_at=at if line.at_once else None,
            answered_by_label=str(by) if by_agent else "",
        )
        for position, line in enumerate(lines, start=1)
    )
    return request, rows


def lock_pending(*, request_id: int, line_ids: Iterable[int]) -> tuple[FamilyRequest, list[RequestLine]]:
    """The request, locked, and those of its lines, all still pending. Raises AlreadyAnswered when one is not: two
    agents, or an agent and a family that withdraws, never both decide. Unknown ids raise RequestLine.DoesNotExist."""
    request = FamilyRequest.objects.select_for_update(no_key=True).get(id=request_id)
    wanted = set(line_ids)
    lines = list(request.lines.filter(id__in=wanted).select_related("child", "service", "activity", "unit"))
    if len(lines) != len(wanted):
        raise RequestLine.DoesNotExist("a line that is not of this request")
    for line in lines:
        if line.state != LineState.PENDING:
            raise AlreadyAnswered(request, line.answered_by_label, line.answered_at)
    return request, lines


def close_lines(
    request: FamilyRequest, lines: Sequence[RequestLine], *, state: LineState, by: str, at: datetime, reason: str = ""
) -> None:
    """Write the same answer on these lines of a locked request, and close the request when none is left pending."""
    for line in lines:
        line.state, line.answered_by_label, line.answered_at, line.reason = state, by, at, reason
    RequestLine.objects.bulk_update(lines, ["state", "answered_by_label", "answered_at", "reason"])
    left = set(request.lines.values_list("state", flat=True))
    if LineState.PENDING not in left:
        request.state = RequestState.WITHDRAWN if left == {LineState.WITHDRAWN} else RequestState.ANSWERED
        request.answered_at = at
        request.save(update_fields=["state", "answered_at"])


def lock_requests_of(line_ids: Collection[int]) -> None:
    """Lock the requests of these lines, in the order of their ids, in one statement."""
    if not line_ids:
        return
    asked = RequestLine.objects.filter(id__in=line_ids).values("request")
    list(FamilyRequest.objects.select_for_update(no_key=True).filter(id__in=asked).order_by("id").values_list("id"))


def answer_lines(*, line_ids: Collection[int], state: LineState, by: str, at: datetime, reason: str = "") -> None:
    """Write the same answer on pending lines of many locked requests, and close those that have none pending left: a
    constant number of statements."""
    lines = RequestLine.objects.filter(id__in=line_ids)
    lines.filter(state=LineState.PENDING).update(state=state, answered_by_label=by, answered_at=at, reason=reason[:500])
    FamilyRequest.objects.filter(id__in=lines.values("request"), state=RequestState.SENT).exclude(
        lines__state=LineState.PENDING
    ).update(state=RequestState.ANSWERED, answered_at=at)


def ask_anew(*, line_ids: Collection[int]) -> None:
    """Make these lines of locked requests pending again, and their requests with them, as before they were answered."""
    lines = RequestLine.objects.filter(id__in=line_ids, state__in=(LineState.ACCEPTED, LineState.REFUSED))
    FamilyRequest.objects.filter(id__in=lines.values("request"), state=RequestState.ANSWERED).update(
        state=RequestState.SENT, answered_at=None
    )
    lines.update(state=LineState.PENDING, answered_by_label="", answered_at=None, reason="")


def mark_opened(*, request_id: int, by: User, at: datetime) -> bool:
    """Tell the other agents that `by` is looking at a request still to answer. Whether it is theirs now: somebody who
    opened it less than `HELD` ago keeps it.

    A courtesy, not a lock: `lock_pending` alone decides who answers. It changes no state, so it leaves no audit line.
    """
    pending = FamilyRequest.objects.filter(id=request_id, state=RequestState.SENT)
    free = pending.filter(Q(opened_at=None) | Q(opened_at__lte=at - HELD) | Q(opened_by=by))
    return bool(free.update(opened_by=by, opened_by_label=str(by), opened_at=at))
