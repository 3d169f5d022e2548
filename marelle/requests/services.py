"""Opening and answering a family's request. What a line *does* when it is answered is the business of the room
above: `bookings` for days and enrolments, a settler (`settings.SETTLERS`) for everything else."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import User
from marelle.activities.models import Activity, Site, Unit
from marelle.families.models import Child, Household
from marelle.foundation import audit
from marelle.foundation.audit import Actor
from marelle.requests import notifications
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.rules.lifecycles import LineState, RequestState

#: After this long, whoever opened a request is taken to have left it.
HELD = timedelta(minutes=30)


class AlreadyAnswered(Exception):
    """Somebody answered first. `by` and `when` say who, for the sentence the second agent reads."""

    def __init__(self, request: FamilyRequest, by: str, when: datetime | None) -> None:
        super().__init__(f"{request.number} was answered by {by}")
        self.request, self.by, self.when = request, by, when


class ReasonMissing(ValueError):
    """A refusal without a reason."""


class Unsettled(Exception):
    """A line cannot be answered so: `str()` is the sentence that the agent reads. Nothing is done."""

    def __init__(self, line: RequestLine, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True)
class Verdict:
    """An agent's word on one line. A refusal carries the reason that the family will read; `details` what else the
    agent decides with it, such as until when a paper is valid."""

    accept: bool
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent's answer, or a withdrawal, came to. `without_place` are the accepted lines left pending because
    their day has no place any more."""

    request: FamilyRequest
    answered: tuple[RequestLine, ...]
    without_place: tuple[RequestLine, ...] = ()


class Settler(Protocol):
    """Carries out the answers to the lines of one act, in the transaction that writes them, before they are written.
    `verdicts` is by line id, empty for a withdrawal. Raises Unsettled."""

    def __call__(
        self,
        *,
        request: FamilyRequest,
        accepted: Sequence[RequestLine],
        refused: Sequence[RequestLine],
        withdrawn: Sequence[RequestLine],
        verdicts: Mapping[int, Verdict],
        by: Actor,
        at: datetime,
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """A line to write: of an activity, or else with a `label` and, perhaps, the `site` whose agents may answer.
    `at_once`: accepted at the send, no agent is asked. `late`: past its limit, by an agent, who says the `reason`."""

    act: Act
    child: Child | None = None
    activity: Activity | None = None
    unit: Unit | None = None
    site: Site | None = None
    label: str = ""
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
    topic: str = "",
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
        topic=topic,
        effect_date=min((line.day for line in lines if line.day), default=None),
    )
    return request, _write_lines(request, lines, first=1, by=by, at=at)


def add_lines(request: FamilyRequest, lines: Sequence[NewLine], *, by: User, at: datetime) -> list[RequestLine]:
    """Write more lines on an open request that the caller's transaction has locked."""
    last = request.lines.aggregate(last=Max("position"))["last"] or 0
    return _write_lines(request, lines, first=last + 1, by=by, at=at)


def _write_lines(
    request: FamilyRequest, lines: Sequence[NewLine], *, first: int, by: User, at: datetime
) -> list[RequestLine]:
    return RequestLine.objects.bulk_create(
        RequestLine(
            request=request,
            position=position,
            act=line.act,
            child=line.child,
            service=line.activity.service if line.activity is not None else None,
            activity=line.activity,
            site=line.site,
            label=line.label[:200],
            unit=line.unit,
            date=line.day,
            state=LineState.ACCEPTED if line.at_once else LineState.PENDING,
            at_once=line.at_once,
            late=line.late,
            reason=line.reason,
            answered_at=at if line.at_once else None,
            answered_by_label=str(by) if request.by_agent else "",
        )
        for position, line in enumerate(lines, start=first)
    )


def lock_pending(*, request_id: int, line_ids: Iterable[int]) -> tuple[FamilyRequest, list[RequestLine]]:
    """The request, locked, and those of its lines, all still pending. Raises AlreadyAnswered when one is not: two
    agents, or an agent and a family that withdraws, never both decide. Unknown ids raise RequestLine.DoesNotExist."""
    request = FamilyRequest.objects.select_for_update(no_key=True).get(id=request_id)
    wanted = set(line_ids)
    lines = list(request.lines.filter(id__in=wanted).select_related("child", "service", "activity", "unit", "site"))
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


@transaction.atomic
def answer(*, request_id: int, verdicts: Mapping[int, Verdict], by: User, at: datetime) -> Answer:
    """Accept or refuse some lines of a request that is of no service; those not named stay pending. The family gets
    one e-mail.

    Raises AlreadyAnswered, ReasonMissing and Unsettled; nothing is done then.
    """
    if any(not verdict.accept and not verdict.reason.strip() for verdict in verdicts.values()):
        raise ReasonMissing
    request, lines = lock_pending(request_id=request_id, line_ids=verdicts)
    accepted = [line for line in lines if verdicts[line.id].accept]
    refused = [line for line in lines if not verdicts[line.id].accept]
    actor = by.actor(as_agent=True)
    _settle(request, accepted=accepted, refused=refused, verdicts=verdicts, by=actor, at=at)
    close_lines(request, accepted, state=LineState.ACCEPTED, by=str(by), at=at)
    by_reason: dict[str, list[RequestLine]] = {}
    for line in refused:
        by_reason.setdefault(verdicts[line.id].reason.strip(), []).append(line)
    for reason, group in by_reason.items():
        close_lines(request, group, state=LineState.REFUSED, by=str(by), at=at, reason=reason)
    answered = sorted(lines, key=lambda line: line.position)
    if answered:
        audit.record(
            at=at,
            by=actor,
            action="request.answered",
            subject=request,
            household_id=request.household_id,
            text=answer_summary(request, accepted, refused),
            facts={"lines": [describe(line) for line in answered]},
        )
        notifications.answered(request=request, lines=answered, at=at)
    return Answer(request=request, answered=tuple(answered))


@transaction.atomic
def withdraw(*, request_id: int, by: User, at: datetime) -> Answer:
    """Take back, as the family that sent it, every line still pending of a request that is of no service. Raises
    AlreadyAnswered when nothing is pending."""
    pending = RequestLine.objects.filter(request=request_id, state=LineState.PENDING).values_list("id", flat=True)
    request, lines = lock_pending(request_id=request_id, line_ids=pending)
    if not lines:
        raise AlreadyAnswered(request, "", request.answered_at)
    _settle(request, withdrawn=lines, by=by.actor(), at=at)
    return close_withdrawn(request, lines, by=by, at=at)


def close_withdrawn(request: FamilyRequest, lines: Sequence[RequestLine], *, by: User, at: datetime) -> Answer:
    """Close the lines that a family has taken back, and say so in its history. `lines`: locked and still pending; what
    they asked for has been undone in this transaction."""
    close_lines(request, lines, state=LineState.WITHDRAWN, by=str(by), at=at)
    audit.record(
        at=at,
        by=by.actor(),
        action="request.withdrawn",
        subject=request,
        household_id=request.household_id,
        text=_("Demande n° %(number)s retirée.") % {"number": request.number},
        facts={"lines": [describe(line) for line in lines]},
    )
    return Answer(request=request, answered=tuple(lines))


def _settle(
    request: FamilyRequest,
    *,
    accepted: Sequence[RequestLine] = (),
    refused: Sequence[RequestLine] = (),
    withdrawn: Sequence[RequestLine] = (),
    verdicts: Mapping[int, Verdict] | None = None,
    by: Actor,
    at: datetime,
) -> None:
    """Hand the lines of each act to its settler."""
    for act in dict.fromkeys(line.act for line in (*accepted, *refused, *withdrawn)):
        settler = settings.SETTLERS.get(act)
        if settler is None:
            continue
        cast(Settler, import_string(settler))(
            request=request,
            accepted=[line for line in accepted if line.act == act],
            refused=[line for line in refused if line.act == act],
            withdrawn=[line for line in withdrawn if line.act == act],
            verdicts=verdicts or {},
            by=by,
            at=at,
        )


def describe(line: RequestLine) -> dict[str, object]:
    """A line as facts for the audit trail: ids and codes, nothing of health."""
    return {
        "act": line.act,
        "child": line.child_id,
        "unit": line.unit_id,
        "date": line.date.isoformat() if line.date else None,
        "state": line.state,
    }


def answer_summary(request: FamilyRequest, accepted: Sequence[RequestLine], refused: Sequence[RequestLine]) -> str:
    """ "Demande n° 2026-004871 : 3 lignes acceptées, 1 ligne refusée." """
    parts = []
    if accepted:
        parts.append(ngettext("%(n)d ligne acceptée", "%(n)d lignes acceptées", len(accepted)) % {"n": len(accepted)})
    if refused:
        parts.append(ngettext("%(n)d ligne refusée", "%(n)d lignes refusées", len(refused)) % {"n": len(refused)})
    return _("Demande n° %(number)s : %(what)s.") % {"number": request.number, "what": ", ".join(parts)}


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
