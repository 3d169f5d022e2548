"""Two at once about one paper: one clear outcome, whoever comes first."""

from datetime import timedelta
from pathlib import Path

import pytest

from marelle.activities.queries import municipality, rules_of
from marelle.documents.models import SupportingDocument
from marelle.documents.services import NotWaiting, hand_in, withdraw
from marelle.requests.models import FamilyRequest, RequestKind
from marelle.requests.services import AlreadyAnswered, Verdict, answer
from marelle.rules.lifecycles import LineState
from marelle.rules.papers import DocumentState
from tests.documents.papers import PICTURE, town_with_papers
from tests.offer import AT, Family, agent, family

pytestmark = pytest.mark.race


@pytest.fixture(autouse=True)
def files(settings, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    settings.FILES_DIR = tmp_path / "files"
    return settings.FILES_DIR


def give(who: Family, *, minutes: int = 0) -> SupportingDocument:
    return hand_in(
        household=who.household,
        paper=rules_of(municipality()).paper("domicile"),
        judged=PICTURE,
        name="photo.jpg",
        by=who.user,
        at=AT + timedelta(minutes=minutes),
    )


def test_sixteen_uploads_of_one_paper_leave_one_to_read(race, files) -> None:  # type: ignore[no-untyped-def]
    town_with_papers()
    who = family()
    outcomes = race(lambda n: give(who, minutes=n), range(16), at_once=16)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    states = list(SupportingDocument.objects.values_list("state", flat=True))
    assert (len(states), states.count(DocumentState.TO_REVIEW), states.count(DocumentState.REPLACED)) == (16, 1, 15)
    request = FamilyRequest.objects.get(kind=RequestKind.PAPER)
    waiting = request.lines.get(state=LineState.PENDING)
    assert waiting.reviewed_document.state == DocumentState.TO_REVIEW
    assert len([path for path in files.rglob("*") if path.is_file()]) == 16


@pytest.mark.parametrize("accept", [True, False])
def test_an_agent_answers_while_the_family_replaces_and_takes_back(race, accept: bool) -> None:  # type: ignore[no-untyped-def]
    town_with_papers()
    town, malika = municipality(), agent()
    homes = [family(f"Foyer{n}", (("Léo", "CP"),)) for n in range(6)]
    first = [give(who) for who in homes]

    def act(n: int) -> None:
        who, document = homes[n // 3], first[n // 3]
        assert document.review is not None
        if n % 3 == 0:
            give(who, minutes=1)
        elif n % 3 == 1:
            verdict = Verdict(accept=accept, reason="" if accept else "Illisible.")
            answer(request_id=document.review.request_id, verdicts={document.review.pk: verdict}, by=malika, at=AT)
        else:
            withdraw(document=document, town=town, by=who.user, at=AT)

    outcomes = race(act, range(18), at_once=18)
    faults = [outcome.error for outcome in outcomes if outcome.error]
    assert all(isinstance(fault, AlreadyAnswered | NotWaiting) for fault in faults), faults
    for document, who in zip(first, homes, strict=True):
        document.refresh_from_db()
        line = document.review
        assert line is not None
        line.refresh_from_db()
        new = SupportingDocument.objects.get(household=who.household, state=DocumentState.TO_REVIEW)
        assert new.review is not None and new.review.state == LineState.PENDING
        match line.state:
            case LineState.ACCEPTED:
                assert document.state == DocumentState.ACCEPTED
            case LineState.REFUSED:  # and then replaced, or replaced by one that came while it was read
                assert document.state in (DocumentState.REFUSED, DocumentState.REPLACED)
            case LineState.WITHDRAWN:
                assert document.state in (DocumentState.WITHDRAWN, DocumentState.REPLACED)
            case _:
                pytest.fail(f"left {line.state}")
