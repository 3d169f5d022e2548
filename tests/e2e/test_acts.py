"""The ways to choose days, as the guides C and D tell them, and how many acts (clicks, ticks, fields) tasks take."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import guides, offer
from tests.e2e.people import box, lower_than, sign_in

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"


def prepare_valmontier() -> dict[str, str]:
    return {"email": guides.valmontier().email}


def prepare_alsh() -> dict[str, str]:
    return {"email": guides.alsh().email}


def prepare_booked() -> dict[str, str]:
    from datetime import date

    who = guides.valmontier()
    malika = offer.User.objects.get(email="malika@valmontier.example")
    offer.booked(who, [date(2026, 11, 19)], "restauration", by=malika)
    return {"email": who.email}


class Acts:
    """Counts what a hand does."""

    def __init__(self) -> None:
        self.count = 0

    def click(self, what: Locator) -> None:
        what.locator("visible=true").first.click()
        self.count += 1

    def tick(self, what: Locator, on: bool = True) -> None:
        what.set_checked(on)
        self.count += 1


def button(page: Page, words: str) -> Locator:
    return page.get_by_role("button", name=re.compile(words))


def send(page: Page, acts: Acts) -> None:
    acts.click(button(page, "^Vérifier"))
    acts.click(button(page, "Envoyer ma demande"))
    expect(page.locator("main")).to_contain_text(re.compile(r"2026-\d{6}"))


@pytest.mark.row("C4", "C5")
def test_four_weekdays_of_the_year_for_two_children_take_five_acts(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    page = any_size(live_portal(prepare_valmontier, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/planning/restauration/")
    acts = Acts()
    acts.click(button(page, "Semaine type"))
    form = page.get_by_role("dialog")
    for child in ("Inès", "Tom"):  # the usual days are ticked already
        for day in ("lundi", "mardi", "jeudi", "vendredi"):
            expect(form.get_by_role("checkbox", name=re.compile(f"{child}, {day}"))).to_be_checked()
    acts.tick(form.get_by_role("radio", name=re.compile("À toute l’année scolaire")))
    acts.click(form.get_by_role("button", name="Remplir le planning"))
    expect(page.locator("[data-report]")).to_contain_text("jours ajoutés pour Inès et Tom")
    expect(page.locator("[data-report]")).to_be_focused()
    send(page, acts)
    assert acts.count <= 5


@pytest.mark.row("C7")
def test_cancelling_a_day_for_two_children_takes_four_acts(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    page = any_size(live_portal(prepare_booked, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/planning/restauration/")
    acts = Acts()
    for child in ("Inès", "Tom"):
        acts.tick(box(page, f"jeudi 19 novembre, {child}, Réservé"), on=False)
    expect(box(page, "jeudi 19 novembre, Tom, À annuler")).to_have_count(1)
    send(page, acts)
    assert acts.count <= 4


@pytest.mark.row("D7")
def test_every_tuesday_evening_of_the_year_takes_five_acts(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    page = any_size(live_portal(prepare_alsh, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/planning/periscolaire/")
    acts = Acts()
    acts.click(button(page, "Réserver en vue période"))
    expect(page.get_by_label("Du", exact=True)).to_have_value("2026-11-10")
    acts.tick(page.get_by_role("checkbox", name="Soir, mardi"))
    acts.click(button(page, "Remplir le planning"))
    expect(page.locator("[data-report]")).to_contain_text(re.compile(r"\d+ mardis ajoutés, soir"))
    send(page, acts)
    assert acts.count <= 5
    page.goto("/planning/periscolaire/?vue=semaine&semaine=2027-06-21")
    expect(box(page, "mardi 22 juin, Inès, Soir, En cours")).to_be_checked()


@pytest.mark.row("C4")
@pytest.mark.parametrize("javascript", [True, False], ids=["js", "nojs"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_mondays_a_week_and_everything_each_undone(live_portal, visit, size, javascript) -> None:  # type: ignore[no-untyped-def]
    page = visit(live_portal(prepare_valmontier, at=offer.AT), size=size, javascript=javascript)
    sign_in(page, NADIA)
    page.goto("/planning/restauration/?mois=2026-12")
    report = page.locator(".messages")
    page.locator("summary", has_text=re.compile("les lundis")).click()
    button(page, "Réserver les lundis affichés").click()
    expect(report).to_contain_text(re.compile(r"\d lundis? ajoutés? pour Inès et Tom"))
    expect(box(page, "lundi 7 décembre, Inès")).to_be_checked()
    report.get_by_role("button", name="Annuler").click()
    expect(report).to_contain_text("remis comme avant")
    expect(box(page, "lundi 7 décembre, Inès")).not_to_be_checked()
    box(page, "mardi 1er décembre, Tom").check()
    page.locator("summary", has_text=re.compile(r"du lundi 7\s+décembre")).click()
    page.locator("details[open]").get_by_role("button", name="Réserver la semaine").click()
    expect(report).to_contain_text("4 jours ajoutés pour Inès et Tom")
    expect(box(page, "mardi 1er décembre, Tom")).to_be_checked()
    page.locator("summary", has_text=re.compile("Tout")).first.click()
    button(page, "Tout annuler ce mois-ci").click()
    expect(page.locator(".grid input:checked")).to_have_count(0)
    lower_than(page)


@pytest.mark.row("C9", "C11")
@pytest.mark.parametrize("javascript", [True, False], ids=["js", "nojs"])
def test_the_establishment_the_period_the_week_and_a_units_menu(live_portal, any_size, visit, javascript) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_valmontier, at=offer.AT)
    page = any_size(portal) if javascript else visit(portal, size="phone", javascript=False)
    sign_in(page, NADIA)
    page.goto("/planning/vacances/")
    page.get_by_role("link", name=re.compile("Accueil de loisirs des Rives")).click()
    page.get_by_role("link", name=re.compile("Vacances de Noël")).click()
    expect(page.locator("main")).to_contain_text("Accueil de loisirs des Rives, Vacances de Noël")
    lower_than(page)
    expect(page.get_by_role("heading", level=2, name="21–25 déc.")).to_be_visible()
    expect(box(page, "lundi 21 décembre, Inès, Matin, Libre")).to_have_count(1)
    page.locator("summary", has_text=re.compile("journée avec repas, Tom")).click()
    page.locator("details[open]").get_by_role("button", name="Réserver toute la période").click()
    expect(page.locator(".messages")).to_contain_text(re.compile(r"\d jours ajoutés, journée avec repas pour Tom"))
    expect(box(page, "jeudi 24 décembre, Tom, Journée avec repas")).to_be_checked()
    page.get_by_label("Aller à la semaine").select_option("semaine=2026-12-28")
    button(page, "^Aller$").click()
    expect(box(page, "mardi 29 décembre, Tom, Journée avec repas")).to_be_checked()
    button(page, "Semaine précédente").click()
    page.locator("summary", has_text=re.compile("matin, Inès")).click()
    page.locator("details[open]").get_by_role("button", name="Choisir des jours").click()
    page.get_by_role("checkbox", name="Matin, lundi").check()
    page.get_by_role("radio", name=re.compile("La semaine affichée")).check()
    button(page, "Remplir le planning").click()
    expect(page.locator(".messages")).to_contain_text("1 lundi ajouté, matin pour Inès")
    expect(box(page, "lundi 21 décembre, Inès, Matin")).to_be_checked()


@pytest.mark.row("B2", "D5")
def test_the_keyboard_walks_the_week_and_the_names_say_the_day_first(live_portal, desktop) -> None:  # type: ignore[no-untyped-def]
    page = desktop(live_portal(prepare_valmontier, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/planning/periscolaire/?vue=semaine&semaine=2026-11-16")
    first = box(page, "lundi 16 novembre, Inès, Matin, Libre")
    first.focus()
    page.keyboard.press("Space")
    expect(box(page, "lundi 16 novembre, Inès, Matin, À ajouter")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(box(page, "mardi 17 novembre, Inès, Matin, Libre")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(box(page, "mardi 17 novembre, Tom, Matin, Libre")).to_be_focused()
    page.keyboard.press("End")
    expect(box(page, "mardi 17 novembre, Tom, Soir, Libre")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")  # past the Wednesday, which has no box
    expect(box(page, "jeudi 19 novembre, Inès, Matin, À ajouter")).to_be_focused()
    page.keyboard.press("PageDown")
    expect(box(page, "vendredi 20 novembre, Tom, Soir, Libre")).to_be_focused()
    page.keyboard.press("PageUp")
    expect(box(page, "lundi 16 novembre, Inès, Matin, À ajouter")).to_be_focused()
    menu = page.locator("summary", has_text=re.compile("soir, Tom"))
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details[open]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("details[open]")).to_have_count(0)
    expect(menu).to_be_focused()
    expect(page.get_by_role("columnheader", name="Inès")).to_have_count(1)


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)], ids=["desktop-light", "phone-dark"])
def test_axe_finds_nothing_on_the_new_pages(live_portal, visit, axe, size, dark) -> None:  # type: ignore[no-untyped-def]
    page = visit(live_portal(prepare_valmontier, at=offer.AT), size=size, dark=dark)
    sign_in(page, NADIA)
    for path in (
        "/planning/mercredi/",
        "/planning/vacances/lieu/?lieu=accueil-du-parc",
        "/planning/vacances/?vue=semaine&lieu=accueil-du-parc&periode=2026-2027-noel",
        "/planning/restauration/?vue=periode&periode=annee",
        "/planning/periscolaire/periode/",
        "/planning/mercredi/jour/2026-11-18/",
        "/planning/mercredi/semaine-type/",
    ):
        assert page.goto(path).status == 200, path
        lower_than(page)
        axe(page)


def prepare_meuse() -> dict[str, str]:
    guides.load("portes-de-meuse")
    malika = offer.agent("Malika Roux", email="malika@portesdemeuse.example")
    who = guides.household("Benali", {"Inès": "CE2"}, school="ecole-ancerville", email="nadia@famille.example")
    guides.enrol(who, "mercredi", "centre-montiers", by=malika)
    return {"email": who.email}


@pytest.mark.row("B6")
def test_a_meal_without_its_half_day_is_said_at_the_cell_and_in_the_check(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    """As on paper: the meal is booked with a morning or an afternoon."""
    page = any_size(live_portal(prepare_meuse, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/planning/mercredi/?mois=2026-11")
    expect(page.locator("main")).to_contain_text(re.compile(r"Repas\s*: avec Matin ou Après-midi"))
    meal = box(page, "mercredi 25 novembre, .*Inès, Repas")
    meal.check(force=True)
    told = page.locator("#regles")
    expect(told).to_contain_text(re.compile(r"Se réserve avec\s*: Matin ou Après-midi"))
    expect(meal).to_have_accessible_description(re.compile("Se réserve avec"))
    lower_than(page)
    button(page, "^Vérifier").locator("visible=true").first.click()
    expect(page.locator("#problemes")).to_contain_text(re.compile(r"Se réserve avec\s*: Matin ou Après-midi"))
    expect(button(page, "Envoyer ma demande")).to_have_count(0)
    page.goto("/planning/mercredi/?mois=2026-11")
    expect(meal).to_be_checked()
    box(page, "mercredi 25 novembre, .*Inès, Matin").check(force=True)
    expect(told).not_to_contain_text("Se réserve avec")
    button(page, "^Vérifier").locator("visible=true").first.click()
    expect(page.locator("#problemes")).to_have_count(0)
    button(page, "Envoyer ma demande").click()
    expect(page.locator("main")).to_contain_text(re.compile(r"2026-\d{6}"))
