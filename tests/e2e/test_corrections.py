"""Guide B: families check and change their personal data; it counts once the town has validated it."""

import re

import pytest
from playwright.sync_api import expect

from tests import guides, offer
from tests.e2e.people import lower_than, read_mail, sign_in

pytestmark = pytest.mark.e2e

AT = offer.paris(2026, 11, 10, 9)
CLAIRE, REFERENT = "claire@famille.example", "agent@portesdemeuse.example"


def prepare() -> dict[str, int]:
    guides.load("portes-de-meuse", at=AT)
    offer.agent("Malika Roux", email=REFERENT, at=AT)
    who = guides.household("Thomas", {"Alix": "CE2"}, school="ecole-ancerville", email=CLAIRE, at=AT)
    return {"household": who.household.pk}


@pytest.mark.row("B5")
def test_a_change_of_address_counts_once_validated_and_is_told_by_e_mail(live_portal, any_size, visit, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=AT, worker=True)
    page = any_size(portal)
    sign_in(page, CLAIRE)
    page.goto("/famille/")
    page.get_by_role("link", name="Changer d’adresse").click()
    # keyboard only: the first field, then on, then send
    page.get_by_label("Numéro et rue").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("12 rue Neuve")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("55170")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Ancerville")
    page.keyboard.press("Enter")
    main = page.get_by_role("main")
    expect(main).to_contain_text("En attente de validation")
    waiting = page.get_by_role("region", name="Adresse et assurance")
    expect(waiting).to_contain_text(re.compile(r"Vous demandez\s*12 rue Neuve, 55170 Ancerville"))
    expect(waiting).to_contain_text(re.compile(r"Actuellement\s*2 place du Marché, 77000 Valmontier"))
    number = re.search(r"\d{4}-\d{6}", waiting.inner_text())
    assert number is not None
    lower_than(page)
    axe(page)

    desk = visit(portal)
    sign_in(desk, REFERENT)
    desk.goto(f"/agents/demandes/{number[0]}/")
    table = desk.get_by_role("table", name="Avant et après")
    expect(table.get_by_role("row", name=re.compile("Adresse"))).to_contain_text(
        re.compile(r"2 place du Marché, 77000 Valmontier\s*12 rue Neuve, 55170 Ancerville")
    )
    axe(desk)
    desk.get_by_role("button", name=re.compile("^Accepter")).first.click()
    expect(desk.get_by_role("main")).to_contain_text("demande acceptée")

    text = read_mail(page, CLAIRE, rf"Demande n°\s{number[0]}\s: acceptée")
    assert re.search(r"Adresse\s*:\s*Acceptée", text)
    page.goto("/famille/")
    expect(main).not_to_contain_text("En attente de validation")
    expect(page.get_by_role("region", name="Adresse et assurance")).to_contain_text("12 rue Neuve, 55170 Ancerville")


@pytest.mark.row("S3")
def test_an_agent_reads_and_corrects_a_family_on_one_page(live_portal, visit, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=AT)
    desk = visit(portal)
    sign_in(desk, REFERENT)
    address = f"/agents/familles/{portal.facts['household']}/"
    desk.goto(address)
    desk.get_by_role("link", name="Corriger l’adresse et l’assurance").click()
    desk.get_by_label("Numéro et rue").fill("4 rue Haute")
    desk.get_by_role("button", name="Corriger le dossier").click()
    expect(desk.get_by_role("alert")).to_contain_text("Indiquez le motif")
    expect(desk.get_by_label("Numéro et rue")).to_have_value("4 rue Haute")
    desk.get_by_label("Motif").fill("Justificatif vu au guichet.")
    desk.get_by_role("button", name="Corriger le dossier").click()
    expect(desk.get_by_role("region", name="Historique")).to_contain_text("Adresse : 4 rue Haute, 77000 Valmontier")
    desk.get_by_role("link", name="Noter un appel").click()
    desk.get_by_label("Ce qui a été dit").fill("demande les horaires de la garderie.")
    desk.get_by_role("button", name="Noter l’appel").click()
    expect(desk.get_by_role("region", name="Historique")).to_contain_text("demande les horaires")
    axe(desk)
    lower_than(desk)
