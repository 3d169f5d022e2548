"""Giving documents as the guides tell it, and the agents' answer."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from marelle.townfile import read_text
from marelle.towns.services import load_town
from tests import guides, offer
from tests.e2e.people import lower_than, read_mail, sign_in
from tests.foundation.hostile import document, photograph

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"


def rieux() -> dict[str, str]:
    guides.alsh()
    return {"agent": offer.agent("Sami Petit", email="sami@rieux.example").email}


def saint_aubin() -> dict[str, str]:
    """The children are in the activities already when the town begins to require their papers."""
    text = (offer.TOWNS / "tutos.toml").read_text(encoding="utf-8")
    load_town(read_text(re.sub(r"^requires = .*$", "", text, flags=re.MULTILINE)), at=offer.AT)
    malika = offer.agent("Malika Roux", email="malika@saint-aubin-du-port.example")
    who = guides.household("Benali", {"Inès": "CE2", "Tom": "PS"}, school="ecole-du-port", email=NADIA)
    guides.enrol(who, "cantine", by=malika)
    load_town(read_text(text), at=offer.AT)
    return {"agent": offer.agent("Sami Petit", email="sami@saint-aubin.example").email}


@pytest.fixture
def papers(tmp_path: Path) -> dict[str, Path]:
    """Files as families have them."""
    made = {
        "dispense.heic": photograph("HEIF"),
        "dossier.pdf": document(pages=2),
        "assurance.jpg": photograph(),
        "lettre.docx": b"PK\x03\x04 a letter",
    }
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in made}


@pytest.mark.row("D3")
def test_a_medical_dispensation_and_the_years_file(live_portal, any_size, visit, axe, papers) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(rieux, worker=True)
    home = any_size(portal)
    main = home.get_by_role("main")
    sign_in(home, NADIA)
    home.goto("/demarches/")
    home.get_by_role("link", name=re.compile("Donner un document")).click()
    expect(main).to_contain_text("Rien n’est demandé pour l’instant")
    axe(home)

    # A photograph of the telephone: it leaves as soon as it is chosen, and says so.
    home.get_by_text("Donner un autre document").click()
    home.get_by_role("link", name=re.compile("Inès.*: Dispense médicale")).click()
    lower_than(home)
    axe(home)
    home.get_by_label("Choisir un fichier : Dispense médicale, Inès").set_input_files(papers["lettre.docx"])
    expect(main).to_contain_text("Ce fichier n’est ni une photo ni un PDF.")
    expect(home.get_by_role("alert")).to_contain_text("Dispense médicale, Inès")
    axe(home)
    home.get_by_label("Choisir un fichier : Dispense médicale, Inès").set_input_files(papers["dispense.heic"])
    given = home.get_by_role("row", name=re.compile("Dispense médicale"))
    expect(given).to_contain_text("En vérification")
    expect(home.get_by_role("heading", name="À donner")).to_be_focused()
    expect(home.get_by_role("alert")).to_have_count(0)

    home.get_by_text("Donner un autre document").click()
    home.get_by_role("link", name=re.compile("Inès.*: Dossier de l’année scolaire")).click()
    home.get_by_label(re.compile("Choisir un fichier.*Dossier de l’année scolaire")).set_input_files(
        papers["dossier.pdf"]
    )
    expect(home.get_by_role("row", name=re.compile("Dossier de l’année scolaire"))).to_contain_text("En vérification")
    lower_than(home)
    axe(home)

    # One request, two documents: the agent reads them beside the answer.
    desk = visit(portal, size="desktop")
    sign_in(desk, portal.facts["agent"])
    desk.goto("/agents/demandes/?voir=pieces")
    desk.get_by_role("link", name=re.compile("Famille Benali")).first.click()
    picture = desk.get_by_role("img", name="Photo : Dispense médicale, Inès")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 0
    axe(desk)
    lines = desk.get_by_role("group", name=re.compile("Dispense médicale"))
    lines.get_by_label("Refuser").check()
    lines.get_by_label("Motif pour cette ligne").fill("La date est illisible.")
    desk.get_by_role("button", name="Envoyer ces réponses").click()
    expect(desk.get_by_role("main")).to_contain_text("1 ligne acceptée, 1 ligne refusée")

    # The family reads why, and gives it again.
    text = read_mail(home, NADIA, "demande n°|Réponse")
    assert "La date est illisible." in text
    expect(home.frame_locator("iframe[title='Le message mis en page']").get_by_role("heading", level=1)).to_be_visible()
    home.goto("/")
    home.goto("/documents/")
    expect(home.get_by_role("row", name=re.compile("Dossier de l’année scolaire"))).to_contain_text("Accepté")
    expect(home.get_by_role("row", name=re.compile("Dispense médicale"))).to_contain_text("La date est illisible.")
    lower_than(home)
    axe(home)

    # The date could be read after all: the agent takes the answer back, the family reads that it waits again.
    desk.goto("/agents/demandes/?voir=repondues")
    desk.get_by_role("link", name=re.compile("Famille Benali")).first.click()
    desk.get_by_text("Reprendre une réponse donnée par erreur").click()
    axe(desk)
    lower_than(desk)
    desk.get_by_role("checkbox", name=re.compile("Dispense médicale")).check()
    desk.get_by_role("button", name="Reprendre la réponse").click()
    expect(desk.get_by_role("main")).to_contain_text("La réponse est reprise : le document attend à nouveau.")
    assert "a été donnée par erreur" in read_mail(home, NADIA, "réponse reprise")
    home.goto("/documents/")
    expect(home.get_by_role("row", name=re.compile("Dispense médicale"))).to_contain_text("En vérification")


@pytest.mark.row("E6")
def test_the_papers_that_activities_require(live_portal, any_size, visit, axe, papers) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(saint_aubin)
    home = any_size(portal)
    main = home.get_by_role("main")
    home.on("filechooser", lambda chooser: None)  # listened to from now on: Chromium is told late when asked in passing
    sign_in(home, NADIA)
    expect(main).to_contain_text("3 documents à donner")
    home.goto("/documents/")
    expect(main).to_contain_text("Attestation d’assurance scolaire 2026-2027")
    lower_than(home)
    axe(home)

    # With the keyboard, one file at a time.
    chooser = home.get_by_label(re.compile("Choisir un fichier.*Attestation d’assurance scolaire .*Inès"))
    chooser.focus()
    with home.expect_file_chooser() as choosing:
        home.keyboard.press("Enter")
    choosing.value.set_files(papers["assurance.jpg"])
    expect(main).to_contain_text("2 documents")
    expect(home.get_by_role("row", name=re.compile("Attestation d’assurance"))).to_contain_text("En vérification")

    # Without any script, the others at once: what is good is kept.
    plain = visit(portal, javascript=False)
    sign_in(plain, NADIA)
    plain.goto("/documents/")
    plain.get_by_label(re.compile("Choisir un fichier.*Attestation d’assurance scolaire .*Tom")).set_input_files(
        papers["lettre.docx"]
    )
    plain.get_by_label(re.compile("Choisir un fichier.*Attestation de quotient")).set_input_files(
        [papers["assurance.jpg"], papers["dispense.heic"]]
    )
    plain.get_by_role("button", name="Envoyer les fichiers choisis").click()
    expect(plain.get_by_role("alert")).to_contain_text("Tom : ce fichier n’est ni une photo ni un PDF.")
    expect(plain.get_by_role("main")).to_contain_text("Bien reçu : Attestation de quotient familial")
    lower_than(plain)

    # Recto, then verso, taken by the telephone: they wait for each other, and are one document.
    phone = visit(portal, size="phone")
    sign_in(phone, NADIA)
    phone.goto("/documents/")
    camera = phone.get_by_label(re.compile("Prendre une photo.*Attestation d’assurance scolaire .*Tom"))
    camera.set_input_files(papers["assurance.jpg"])
    expect(phone.locator(".shots")).to_contain_text("1 photo prise")
    expect(phone.get_by_role("button", name="Envoyer", exact=True)).to_be_focused()
    camera.set_input_files(papers["assurance.jpg"])
    expect(phone.locator(".shots")).to_contain_text("2 photos prises")
    lower_than(phone)
    axe(phone)
    phone.get_by_role("button", name="Envoyer", exact=True).click()
    expect(phone.get_by_role("row", name=re.compile("Attestation d’assurance scolaire.*Tom"))).to_contain_text(
        "En vérification"
    )

    # The agent sees every page, and accepts for the whole year.
    desk = visit(portal, size="desktop")
    sign_in(desk, portal.facts["agent"])
    desk.goto("/agents/demandes/?voir=pieces")
    desk.get_by_role("link", name=re.compile("Famille Benali")).first.click()
    pages = desk.locator("iframe.paper__sheet").first.get_attribute("src")
    assert pages is not None and desk.request.get(portal.url + pages).body().count(b"/DCTDecode") == 2
    desk.get_by_role("button", name="Tout accepter").click()
    home.goto("/documents/")
    for name in ("Inès", "Tom"):
        row = home.get_by_role("row", name=re.compile(f"Attestation d’assurance.*{name}"))
        expect(row).to_contain_text("août 2027")
    expect(main).to_contain_text("Rien n’est demandé pour l’instant")
