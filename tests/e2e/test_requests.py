"""Guide D's tab "Mes demandes": handing in a medical dispensation, following it, reading the answer."""

import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import guides, offer
from tests.e2e.people import lower_than, sign_in

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"
MALIKA = "malika@rieux.example"


def prepare() -> None:
    guides.load("espace-famille-alsh")
    malika = offer.agent("Malika Roux", email=MALIKA)
    from marelle.accounts.models import AgentRole

    AgentRole.objects.filter(user=malika).update(reads_health=True)
    who = guides.household("Benali", {"Inès": "CE2", "Tom": "CP"}, school="ecole-des-tilleuls", email=NADIA)
    guides.enrol(who, "restauration", by=malika)


def photo() -> dict[str, Any]:
    drawn = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(drawn, "JPEG")
    return {"name": "dispense.jpg", "mimeType": "image/jpeg", "buffer": drawn.getvalue()}


@pytest.mark.row("D3")
def test_a_medical_dispensation_is_handed_in_followed_and_answered(live_portal, any_size, visit, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    # The town has its reservations and its requests, and switched its invoices off.
    navigation = page.get_by_role("navigation", name="Navigation principale")
    expect(navigation.get_by_role("link", name="Planning")).to_be_visible()
    expect(navigation.get_by_role("link", name="Factures")).to_have_count(0)
    navigation.get_by_role("link", name="Démarches").click()
    page.get_by_role("link", name="Dispense médicale").click()

    # An empty form says what is missing, at each field, and keeps the rest.
    page.get_by_label("Précisions").fill("Bras cassé, pas de sport.")
    page.get_by_role("button", name="Vérifier").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name=re.compile("choisissez l’enfant", re.IGNORECASE)).click()
    axe(page)
    page.get_by_role("radio", name="Tom").check()
    page.get_by_label("À partir du").fill("2026-11-16")
    page.get_by_role("button", name="Vérifier").click()
    expect(page.get_by_role("heading", name="Vérifiez votre demande")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Bras cassé")
    page.locator("#p-dispense-medicale").set_input_files(photo())
    axe(page)
    page.get_by_role("button", name="Envoyer ma demande").click()
    page.wait_for_url(re.compile(r"/demandes/2026-\d{6}/\?envoyee"))
    expect(page.get_by_role("heading", name="Merci, c’est enregistré")).to_be_visible()
    number = re.search(r"(2026-\d{6})", page.url)[1]  # type: ignore[index]
    lower_than(page)

    # Followed in the list, under its number; a question goes in its thread.
    page.goto("/demarches/#suivre")
    page.locator(f'main a[href*="{number}"]').first.click()
    expect(page.get_by_role("link", name="Dispense médicale")).to_be_visible()
    page.get_by_label("Mon message").focus()
    page.keyboard.type("Faut-il aussi un mot de l’école ?")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Faut-il aussi un mot de l’école ?")
    axe(page)

    # An agent who may read health answers and closes it.
    desk = visit(portal)
    sign_in(desk, MALIKA)
    desk.goto(f"/agents/demandes/{number}/")
    expect(desk.locator("#detail")).to_contain_text("Bras cassé, pas de sport.")
    axe(desk)
    desk.locator("#message").fill("Non, c’est noté jusqu’aux vacances.")
    desk.get_by_role("button", name="Répondre et clore").click()
    expect(desk.locator("main")).to_contain_text("Demande close")

    # The bell says so, with a name; the answer is read where the question was asked.
    page.goto("/")
    page.get_by_role("link", name=re.compile(r"Messages : 1\snon lu")).click()
    page.locator(f'main a[href*="{number}"]').first.click()
    expect(page.locator("#messages")).to_contain_text("Non, c’est noté jusqu’aux vacances.")
    expect(page.locator("main")).to_contain_text("Acceptée")
    page.goto("/")
    expect(page.get_by_role("link", name=re.compile(r"Messages : 0\snon lu"))).to_be_visible()


@pytest.mark.row("D3")
def test_an_attestation_is_had_at_once_without_script(live_portal, visit) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = visit(portal, size="phone", javascript=False)
    sign_in(page, NADIA)
    page.goto("/demarches/")
    page.get_by_role("link", name="Attestation d’inscription").click()
    page.get_by_role("button", name="Obtenir l’attestation d’inscription").click()
    expect(page.locator("main")).to_contain_text("Attestation prête")
    code = re.search(r"code\s([A-Z0-9-]{14})", page.locator("#delivrees").inner_text())[1]  # type: ignore[index]
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(r"Attestation d’inscription\s*, Inès")).click()
    assert download.value.suggested_filename.endswith(".pdf")
    stranger = visit(portal, size="phone", javascript=False)
    stranger.goto("/verifier/")
    stranger.get_by_label("Code de l’attestation").fill(code)
    stranger.get_by_role("button", name="Vérifier").click()
    expect(stranger.get_by_role("heading", name="Attestation authentique")).to_be_visible()
