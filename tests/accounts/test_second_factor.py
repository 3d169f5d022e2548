"""The second step of signing in."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from marelle.accounts import totp
from marelle.accounts.models import SecondFactor, User
from marelle.foundation.models import AuditLine
from marelle.foundation.resealing import reseal_all
from marelle.foundation.sealing import new_key
from tests.accounts.test_door import digits_in, post_all, sign_in
from tests.people import PASSWORD, agent, family, guardian_with_account, signed_in, town

pytestmark = [pytest.mark.django_db, pytest.mark.row("A1")]


@pytest.fixture(autouse=True)
def nadia() -> User:
    town()
    user = guardian_with_account(family()).user
    assert user is not None
    return user


@pytest.mark.parametrize(
    ("moment", "digits"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_the_codes_are_those_of_the_standard(moment: int, digits: str) -> None:
    """The vectors of RFC 6238, its last six digits."""
    secret = b"12345678901234567890"
    assert totp.code_at(secret, moment // 30) == digits
    at = datetime.fromtimestamp(moment, UTC)
    assert totp.matching_step(secret, digits, at=at, after=0) == moment // 30
    assert totp.matching_step(secret, digits, at=at, after=moment // 30) is None
    assert totp.matching_step(secret, digits, at=at + timedelta(seconds=61), after=0) is None


def shown_secret(client: Client) -> bytes:
    page = client.get("/compte/deuxieme-etape/").text
    letters = re.search(r'<code translate="no">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    assert '<svg class="squarecode"' in page and "style=" not in page.split('<svg class="squarecode"')[1][:300]
    return base64.b32decode(letters + "=" * (-len(letters) % 8))


def code_of(secret: bytes) -> str:
    return totp.code_at(secret, totp.step_at(datetime.now(UTC)))


def with_second_factor(client: Client, email: str = "nadia@example.org") -> tuple[bytes, list[str]]:
    sign_in(client, email, PASSWORD)
    secret = shown_secret(client)
    page = client.post("/compte/deuxieme-etape/", {"code": code_of(secret)}).text
    codes = re.findall(r"<code>([\w-]{11})</code>", page)
    assert len(codes) == 10
    return secret, codes


def test_it_is_added_with_a_first_code_and_asked_at_each_sign_in(nadia: User, mailoutbox) -> None:
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False) as clock:
        secret, _codes = with_second_factor(Client())
        client = Client()
        clock.move_to(now + timedelta(minutes=1))
        assert sign_in(client, "nadia@example.org", PASSWORD)["Location"] == "/connexion/deuxieme-etape/"
        assert client.get("/compte/")["Location"].startswith("/connexion/")
        assert client.post("/connexion/deuxieme-etape/", {"code": "000000"}).status_code == 422
        assert client.post("/connexion/deuxieme-etape/", {"code": code_of(secret)})["Location"] == "/"
        assert client.get("/compte/").status_code == 200
    assert AuditLine.objects.filter(action="account.second_factor_added").count() == 1
    assert "deuxième étape" in post_all(mailoutbox)[0].subject


def test_a_code_serves_once() -> None:
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False) as clock:
        secret, _codes = with_second_factor(Client())
        # The code that added it is spent too.
        client = Client()
        sign_in(client, "nadia@example.org", PASSWORD)
        assert client.post("/connexion/deuxieme-etape/", {"code": code_of(secret)}).status_code == 422
        clock.move_to(now + timedelta(minutes=2))
        assert client.post("/connexion/deuxieme-etape/", {"code": code_of(secret)})["Location"] == "/"
        other = Client()
        sign_in(other, "nadia@example.org", PASSWORD)
        assert other.post("/connexion/deuxieme-etape/", {"code": code_of(secret)}).status_code == 422


def test_a_recovery_code_replaces_it_once_and_is_told(mailoutbox) -> None:
    _secret, codes = with_second_factor(Client())
    client = Client()
    sign_in(client, "nadia@example.org", PASSWORD)
    assert client.post("/connexion/deuxieme-etape/", {"code": codes[0].upper()})["Location"] == "/"
    assert "Un code de secours a servi" in post_all(mailoutbox)[-1].subject
    assert "Il vous reste 9 codes" in client.get("/compte/deuxieme-etape/").text
    again = Client()
    sign_in(again, "nadia@example.org", PASSWORD)
    assert again.post("/connexion/deuxieme-etape/", {"code": codes[0]}).status_code == 422
    renewed = re.findall(r"<code>([\w-]{11})</code>", client.post("/compte/deuxieme-etape/codes/").text)
    assert again.post("/connexion/deuxieme-etape/", {"code": codes[1]}).status_code == 422
    assert again.post("/connexion/deuxieme-etape/", {"code": renewed[0]})["Location"] == "/"


def test_a_code_by_e_mail_does_not_go_round_it(mailoutbox) -> None:
    with_second_factor(Client())
    post_all(mailoutbox)
    client = Client()
    client.post("/connexion/", {"email": "nadia@example.org"})
    client.post("/connexion/code/demander/")
    code = digits_in(post_all(mailoutbox)[0])
    answer = client.post("/connexion/code/", {"code": code, "new_password": "on"})
    answer = client.post(answer["Location"], {"password": "un cheval mange des cerises"})
    assert answer["Location"] == "/connexion/deuxieme-etape/"
    assert "_auth_user_id" not in client.session


def test_ten_wrong_codes_shut_the_step() -> None:
    secret, _codes = with_second_factor(Client())
    client = Client()
    sign_in(client, "nadia@example.org", PASSWORD)
    for _attempt in range(10):
        client.post("/connexion/deuxieme-etape/", {"code": "000000"})
    assert client.post("/connexion/deuxieme-etape/", {"code": code_of(secret)}).status_code == 429


def test_the_other_devices_come_in_again_with_it() -> None:
    elsewhere, client = Client(), Client()
    sign_in(elsewhere, "nadia@example.org", PASSWORD)
    with_second_factor(client)
    assert elsewhere.get("/compte/").status_code == 302 and client.get("/compte/").status_code == 200


def test_it_is_taken_away_after_a_question(mailoutbox) -> None:
    client = Client()
    with_second_factor(client)
    assert client.get("/compte/deuxieme-etape/retirer/").status_code == 200
    assert SecondFactor.objects.exists()
    assert client.post("/compte/deuxieme-etape/retirer/")["Location"] == "/compte/"
    assert sign_in(Client(), "nadia@example.org", PASSWORD)["Location"] == "/"
    assert "retirée" in post_all(mailoutbox)[-1].subject


def test_neither_secret_nor_recovery_codes_can_be_read_in_the_database(settings: Settings) -> None:
    secret, codes = with_second_factor(Client())
    factor = SecondFactor.objects.get()
    kept = repr((bytes(factor.secret), factor.recovery))
    assert secret not in bytes(factor.secret) and not any(code.replace("-", "") in kept for code in codes)
    settings.DATA_KEYS = f"new:{new_key()},{settings.DATA_KEYS}"
    assert sum(one.done for one in reseal_all() if one.store.endswith("SecondFactor.secret")) == 1


@pytest.mark.row("S1")
def test_a_town_may_ask_it_of_its_agents(settings: Settings) -> None:
    malika = agent()
    assert signed_in(malika).get("/agents/familles/").status_code == 200
    settings.AGENTS_SECOND_FACTOR = True
    client = Client()
    sign_in(client, "malika@cadours.example", PASSWORD)
    assert client.get("/agents/familles/")["Location"] == "/compte/deuxieme-etape/"
    assert client.post("/agents/demandes/raccourcis/")["Location"] == "/compte/deuxieme-etape/"
    secret = shown_secret(client)
    client.post("/compte/deuxieme-etape/", {"code": code_of(secret)})
    assert client.get("/agents/familles/").status_code == 200
    # Families are only offered it.
    family_client = Client()
    sign_in(family_client, "nadia@example.org", PASSWORD)
    assert family_client.get("/compte/").status_code == 200
