"""A request that is of no service: sent, shown to its family, answered or taken back, and told by e-mail."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.foundation.audit import Actor
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import (
    AlreadyAnswered,
    NewLine,
    ReasonMissing,
    Unsettled,
    Verdict,
    answer,
    open_request,
    withdraw,
)
from marelle.rules.lifecycles import LineState, RequestState
from tests.offer import AT, Family, agent, cadours, family
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=3)


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    return family()


def two_changes(who: Family) -> FamilyRequest:
    with transaction.atomic():
        request, _lines = open_request(
            household=who.household,
            kind=RequestKind.DATA,
            send_key=uuid.uuid4(),
            lines=[
                NewLine(act=Act.CHANGE, label="Adresse"),
                NewLine(act=Act.CHANGE, label="Régime", child=who.children[0], site=who.children[0].school),
            ],
            by=who.user,
            at=AT,
            tz=cadours().tz,
        )
    return request


def states(request: FamilyRequest) -> list[str]:
    return list(request.lines.order_by("position").values_list("state", flat=True))


def test_a_line_says_what_it_asks_or_names_its_service(benali: Family) -> None:
    request = two_changes(benali)
    for wrong in ({"act": Act.CHANGE, "label": ""}, {"act": Act.BOOK, "label": "Cantine"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            RequestLine.objects.create(request=request, position=9, **wrong)


def test_the_family_reads_its_request_and_its_answer(benali: Family, malika: User) -> None:
    request = two_changes(benali)
    address, diet = request.lines.order_by("position")
    answer(
        request_id=request.pk,
        verdicts={address.pk: Verdict(accept=True), diet.pk: Verdict(accept=False, reason="Certificat illisible.")},
        by=malika,
        at=LATER,
    )
    request.refresh_from_db()
    assert request.state == RequestState.ANSWERED
    assert states(request) == [LineState.ACCEPTED, LineState.REFUSED]
    screen = Client()
    screen.force_login(benali.user)
    page = plain_spaces(screen.get(reverse("portal:request", args=[request.number])).text)
    assert "Adresse" in page
    assert "Certificat illisible." in page
    listed = plain_spaces(screen.get(reverse("portal:demarches") + "?q=adresse").text)
    assert "Changement : adresse et régime" in listed
    mail = OutboxMail.objects.get(kind="requests/answered")
    assert mail.to_address == benali.guardian.email
    assert AuditLine.objects.filter(action="request.answered", household_id=benali.household.pk).count() == 1


def test_the_queue_shows_it_and_its_form_answers_it(benali: Family, malika: User) -> None:
    request = two_changes(benali)
    desk = Client()
    desk.force_login(malika)
    url = reverse("office:request", args=[request.number])
    page = plain_spaces(desk.get(url).text)
    assert "Adresse" in page
    assert "À examiner" in page
    address, diet = request.lines.order_by("position")
    said = {
        "do": "lignes",
        "lues": f"{address.pk} {diet.pk}",
        f"ligne-{address.pk}": "accepter",
        f"ligne-{diet.pk}": "plus-tard",
    }
    assert desk.post(url, said).status_code == 302
    assert states(request) == [LineState.ACCEPTED, LineState.PENDING]
    assert desk.post(url, said).status_code == 409


def test_a_refusal_needs_its_reason_and_an_answer_is_given_once(benali: Family, malika: User) -> None:
    request = two_changes(benali)
    first = request.lines.order_by("position")[0]
    with pytest.raises(ReasonMissing):
        answer(request_id=request.pk, verdicts={first.pk: Verdict(accept=False, reason=" ")}, by=malika, at=LATER)
    answer(request_id=request.pk, verdicts={first.pk: Verdict(accept=True)}, by=malika, at=LATER)
    with pytest.raises(AlreadyAnswered):
        answer(request_id=request.pk, verdicts={first.pk: Verdict(accept=True)}, by=malika, at=LATER)


def test_the_family_takes_back_what_waits(benali: Family, malika: User) -> None:
    request = two_changes(benali)
    first = request.lines.order_by("position")[0]
    answer(request_id=request.pk, verdicts={first.pk: Verdict(accept=True)}, by=malika, at=LATER)
    withdraw(request_id=request.pk, by=benali.user, at=LATER)
    request.refresh_from_db()
    assert states(request) == [LineState.ACCEPTED, LineState.WITHDRAWN]
    assert request.state == RequestState.ANSWERED
    with pytest.raises(AlreadyAnswered):
        withdraw(request_id=request.pk, by=benali.user, at=LATER)


SETTLED: list[tuple[list[str], list[str], list[str]]] = []


def settle(
    *,
    request: FamilyRequest,
    accepted: Sequence[RequestLine],
    refused: Sequence[RequestLine],
    withdrawn: Sequence[RequestLine],
    verdicts: Mapping[int, Verdict],
    by: Actor,
    at: datetime,
) -> None:
    SETTLED.append(
        ([line.label for line in accepted], [line.label for line in refused], [line.label for line in withdrawn])
    )
    if any(verdict.details.get("impossible") for verdict in verdicts.values()):
        raise Unsettled(accepted[0], "Cela a changé entre-temps.")


def test_a_settler_carries_the_answer_out_or_nothing_is_done(benali: Family, malika: User, settings: Settings) -> None:
    settings.SETTLERS = {Act.CHANGE: f"{__name__}.settle"}
    SETTLED.clear()
    request = two_changes(benali)
    address, _diet = request.lines.order_by("position")
    with pytest.raises(Unsettled):
        answer(
            request_id=request.pk,
            verdicts={address.pk: Verdict(accept=True, details={"impossible": True})},
            by=malika,
            at=LATER,
        )
    assert states(request) == [LineState.PENDING, LineState.PENDING]
    answer(request_id=request.pk, verdicts={address.pk: Verdict(accept=True)}, by=malika, at=LATER)
    withdraw(request_id=request.pk, by=benali.user, at=LATER)
    assert SETTLED[1:] == [(["Adresse"], [], []), ([], [], ["Régime"])]
