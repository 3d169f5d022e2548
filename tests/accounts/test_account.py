"""One's own account: address, password, devices, colours."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from marelle.accounts.models import AddressChange, SecondFactor, SentCode, Session, User
from marelle.foundation.models import AuditLine, OutboxMail
from tests.accounts.test_door import NEW_PASSWORD, digits_in, post_all, sign_in
from tests.accounts.test_second_factor import code_of, shown_secret
from tests.people import PASSWORD, agent, family, guardian_with_account, queries, signed_in, town
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("C1")]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture(autouse=True)
def nadia() -> User:
    town()
    user = guardian_with_account(family()).user
    assert user is not None
    return user


def came_in(agent: str = FIREFOX, **more: str) -> Client:
    client = Client(headers={"User-Agent": agent})
    assert sign_in(client, "nadia@example.org", PASSWORD, **more)["Location"] == "/"
    return client


def address_in_flight(client: Client, email: str) -> None:
    assert client.post("/compte/adresse/", {"email": email})["Location"] == "/compte/adresse/code/"


def test_one_sees_one_s_account_and_where_one_is_in() -> None:
    client = came_in()
    came_in(IPHONE, remember="on")
    page = plain_spaces(client.get("/compte/").text)
    assert "nadia@example.org" in page
    assert page.count("Firefox sur Windows") == 1 and "Safari sur iPhone" in page
    assert page.count("C’est cet appareil") == 1


def test_an_agent_has_the_desk_around_their_account() -> None:
    page = signed_in(agent()).get("/compte/").text
    assert "malika@cadours.example" in page and 'href="/agents/demandes/"' in page


def test_another_device_is_disconnected_one_by_one_or_all_but_this_one() -> None:
    client, phone, tablet = came_in(), came_in(IPHONE), came_in(IPHONE)
    which = re.findall(r'name="which" value="(\w+)"', client.get("/compte/").text)
    assert len(which) == 2
    assert client.post("/compte/connexions/fermer/", {"which": which[0]})["Location"] == "/compte/"
    assert sorted(one.get("/compte/").status_code for one in (phone, tablet)) == [200, 302]
    client.post("/compte/connexions/fermer/", {"which": which[0]})
    client.post("/compte/connexions/fermer/")
    assert {one.get("/compte/").status_code for one in (phone, tablet)} == {302}
    assert client.get("/compte/").status_code == 200
    assert AuditLine.objects.filter(action="account.sessions_closed").count() == 2


def test_a_device_says_when_it_was_last_used_at_most_once_an_hour() -> None:
    client, phone = came_in(), came_in(IPHONE)
    assert "dernière activité" not in client.get("/compte/").text
    steady = queries(lambda: phone.get("/compte/"))
    ends = Session.objects.values_list("session_key", "expire_date")
    before = dict(ends)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=70)):
        assert queries(lambda: phone.get("/compte/")) == steady + 1
        assert queries(lambda: phone.get("/compte/")) == steady
    assert dict(ends) == before, "nobody stays longer for it"
    assert client.get("/compte/").text.count("dernière activité") == 1


def test_codes_are_not_tried_one_after_the_other(nadia: User, settings) -> None:  # type: ignore[no-untyped-def]
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"code_tried": "30/m/ip,6/10m/key"}
    client, path = signed_in(nadia), "/compte/preuve/"
    answers = []
    for _round in range(2):
        client.post(path, {"do": "send"})
        answers += [client.post(path, {"do": "code", "code": "000000"}).status_code for _try in range(4)]
    assert answers == [422] * 6 + [429] * 2
    assert client.get(path).status_code == 200


def test_nobody_closes_somebody_else_s_session() -> None:
    client = came_in()
    which = came_in(IPHONE)
    stranger = signed_in(agent())
    names = re.findall(r'name="which" value="(\w+)"', client.get("/compte/").text)
    stranger.post("/compte/connexions/fermer/", {"which": names[0]})
    stranger.post("/compte/connexions/fermer/")
    assert which.get("/compte/").status_code == client.get("/compte/").status_code == 200


def test_the_page_costs_the_same_for_one_device_and_for_eight() -> None:
    client = came_in()
    one = queries(lambda: client.get("/compte/"))
    for _device in range(7):
        came_in(IPHONE)
    assert queries(lambda: client.get("/compte/")) == one


def test_a_session_that_ends_with_the_browser_also_ends_after_a_day() -> None:
    short, long = came_in(), came_in(remember="on")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        assert short.get("/compte/").status_code == 302
        assert long.get("/compte/").status_code == 200


def test_a_password_is_changed_and_the_other_devices_are_out(nadia: User, mailoutbox) -> None:
    client, phone = came_in(), came_in(IPHONE)
    assert client.post("/compte/mot-de-passe/", {"password": "trop court"}).status_code == 422
    assert client.post("/compte/mot-de-passe/", {"password": NEW_PASSWORD})["Location"] == "/compte/"
    assert client.get("/compte/").status_code == 200
    assert phone.get("/compte/").status_code == 302
    nadia.refresh_from_db()
    assert nadia.check_password(NEW_PASSWORD)
    assert AuditLine.objects.filter(action="account.password_changed", actor_id=nadia.pk).count() == 1
    (mail,) = post_all(mailoutbox)
    assert "Votre mot de passe est changé" in mail.subject and mail.to == ["Nadia Benali <nadia@example.org>"]


def test_the_password_is_asked_before_the_account_is_touched(nadia: User) -> None:
    client = signed_in(nadia)
    for path in ("/compte/mot-de-passe/", "/compte/adresse/", "/compte/deuxieme-etape/"):
        assert client.get(path)["Location"].startswith("/compte/preuve/?next=")
        client.post(path, {"password": NEW_PASSWORD, "email": "autre@example.org", "code": "123456"})
    nadia.refresh_from_db()
    assert nadia.check_password(PASSWORD) and not SentCode.objects.exists()


def test_who_came_in_by_a_code_proves_themselves_by_a_code(nadia: User, mailoutbox) -> None:
    client = signed_in(nadia)
    page = client.post("/compte/preuve/", {"do": "send", "next": "/compte/adresse/"})
    assert "Un code part à <strong>nadia@example.org</strong>." in page.text
    code = digits_in(post_all(mailoutbox)[0])
    assert client.post("/compte/preuve/", {"do": "code", "code": "000001"}).status_code == 422
    done = client.post("/compte/preuve/", {"do": "code", "code": code, "next": "/compte/adresse/"})
    assert done["Location"] == "/compte/adresse/"
    assert client.get("/compte/adresse/").status_code == 200


def test_an_address_is_changed_by_a_code_at_the_new_one_and_told_at_the_old_one(nadia: User, mailoutbox) -> None:
    client = came_in()
    address_in_flight(client, "Nadia.B@example.org")
    (mail,) = post_all(mailoutbox)
    assert mail.to == ["nadia.b@example.org"] and "confirmer votre nouvelle adresse" in mail.body
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.org"
    assert client.post("/compte/adresse/code/", {"code": digits_in(mail)})["Location"] == "/compte/"
    nadia.refresh_from_db()
    assert nadia.email == nadia.guardian.email == "nadia.b@example.org"
    assert nadia.guardian.households.get().search_text.count("nadia.b@example.org") == 1
    (told,) = post_all(mailoutbox)
    assert told.to == ["nadia@example.org"] and "/compte/adresse/remettre/" in told.body
    history = plain_spaces(client.get("/famille/historique/").text)
    assert "E-mail de Nadia Benali : nadia.b@example.org (avant : nadia@example.org)." in history
    assert sign_in(Client(), "nadia.b@example.org", PASSWORD)["Location"] == "/"


def test_who_holds_the_old_address_puts_it_back(nadia: User, mailoutbox) -> None:
    thief = came_in()
    address_in_flight(thief, "voleur@example.org")
    thief.post("/compte/adresse/code/", {"code": digits_in(post_all(mailoutbox)[0])})
    path = re.search(r"http://\S+?(/compte/adresse/remettre/\S+)", str(post_all(mailoutbox)[0].body))[1]
    secret = shown_secret(thief)
    thief.post("/compte/deuxieme-etape/", {"code": code_of(secret)})
    assert SecondFactor.objects.exists()
    for _scanner in range(2):
        assert Client().get(path).status_code == 200
    nadia.refresh_from_db()
    assert nadia.email == "voleur@example.org"
    client = Client()
    assert client.post(path)["Location"] == "/connexion/choisir-mon-mot-de-passe/"
    assert thief.get("/compte/").status_code == 302
    assert client.post("/connexion/choisir-mon-mot-de-passe/", {"password": NEW_PASSWORD})["Location"] == "/"
    nadia.refresh_from_db()
    assert nadia.email == nadia.guardian.email == "nadia@example.org" and nadia.check_password(NEW_PASSWORD)
    assert Client().get(path).status_code == 410 and Client().post(path).status_code == 410


def link_to_put_back(mailoutbox) -> str:  # type: ignore[no-untyped-def]
    found = re.search(r"http://\S+?(/compte/adresse/remettre/\S+)", str(post_all(mailoutbox)[0].body))
    assert found
    return found[1]


def stolen(thief: Client, email: str, mailoutbox) -> str:  # type: ignore[no-untyped-def]
    """The account comes in with this address now; the link that the address before got."""
    address_in_flight(thief, email)
    thief.post("/compte/adresse/code/", {"code": digits_in(post_all(mailoutbox)[0])})
    return link_to_put_back(mailoutbox)


def test_who_stole_an_account_does_not_put_their_own_address_back(nadia: User, mailoutbox) -> None:
    thief = came_in()
    hers = stolen(thief, "voleur@example.org", mailoutbox)
    his = stolen(thief, "voleur.bis@example.org", mailoutbox)
    Client().post(hers)
    assert Client().get(his).status_code == 410 and Client().post(his).status_code == 410
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.org"


def test_who_stole_an_account_chooses_no_password_once_it_is_put_back(nadia: User, mailoutbox) -> None:
    hers = stolen(came_in(), "voleur@example.org", mailoutbox)
    waits = Client()
    waits.post("/connexion/", {"email": "voleur@example.org"})
    waits.post("/connexion/code/demander/", {"forgotten": "1"})
    code = digits_in(post_all(mailoutbox)[0])
    choose = "/connexion/choisir-mon-mot-de-passe/"
    assert waits.post("/connexion/code/", {"code": code, "new_password": "on"})["Location"] == choose
    Client().post(hers)
    assert waits.post(choose, {"password": NEW_PASSWORD}).status_code == 410
    nadia.refresh_from_db()
    assert not nadia.check_password(NEW_PASSWORD)


def test_an_address_is_put_back_for_seven_days(mailoutbox) -> None:
    client = came_in()
    address_in_flight(client, "nouvelle@example.org")
    client.post("/compte/adresse/code/", {"code": digits_in(post_all(mailoutbox)[0])})
    path = re.search(r"http://\S+?(/compte/adresse/remettre/\S+)", str(post_all(mailoutbox)[0].body))[1]
    with time_machine.travel(datetime.now(UTC) + timedelta(days=7, minutes=1)):
        assert Client().get(path).status_code == 410


def test_an_address_that_is_somebody_s_is_answered_as_a_free_one(mailoutbox) -> None:
    """Only that somebody learns of it."""
    agent()
    family("Moreau", email="julien@example.org")
    client = came_in()
    seen, counts = set(), set()
    for address in ("malika@cadours.example", "julien@example.org", "libre@example.org"):
        counts.add(queries(lambda address=address: address_in_flight(client, address)))
        shown = [client.get("/compte/adresse/code/"), client.post("/compte/adresse/code/", {"code": "000001"})]
        pages = "".join(f"{one.status_code} {one.text.replace(address, '…')}" for one in shown)
        seen.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", pages))
    assert len(seen) == 1 and len(counts) == 1
    malika, julien, free = post_all(mailoutbox)
    for taken in (malika, julien):
        assert "cette adresse sert déjà" in taken.subject and not re.search(r"\d{3} \d{3}$", taken.body, re.MULTILINE)
    assert digits_in(free)


def test_two_who_want_one_address_at_once_do_not_both_get_it(nadia: User, mailoutbox) -> None:
    client = came_in()
    address_in_flight(client, "libre@example.org")
    code = digits_in(post_all(mailoutbox)[0])
    User.objects.create_user(email="libre@example.org")
    page = client.post("/compte/adresse/code/", {"code": code})
    assert page.status_code == 422 and "Ce code n’est plus valable" in page.text
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.org" and not AddressChange.objects.exists()
    assert not OutboxMail.objects.filter(kind="accounts/address_changed").exists()


@pytest.mark.parametrize(("typed", "said"), [("nadia", "doit contenir un @"), ("nadia@example.org", "C’est déjà")])
def test_what_is_no_new_address_is_told(typed: str, said: str) -> None:
    page = came_in().post("/compte/adresse/", {"email": typed})
    assert page.status_code == 422 and said in page.text and f'value="{typed}"' in page.text


def test_colours_are_chosen_and_stay() -> None:
    client = came_in()
    assert "data-theme" not in client.get("/compte/").text
    client.post("/compte/couleurs/", {"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/compte/").text
    client.post("/compte/couleurs/", {"theme": "mauve"})
    assert 'data-theme="dark"' in client.get("/compte/").text
    client.post("/compte/couleurs/", {"theme": ""})
    assert "data-theme" not in client.get("/compte/").text
