"""The town's news, the home's blocks and the help, as the guides A, C and D tell of them, each with its own town."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import guides, offer
from tests.e2e.people import lower_than, sign_in

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"
MALIKA = "malika@rieux.example"


def prepare_d() -> None:
    from tests.communication.news import publish

    guides.alsh()
    malika = offer.User.objects.get(email=MALIKA)
    publish("Les tarifs de janvier", by=malika, at=offer.paris(2026, 11, 3, 9), summary="Ce qui change.")


@pytest.mark.row("D2", "S6")
def test_an_agent_tells_of_a_closure_and_the_family_reads_it(live_portal, any_size, visit, axe) -> None:  # type: ignore[no-untyped-def]
    """Guide D: « une page d’accueil où toutes les actualités seront régulièrement mises à jour (informations
    importantes, fermeture exceptionnelle, tarifs, règlements) »."""
    portal = live_portal(prepare_d, at=offer.AT)
    page: Page = any_size(portal)
    sign_in(page, NADIA)
    news = page.get_by_role("region", name="Actualités")
    expect(news.get_by_role("link", name="Les tarifs de janvier")).to_be_visible()

    desk: Page = visit(portal)
    sign_in(desk, MALIKA)
    desk.get_by_role("link", name="Actualités").click()
    desk.get_by_role("link", name="Écrire une actualité").first.click()
    desk.get_by_role("button", name="Publier", exact=True).click()
    expect(desk.get_by_role("alert")).to_contain_text("écrivez un titre.")
    axe(desk)
    desk.get_by_label("Titre").fill("Fermeture exceptionnelle jeudi")
    desk.get_by_label("Résumé sur l’accueil des familles").fill("L’accueil du soir ferme à 17 h.")
    desk.get_by_label("Texte", exact=False).and_(desk.locator("textarea[name=body]")).fill("Venez **avant 17 h**.")
    desk.get_by_role("checkbox", name="École des Tilleuls").check()
    desk.get_by_role("checkbox", name="Bandeau urgent").check()
    desk.get_by_role("button", name="Aperçu").click()
    preview = desk.get_by_role("complementary", name="Ce que voit une famille")
    expect(preview.locator("strong", has_text="avant 17 h")).to_be_visible()
    expect(desk.get_by_label("Titre")).to_have_value("Fermeture exceptionnelle jeudi")
    expect(desk.get_by_role("region", name="Pour qui")).to_contain_text("1 famille, 1 enfant")
    axe(desk)
    desk.get_by_role("button", name="Publier", exact=True).click()
    expect(desk.get_by_role("status")).to_contain_text("Actualité en ligne.")

    page.goto("/planning/periscolaire/?mois=2026-11")
    banner = page.get_by_role("complementary", name="Information urgente")
    expect(banner).to_contain_text("Fermeture exceptionnelle jeudi")
    axe(page)
    lower_than(page)
    # With the keyboard alone: to the page of the news, then back, and read.
    banner.get_by_role("link", name="En savoir plus").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fermeture exceptionnelle jeudi")
    expect(page.locator("main strong", has_text="avant 17 h")).to_be_visible()
    lower_than(page)
    page.get_by_role("link", name="Retour aux actualités").click()
    page.get_by_role("button", name=re.compile("^J’ai lu")).focus()
    page.keyboard.press("Enter")
    expect(banner).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/actualites/$"))
    page.get_by_role("link", name="Mes écoles").click()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("link", name="Toute la ville").click()
    expect(page.get_by_role("article")).to_contain_text("Les tarifs de janvier")
    page.goto("/")
    expect(banner).to_have_count(0)
    expect(news.get_by_role("listitem").first).to_contain_text("Fermeture exceptionnelle jeudi")

    desk.get_by_role("button", name="Retirer").click()
    expect(desk.get_by_role("status")).to_contain_text("Actualité retirée.")
    page.goto("/")
    expect(news).not_to_contain_text("Fermeture exceptionnelle")


@pytest.mark.row("D2")
def test_an_urgent_post_is_read_without_javascript(live_portal, visit) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_d_urgent, at=offer.AT)
    page: Page = visit(portal, size="phone", javascript=False)
    sign_in(page, NADIA)
    page.get_by_role("button", name=re.compile("^J’ai lu")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bonjour")
    expect(page.get_by_role("complementary", name="Information urgente")).to_have_count(0)


def prepare_d_urgent() -> None:
    from tests.communication.news import publish

    guides.alsh()
    publish("Grève", by=offer.User.objects.get(email=MALIKA), at=offer.paris(2026, 11, 9, 9), urgent=True)


def prepare_c() -> None:
    guides.valmontier()


@pytest.mark.row("C2")
def test_the_home_shows_the_guides_blocks(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    """Guide C: « Mes Informations », « Mes Enfants », « Restauration » and « Accueil de loisirs / Périscolaire », each
    with « Les Inscriptions » and « Les Réservations »."""
    page: Page = any_size(live_portal(prepare_c, at=offer.AT))
    sign_in(page, NADIA)
    space = page.get_by_role("region", name="Mon espace")
    axe(page)
    lower_than(page)
    block = space.get_by_role("region", name="Mes informations")
    block.get_by_role("link", name="Voir mes informations").click()
    expect(page).to_have_url(re.compile("/famille/"))
    page.goto("/")
    block = space.get_by_role("region", name="Mes enfants")
    expect(block.get_by_role("listitem")).to_have_count(2)
    block.get_by_role("link", name="Voir la fiche de Inès").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Inès")
    for service, slug in (("Restauration", "restauration"), ("Mercredi", "mercredi"), ("périscolaire", "periscolaire")):
        page.goto("/")
        block = space.get_by_role("region", name=re.compile(service, re.IGNORECASE))
        expect(block).to_contain_text("Acceptées : Inès et Tom")
        block.get_by_role("link", name=re.compile("^Inscrire")).click()
        expect(page).to_have_url(re.compile(rf"/demarches/inscription/.*#s-{slug}$"))
        page.goto("/")
        block.get_by_role("link", name=re.compile("^Réserver")).click()
        expect(page).to_have_url(re.compile(f"/planning/{slug}/"))


def prepare_a(folder: str) -> None:
    from django.conf import settings

    from marelle.townfile import read
    from marelle.towns import beside

    settings.TOWN_FILES_DIR = folder
    offer.cadours()
    beside.keep(read(offer.TOWNS / "cadours.toml"), beside=offer.TOWNS)
    offer.enrolled(offer.family(email=NADIA), by=offer.agent())


@pytest.mark.row("A10")
def test_the_towns_video_and_words_show_how_to_use_the_portal(live_portal, any_size, axe, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Guide A: « une vidéo est disponible sur le portail famille pour vous aider »."""
    folder = str(tmp_path / "town")
    portal = live_portal(prepare_a, at=offer.AT, env={"MARELLE_TOWN_FILES_DIR": folder}, folder=folder)
    page: Page = any_size(portal)
    page.goto("/connexion/")
    page.get_by_role("link", name="Aide", exact=True).click()
    film = page.locator("video")
    expect(film).to_be_visible()
    # The portal itself serves it, and the browser can play it.
    page.wait_for_function("document.querySelector('video').readyState >= 1")
    expect(page.get_by_role("heading", name="Cadours vous explique")).to_be_visible()
    page.get_by_text("Lire ce que dit la vidéo").click()
    expect(page.get_by_text("cochez les jours de chaque enfant, puis envoyez")).to_be_visible()
    axe(page)
    lower_than(page)
    # On each page, its own help at the same place, with whom to call.
    sign_in(page, NADIA)
    for path, topic in (("/planning/cantine/", "planning"), ("/demarches/inscription/", "inscription")):
        page.goto(path)
        aside = page.get_by_role("complementary", name="Aide sur cette page")
        aside.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(aside.get_by_role("link", name=re.compile("05 61"))).to_be_visible()
        axe(page, where="aside.helpline")
        aside.get_by_role("link", name=re.compile("^Lire dans l’aide")).click()
        expect(page).to_have_url(re.compile(f"/aide/#aide-{topic}$"))
        expect(page.locator(f"#aide-{topic}")).to_be_in_viewport()


@pytest.mark.row("D11")
def test_legal_notice_terms_of_use_and_contact(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    """Guide D's footer: « Mentions légales », « Conditions générales d’utilisation », « Contactez-nous »."""
    page: Page = any_size(live_portal(prepare_d, at=offer.AT))
    sign_in(page, NADIA)
    footer = page.get_by_role("contentinfo")
    for link, title in (
        ("Mentions légales", "Mentions légales"),
        ("Conditions d’utilisation", "Conditions d’utilisation"),
        ("Données personnelles", "Données personnelles"),
        (re.compile("^Accessibilité"), "Déclaration d’accessibilité"),
    ):
        footer.get_by_role("link", name=link).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(footer.get_by_role("link", name=re.compile("@"))).to_be_visible()
        axe(page)
        lower_than(page)
    page.get_by_role("link", name="Aide et contact").first.click()
    contact = page.get_by_role("region", name="Nous joindre")
    expect(contact.get_by_role("link").first).to_have_attribute("href", re.compile("^(mailto|tel):"))
