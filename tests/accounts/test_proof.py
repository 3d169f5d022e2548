"""Pages that ask who one is once more."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client, RequestFactory

from marelle.accounts.permissions import proof_required
from tests.people import PASSWORD, family, guardian_with_account, signed_in, town

pytestmark = [pytest.mark.django_db, pytest.mark.row("B5")]


@pytest.fixture
def client() -> Client:
    town()
    return signed_in(guardian_with_account(family()).user)


@proof_required
def health(request: object) -> HttpResponse:
    return HttpResponse("Allergie")


def ask(client: Client, *, headers: dict[str, str] | None = None, method: str = "get") -> HttpResponse:
    request = getattr(RequestFactory(), method)("/famille/enfant/sante/?voir=1", headers=headers)
    request.session = client.session
    return health(request)


def test_the_password_is_asked_again_and_the_page_follows(client: Client) -> None:
    answer = ask(client)
    assert answer["Location"] == "/compte/preuve/?next=%2Ffamille%2Fenfant%2Fsante%2F%3Fvoir%3D1"
    assert "Confirmez que c’est vous" in client.get(answer["Location"]).text
    back = client.post("/compte/preuve/", {"password": PASSWORD, "next": "/famille/enfant/sante/?voir=1"})
    assert back["Location"] == "/famille/enfant/sante/?voir=1"
    assert ask(client).content == b"Allergie"


def test_a_proof_lasts_a_quarter_of_an_hour(client: Client) -> None:
    now = datetime.now(UTC)
    client.post("/compte/preuve/", {"password": PASSWORD})
    with time_machine.travel(now + timedelta(minutes=14)):
        assert ask(client).status_code == 200
    with time_machine.travel(now + timedelta(minutes=15, seconds=5)):
        assert ask(client).status_code == 302


def test_who_has_just_come_in_is_not_asked(client: Client) -> None:
    fresh = Client()
    fresh.post("/connexion/", {"email": "nadia@example.org"})
    fresh.post("/connexion/mot-de-passe/", {"password": PASSWORD})
    assert ask(fresh).status_code == 200


def test_a_wrong_password_proves_nothing_and_five_close_the_page(client: Client) -> None:
    for _attempt in range(5):
        answer = client.post("/compte/preuve/", {"password": "pas celui-ci"})
        assert answer.status_code == 422 and "Adresse ou mot de passe incorrect." in answer.text
    assert "Trop d’essais." in client.post("/compte/preuve/", {"password": PASSWORD}).text
    assert ask(client).status_code == 302


def test_a_form_sent_too_late_brings_back_to_its_page(client: Client) -> None:
    answer = ask(client, method="post", headers={"Referer": "http://testserver/famille/enfant/sante/"})
    assert answer["Location"] == "/compte/preuve/?next=%2Ffamille%2Fenfant%2Fsante%2F"


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com/"])
def test_nobody_is_sent_elsewhere(client: Client, elsewhere: str) -> None:
    assert client.post("/compte/preuve/", {"password": PASSWORD, "next": elsewhere})["Location"] == "/"
