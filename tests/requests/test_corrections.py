"""What a family asks to have corrected: both values stand until an agent says, fact by fact."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from marelle.accounts.models import User
from marelle.families.facts import Subject
from marelle.families.models import Child, FamilyQuotient, Guardian, Household
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.corrections import (
    Change,
    NotTheirs,
    answer_corrections,
    ask_corrections,
    correct,
    pending_corrections,
    pending_of,
    take_back,
)
from marelle.requests.models import FamilyRequest
from marelle.requests.services import ReasonMissing, Unsettled, Verdict, withdraw
from marelle.rules.lifecycles import LineState, RequestState
from tests.offer import AT, Family, agent, cadours, family
from tests.security.world import other_home
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("B5")]

LATER = AT + timedelta(hours=3)
NEW = {"address": "12 rue Neuve", "postcode": "31480", "city": "Cadours"}
OLD = {"address": "12 rue du Marché", "postcode": "31480", "city": "Cadours"}


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    return family()


def ask(who: Family, *changes: tuple[Subject, str, Any], key: uuid.UUID | None = None) -> FamilyRequest | None:
    return ask_corrections(
        household=who.household,
        changes=[Change(subject=subject, field=field, after=after) for subject, field, after in changes],
        by=who.user,
        at=AT,
        send_key=key or uuid.uuid4(),
    )


def moved(who: Family) -> FamilyRequest:
    request = ask(who, (who.household, "address", NEW))
    assert request is not None
    return request


def accept(request: FamilyRequest, by: User, **details: Any) -> None:
    verdicts = {line.pk: Verdict(accept=True, details=details) for line in request.lines.filter(state="pending")}
    answer_corrections(request_id=request.pk, verdicts=verdicts, by=by, at=LATER)


def address(who: Family) -> str:
    return Household.objects.get(pk=who.household.pk).address


def waiting(who: Family, subject: Subject) -> dict[str, str]:
    found = pending_of(pending_corrections(who.household), subject)
    return {field: one.asked for field, one in found.items()}


def test_a_change_counts_once_an_agent_accepts_it(benali: Family, malika: User) -> None:
    request = moved(benali)
    assert address(benali) == "12 rue du Marché"
    assert waiting(benali, benali.household) == {"address": "12 rue Neuve, 31480 Cadours"}
    assert OutboxMail.objects.filter(kind="requests/sent", to_address=benali.email).count() == 1
    accept(request, malika)
    assert address(benali) == "12 rue Neuve"
    assert waiting(benali, benali.household) == {}
    said = AuditLine.objects.get(action="household.corrected")
    assert plain_spaces(said.text) == (
        "Adresse : 12 rue Neuve, 31480 Cadours (avant : 12 rue du Marché, 31480 Cadours)."
    )
    assert said.by_agent and said.household_id == benali.household.pk
    assert OutboxMail.objects.filter(kind="requests/answered").count() == 1


def test_each_fact_gets_its_own_answer(benali: Family, malika: User) -> None:
    ines = benali.children[0]
    request = ask(benali, (benali.household, "address", NEW), (ines, "first_name", "Inès-Marie"))
    assert request is not None
    home, name = request.lines.order_by("position")
    assert (name.child_id, name.site_id, home.site_id) == (ines.pk, ines.school_id, None)
    answer_corrections(
        request_id=request.pk,
        verdicts={home.pk: Verdict(accept=False, reason="Il manque un justificatif."), name.pk: Verdict(accept=True)},
        by=malika,
        at=LATER,
    )
    assert address(benali) == "12 rue du Marché"
    assert Child.objects.get(pk=ines.pk).first_name == "Inès-Marie"
    assert "ines-marie" in Household.objects.get(pk=benali.household.pk).search_text


def test_a_phone_counts_at_once(benali: Family) -> None:
    request = ask(benali, (benali.guardian, "phone", "06 11 22 33 44"))
    assert request is not None and request.state == RequestState.ANSWERED
    assert Guardian.objects.get(pk=benali.guardian.pk).phone == "06 11 22 33 44"
    assert AuditLine.objects.get(action="guardian.corrected").actor_label == "Nadia Benali"


def test_the_same_send_asks_once_and_what_changes_nothing_asks_nothing(benali: Family) -> None:
    key = uuid.uuid4()
    first = ask(benali, (benali.household, "address", NEW), key=key)
    assert ask(benali, (benali.household, "address", NEW), key=key) == first
    assert ask(benali, (benali.household, "address", NEW)) is None
    assert FamilyRequest.objects.count() == 1


def test_the_last_word_counts(benali: Family, malika: User) -> None:
    first = moved(benali)
    again = ask(benali, (benali.household, "address", NEW | {"address": "3 rue Basse"}))
    first.refresh_from_db()
    assert first.state == RequestState.WITHDRAWN
    assert waiting(benali, benali.household) == {"address": "3 rue Basse, 31480 Cadours"}
    assert ask(benali, (benali.household, "address", OLD)) is None
    assert again is not None
    again.refresh_from_db()
    assert again.state == RequestState.WITHDRAWN and waiting(benali, benali.household) == {}


def test_one_change_is_taken_back_and_the_others_go_on(benali: Family, malika: User) -> None:
    request = ask(benali, (benali.household, "address", NEW), (benali.children[0], "last_name", "Benali-Roux"))
    assert request is not None
    line = pending_corrections(benali.household)["household", benali.household.pk, "address"].line_id
    take_back(household=benali.household, line_id=line, by=benali.user, at=LATER)
    assert waiting(benali, benali.household) == {}
    assert waiting(benali, benali.children[0]) == {"last_name": "Benali-Roux"}
    withdraw(request_id=request.pk, by=benali.user, at=LATER)
    accept_nothing = request.lines.filter(state=LineState.PENDING)
    assert not accept_nothing.exists() and Child.objects.get(pk=benali.children[0].pk).last_name == "Benali"


def test_a_value_changed_meanwhile_needs_the_agents_sight(benali: Family, malika: User) -> None:
    request = moved(benali)
    Household.objects.filter(pk=benali.household.pk).update(address="8 impasse du Lac")
    now = OLD | {"address": "8 impasse du Lac"}
    for blind in ({}, {"now": OLD}):
        with pytest.raises(Unsettled) as fault:
            accept(request, malika, **blind)
        assert "8 impasse du Lac" in str(fault.value)
    assert address(benali) == "8 impasse du Lac"
    accept(request, malika, now=now)
    assert address(benali) == "12 rue Neuve"


def test_the_queue_shows_old_and_new_side_by_side_and_the_third_value(benali: Family, malika: User) -> None:
    request = moved(benali)
    desk = Client()
    desk.force_login(malika)
    url = reverse("office:request", args=[request.number])
    page = plain_spaces(desk.get(url).text)
    assert "12 rue du Marché, 31480 Cadours" in page and "<strong>12 rue Neuve, 31480 Cadours</strong>" in page
    assert "Maintenant" not in page
    old = form(desk, url)
    Household.objects.filter(pk=benali.household.pk).update(address="8 impasse du Lac")
    refused = desk.post(url, old | {"do": "accepter"})
    assert refused.status_code == 422
    assert "Relisez avant d’accepter" in plain_spaces(refused.text) and "8 impasse du Lac" in refused.text
    assert desk.post(url, form(desk, url) | {"do": "accepter"}).status_code == 302
    assert address(benali) == "12 rue Neuve"


def form(desk: Client, url: str) -> dict[str, str]:
    import html

    text = desk.get(url).text
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="((?:lues|vu-\d+))" value="([^"]*)"', text)
    }


def test_an_agent_corrects_at_once_with_a_reason(benali: Family, malika: User) -> None:
    def fix(reason: str) -> FamilyRequest | None:
        return correct(
            household=benali.household,
            changes=[Change(subject=benali.household, field="address", after=NEW)],
            reason=reason,
            by=malika,
            at=AT,
            send_key=uuid.uuid4(),
        )

    with pytest.raises(ReasonMissing):
        fix(" ")
    request = fix("Justificatif vu au guichet.")
    assert request is not None and request.by_agent and request.state == RequestState.ANSWERED
    assert address(benali) == "12 rue Neuve"
    line = AuditLine.objects.get(action="corrections.made")
    assert line.text.endswith(": adresse.") and line.by_agent
    assert request.lines.get().reason == "Justificatif vu au guichet."
    assert OutboxMail.objects.filter(kind="requests/answered", to_address=benali.email).count() == 1
    assert fix("Encore.") is None


def test_a_quotient_is_added_and_the_past_keeps_its_own(benali: Family, malika: User) -> None:
    asked = {"value": 620, "source": "caf", "first_day": "2026-11-01", "last_day": "2027-01-31"}
    request = ask(benali, (benali.household, "quotient", asked))
    assert request is not None and not FamilyQuotient.objects.exists()
    assert [line.label for line in request.lines.all()] == ["Quotient familial"], "e-mails do not say how much"
    accept(request, malika)
    quotient = FamilyQuotient.objects.get()
    assert (quotient.value, quotient.recorded_by) == (620, "Malika Roux")


def test_nobody_changes_what_is_not_theirs(benali: Family, malika: User) -> None:
    stranger = family("Moreau", [("Léo", "CP")], first_name="Julien")
    paul = other_home(benali)
    for subject, field, after in (
        (stranger.household, "address", NEW),
        (stranger.children[0], "first_name", "Théo"),
        (paul.guardian, "phone", "06"),
    ):
        with pytest.raises(NotTheirs):
            ask(benali, (subject, field, after))
    assert not FamilyRequest.objects.exists()


def test_the_other_home_of_a_child_asks_on_its_own(benali: Family, malika: User) -> None:
    paul = other_home(benali)
    ines = benali.children[0]
    request = ask(benali, (ines, "first_name", "Agnès"))
    assert waiting(paul, ines) == {}
    theirs = ask(paul, (ines, "first_name", "Inesse"))
    assert request is not None and theirs is not None
    accept(request, malika)
    with pytest.raises(Unsettled):
        accept(theirs, malika)
    told = AuditLine.objects.filter(action="child.corrected")
    assert [line.household_id for line in told] == [benali.household.pk]


def test_a_value_that_cannot_be_is_refused(benali: Family) -> None:
    for field, after in (("address", {"address": "x"}), ("address", NEW | {"postcode": "3" * 40})):
        with pytest.raises(ValueError):
            ask(benali, (benali.household, field, after))
    with pytest.raises(ValueError):
        ask(benali, (benali.children[0], "birth_date", "hier"))
