from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from marelle.demo.models import DeliveredMail
from marelle.foundation import outbox, postman
from tests.people import AT, town

pytestmark = pytest.mark.django_db

BOX = "/boite-aux-lettres/"


@pytest.fixture(autouse=True)
def _mailbox(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "marelle.demo.mailbox.MailboxBackend"
    town()


def delivered(address: str = "nadia@example.org") -> DeliveredMail:
    with transaction.atomic():
        outbox.post(kind="accounts/code", to_address=address, to_name="Nadia Benali", at=AT, context={"next": ""})
    postman.send_next(now=datetime.now(UTC))
    return DeliveredMail.objects.latest("id")


def test_what_the_portal_sends_arrives_in_the_demo_s_mailbox(client: Client) -> None:
    mail = delivered()
    assert (mail.to_address, mail.from_address) == ("nadia@example.org", "Mairie de Cadours <portail@marelle.example>")
    page = client.get(BOX).text
    assert "Ceci est une démonstration" in page
    assert "cette adresse n’est pas connue" in page
    page = client.get(f"{BOX}{mail.pk}/").text
    assert "Nous ne la connaissons pas." in page
    assert 'href="mailto:scolaire@cadours.example"' in page


def test_the_mailbox_is_searched_by_address(client: Client) -> None:
    delivered()
    delivered("julien@example.org")
    assert "pour nadia@example.org" not in client.get(BOX, {"a": "julien@example.org"}).text
    assert "pour nadia@example.org" in client.get(BOX, {"q": "nadia"}).text
    assert "pour nadia@example.org" in client.get(BOX, {"q": f"nadia {delivered().subject.split()[0]}"}).text
    assert "Pas d’e-mail ici" in client.get(BOX, {"q": "nadia zzz"}).text


def test_an_e_mail_s_html_runs_nothing_and_loads_nothing(client: Client) -> None:
    mail = delivered()
    page = client.get(f"{BOX}{mail.pk}/")
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert 'sandbox="allow-top-navigation-by-user-activation"' in page.text
    framed = client.get(f"{BOX}{mail.pk}/html/")
    policy = dict(
        part.strip().split(" ", 1) for part in framed["Content-Security-Policy"].split(";") if " " in part.strip()
    )
    assert policy["default-src"] == "'none'" and "script-src" not in policy and "img-src" not in policy
    assert policy["frame-ancestors"] == "'self'" and framed["X-Frame-Options"] == "SAMEORIGIN"
    assert policy["sandbox"] == "allow-top-navigation-by-user-activation"
    assert framed.text == mail.html.replace("<head>", '<head><base target="_top">')


def test_every_page_but_the_framed_one_refuses_frames(client: Client) -> None:
    for path in (BOX, "/connexion/", f"{BOX}{delivered().pk}/"):
        response = client.get(path)
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
        assert response["X-Frame-Options"] == "DENY"
