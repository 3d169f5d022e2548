"""What a kind of request says of itself to the desk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import AgentRole, User
from marelle.activities.models import Municipality
from marelle.foundation.look import Look
from marelle.office.refusals import Model
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.requests.services import Answer, Verdict, answer


class Answering(Protocol):
    """Raises AlreadyAnswered, ReasonMissing, Unsettled."""

    def __call__(self, *, request_id: int, verdicts: Mapping[int, Verdict], by: User, at: datetime) -> Answer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a kind's pane is made from: the request with its lines, read by this agent at this instant."""

    request: FamilyRequest
    lines: Sequence[RequestLine]
    pending: Sequence[RequestLine]
    town: Municipality
    agent: AgentRole
    at: datetime


def _waiting(request: FamilyRequest, pending: Sequence[RequestLine]) -> Look:
    return Look(_("À examiner"), "hourglass", "wait")


def _nothing(data: QueryDict, line: RequestLine) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """template: shown above the answer, with what `pane` gives as `pane` ("" shows nothing; it must not ask more
    queries for more lines). tag: the word beside the request while lines wait; it asks no query. details: what the form
    says of a line beside accepting it (`Verdict.details`), from the fields that `line_template` draws for it.
    may_accept_several: it may be answered from the list, unseen, by its tick box."""

    answer: Answering = answer
    template: str = ""
    pane: Callable[[Seen], dict[str, Any]] | None = None
    tag: Callable[[FamilyRequest, Sequence[RequestLine]], Look] = _waiting
    line_template: str = ""
    details: Callable[[QueryDict, RequestLine], dict[str, Any]] = _nothing
    refusals: Sequence[Model] = field(default=())
    may_accept_several: bool = True
