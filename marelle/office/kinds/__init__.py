"""What the desk knows of each kind of request that is of no service: how it is answered, what is shown beside its
lines, what the rules say of it in a word.

A kind is one module here, and one line in `KINDS`. Days and enrolments are `office.queue` and `office.examination`'s.
"""

from marelle.office.kinds import account, data, papers, questions
from marelle.office.kinds.kind import Answering, Kind, Seen
from marelle.requests.models import FamilyRequest, RequestKind

_ANY = Kind()

KINDS: dict[str, Kind] = {
    RequestKind.ACCOUNT: account.KIND,
    RequestKind.DATA: data.KIND,
    RequestKind.PAPER: papers.KIND,
    RequestKind.QUESTION: questions.KIND,
}


def kind_of(request: FamilyRequest) -> Kind:
    return KINDS.get(request.kind, _ANY)


__all__ = ["KINDS", "Answering", "Kind", "Seen", "kind_of"]
