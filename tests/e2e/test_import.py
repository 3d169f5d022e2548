"""A town brings in its families from a file and invites them: Portes de Meuse (guide B), and guide D's town, where the
invitation leaves when the town decides."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import guides, offer
from tests.e2e.people import lower_than, read_mail, sign_in

pytestmark = pytest.mark.e2e

FILES = Path(__file__).resolve().parent.parent / "families" / "files"
PUPILS, GUARDIANS = FILES / "onde-eleves.csv", FILES / "onde-responsables.csv"
AMINATA = "aminata.keita@famille.example"


def prepare_meuse() -> dict[str, str]:
    guides.load("portes-de-meuse")
    return {"agent": offer.agent("Malika Roux", email="malika@meuse.example").email}


def prepare_alsh() -> dict[str, str]:
    guides.load("espace-famille-alsh")
    return {"agent": offer.agent("Malika Roux", email="malika@rieux.example").email}


def the_day_comes() -> None:
    """What the scheduled round waits for."""
    from marelle.families.models import InvitationRound

    InvitationRound.objects.update(due_at=offer.AT - timedelta(seconds=1))


def hand_in(desk: Page, school: str, *files: Path) -> None:
    desk.goto("/agents/familles/")
    desk.get_by_role("link", name="Importer").click()
    for label, file in zip(("Fichier", "Second fichier d’ONDE"), files, strict=False):
        desk.get_by_label(re.compile("^" + label.replace(" :", r"\s:"))).set_input_files(file)
    desk.get_by_label(re.compile("^École")).select_option(label=school)
    desk.get_by_role("button", name="Voir l’aperçu").click()


def save(desk: Page) -> None:
    desk.get_by_role("button", name=re.compile("^Enregistrer ")).click()
    expect(desk.get_by_role("heading", name="Import enregistré")).to_be_visible()


def choose_password(home: Page, letter: str, hello: str) -> None:
    """From the e-mail's link to home, with a password that only the guardian knows."""
    link = re.search(r"http\S+/connexion/lien/\S+", letter)
    assert link is not None, letter
    home.goto(link[0])
    if home.get_by_label("Mot de passe").count() == 0:
        home.get_by_role("button").filter(has_text=re.compile("mot de passe|Continuer")).first.click()
    home.locator("input[type=password]").first.fill(offer.PASSWORD)
    home.get_by_role("button", name="Enregistrer et entrer").click()
    expect(home.get_by_role("heading", name=hello)).to_be_visible()


@pytest.mark.row("S7")
def test_a_school_s_export_is_looked_at_written_and_undone(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_meuse, at=offer.AT)
    desk = any_size(portal)
    sign_in(desk, portal.facts["agent"])
    hand_in(desk, "Groupe scolaire d’Ancerville", GUARDIANS, PUPILS)

    # The preview says what is found, what is refused and why; nothing is written yet.
    expect(desk.get_by_role("heading", name="Aperçu de l’import")).to_be_visible()
    main = desk.get_by_role("main")
    expect(main).to_contain_text("Rien n’est encore enregistré.")
    refused = desk.get_by_role("row").filter(has_text="Octave Delmas")
    expect(refused).to_contain_text("ce jour n’existe pas")
    expect(refused.get_by_role("cell").first).to_contain_text("5")
    lower_than(desk)
    axe(desk)
    with desk.expect_download() as waiting:
        desk.get_by_role("link", name=re.compile("CSV$")).click()
    assert "Octave Delmas" in waiting.value.path().read_text("utf-8-sig")
    desk.get_by_role("link", name="Deux foyers 1", exact=True).click()
    soraya = desk.get_by_role("row").filter(has_text="Soraya Tarride")
    expect(soraya).to_contain_text("Aminata Keita")
    expect(soraya).to_contain_text("Lucien Tarride")
    desk.goto("/agents/familles/")
    expect(desk.get_by_role("main")).to_contain_text("Aucune famille pour l’instant")
    desk.go_back()

    # All at once; the same file again changes nothing.
    save(desk)
    lower_than(desk)
    axe(desk)
    desk.goto("/agents/familles/?q=soraya")
    expect(desk.get_by_role("main").locator("[data-row]")).to_have_count(2)
    hand_in(desk, "Groupe scolaire d’Ancerville", PUPILS, GUARDIANS)
    expect(desk.get_by_role("link", name=re.compile("^Nouveaux foyers 0"))).to_be_visible()
    expect(desk.get_by_role("link", name="Sans changement 4", exact=True)).to_be_visible()
    desk.get_by_role("button", name="Abandonner cet import").click()
    expect(desk.get_by_role("main")).to_contain_text("Rien n’a été enregistré.")

    # Within the day everything goes back.
    desk.get_by_role("listitem").filter(has_text="Enregistré").get_by_role("link").first.click()
    desk.get_by_role("button", name="Annuler cet import").click()
    expect(desk.get_by_role("main")).to_contain_text("tout est comme avant")
    desk.goto("/agents/familles/")
    expect(desk.get_by_role("main")).to_contain_text("Aucune famille pour l’instant")


@pytest.mark.row("S7")
def test_a_spreadsheet_s_columns_are_matched_once(live_portal, any_size, axe, tmp_path) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_meuse, at=offer.AT)
    desk = any_size(portal)
    sign_in(desk, portal.facts["agent"])
    sheet = tmp_path / "inscrits.csv"
    lines = [
        "Patronyme;Petit nom;Anniversaire;Adulte;Prénom adulte;Contact",
        "Aubry;Lou;01/02/2019;Aubry;Jeanne;j@a.example",
    ]
    sheet.write_bytes("\n".join(lines).encode("cp1252"))
    hand_in(desk, "Groupe scolaire d’Ancerville", sheet)
    expect(desk.get_by_role("heading", name="Associer les colonnes")).to_be_visible()
    lower_than(desk)
    axe(desk)
    for label, column in {
        "Nom de l’enfant": "Patronyme",
        "Prénom de l’enfant": "Petit nom",
        "Date de naissance": "Anniversaire",
        "Responsable 1 : nom": "Adulte",
        "Responsable 1 : prénom": "Prénom adulte",
        "Responsable 1 : adresse e-mail": "Contact",
    }.items():
        desk.get_by_label(re.compile("^" + label.replace(" :", r"\s:"))).select_option(label=column)
    desk.get_by_role("button", name="Voir l’aperçu").click()
    expect(desk.get_by_role("row").filter(has_text="Lou Aubry")).to_contain_text("Jeanne Aubry")
    sheet.write_bytes("\n".join([lines[0], lines[1].replace("Lou", "Max")]).encode("cp1252"))
    hand_in(desk, "Groupe scolaire d’Ancerville", sheet)
    expect(desk.get_by_role("row").filter(has_text="Max Aubry")).to_contain_text("Jeanne Aubry")


@pytest.mark.row("B1")
def test_the_town_invites_the_families_whose_address_it_knows(live_portal, any_size, visit, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_meuse, at=offer.AT, worker=True)
    desk, home = visit(portal), any_size(portal)
    sign_in(desk, portal.facts["agent"])
    hand_in(desk, "Groupe scolaire d’Ancerville", PUPILS, GUARDIANS)
    save(desk)
    desk.get_by_role("link", name="Inviter les familles").click()
    expect(desk.get_by_role("main")).to_contain_text("3 personnes jamais invitées")
    desk.get_by_text("Seulement certaines classes").click()
    desk.get_by_role("checkbox", name=re.compile("CE2 M. Roche")).check()
    desk.get_by_role("button", name="Compter").click()
    axe(desk)
    desk.get_by_role("button", name="Envoyer 2 invitations").click()
    expect(desk.get_by_role("main")).to_contain_text(AMINATA)
    axe(desk)

    # The guardian follows the link, and sets a password known to them alone.
    choose_password(home, read_mail(home, AMINATA, "espace|invit|portail"), "Bonjour Aminata")
    lower_than(home)
    desk.reload()
    expect(desk.get_by_role("listitem").filter(has_text=AMINATA)).to_contain_text("Compte ouvert")
    lucien = desk.get_by_role("listitem").filter(has_text="lucien.tarride")
    expect(lucien).to_contain_text("Envoyé")
    desk.get_by_role("button", name="Renvoyer à 1 personne").click()
    expect(desk.get_by_role("main")).to_contain_text("lucien.tarride@famille.example")
    expect(desk.get_by_role("main")).not_to_contain_text(AMINATA)


@pytest.mark.row("D1")
def test_the_invitation_leaves_when_the_town_decides(live_portal, any_size, visit, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_alsh, at=offer.AT, worker=True)
    desk, home = visit(portal), any_size(portal)
    sign_in(desk, portal.facts["agent"])
    hand_in(desk, "École des Tilleuls", PUPILS, GUARDIANS)
    save(desk)
    desk.get_by_role("link", name="Inviter les familles").click()
    desk.get_by_role("radio", name="À une date").check()
    desk.get_by_label(re.compile("^Jour et heure")).fill("2026-11-12T09:00")
    desk.get_by_role("button", name="Envoyer 3 invitations").click()
    expect(desk.get_by_role("main")).to_contain_text(
        "Rien n’est encore parti. Les invitations partent jeudi 12 novembre"
    )
    expect(desk.get_by_role("button", name="Annuler cet envoi")).to_be_visible()
    axe(desk)
    home.goto(f"/boite-aux-lettres/?a={AMINATA}")
    expect(home.get_by_role("main")).not_to_contain_text("Votre espace")

    portal.call(the_day_comes)
    choose_password(home, read_mail(home, AMINATA, "espace|invit|portail"), "Bonjour Aminata")
    lower_than(home)
    # From then on: their address and the password they chose.
    home.goto("/deconnexion/")
    home.get_by_role("main").get_by_role("button").first.click()
    sign_in(home, AMINATA)
    expect(home.get_by_role("heading", name="Bonjour Aminata")).to_be_visible()
