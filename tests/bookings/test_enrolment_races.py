"""Two windows, two people: one draft makes one request, and an agent's answer and a family's word never both win."""

from typing import Any

import pytest

from marelle.activities.queries import municipality
from marelle.bookings.models import Enrolment, EnrolmentDraft
from marelle.bookings.services.answers import answer_request
from marelle.bookings.services.completing import ask_more, complete
from marelle.bookings.services.drafts import keep_draft, send_draft
from marelle.bookings.services.enrolments import Wish
from marelle.requests.models import FamilyRequest
from marelle.requests.services import AlreadyAnswered, Verdict
from tests import offer
from tests.offer import AT, activity_for, agent, ask, cadours, family, school_year

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_two_windows_that_send_one_draft_make_one_request(race: Any) -> None:
    cadours()
    who = family()
    draft = keep_draft(
        user=who.user, household=who.household, school_year=school_year(), says={"wanted": []}, step="", at=AT
    )
    wishes = [Wish(child=child, activity=activity_for(child)) for child in who.children]
    terms = offer.rules_of(municipality()).terms

    def send(_window: int) -> int:
        asked = send_draft(
            town=municipality(), user=who.user, household=who.household, school_year=school_year(),
            send_key=draft.send_key, wishes=wishes, accepts=terms, message="", at=AT,
        )  # fmt: skip
        assert asked.request is not None
        return asked.request.pk

    outcomes = race(send, range(8))
    assert [outcome.error for outcome in outcomes] == [None] * 8
    assert len({outcome.answer for outcome in outcomes}) == 1
    assert FamilyRequest.objects.count() == 1 and Enrolment.objects.count() == 2
    assert not EnrolmentDraft.objects.exists()


def test_windows_that_keep_a_step_at_once_keep_one_draft(race: Any) -> None:
    cadours()
    who = family()

    def keep(n: int) -> None:
        says = {"message": f"{n}"} if n % 2 else {"children": [who.children[0].pk]}
        keep_draft(user=who.user, household=who.household, school_year=school_year(), says=says, step="", at=AT)

    assert [outcome.error for outcome in race(keep, range(8))] == [None] * 8
    draft = EnrolmentDraft.objects.get()
    assert draft.content["children"] == [who.children[0].pk] and draft.content["message"]


def test_an_agent_who_answers_while_the_family_completes(race: Any) -> None:
    cadours()
    who, malika = family(), agent()
    request = ask(who)
    lines = list(request.lines.values_list("id", flat=True))
    ask_more(request_id=request.pk, line_ids=lines, what="Un papier.", by=malika, at=AT)

    def act(n: int) -> str:
        if n % 2:
            complete(request_id=request.pk, reply="Voilà.", by=who.user, at=AT)
            return "completed"
        answer_request(request_id=request.pk, verdicts={id: Verdict(accept=True) for id in lines}, by=malika, at=AT)
        return "answered"

    outcomes = race(act, range(8))
    assert sum(outcome.answer == "answered" for outcome in outcomes) == 1
    assert all(outcome.error is None or isinstance(outcome.error, AlreadyAnswered) for outcome in outcomes)
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"accepted"}
    request.refresh_from_db()
    assert request.state == "answered"
