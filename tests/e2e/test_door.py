"""The door and the accounts, as the guides A, B, C and E tell families, each with its own town."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import guides, offer
from tests.e2e.people import lower_than, read_mail, sign_in

pytestmark = pytest.mark.e2e

NADIA, KARIM = "nadia@famille.example", "karim@famille.example"
NEW_PASSWORD = "un cheval mange des cerises"


def prepare_a() -> None:
    """Cadours, with a family that is in and one that an import brought: an address, no user."""
    offer.cadours()
    offer.family(email=NADIA)
    known_only("Haddad", KARIM)


def prepare_b() -> dict[str, Any]:
    guides.load("portes-de-meuse")
    known_only("Haddad", KARIM)
    return {"agent": offer.agent(email="agent@portesdemeuse.example").email}


def prepare_c() -> None:
    guides.valmontier()


def prepare_e() -> dict[str, Any]:
    guides.saint_aubin()
    known_only("Lopez", "paul@famille.example")
    return {"agent": "malika@saint-aubin-du-port.example"}


def known_only(name: str, email: str) -> None:
    from datetime import date

    from marelle.activities.models import Site
    from marelle.families.services import Address, NewChild, NewGuardian, register_household
    from marelle.foundation.audit import PORTAL

    register_household(
        name=name,
        address=Address(street="4 rue Haute", postcode="31480", city="Cadours"),
        guardians=[NewGuardian(first_name="Karim", last_name=name, email=email)],
        children=[
            NewChild(
                first_name="Lina",
                last_name=name,
                birth_date=date(2019, 2, 3),
                school=Site.objects.filter(kind="school").first(),
            )
        ],
        by=PORTAL,
        at=offer.AT,
    )


def households() -> int:
    from marelle.families.models import Household

    return Household.objects.count()


def at_the_door(page: Page, email: str) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse e-mail").fill(email)
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_label("Mot de passe", exact=True)).to_be_visible()


def type_code(page: Page, email: str, subject: str = "code à 6 chiffres") -> None:
    """Read the e-mail in another tab, come back and type the code with its space, as it is pasted."""
    here = page.url
    digits = re.search(r"\b(\d{3} \d{3})\b", read_mail(page, email, subject))
    assert digits is not None
    page.goto(here)
    page.get_by_label("Code à 6 chiffres").fill(digits[1])


def choose_password(page: Page) -> None:
    expect(page.get_by_role("heading", name="Choisissez un mot de passe")).to_be_visible()
    page.get_by_label("Mot de passe", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Enregistrer et entrer").click()
    page.wait_for_url(lambda url: "/connexion/" not in url)


@pytest.mark.row("A1")
def test_guide_a_one_comes_in_by_address_and_password_or_asks_for_one_alone(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    page = any_size(live_portal(prepare_a, at=offer.AT, worker=True))
    page.goto("/connexion/")
    # Those who have no address there find the service's.
    expect(page.get_by_role("link", name="cadours.scolaire@mairie-cadours.example").first).to_be_visible()
    lower_than(page)
    sign_in(page, NADIA)
    expect(page.get_by_role("heading", name="Bonjour Nadia")).to_be_visible()
    page.context.clear_cookies()
    # A guardian asks for a password by themselves: it never travels in clear.
    at_the_door(page, KARIM)
    page.get_by_role("button", name="Recevoir un code").click()
    expect(page.get_by_role("heading", name="Regardez vos e-mails")).to_be_visible()
    lower_than(page)
    axe(page)
    page.get_by_label("Code à 6 chiffres").fill("12")
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("alert")).to_contain_text("Le code a 6 chiffres")
    axe(page)
    # By the keyboard alone: the code, then the password.
    type_code(page, KARIM)
    page.get_by_label("Code à 6 chiffres").press("Enter")
    expect(page.get_by_role("heading", name="Choisissez un mot de passe")).to_be_visible()
    page.get_by_label("Mot de passe", exact=True).press_sequentially(NEW_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bonjour Karim")).to_be_visible()


@pytest.mark.row("B1")
def test_guide_b_the_town_invites_and_the_guardian_chooses_a_password(live_portal, any_size, visit) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_b, at=offer.AT, worker=True)
    desk = visit(portal)
    sign_in(desk, portal.facts["agent"])
    desk.goto("/agents/familles/?q=Haddad")
    desk.get_by_role("link", name="Haddad").first.click()
    desk.get_by_role("button", name=re.compile("^Inviter")).first.click()
    page = any_size(portal)
    link = re.search(r"http\S+(/connexion/lien/\S+)", read_mail(page, KARIM, "espace|invit|portail"))
    assert link is not None
    page.goto(link[1])
    choose_password(page)
    expect(page.get_by_role("heading", name="Bonjour Karim")).to_be_visible()
    lower_than(page)


@pytest.mark.row("C1")
def test_guide_c_what_is_forgotten_is_found_and_address_and_password_are_changed(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_c, at=offer.AT, worker=True)
    page = any_size(portal)
    page.goto("/connexion/")
    expect(page.get_by_text("Votre identifiant est votre adresse e-mail.")).to_be_visible()
    at_the_door(page, NADIA)
    page.get_by_role("button", name="Mot de passe oublié").click()
    expect(page.get_by_role("checkbox", name=re.compile("Choisir un nouveau mot de passe"))).to_be_checked()
    type_code(page, NADIA)
    page.get_by_role("button", name="Continuer").click()
    choose_password(page)
    # Another address, confirmed on both.
    page.goto("/compte/")
    axe(page)
    lower_than(page)
    page.get_by_role("link", name="Changer d’adresse e-mail").click()
    page.get_by_label("Nouvelle adresse e-mail").fill("nadia.b@famille.example")
    page.get_by_role("button", name="Recevoir un code à cette adresse").click()
    axe(page)
    type_code(page, "nadia.b@famille.example")
    page.get_by_role("button", name="Confirmer ma nouvelle adresse").click()
    expect(page.get_by_role("main")).to_contain_text("nadia.b@famille.example")
    assert "/compte/adresse/remettre/" in read_mail(page, NADIA, "adresse de connexion change")
    # Another password.
    page.goto("/compte/")
    page.get_by_role("link", name="Changer de mot de passe").click()
    page.get_by_label("Mot de passe", exact=True).fill(offer.PASSWORD)
    page.get_by_role("button", name="Enregistrer mon mot de passe").click()
    expect(page.get_by_role("main")).to_contain_text("Votre mot de passe est changé")
    page.context.clear_cookies()
    sign_in(page, "nadia.b@famille.example")
    # And a family account is created from the same door.
    page.context.clear_cookies()
    at_the_door(page, KARIM)
    page.get_by_role("button", name="Recevoir un code").click()
    type_code(page, KARIM)
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", name="Créer mon espace", level=1)).to_be_visible()


@pytest.mark.row("E1", "E3")
def test_guide_e_a_known_family_is_activated_and_a_forgotten_password_goes_the_same_way(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_e, at=offer.AT, worker=True)
    page = any_size(portal)
    before = portal.call(households)
    paul = "paul@famille.example"
    at_the_door(page, paul)
    page.get_by_role("button", name="Mot de passe oublié").click()
    # The activation link of the e-mail.
    link = re.search(r"http\S+(/connexion/adresse/\S+)", read_mail(page, paul, "code à 6 chiffres"))
    assert link is not None
    page.goto(link[1])
    page.get_by_role("button", name="Entrer dans mon espace").click()
    choose_password(page)
    expect(page.get_by_role("heading", name="Bonjour Karim")).to_be_visible()
    assert portal.call(households) == before
    # Forgotten: e-mail, link, new password.
    page.context.clear_cookies()
    at_the_door(page, NADIA)
    page.get_by_role("button", name="Mot de passe oublié").click()
    link = re.search(r"http\S+(/connexion/lien/\S+)", read_mail(page, NADIA, "code à 6 chiffres"))
    assert link is not None
    page.goto(link[1])
    choose_password(page)
    page.context.clear_cookies()
    sign_in(page, NADIA, NEW_PASSWORD)


@pytest.mark.row("E2", "S1")
def test_guide_e_a_new_family_gives_its_proof_and_waits_for_an_agent(
    live_portal, any_size, visit, axe, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    from tests.foundation.hostile import photograph

    portal = live_portal(prepare_e, at=offer.AT, worker=True, env={"MARELLE_FILES_DIR": str(tmp_path / "files")})
    page = any_size(portal)
    at_the_door(page, KARIM)
    page.get_by_role("button", name="Recevoir un code").click()
    type_code(page, KARIM)
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", name="Créer mon espace", level=1)).to_be_visible()
    axe(page)
    lower_than(page)
    for label, value in (
        ("Mon prénom", "Karim"),
        ("Mon nom", "Haddad"),
        ("Mon téléphone", "06 12 34 56 78"),
        ("Numéro et rue", "3 quai des Pêcheurs"),
        ("Code postal", "77000"),
        ("Commune", "Saint-Aubin-du-Port"),
    ):
        page.get_by_label(label, exact=True).fill(value)
    child(page, "Mon enfant", "Lina", "2020-02-03")
    page.get_by_role("button", name="Ajouter un enfant").click()
    expect(page.get_by_label("Mon prénom", exact=True)).to_have_value("Karim")
    child(page, "Enfant 2", "Adam", "2018-07-01")
    page.get_by_role("button", name="Créer mon espace").click()
    expect(page.get_by_role("alert")).to_contain_text("Choisissez un mot de passe.")
    axe(page)
    page.get_by_label("Mot de passe", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Créer mon espace").click()
    # Until an agent has accepted, only the dossier.
    expect(page.get_by_role("heading", name="Mon dossier", exact=True)).to_be_visible()
    axe(page)
    lower_than(page)
    page.goto("/planning/")
    expect(page.get_by_role("heading", name="Mon dossier", exact=True)).to_be_visible()
    page.get_by_label("Date écrite sur le justificatif").fill("2026-07-01")
    page.get_by_label("Photo ou PDF").set_input_files(
        {"name": "facture.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    )
    page.get_by_role("button", name="Envoyer mon dossier").click()
    expect(page.get_by_role("alert")).to_contain_text("trop ancien")
    page.get_by_label("Date écrite sur le justificatif").fill("2026-10-05")
    page.get_by_label("Photo ou PDF").set_input_files(
        {"name": "facture.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    )
    page.get_by_role("button", name="Envoyer mon dossier").click()
    expect(page.get_by_role("main")).to_contain_text("Votre dossier est envoyé")
    axe(page)
    # The agent sees who they are and their proof, and accepts.
    desk = visit(portal)
    sign_in(desk, portal.facts["agent"])
    desk.goto("/agents/demandes/")
    desk.get_by_role("link", name=re.compile("Haddad")).first.click()
    main = desk.get_by_role("main")
    expect(main).to_contain_text("Karim Haddad")
    expect(main).to_contain_text("Justificatif de domicile")
    axe(desk)
    desk.get_by_role("button", name=re.compile("^Accepter")).first.click()
    desk.wait_for_load_state()
    assert "Acceptée" in read_mail(page, KARIM, "Votre espace est ouvert")
    page.goto("/")
    expect(page.get_by_role("heading", name="Bonjour Karim")).to_be_visible()
    page.goto("/famille/")
    expect(page.get_by_role("main")).to_contain_text("Lina")


def child(page: Page, group: str, first_name: str, born: str) -> None:
    fields = page.get_by_role("group", name=group)
    fields.get_by_label("Prénom", exact=True).fill(first_name)
    fields.get_by_label("Nom", exact=True).fill("Haddad")
    fields.get_by_label("Date de naissance").fill(born)
    fields.get_by_label("École").select_option("ecole-du-port")


@pytest.mark.row("A1", "C1")
def test_a_second_step_and_another_adult(live_portal, phone, visit) -> None:  # type: ignore[no-untyped-def]
    """An application's code after the password; and the guardian who invites the other one."""
    import base64
    from datetime import UTC, datetime, timedelta

    from marelle.accounts import totp

    portal = live_portal(prepare_a, at=offer.AT, worker=True)
    page = phone(portal)
    sign_in(page, NADIA)
    page.goto("/compte/deuxieme-etape/")
    letters = page.locator(".secretkey").inner_text().replace(" ", "").strip()
    secret = base64.b32decode(letters + "=" * (-len(letters) % 8))
    page.get_by_label("Code de votre application").fill(totp.code_at(secret, totp.step_at(datetime.now(UTC))))
    page.get_by_role("button", name="Activer la deuxième étape").click()
    expect(page.locator(".recovery li")).to_have_count(10)
    lower_than(page)
    page.context.clear_cookies()
    at_the_door(page, NADIA)
    page.get_by_label("Mot de passe", exact=True).fill(offer.PASSWORD)
    page.get_by_role("button", name="Me connecter").click()
    # The clock of the application may be half a minute ahead: that code was not taken yet.
    later = datetime.now(UTC) + timedelta(seconds=totp.STEP)
    page.get_by_label("Code de votre application").fill(totp.code_at(secret, totp.step_at(later)))
    page.get_by_role("button", name="Entrer").click()
    expect(page.get_by_role("heading", name="Bonjour Nadia")).to_be_visible()
    # Another adult.
    page.goto("/famille/inviter/")
    for label, value in (("Son prénom", "Sam"), ("Son nom", "Benali"), ("Son adresse e-mail", "sam@famille.example")):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Envoyer l’invitation").click()
    expect(page.get_by_role("main")).to_contain_text("sam@famille.example")
    sam = visit(portal, size="phone")
    link = re.search(r"http\S+(/famille/rejoindre/\S+)", read_mail(sam, "sam@famille.example", "vous invite"))
    assert link is not None
    sam.goto(link[1])
    sam.get_by_role("button", name="Rejoindre ce foyer").click()
    choose_password(sam)
    expect(sam.get_by_role("heading", name="Bonjour Sam")).to_be_visible()
