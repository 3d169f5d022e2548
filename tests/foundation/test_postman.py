from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default

import pytest
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import transaction
from pytest_django import Settings

from marelle.foundation import outbox, postman
from marelle.foundation.audit import Actor
from marelle.foundation.models import AuditLine, MailState, OutboxMail
from tests.foundation.smtp import MailServer, mail_server
from tests.people import AT, town

pytestmark = pytest.mark.django_db

AGENT = Actor(id=7, label="Malika Roux", is_agent=True)


@pytest.fixture(autouse=True)
def _town() -> None:
    town()


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5
        yield server


def queued(to: str = "nadia@example.org", **more: str) -> OutboxMail:
    with transaction.atomic():
        return outbox.post(kind="accounts/code", to_address=to, at=AT, context={"next": ""}, **more)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


def send(now: datetime | None = None) -> OutboxMail:
    mail = postman.send_next(now=now or soon())
    assert mail is not None
    return mail


def test_an_e_mail_leaves_in_the_town_s_name_with_both_parts(mailoutbox: list[EmailMessage]) -> None:
    queued(to_name="Nadia Benali")
    mail = send()
    assert (mail.state, mail.error, mail.attempts) == (MailState.SENT, "", 1)
    assert mail.sent_at is not None and mail.claimed_at is None
    assert mail.subject == "Mairie de Cadours : cette adresse n’est pas connue"
    (message,) = mailoutbox
    assert message.from_email == "Mairie de Cadours <portail@marelle.example>"
    assert message.to == ["Nadia Benali <nadia@example.org>"]
    assert message.reply_to == ["scolaire@cadours.example"]
    assert message.extra_headers["Message-ID"] == f"<{mail.id}@marelle.example>"
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    ((html, kind),) = [(part.content, part.mimetype) for part in message.alternatives]  # type: ignore[attr-defined]
    assert kind == "text/html"
    for part in (message.body, html):
        assert "Mairie de Cadours" in part
        assert "05 00 00 00 01" in part and "scolaire@cadours.example" in part
        assert "Nous ne la connaissons pas." in part
    assert "<img" not in html and "http" not in html.replace("https://www.w3.org", "")
    assert "&#x27;" not in message.body and "&amp;" not in message.body


def test_nothing_leaves_before_it_is_due_nor_twice() -> None:
    mail = queued()
    assert postman.send_next(now=mail.due_at - timedelta(seconds=1)) is None
    send()
    assert postman.send_next(now=soon()) is None


def test_what_is_due_longest_leaves_first() -> None:
    later, sooner = queued("b@example.org"), queued("a@example.org")
    OutboxMail.objects.filter(pk=sooner.pk).update(due_at=later.due_at - timedelta(hours=1))
    assert send().to_address == "a@example.org"


def test_the_mail_server_gets_what_was_written(server: MailServer) -> None:
    queued()
    assert send().state == MailState.SENT
    message = message_from_string(server.taken[0], policy=default)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"] == "Mairie de Cadours <portail@marelle.example>"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]  # type: ignore[attr-defined]


def test_an_absent_server_is_tried_again_later_and_later_then_given_up(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    queued()
    now, waits = soon(), []
    while (mail := send(now)).state == MailState.WAITING:
        assert mail.error.startswith("Le serveur d’e-mail ne répond pas")
        assert postman.send_next(now=mail.due_at - timedelta(seconds=1)) is None
        waits.append(mail.due_at - now)
        now = mail.due_at
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480)]
    assert (mail.state, mail.attempts) == (MailState.FAILED, 6)
    assert postman.send_next(now=now + timedelta(days=9)) is None


def test_an_address_refused_for_good_is_not_tried_again(server: MailServer) -> None:
    server.recipient = "550 5.1.1 no such box"
    queued()
    mail = send()
    assert mail.state == MailState.FAILED
    assert mail.error == "Le serveur d’e-mail refuse cette adresse (550 5.1.1 no such box)."


@pytest.mark.parametrize(("recipient", "message"), [("450 greylisted", "250 ok"), ("250 ok", "451 try later")])
def test_what_the_server_refuses_for_now_is_tried_again(server: MailServer, recipient: str, message: str) -> None:
    server.recipient, server.message = recipient, message
    queued()
    assert send().state == MailState.WAITING
    server.recipient = server.message = "250 ok"
    assert send(soon() + timedelta(minutes=2)).state == MailState.SENT


def test_a_connection_cut_after_the_message_leaves_it_uncertain_and_never_sent_again(server: MailServer) -> None:
    server.message = ""
    queued()
    mail = send()
    assert mail.state == MailState.UNCERTAIN
    assert "peut-être parti" in mail.error
    assert postman.send_next(now=soon() + timedelta(days=9)) is None
    assert len(server.taken) == 1


def test_what_a_dead_worker_held_is_uncertain_once_its_lease_is_over() -> None:
    queued()
    now = soon()
    assert postman.claim(now=now) is not None
    assert postman.set_aside(now=now + postman.LEASE) == 0
    assert postman.set_aside(now=now + postman.LEASE + timedelta(seconds=1)) == 1
    mail = OutboxMail.objects.get()
    assert mail.state == MailState.UNCERTAIN and "peut-être parti" in mail.error
    assert postman.send_next(now=now + timedelta(days=9)) is None


def test_a_worker_that_comes_back_too_late_does_not_undo_what_was_decided() -> None:
    queued()
    now = soon()
    mail = postman.claim(now=now)
    assert mail is not None
    postman.set_aside(now=now + timedelta(hours=1))
    assert postman.settle(mail, postman.Outcome(state=MailState.WAITING), now=now) is None
    assert OutboxMail.objects.get().state == MailState.UNCERTAIN


def test_an_e_mail_that_cannot_be_written_does_not_stop_the_others(mailoutbox: list[EmailMessage]) -> None:
    broken = queued()
    OutboxMail.objects.filter(pk=broken.pk).update(kind="accounts/unheard_of", due_at=AT)
    queued("tom@example.org")
    call_command("worker", "--once")
    assert [message.to for message in mailoutbox] == [["tom@example.org"]]
    broken.refresh_from_db()
    assert broken.state == MailState.WAITING
    assert broken.error == "Le message ne peut pas être composé (TemplateDoesNotExist)."


def test_a_name_never_slips_a_header_in(mailoutbox: list[EmailMessage]) -> None:
    queued(to_name="Nadia\r\nBcc: everyone@example.org")
    assert send().state == MailState.SENT
    assert mailoutbox[0].recipients() == ['"Nadia Bcc: everyone@example.org" <nadia@example.org>']
    assert mailoutbox[0].message()["Bcc"] is None


@pytest.mark.parametrize("state", [MailState.FAILED, MailState.UNCERTAIN])
def test_an_agent_lets_it_leave_again(state: MailState, mailoutbox: list[EmailMessage]) -> None:
    mail = queued()
    OutboxMail.objects.update(state=state, attempts=6, error="…")
    assert postman.not_sent_count() == 1
    assert postman.send_again(mail=mail, by=AGENT, at=AT, now=datetime.now(UTC))
    assert not postman.not_sent_count()
    assert send().state == MailState.SENT
    assert not postman.send_again(mail=mail, by=AGENT, at=AT, now=datetime.now(UTC))
    assert len(mailoutbox) == 1
    line = AuditLine.objects.get()
    assert (line.action, line.actor_label, line.by_agent) == ("mail.sent_again", "Malika Roux", True)


def test_an_agent_gives_it_up() -> None:
    mail = queued()
    assert not postman.drop(mail=mail, by=AGENT, at=AT), "it is on its way: there is nothing to give up"
    OutboxMail.objects.update(state=MailState.FAILED)
    assert postman.drop(mail=mail, by=AGENT, at=AT)
    assert postman.send_next(now=soon() + timedelta(days=9)) is None
    assert AuditLine.objects.get().action == "mail.dropped"
