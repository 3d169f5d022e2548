"""What guide E says of health: brought up to date first, it opens the services; and what a home says of its child."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import guides, offer
from tests.e2e.people import lower_than, sign_in

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"


def prepare_e() -> dict[str, int]:
    """The town of guide E, and a family that has given no health file."""
    guides.load("tutos")
    who = guides.household("Benali", {"Inès": "CE2", "Tom": "PS"}, school="ecole-du-port", email=NADIA)
    return {"ines": who.children[0].pk, "tom": who.children[1].pk}


def nothing_to_report(page: Page) -> None:
    """Every section answered by its first choice, with the keyboard alone."""
    for name in ("has_allergies", "has_plan", "has_treatments", "has_recommendations", "vaccination"):
        for _n in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == name:
                break
        page.keyboard.press("Space")
    for _n in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Enregistrer la fiche":
            break
    page.keyboard.press("Enter")


@pytest.mark.row("E5")
def test_the_health_file_comes_first_and_the_page_leads_to_it(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_e, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    # The home page says what is missing, and leads to it.
    expect(page.get_by_text("Remplissez la fiche santé : Inès et Tom")).to_be_visible()
    page.get_by_role("link", name=re.compile("Remplir la fiche santé")).click()
    expect(page.get_by_role("heading", name="Fiche santé d’Inès")).to_be_visible()
    # What a yes asks for appears with it; what is forgotten is said, and what was typed stays.
    expect(page.get_by_label("Allergies et réactions")).to_be_hidden()
    page.get_by_role("group", name="Allergies").get_by_label("Oui, à signaler").check()
    page.get_by_label("Allergies et réactions").fill("Arachide : le visage gonfle.")
    page.get_by_role("button", name="Enregistrer la fiche").click()
    expect(page.get_by_role("alert")).to_contain_text("choisissez une réponse")
    expect(page.get_by_label("Allergies et réactions")).to_have_value("Arachide : le visage gonfle.")
    page.get_by_label("Pas de PAI").check()
    for section in ("Traitements", "Recommandations"):
        page.get_by_role("group", name=section).get_by_label("Rien à signaler").check()
    page.get_by_role("group", name="Vaccins obligatoires").get_by_label("À jour", exact=True).check()
    lower_than(page)
    page.get_by_role("button", name="Enregistrer la fiche").click()
    # The brother's comes next: nothing to report, by the keyboard.
    expect(page.get_by_text("Fiche santé à jour : Inès")).to_be_visible()
    expect(page.get_by_text("Il reste la fiche santé à remplir ou à confirmer : Tom")).to_be_visible()
    page.get_by_role("link", name=re.compile("Remplir la fiche santé")).click()
    nothing_to_report(page)
    expect(page.get_by_text("Fiche santé à jour : Tom")).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("fiche santé")).to_have_count(0)
    # It reads back, and who read it is said.
    page.goto(f"/famille/enfants/{portal.facts['ines']}/")
    page.get_by_role("link", name=re.compile("Voir la fiche santé")).click()
    expect(page.locator("main")).to_contain_text("Arachide : le visage gonfle.")
    lower_than(page)
    page.get_by_role("link", name="voir qui a lu").click()
    expect(page.locator("main")).to_contain_text("Nadia Benali")


def test_who_fetches_and_what_is_allowed(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_e, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    page.goto(f"/famille/enfants/{portal.facts['ines']}/")
    page.get_by_role("link", name="Ajouter une personne").click()
    page.get_by_label("Prénom et nom").fill("Karim Haddad")
    page.get_by_label("Lien avec l’enfant").fill("voisin")
    page.get_by_label("Téléphone").fill("06 00 00 00 04")
    expect(page.get_by_label("Du", exact=True)).to_be_hidden()
    page.get_by_label("Certains jours seulement").check()
    page.get_by_label("Du", exact=True).fill("2026-11-23")
    page.get_by_label("Au", exact=True).fill("2026-11-27")
    page.get_by_role("button", name="Enregistrer").click()
    who = page.get_by_role("listitem").filter(has_text="Karim Haddad")
    expect(who).to_contain_text("23–27")
    expect(who).to_contain_text("Pièce d’identité à montrer")
    page.get_by_role("link", name=re.compile("Répondre")).click()
    expect(page.locator("main fieldset").first).to_be_visible()
    for section in page.locator("main fieldset").all():
        section.get_by_label("Oui").check()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("À répondre")).to_have_count(0)
    lower_than(page)
