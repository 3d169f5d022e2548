"""Agents before what families ask and write: reading, answering, following, refusing together."""

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest
from pytest_django import Settings

from marelle.accounts.models import AgentRole, User
from marelle.families.models import HealthReading
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.asking import ask
from marelle.requests.models import FamilyRequest, RequestMessage
from marelle.requests.queries import Sought, queue
from marelle.requests.thread import read_thread, write
from marelle.requests.topics import WRITE, find_topic
from marelle.rules.lifecycles import LineState, RequestState
from tests.offer import AT, Family, agent, booked, cadours, enrolled, family, paris
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

KEY = "5b0e9a1e-0000-4000-8000-000000000001"
SECRET = "Tom prend de la Ventoline"


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    return family()


@pytest.fixture
def desk(settings: Settings, malika: User) -> Screen:
    return Screen(settings, malika)


def asked(who: Family, slug: str = WRITE, words: str = "Où est le gymnase ?") -> FamilyRequest:
    town = cadours()
    topic = find_topic(town, slug)
    assert topic is not None
    child = who.children[1] if topic.about == "child" else None
    return ask(
        household=who.household,
        topic=topic,
        child=child,
        answers=[],
        words=words,
        send_key=uuid.uuid4(),
        by=who.user,
        at=AT,
        tz=town.tz,
    )[0]


def at(request: FamilyRequest) -> str:
    return f"/agents/demandes/{request.number}/"


@pytest.mark.row("S1")
def test_an_agent_reads_what_is_asked_and_closes_it_with_an_answer(desk: Screen, benali: Family) -> None:
    request = asked(benali)
    seen = desk.go(at(request))
    assert "Où est le gymnase ?" in seen
    seen = desk.post(
        f"{at(request)}message/", {"do": "clore", "send_key": KEY, "modele": "fait", "message": "À bientôt."}
    )
    assert "Demande close. La famille est prévenue." in seen
    request.refresh_from_db()
    assert request.state == RequestState.ANSWERED
    assert [said.text for said in read_thread(request)] == ["Bonjour, c’est fait.\nÀ bientôt."]
    assert OutboxMail.objects.filter(kind="requests/answered").count() == 1
    assert not OutboxMail.objects.filter(kind="requests/message").exists()
    desk.post(f"{at(request)}message/", {"do": "clore", "send_key": KEY, "modele": "fait"})
    assert RequestMessage.objects.count() == 1


def test_an_empty_message_says_so_and_keeps_the_page(desk: Screen, benali: Family) -> None:
    request = asked(benali)
    seen = desk.post(f"{at(request)}message/", {"do": "ecrire", "send_key": KEY, "message": " "})
    assert desk.status == 422
    assert "Écrivez un message, choisissez un modèle" in seen
    assert request.lines.get().state == LineState.PENDING


@pytest.mark.row("S1")
def test_unread_messages_are_marked_until_read(desk: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=paris(2026, 10, 1))
    request = booked(benali, [date(2026, 11, 19)])
    write(request_id=request.pk, text="Faut-il un pique-nique ?", send_key=uuid.uuid4(), by=benali.user, at=AT)
    seen = desk.go("/agents/demandes/")
    assert "Messages non lus 1" in seen and "Message non lu" in seen
    seen = desk.go(at(request))
    assert "Faut-il un pique-nique ?" in seen
    seen = desk.post(f"{at(request)}lu/")
    assert "Message non lu" not in seen
    desk.post(f"{at(request)}message/", {"do": "ecrire", "send_key": KEY, "message": "Non."})
    assert OutboxMail.objects.get(kind="requests/message").to_address == benali.email


def test_the_queue_opens_by_itself_nothing_that_tells_of_health(desk: Screen, benali: Family, malika: User) -> None:
    """Each reading is written down: looking at the list must not make one."""
    AgentRole.objects.filter(user=malika).update(reads_health=True)
    asked(benali, "dispense-medicale", SECRET)
    assert SECRET not in desk.go("/agents/demandes/")
    assert not HealthReading.objects.exists()
    other = asked(benali)
    desk.go("/agents/demandes/")
    assert f"N° {other.number}" in desk.go("/agents/demandes/")
    assert not HealthReading.objects.exists()


def test_what_tells_of_health_is_closed_to_who_may_not_read_it(desk: Screen, benali: Family, malika: User) -> None:
    request = asked(benali, "dispense-medicale", SECRET)
    write(request_id=request.pk, text=SECRET, send_key=uuid.uuid4(), by=benali.user, at=AT)
    seen = desk.go(at(request))
    assert "Dispense médicale" in seen and "Ventoline" not in seen
    assert "seul un agent qui peut lire la santé" in seen
    desk.post(f"{at(request)}message/", {"do": "ecrire", "send_key": KEY, "message": "Bonjour"})
    assert desk.status == 400
    line = request.lines.get()
    seen = desk.post(at(request), {"do": "accepter", "lues": str(line.pk)})
    assert "un agent qui peut lire la santé y répond" in seen
    assert not HealthReading.objects.exists()

    AgentRole.objects.filter(user=malika).update(reads_health=True)
    seen = desk.go(at(request))
    assert seen.count(SECRET) == 2
    assert desk.client.get(at(request))["Cache-Control"] == "private, no-store"
    assert {reading.reader_label for reading in HealthReading.objects.all()} == {str(malika)}
    desk.post(at(request), {"do": "accepter", "lues": str(line.pk)})
    line.refresh_from_db()
    assert line.state == LineState.ACCEPTED


def test_an_agent_follows_a_request_and_finds_it_again(desk: Screen, benali: Family, malika: User) -> None:
    mine, other = asked(benali), asked(benali, words="Autre chose")
    seen = desk.post(f"{at(mine)}confier/", {"a": str(malika.pk)})
    assert "Vous suivez cette demande." in seen
    seen = desk.go("/agents/demandes/?voir=les-miennes")
    assert "Mes demandes 1" in seen and f"Suivie par {malika}" in seen
    assert f"N° {other.number}" not in seen
    seen = desk.post(f"{at(mine)}confier/", {"a": ""})
    assert "Personne ne suit cette demande." in seen
    desk.post(f"{at(mine)}confier/", {"a": str(benali.user.pk)})
    assert desk.status == 400
    assert AuditLine.objects.filter(action="request.assigned").count() == 2


@pytest.mark.row("S1")
def test_several_are_answered_together_and_a_refusal_has_its_reason(desk: Screen, benali: Family) -> None:
    several = [asked(benali) for _ in range(3)]
    ticked = [request.pk for request in several]
    seen = desk.post("/agents/demandes/accepter/", {"d": ticked[:2], "do": "refuser", "motif": " "})
    assert "Indiquez le motif du refus" in seen
    assert FamilyRequest.objects.filter(state=RequestState.SENT).count() == 3
    seen = desk.post("/agents/demandes/accepter/", {"d": ticked[:2], "do": "refuser", "motif": "Gymnase fermé."})
    assert "2 demandes refusées." in seen
    assert {request.lines.get().reason for request in several[:2]} == {"Gymnase fermé."}
    seen = desk.post("/agents/demandes/accepter/", {"d": ticked[2:]})
    assert "1 demande acceptée." in seen


def test_the_promise_read_at_the_desk_is_the_one_that_the_family_read(
    desk: Screen, benali: Family, settings: Settings
) -> None:
    """A topic with days of its own; the others have the town's. What is promised sooner stands higher in the queue."""
    town = cadours()
    topic = find_topic(town, WRITE)
    assert topic is not None
    usual = asked(benali)
    slow, quick = (
        ask(
            household=benali.household,
            topic=replace(topic, answer_days=days),
            child=None,
            answers=[],
            words="Où est le gymnase ?",
            send_key=uuid.uuid4(),
            by=benali.user,
            at=AT + timedelta(minutes=1),
            tz=town.tz,
        )[0]
        for days in (5, 1)
    )
    home = Screen(settings, benali.user)
    # Sent on Tuesday 10 November; the 11th is a public holiday.
    promised = {usual: "vendredi 13 novembre", slow: "mercredi 18 novembre", quick: "jeudi 12 novembre"}
    for request, day in promised.items():
        assert f"Réponse promise avant la fin du {day}" in desk.go(at(request))
        assert day in home.go(f"/demandes/{request.number}/")
    listed = queue(Sought(), today=AT.date(), tz=town.tz, answer_days=town.answer_working_days)
    assert list(listed) == [quick, usual, slow]
