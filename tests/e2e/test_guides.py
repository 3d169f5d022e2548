"""What the guides C, D and E tell families to do on the planning, each with its own town."""

import re
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from tests import guides, offer
from tests.e2e.people import box, cell, lower_than, send_enrolment, sign_in

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"


def prepare_c() -> None:
    guides.valmontier()


def prepare_d() -> None:
    who = guides.alsh()
    malika = offer.User.objects.get(email="malika@rieux.example")
    guides.enrol(who, "mercredi", "alsh", by=malika)


def prepare_d_two() -> None:
    guides.load("espace-famille-alsh")
    malika = offer.agent("Malika Roux", email="malika@rieux.example")
    who = guides.household("Benali", {"Inès": "CE2", "Tom": "CP"}, school="ecole-des-tilleuls", email=NADIA)
    guides.enrol(who, "periscolaire", by=malika)
    guides.enrol(who, "restauration", by=malika)


def prepare_e() -> None:
    guides.saint_aubin()


def check(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Vérifier")).locator("visible=true").first.click()
    expect(page.get_by_role("heading", name="Vérifiez votre demande")).to_be_visible()


def send(page: Page) -> str:
    check(page)
    page.get_by_role("button", name="Envoyer ma demande").click()
    page.wait_for_url(re.compile(r"/demandes/2026-\d{6}/"))
    return re.search(r"/demandes/(2026-\d{6})/", page.url)[1]  # type: ignore[index]


@pytest.mark.row("C6", "C10")
def test_a_review_then_a_number_then_the_list_and_its_detail(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    """Guide C: Wednesdays are accepted at once, the canteen is asked for; both in one request."""
    page = any_size(live_portal(prepare_c, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/planning/restauration/?mois=2026-11")
    box(page, "jeudi 26 novembre, Inès").check()
    box(page, "vendredi 27 novembre, Inès").check()
    page.goto("/planning/mercredi/?mois=2026-11")
    box(page, "mercredi 25 novembre, Inès, Matin, ").check()
    check(page)
    lines = page.locator(".basketline")
    expect(lines).to_have_count(3)
    # Go back and correct, then validate.
    page.get_by_role("link", name="Modifier").click()
    page.goto("/planning/restauration/?mois=2026-11")
    expect(box(page, "vendredi 27 novembre, Inès")).to_be_checked()
    box(page, "vendredi 27 novembre, Inès").uncheck()
    number = send(page)
    main = page.locator("main")
    expect(main).to_contain_text(number)
    expect(main).to_contain_text("Inès")
    expect(page.get_by_role("listitem").filter(has_text=re.compile(r"mercredi\s25\snovembre"))).to_contain_text(
        "Réservé"
    )
    expect(page.get_by_role("listitem").filter(has_text=re.compile(r"jeudi\s26\snovembre"))).to_contain_text("En cours")
    lower_than(page)
    page.goto("/demarches/")
    row = page.locator(f'main a[href*="{number}"]').first
    expect(page.locator("main")).to_contain_text("En cours")
    row.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert number in page.url
    page.goto("/planning/mercredi/?mois=2026-11")
    expect(box(page, "mercredi 25 novembre, Inès, Matin, Réservé")).to_be_checked()
    page.goto("/planning/restauration/?mois=2026-11")
    expect(box(page, "jeudi 26 novembre, Inès, En cours")).to_be_checked()


@pytest.mark.row("D4")
def test_the_service_with_its_billing_then_the_child(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    page = any_size(live_portal(prepare_d_two, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/planning/")
    services = page.get_by_role("navigation", name="Services")
    services.get_by_role("link", name="Périscolaire").click()
    expect(page.locator(".facts")).to_contain_text("Postfacturation")
    page.goto("/planning/periscolaire/?vue=semaine&semaine=2026-11-16")
    kids = page.get_by_role("group", name="Enfant affiché")
    if kids.is_visible():  # on a phone, one child at a time
        kids.get_by_role("button", name="Tom").click()
        expect(box(page, "lundi 16 novembre, Inès, Soir").locator("visible=true")).to_have_count(0)
    tom = box(page, "lundi 16 novembre, Tom, Soir")
    expect(tom).to_be_visible()
    tom.check()
    send(page)
    expect(page.locator("main")).to_contain_text("Tom")
    lower_than(page)


def prepare_d_states() -> None:
    """After-school care in five of the guide's states; present and absent are said once somebody came or not."""
    who = guides.alsh()
    malika = offer.User.objects.get(email="malika@rieux.example")
    evenings = [date(2026, 11, day) for day in (13, 23, 24)]
    offer.booked(who, evenings, "periscolaire", by=malika)
    offer.refuse(offer.booked(who, [date(2026, 11, 26)], "periscolaire"), "Effectif atteint", by=malika)
    offer.booked(who, [date(2026, 11, 27)], "periscolaire")
    offer.send(who, offer.choose(who, [date(2026, 11, 24)], "periscolaire", wanted=False))


@pytest.mark.row("D5")
def test_the_planning_in_weeks_with_its_states_its_legend_and_previous_today_next(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    page = any_size(live_portal(prepare_d_states, at=offer.paris(2026, 11, 12, 9)))
    sign_in(page, NADIA)
    page.goto("/planning/periscolaire/?mois=2026-11")
    legend = page.get_by_role("list", name="Légende")
    for words in (
        "Libre",
        "Réservé",
        "Demande en cours",
        "Annulation en cours",
        "Refusé",
        "Trop tard pour réserver",
        "Réservé, délai dépassé",
    ):
        expect(legend).to_contain_text(words)
    expect(box(page, "mercredi 18 novembre, Inès")).to_have_count(0)
    expect(box(page, "jeudi 19 novembre, Inès, Soir, Libre")).not_to_be_checked()
    expect(box(page, "lundi 23 novembre, Inès, Soir, Réservé")).to_be_checked()
    expect(cell(page, r"mardi 24\snovembre", "Soir, Annulation en cours")).to_have_count(1)
    expect(box(page, "jeudi 26 novembre, Inès, Soir, Refusé")).not_to_be_checked()
    expect(box(page, "vendredi 27 novembre, Inès, Soir, En cours")).to_be_checked()
    expect(box(page, "vendredi 13 novembre, Inès")).to_have_count(0)
    expect(cell(page, r"vendredi 13\snovembre", "Soir, Réservé")).to_contain_text("Trop tard pour changer en ligne")
    lower_than(page)

    heading = page.get_by_role("heading", level=2).filter(has_text=re.compile("Novembre|Décembre"))
    page.get_by_role("button", name=re.compile("Mois suivant")).click()
    expect(heading.first).to_have_text("Décembre 2026")
    page.get_by_role("button", name="Aujourd’hui").click()
    expect(heading.first).to_have_text("Novembre 2026")
    page.get_by_role("button", name="Semaine", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("9–13\\snov."))).to_be_visible()
    page.get_by_role("button", name=re.compile("Semaine suivante")).click()
    expect(box(page, "jeudi 19 novembre, Inès, Soir, Libre")).to_have_count(1)
    page.get_by_role("button", name=re.compile("Semaine précédente")).click()
    expect(cell(page, r"vendredi 13\snovembre", "Soir, Réservé")).to_contain_text("Trop tard pour changer en ligne")
    lower_than(page)


@pytest.mark.row("D9")
def test_past_the_working_hours_the_portal_refuses_and_names_whom_to_call(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    """48 working hours for after-school care, 5 working days for Wednesdays: on Thursday at 9 h, Monday's morning is
    past its limit, and its evening is not."""
    page = any_size(live_portal(prepare_d, at=offer.paris(2026, 11, 12, 9)))
    sign_in(page, NADIA)
    page.goto("/planning/periscolaire/?mois=2026-11")
    said = page.locator("li", has=page.locator("#jour-2026-11-16")).or_(page.locator("li#jour-2026-11-16"))
    expect(said.first).to_contain_text("Trop tard pour changer en ligne")
    expect(box(page, "vendredi 13 novembre, Inès")).to_have_count(0)
    expect(box(page, "lundi 16 novembre, Inès, Matin")).to_have_count(0)
    expect(box(page, "lundi 16 novembre, Inès, Soir")).to_have_count(1)
    contact = page.locator("section", has_text="Besoin de changer un de ces jours").last
    expect(contact.get_by_role("link").last).to_have_attribute("href", re.compile("^(mailto|tel):"))
    page.goto("/planning/mercredi/?mois=2026-11")
    expect(page.locator("#jour-2026-11-18")).to_contain_text("Trop tard pour changer en ligne")
    expect(box(page, "mercredi 25 novembre, Inès").first).to_be_enabled()
    lower_than(page)


@pytest.mark.row("E8")
def test_a_choice_turns_orange_then_green_when_the_family_validates(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    page = any_size(live_portal(prepare_e, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/planning/cantine/?mois=2026-12")
    free = page.locator('.grid .tile[data-was="free"] > input[value*="2026-12"]')
    count = free.count()
    assert count > 20
    box(page, "jeudi 10 décembre, Inès, Libre").check()
    expect(box(page, "jeudi 10 décembre, Inès, À ajouter")).to_be_checked()
    # « Vous pouvez cocher toutes les activités disponibles »
    page.locator("summary", has_text=re.compile("Tout")).first.click()
    page.get_by_role("button", name=re.compile("Réserver tout|Tout réserver|Réserver tous")).first.click()
    expect(page.locator(".grid input:checked")).to_have_count(count)
    send(page)
    page.goto("/planning/cantine/?mois=2026-12")
    expect(page.locator('.grid .tile[data-was="booked"]')).to_have_count(count)
    expect(box(page, "jeudi 10 décembre, Inès, Réservé")).to_be_checked()


@pytest.mark.row("E9")
@pytest.mark.parametrize("javascript", [True, False], ids=["js", "nojs"])
def test_a_typical_week_reserves_and_the_same_one_cancels(live_portal, any_size, visit, javascript) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_e, at=offer.AT)
    page = any_size(portal) if javascript else visit(portal, size="phone", javascript=False)
    sign_in(page, NADIA)

    def template(press: str) -> None:
        page.goto("/planning/periscolaire/?mois=2026-12")
        page.get_by_role("button", name="Semaine type").click()
        form = page.get_by_role("dialog") if javascript else page.locator("main")
        form.get_by_role("checkbox", name="Inès, Soir, mardi").check()
        form.get_by_role("button", name=press).click()

    template("Remplir le planning")
    expect(page.locator(".messages")).to_contain_text(re.compile(r"mardis? ajoutés?|jours? ajoutés?"))
    send(page)
    page.goto("/planning/periscolaire/?mois=2026-12")
    booked = page.locator('.grid .tile[data-was="booked"]')
    expect(booked).to_have_count(3)
    template("Annuler ces jours")
    expect(page.locator(".messages")).to_contain_text("annul")
    expect(page.locator(".grid input:checked")).to_have_count(0)
    send(page)
    page.goto("/planning/periscolaire/?mois=2026-12")
    expect(booked).to_have_count(0)
    lower_than(page)


@pytest.mark.row("E10")
def test_nursery_canteen_and_after_school_side_by_side(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    page = any_size(live_portal(prepare_e, at=offer.AT))
    sign_in(page, NADIA)
    page.goto("/demarches/inscription/services/")
    nursery = page.get_by_role("checkbox", name=re.compile("Crèche.*Tom"))
    nursery.check()
    expect(page.get_by_role("checkbox", name=re.compile("Crèche.*Inès"))).to_have_count(0)
    send_enrolment(page)
    page.goto("/planning/")
    tabs = page.get_by_role("navigation", name="Services")
    for name in ("Cantine", "Périscolaire", "Crèche"):
        expect(tabs.get_by_role("link", name=name)).to_have_count(1)
    tabs.get_by_role("link", name="Crèche").click()
    expect(page.locator("main")).to_contain_text("inscription")
    expect(page.locator("main input[type=checkbox]")).to_have_count(0)
    lower_than(page)
