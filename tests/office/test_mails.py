from datetime import UTC, datetime

import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from django.test import Client

from marelle.foundation import outbox, postman
from marelle.foundation.models import MailState, OutboxMail
from tests.people import AT, agent, queries, signed_in, town

pytestmark = pytest.mark.django_db

MAILS = "/agents/e-mails/"


@pytest.fixture(autouse=True)
def _town() -> None:
    town()


@pytest.fixture
def desk() -> Client:
    return signed_in(agent())


def queued(**more: object) -> OutboxMail:
    with transaction.atomic():
        mail = outbox.post(kind="accounts/code", to_address="nadia@example.org", at=AT, context={"next": ""})
    OutboxMail.objects.filter(pk=mail.pk).update(**more)
    return mail


def test_all_is_well_when_all_has_left(desk: Client) -> None:
    queued()
    postman.send_next(now=datetime.now(UTC))
    page = desk.get(MAILS).text
    assert "Tout est parti." in page
    assert "Mairie de Cadours : cette adresse n’est pas connue" in page
    assert "à traiter" not in page


def test_what_did_not_leave_is_shown_with_its_reason_and_counted_in_the_rail(desk: Client) -> None:
    queued(state=MailState.FAILED, error="Le serveur d’e-mail refuse cette adresse (550).", subject="Bonjour")
    queued(state=MailState.UNCERTAIN)
    queued(attempts=2, error="Le serveur d’e-mail ne répond pas.")
    page = desk.get(MAILS).text
    assert "Le serveur d’e-mail refuse cette adresse (550)." in page
    assert "Non envoyé" in page and "Envoi incertain" in page and "Nouvel essai" in page
    rail = desk.get("/agents/familles/").text
    assert '<span class="count">2<span class="vh"> à traiter</span></span>' in rail


def test_an_agent_sends_again_or_gives_up(desk: Client, mailoutbox: list[EmailMessage]) -> None:
    again, dropped = queued(state=MailState.FAILED), queued(state=MailState.UNCERTAIN)
    page = desk.post(f"{MAILS}{again.pk}/", {"do": "send"}, follow=True).text
    assert "L’e-mail à nadia@example.org repart." in page
    page = desk.post(f"{MAILS}{dropped.pk}/", {"do": "drop"}, follow=True).text
    assert "E-mail à nadia@example.org abandonné." in page
    while postman.send_next(now=datetime.now(UTC)):
        pass
    assert len(mailoutbox) == 1
    page = desk.post(f"{MAILS}{again.pk}/", {"do": "send"}, follow=True).text
    assert "Rien à faire" in page
    assert desk.post(f"{MAILS}00000000-0000-0000-0000-000000000000/").status_code == 404
    assert desk.get(f"{MAILS}{again.pk}/").status_code == 405


def test_the_page_costs_the_same_for_one_e_mail_and_for_thirty(desk: Client) -> None:
    queued(state=MailState.FAILED)
    one = queries(lambda: desk.get(MAILS))
    for _number in range(29):
        queued(state=MailState.FAILED)
    assert queries(lambda: desk.get(MAILS)) == one
    # session, user, role, its sites, troubled counted and listed, sent, waiting, town; and the rail's two counts
    assert one <= 11
