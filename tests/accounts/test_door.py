import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client

from marelle.accounts.models import SentCode, Session, User
from marelle.accounts.tasks import tick
from marelle.families.models import Household
from marelle.families.services import invite_guardian
from marelle.foundation import postman
from marelle.foundation.audit import PORTAL
from marelle.foundation.models import AuditLine, MailState, OutboxMail
from tests.people import AT, PASSWORD, agent, family, guardian_with_account, queries, town
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("A1")]

NEW_PASSWORD = "un cheval mange des cerises"


@pytest.fixture(autouse=True)
def _town() -> None:
    town()


@pytest.fixture
def household() -> Household:
    return family()


def at_the_door(client: Client, email: str, query: str = "") -> None:
    response = client.post(f"/connexion/{query}", {"email": email})
    assert response.status_code == 302 and response["Location"].startswith("/connexion/mot-de-passe/")


def sign_in(client: Client, email: str, password: str, **more: str):
    at_the_door(client, email)
    return client.post("/connexion/mot-de-passe/", {"password": password, **more})


def post_all(mailoutbox: list[EmailMessage]) -> list[EmailMessage]:
    """What leaves now."""
    before = len(mailoutbox)
    while postman.send_next(now=datetime.now(UTC)):
        pass
    return mailoutbox[before:]


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"http://\S+(/connexion/lien/\S+)", str(mail.body))
    assert found, mail.body
    return found[1]


def test_the_sign_in_page_says_whom_to_ask_for_an_access(client: Client) -> None:
    page = client.get("/connexion/").content.decode()
    assert "mailto:scolaire@cadours.example" in page
    assert "05 00 00 00 01" in page
    assert "Service scolaire" in page


def test_a_guardian_comes_in_with_address_and_password(client: Client, household: Household) -> None:
    guardian_with_account(household)
    response = sign_in(client, "NADIA@example.org ", PASSWORD)
    assert response["Location"] == "/"
    assert client.session["_auth_user_id"]


def test_an_agent_lands_at_the_desk(client: Client) -> None:
    agent()
    assert sign_in(client, "malika@cadours.example", PASSWORD)["Location"] == "/agents/"


def test_the_session_ends_with_the_browser_unless_the_box_is_ticked(client: Client, household: Household) -> None:
    guardian_with_account(household)
    response = sign_in(client, "nadia@example.org", PASSWORD)
    assert not response.cookies["marelle"]["max-age"]
    response = sign_in(Client(), "nadia@example.org", PASSWORD, remember="on")
    assert response.cookies["marelle"]["max-age"] == 30 * 24 * 3600


def test_one_comes_back_to_the_page_one_was_on(client: Client, household: Household) -> None:
    guardian_with_account(household)
    response = client.get("/agents/familles/?q=benali")
    assert response["Location"] == "/connexion/?next=%2Fagents%2Ffamilles%2F%3Fq%3Dbenali"
    page = client.get(response["Location"]).content.decode()
    assert 'name="next" value="/agents/familles/?q=benali"' in page
    response = client.post("/connexion/", {"email": "nadia@example.org", "next": "/agents/familles/?q=benali"})
    response = client.post(response["Location"], {"password": PASSWORD, "next": "/agents/familles/?q=benali"})
    assert response["Location"] == "/agents/familles/?q=benali"


@pytest.mark.parametrize(
    "elsewhere", ["https://example.com/", "//example.com/", "/\\example.com", "javascript:alert(1)", "/connexion/"]
)
def test_one_is_never_sent_elsewhere(client: Client, household: Household, elsewhere: str) -> None:
    guardian_with_account(household)
    at_the_door(client, "nadia@example.org")
    response = client.post("/connexion/mot-de-passe/", {"password": PASSWORD, "next": elsewhere})
    assert response["Location"] == "/"


def test_an_expired_session_is_told_at_the_door(client: Client, household: Household) -> None:
    client.force_login(guardian_with_account(household).user)
    Session.objects.all().delete()
    response = client.get("/agents/familles/")
    assert response["Location"].endswith("&fin=1")
    assert "Par sécurité, votre session est fermée. Vos choix sont gardés." in client.get(response["Location"]).text


def test_a_first_visit_is_not_told_that_it_expired(client: Client) -> None:
    assert "fin=" not in client.get("/agents/familles/")["Location"]
    client.post("/connexion/", {"email": "nadia@example.org"})
    assert "fin=" not in client.get("/agents/familles/")["Location"]


def test_what_was_being_sent_brings_back_to_its_page(client: Client) -> None:
    response = client.post("/famille/foyer/", {}, headers={"Referer": "http://testserver/planning/cantine/"})
    assert response["Location"] == "/connexion/?next=%2Fplanning%2Fcantine%2F"
    response = client.get(
        "/famille/foyer/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/planning/cantine/"}
    )
    assert response["HX-Redirect"] == "/connexion/?next=%2Fplanning%2Fcantine%2F"


def test_a_wrong_password_is_told_the_same_to_known_invited_closed_and_unknown_addresses(
    client: Client, household: Household
) -> None:
    guardian_with_account(household)
    User.objects.create_user(email="invite@example.org", is_active=False)
    User.objects.create_user(email="ferme@example.org", password=PASSWORD, is_active=False, activated_at=AT)
    said = set()
    for address in ("nadia@example.org", "invite@example.org", "ferme@example.org", "personne@example.org"):
        response = sign_in(Client(), address, PASSWORD if address == "ferme@example.org" else "pas celui-ci du tout")
        assert response.status_code == 200
        page = response.content.decode().replace(address, "…")
        said.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page))
    assert len(said) == 1
    assert "Adresse ou mot de passe incorrect." in said.pop()


@pytest.mark.parametrize("address", ["nadia@example.org", "personne@example.org"])
def test_after_five_failures_the_door_stays_shut_for_ten_minutes(household: Household, address: str) -> None:
    guardian_with_account(household)
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False) as clock:
        for _attempt in range(5):
            assert "Adresse ou mot de passe incorrect." in sign_in(Client(), address, "pas celui-ci").text
        shut = "Trop d’essais. Réessayez dans 10 minutes ou appelez le 05 00 00 00 01."
        assert shut in sign_in(Client(), address, PASSWORD).text
        clock.move_to(now + timedelta(minutes=10, seconds=1))
        assert shut not in sign_in(Client(), address, PASSWORD).text


def test_an_invited_guardian_chooses_a_password_and_is_in(client: Client, household: Household, mailoutbox) -> None:
    guardian = household.guardians.get()
    invite_guardian(guardian=guardian, by=PORTAL, at=AT)
    (mail,) = post_all(mailoutbox)
    assert mail.to == ["Nadia Benali <nadia@example.org>"]
    response = client.get(link_in(mail), follow=True)
    assert "Votre adresse <strong>nadia@example.org</strong> est confirmée." in response.text
    assert "lien" not in response.request["PATH_INFO"]
    response = client.post("/connexion/choisir-mon-mot-de-passe/", {"password": NEW_PASSWORD})
    assert response["Location"] == "/"
    user = User.objects.get(email="nadia@example.org")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert user.is_active and user.activated_at and user.check_password(NEW_PASSWORD)
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == ("nadia@example.org", True, True)
    assert AuditLine.objects.filter(action="account.activated", actor_label="Nadia Benali").count() == 1


def test_a_link_serves_once(client: Client, household: Household, mailoutbox) -> None:
    invite_guardian(guardian=household.guardians.get(), by=PORTAL, at=AT)
    path = link_in(post_all(mailoutbox)[0])
    client.get(path)
    client.post("/connexion/choisir-mon-mot-de-passe/", {"password": NEW_PASSWORD})
    other = Client()
    response = other.get(path, follow=True)
    assert response.status_code == 410
    assert "Ce lien n’est plus valable" in response.text
    response = other.post("/connexion/choisir-mon-mot-de-passe/", {"password": "un autre mot de passe"})
    assert response.status_code == 410
    assert User.objects.get(email="nadia@example.org").check_password(NEW_PASSWORD)


def test_following_a_link_changes_nothing(household: Household, mailoutbox) -> None:
    invite_guardian(guardian=household.guardians.get(), by=PORTAL, at=AT)
    path = link_in(post_all(mailoutbox)[0])
    before = list(User.objects.values()), AuditLine.objects.count(), OutboxMail.objects.count()
    for _scanner in range(3):
        Client().get(path, follow=True)
        Client().head(path)
    assert (list(User.objects.values()), AuditLine.objects.count(), OutboxMail.objects.count()) == before


def test_a_link_lasts_seven_days_then_offers_a_new_one(client: Client, household: Household, mailoutbox) -> None:
    invite_guardian(guardian=household.guardians.get(), by=PORTAL, at=AT)
    now = datetime.now(UTC)
    path = link_in(post_all(mailoutbox)[0])
    with time_machine.travel(now + timedelta(days=6, hours=23)):
        assert Client().get(path, follow=True).status_code == 200
    with time_machine.travel(now + timedelta(days=7, minutes=1)):
        response = client.get(path, follow=True)
        assert response.status_code == 410
        assert "Il a plus de 7 jours." in response.text
        assert "nadia@example.org" not in response.text
        response = client.post("/connexion/code/demander/", {"expired": "1"}, follow=True)
        assert "nadia@example.org" not in response.text
        (mail,) = post_all(mailoutbox)
        assert mail.to == ["nadia@example.org"]
        assert client.get(link_in(mail), follow=True).status_code == 200


@pytest.mark.parametrize("path", ["/connexion/lien/MQ/abc-def/", "/connexion/lien/%2E%2E/x/", "/connexion/lien/zz/zz/"])
def test_a_forged_link_opens_nothing(client: Client, path: str) -> None:
    assert client.get(path, follow=True).status_code == 410
    assert client.post("/connexion/choisir-mon-mot-de-passe/", {"password": NEW_PASSWORD}).status_code == 410


def test_a_weak_password_is_refused_in_words(client: Client, household: Household, mailoutbox) -> None:
    invite_guardian(guardian=household.guardians.get(), by=PORTAL, at=AT)
    client.get(link_in(post_all(mailoutbox)[0]))
    response = client.post("/connexion/choisir-mon-mot-de-passe/", {"password": "trop court"})
    assert "<title>Erreur :" in plain_spaces(response.text)
    assert "au minimum 12 caractères" in response.text
    response = client.post("/connexion/choisir-mon-mot-de-passe/", {"password": "nadia@example.org"})
    assert "trop semblable" in response.text
    assert not User.objects.get(email="nadia@example.org").is_active


def digits_in(mail: EmailMessage) -> str:
    found = re.search(r"^ {4}(\d{3} \d{3})$", str(mail.body), re.MULTILINE)
    assert found, mail.body
    return found[1]


def asked_code(client: Client, email: str, **more: str) -> None:
    at_the_door(client, email)
    response = client.post("/connexion/code/demander/", more)
    assert response["Location"].startswith("/connexion/code/")


def test_a_code_brings_in_who_has_a_password(client: Client, household: Household, mailoutbox) -> None:
    guardian_with_account(household)
    asked_code(client, "nadia@example.org", next="/planning/")
    page = client.get("/connexion/code/?next=/planning/").text
    assert "Un message part à <strong>nadia@example.org</strong>." in page
    assert 'autocomplete="one-time-code"' in page and 'inputmode="numeric"' in page
    (mail,) = post_all(mailoutbox)
    response = client.post("/connexion/code/", {"code": digits_in(mail), "next": "/planning/"})
    assert response["Location"] == "/planning/"
    assert client.session["_auth_user_id"]


@pytest.mark.row("E3", "C1")
def test_a_forgotten_password_is_chosen_anew_after_the_code(client: Client, household: Household, mailoutbox) -> None:
    user = guardian_with_account(household).user
    asked_code(client, "nadia@example.org", forgotten="1")
    assert re.search(r'name="new_password"[^>]* checked', client.get("/connexion/code/").text)
    code = digits_in(post_all(mailoutbox)[0]).replace(" ", "")
    response = client.post("/connexion/code/", {"code": code, "new_password": "on"})
    assert response["Location"] == "/connexion/choisir-mon-mot-de-passe/"
    response = client.post(response["Location"], {"password": NEW_PASSWORD, "next": "/planning/"})
    assert response["Location"] == "/planning/"
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert AuditLine.objects.filter(action="account.password_changed").count() == 1
    assert EmailAddress.objects.filter(user=user).count() == 1


@pytest.mark.row("E3", "C1")
def test_the_link_of_the_same_e_mail_chooses_a_password_too(client: Client, household: Household, mailoutbox) -> None:
    user = guardian_with_account(household).user
    asked_code(client, "nadia@example.org")
    response = client.get(link_in(post_all(mailoutbox)[0]), follow=True)
    response = client.post(response.request["PATH_INFO"], {"password": NEW_PASSWORD})
    assert response["Location"] == "/"
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


@pytest.mark.row("E1")
def test_a_guardian_whom_only_the_services_know_is_activated_never_doubled(
    client: Client, household: Household, mailoutbox
) -> None:
    """Their address came with an import, or from an agent: no user, no invitation."""
    assert not User.objects.exists()
    asked_code(client, "nadia@example.org")
    (mail,) = post_all(mailoutbox)
    assert "ouvrir votre espace" in mail.body
    response = client.post("/connexion/code/", {"code": digits_in(mail)})
    assert response["Location"] == "/connexion/choisir-mon-mot-de-passe/"
    response = client.post(response["Location"], {"password": NEW_PASSWORD})
    assert response["Location"] == "/"
    user = User.objects.get()
    assert user.guardian == household.guardians.get() and user.is_active
    assert Household.objects.count() == 1


@pytest.mark.row("E1")
def test_the_activation_link_of_who_has_no_user_opens_with_a_button(
    client: Client, household: Household, mailoutbox
) -> None:
    asked_code(client, "nadia@example.org")
    path = re.search(r"http://\S+?(/connexion/adresse/\S+)", str(post_all(mailoutbox)[0].body))[1]
    for _scanner in range(2):
        Client().get(path, follow=True)
    assert not User.objects.exists()
    other = Client()
    assert "nadia@example.org" in other.get(path, follow=True).text
    assert other.post("/connexion/adresse/")["Location"] == "/connexion/choisir-mon-mot-de-passe/"
    assert other.post("/connexion/choisir-mon-mot-de-passe/", {"password": NEW_PASSWORD})["Location"] == "/"
    # Spent: this address has an account now.
    third = Client()
    assert third.get(path, follow=True).status_code == 410
    assert third.post("/connexion/adresse/").status_code == 410


def test_asking_for_a_code_is_the_same_for_every_address(household: Household, mailoutbox) -> None:
    """Active, invited, known to the services alone, closed, unknown: same pages, same work, one e-mail each."""
    guardian_with_account(household)
    invited = family("Moreau", email="invite@example.org").guardians.get()
    invite_guardian(guardian=invited, by=PORTAL, at=AT)
    family("Lopez", email="connu@example.org")
    User.objects.create_user(email="ferme@example.org", password=PASSWORD, is_active=False, activated_at=AT)
    OutboxMail.objects.all().delete()
    seen, counts, rows, mails = set(), set(), set(), []
    for name in ("nadia", "invite", "connu", "ferme", "personne"):
        client, address = Client(), f"{name}@example.org"
        at_the_door(client, address)
        shown = []

        def ask(client: Client = client, shown: list = shown) -> None:
            shown += [client.post("/connexion/code/demander/"), client.get("/connexion/code/")]

        def try_out(client: Client = client, shown: list = shown) -> None:
            shown += [client.post("/connexion/code/", {"code": f"00000{one}"}) for one in range(6)]

        asked = queries(ask)
        mail = OutboxMail.objects.get(to_address=address)
        rows.add(
            (mail.kind, mail.to_name, mail.household_id, frozenset(mail.context), mail.context["next"], mail.state)
        )
        mails += post_all(mailoutbox)
        counts.add((asked, queries(try_out)))
        pages = "".join(f"{one.status_code} {one.text.replace(address, '…')}" for one in shown)
        seen.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", pages))
    assert len(seen) == 1 and "Ce code n’est plus valable. Demandez-en un nouveau." in seen.pop()
    assert len(counts) == 1
    assert len(rows) == 1
    active, invited_mail, known, closed, unknown = mails
    assert all("votre code à 6 chiffres" in mail.subject for mail in (active, invited_mail, known))
    for mail in (closed, unknown):
        assert mail.subject == "Mairie de Cadours : cette adresse n’est pas connue"
        assert "/connexion/" not in mail.body and not re.search(r"\d{3} \d{3}$", mail.body, re.MULTILINE)
        assert "scolaire@cadours.example" in mail.body and "05 00 00 00 01" in mail.body


def test_a_code_holds_a_quarter_of_an_hour(client: Client, household: Household, mailoutbox) -> None:
    guardian_with_account(household)
    asked_code(client, "nadia@example.org")
    code = digits_in(post_all(mailoutbox)[0])
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15, seconds=1)):
        response = client.post("/connexion/code/", {"code": code})
    assert response.status_code == 422
    assert "<title>Erreur :" in plain_spaces(response.text)
    assert "Ce code n’est plus valable. Demandez-en un nouveau." in response.text
    assert f'value="{code}"' in response.text
    client.post("/connexion/code/demander/", {"again": "1"})
    assert client.post("/connexion/code/", {"code": digits_in(post_all(mailoutbox)[0])})["Location"] == "/"


def test_a_code_takes_five_tries(client: Client, household: Household, mailoutbox) -> None:
    guardian_with_account(household)
    asked_code(client, "nadia@example.org")
    code = digits_in(post_all(mailoutbox)[0])
    wrong = "000000" if code != "000 000" else "111111"
    for _try in range(4):
        assert "Ce n’est pas le code" in client.post("/connexion/code/", {"code": wrong}).text
    assert "Ce code n’est plus valable" in client.post("/connexion/code/", {"code": wrong}).text
    assert "Ce code n’est plus valable" in client.post("/connexion/code/", {"code": code}).text


def test_a_code_serves_once_and_only_the_browser_that_asked(client: Client, household: Household, mailoutbox) -> None:
    guardian_with_account(household)
    asked_code(client, "nadia@example.org")
    code = digits_in(post_all(mailoutbox)[0])
    other = Client()
    asked_code(other, "nadia@example.org")
    assert other.post("/connexion/code/", {"code": code}).status_code == 422
    held = client.session["door_code"]
    assert client.post("/connexion/code/", {"code": code})["Location"] == "/"
    session = Client()
    asked_code(session, "nadia@example.org")
    store = session.session
    store["door_code"] = held
    store.save()
    assert "Ce code n’est plus valable" in session.post("/connexion/code/", {"code": code}).text


@pytest.mark.parametrize("typed", ["12345", "abcdef", "1234567", "١٢٣٤٥٦"])
def test_what_is_no_code_is_told_and_costs_no_try(client: Client, household: Household, typed: str) -> None:
    asked_code(client, "nadia@example.org")
    assert "Le code a 6 chiffres" in client.post("/connexion/code/", {"code": typed}).text
    assert SentCode.objects.get().tries == 0


def test_no_code_is_kept_in_the_database(client: Client, household: Household, mailoutbox) -> None:
    guardian_with_account(household)
    asked_code(client, "nadia@example.org")
    code = digits_in(post_all(mailoutbox)[0])
    kept = repr([list(model.objects.values()) for model in (SentCode, OutboxMail, AuditLine)])
    assert code not in kept and code.replace(" ", "") not in kept


def test_codes_are_not_asked_for_without_end(household: Household) -> None:
    for _attempt in range(5):
        client = Client()
        at_the_door(client, "nadia@example.org")
        assert client.post("/connexion/code/demander/").status_code == 302
    response = client.post("/connexion/code/demander/")
    assert response.status_code == 429
    assert "Trop d’essais. Réessayez dans 10 minutes ou appelez le 05 00 00 00 01." in response.text
    assert OutboxMail.objects.filter(state=MailState.WAITING).count() == 5


def test_what_is_over_is_thrown_away(client: Client, household: Household) -> None:
    asked_code(client, "nadia@example.org")
    assert (SentCode.objects.count(), Session.objects.count()) == (1, 1)
    assert tick(at=AT) == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, hours=1)):
        assert tick(at=AT) == 2
    assert not SentCode.objects.exists() and not Session.objects.exists()


@pytest.mark.row("C1")
def test_the_door_says_that_the_identifier_is_the_address(client: Client) -> None:
    page = client.get("/connexion/").text
    assert "Identifiant ou mot de passe oublié" in page and "Votre identifiant est votre adresse e-mail." in page


def test_an_address_without_an_at_sign_is_told_how(client: Client) -> None:
    response = client.post("/connexion/", {"email": "nadia"})
    assert "<title>Erreur :" in plain_spaces(response.text)
    assert "L’adresse e-mail doit contenir un @, par exemple nom@exemple.fr." in response.text
    assert 'value="nadia"' in response.text


def test_signing_out_takes_a_click_on_a_button(client: Client, household: Household) -> None:
    client.force_login(guardian_with_account(household).user)
    assert client.get("/deconnexion/").status_code == 200
    assert "_auth_user_id" in client.session
    assert client.post("/deconnexion/")["Location"] == "/connexion/"
    assert "_auth_user_id" not in client.session


def test_who_is_in_does_not_stand_at_the_door(client: Client, household: Household) -> None:
    client.force_login(guardian_with_account(household).user)
    assert client.get("/connexion/?next=/planning/")["Location"] == "/planning/"
    assert client.get("/connexion/mot-de-passe/")["Location"] == "/"


def test_the_password_page_needs_an_address_first(client: Client) -> None:
    assert client.get("/connexion/mot-de-passe/?next=/planning/")["Location"] == "/connexion/?next=%2Fplanning%2F"


def test_no_door_page_is_kept_by_a_cache_or_leaks_its_address(client: Client) -> None:
    response = client.get("/connexion/")
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/login/", "/signup/"])
def test_the_library_s_own_pages_are_not_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
