"""The thread of a request: both sides write, each is told that a message waits, nothing of it leaks."""

import uuid
from datetime import timedelta

import pytest
from django.conf import settings

from marelle.accounts.models import User
from marelle.families.models import HealthReading
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.models import AuditLine, OutboxMail, StoredFile
from marelle.foundation.postman import compose
from marelle.requests.asking import NotOfThisHome, ask
from marelle.requests.content import FieldAnswer
from marelle.requests.models import FamilyRequest, RequestForm, RequestMessage
from marelle.requests.services import Verdict, answer
from marelle.requests.thread import (
    NothingWritten,
    ThreadClosed,
    assign,
    log_reading,
    mark_read,
    read_form,
    read_thread,
    unread_threads,
    write,
)
from marelle.requests.topics import WRITE, find_topic, topics
from marelle.townfile.town import QuestionKind
from tests.offer import AT, Family, agent, booked, cadours, enrolled, family, paris

pytestmark = pytest.mark.django_db

SECRET = "Tom prend de la Ventoline"


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    return family()


def asked(
    who: Family, slug: str = "dispense-medicale", *, key: uuid.UUID | None = None, words: str = SECRET
) -> FamilyRequest:
    town = cadours()
    topic = find_topic(town, slug)
    assert topic is not None
    number = FieldAnswer(
        question="repas-sans", label="Combien de repas sont concernés ?", kind=QuestionKind.NUMBER, value=3
    )
    request, _line, _new = ask(
        household=who.household,
        topic=topic,
        child=who.children[1] if topic.about == "child" else None,
        answers=[number] if topic.fields else [],
        words=SECRET,
        send_key=key or uuid.uuid4(),
        by=who.user,
        at=AT,
        tz=town.tz,
    )
    return request


def test_a_plain_message_is_always_among_what_may_be_asked(malika: User) -> None:
    offered = topics(cadours())
    assert offered[0].slug == WRITE
    assert [topic.slug for topic in offered[1:]] == [
        "dispense-medicale",
        "question-a-l-ecole",
        "demenagement",
        "autre-question",
    ]


@pytest.mark.row("D3")
def test_a_request_keeps_what_was_written_sealed(benali: Family) -> None:
    request = asked(benali)
    assert request.is_health
    content = read_form(request)
    assert content.words == SECRET
    assert [(one.label, one.value) for one in content.answers] == [("Combien de repas sont concernés ?", 3)]
    line = request.lines.get()
    assert (line.label, line.child) == ("Dispense médicale", benali.children[1])
    assert b"Ventoline" not in bytes(RequestForm.objects.get().sealed)
    assert "marelle.requests.models.RequestForm.sealed" in settings.SEALED


def test_sent_twice_it_is_one_request(benali: Family) -> None:
    key = uuid.uuid4()
    assert asked(benali, key=key) == asked(benali, key=key)
    assert FamilyRequest.objects.count() == 1
    assert OutboxMail.objects.filter(kind="requests/sent").count() == 1


def test_about_a_child_it_is_one_of_this_home(benali: Family) -> None:
    moreau = family("Moreau", [("Léo", "CP")])
    town = cadours()
    topic = find_topic(town, "dispense-medicale")
    assert topic is not None
    for child in (moreau.children[0], None):
        with pytest.raises(NotOfThisHome):
            ask(
                household=benali.household,
                topic=topic,
                child=child,
                answers=[],
                words="",
                send_key=uuid.uuid4(),
                by=benali.user,
                at=AT,
                tz=town.tz,
            )


def test_for_the_school_its_agents_see_it(benali: Family) -> None:
    assert asked(benali, "question-a-l-ecole").lines.get().site == benali.children[1].school


@pytest.mark.row("D3")
def test_both_sides_write_and_each_is_told_that_a_message_waits(benali: Family, malika: User) -> None:
    request = asked(benali)
    write(request_id=request.pk, text=SECRET, send_key=uuid.uuid4(), by=benali.user, at=AT)
    request.refresh_from_db()
    assert request.unread_since == AT
    write(
        request_id=request.pk, text="Merci, c’est noté.", send_key=uuid.uuid4(), by=malika, at=AT + timedelta(hours=1),
        as_agent=True,
    )  # fmt: skip
    request.refresh_from_db()
    assert request.unread_since is None
    assert [(said.text, said.by_agent) for said in read_thread(request)] == [
        (SECRET, False),
        ("Merci, c’est noté.", True),
    ]
    assert unread_threads(user=benali.user, household=benali.household) == [request.pk]
    mark_read(request_id=request.pk, by=benali.user)
    assert unread_threads(user=benali.user, household=benali.household) == []

    to_town = OutboxMail.objects.get(kind="requests/message_to_town")
    to_family = OutboxMail.objects.get(kind="requests/message")
    assert to_town.to_address == cadours().email
    assert to_family.to_address == benali.email
    for mail in (to_town, to_family):
        rendered = f"{compose(mail).subject} {compose(mail).body} {compose(mail).alternatives}"
        assert "Ventoline" not in rendered and "noté" not in rendered
        assert request.number in rendered


def test_nothing_written_leaks_outside_the_sealed_columns(benali: Family) -> None:
    request = asked(benali)
    write(request_id=request.pk, text=SECRET, send_key=uuid.uuid4(), by=benali.user, at=AT)
    told = [*AuditLine.objects.values_list("text", "facts"), *OutboxMail.objects.values_list("context", "kind")]
    assert "Ventoline" not in str(told)
    assert b"Ventoline" not in bytes(RequestMessage.objects.get().sealed)
    assert AuditLine.objects.filter(action="request.message", household_id=benali.household.pk).count() == 1


def test_sent_twice_it_is_one_message(benali: Family) -> None:
    request = asked(benali)
    key = uuid.uuid4()
    first = write(request_id=request.pk, text="Bonjour", send_key=key, by=benali.user, at=AT)
    assert write(request_id=request.pk, text="Bonjour", send_key=key, by=benali.user, at=AT) == first
    assert OutboxMail.objects.filter(kind="requests/message_to_town").count() == 1


def test_a_message_says_something_or_brings_a_file(benali: Family) -> None:
    request = asked(benali)
    with pytest.raises(NothingWritten):
        write(request_id=request.pk, text="  ", send_key=uuid.uuid4(), by=benali.user, at=AT)
    message = write(
        request_id=request.pk,
        text="",
        send_key=uuid.uuid4(),
        by=benali.user,
        at=AT,
        judged=Judged(FileKind.PDF, b"%PDF-1.7"),
        file_name="asthme.pdf",
    )
    assert message.file is not None
    assert message.file.name == "Pièce jointe.pdf"  # the name could tell what the file holds


def test_thirty_days_after_its_answer_a_thread_is_closed(benali: Family, malika: User) -> None:
    request = asked(benali)
    answer(request_id=request.pk, verdicts={request.lines.get().pk: Verdict(accept=True)}, by=malika, at=AT)
    write(request_id=request.pk, text="Merci", send_key=uuid.uuid4(), by=benali.user, at=AT + timedelta(days=29))
    files = StoredFile.objects.count()
    with pytest.raises(ThreadClosed):
        write(request_id=request.pk, text="Encore", send_key=uuid.uuid4(), by=benali.user, at=AT + timedelta(days=30))
    assert StoredFile.objects.count() == files


def test_a_request_of_days_has_a_thread_too(benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=paris(2026, 10, 1))
    request = booked(benali, [AT.date() + timedelta(days=9)])
    write(request_id=request.pk, text="Faut-il un pique-nique ?", send_key=uuid.uuid4(), by=benali.user, at=AT)
    assert [said.text for said in read_thread(request)] == ["Faut-il un pique-nique ?"]


def test_who_follows_a_request_gets_its_messages(benali: Family, malika: User) -> None:
    request = asked(benali)
    assign(request_id=request.pk, to=malika, by=malika, at=AT)
    assign(request_id=request.pk, to=malika, by=malika, at=AT)
    assert AuditLine.objects.filter(action="request.assigned").count() == 1
    write(request_id=request.pk, text="Bonjour", send_key=uuid.uuid4(), by=benali.user, at=AT)
    assert OutboxMail.objects.get(kind="requests/message_to_town").to_address == malika.email


def test_reading_what_tells_of_health_is_written_down(benali: Family, malika: User) -> None:
    request = asked(benali)
    log_reading(request, child=benali.children[1], by=malika, at=AT)
    reading = HealthReading.objects.get()
    assert (reading.reader_label, reading.what, reading.by_agent) == (str(malika), "request", True)
    log_reading(asked(benali, WRITE), child=None, by=malika, at=AT)
    assert HealthReading.objects.count() == 1


def test_a_refusal_about_health_stays_off_the_e_mail(benali: Family, malika: User) -> None:
    request = asked(benali)
    answer(
        request_id=request.pk,
        verdicts={request.lines.get().pk: Verdict(accept=False, reason="La Ventoline n’est pas citée.")},
        by=malika,
        at=AT,
    )
    assert "Ventoline" not in str(OutboxMail.objects.get(kind="requests/answered").context)
