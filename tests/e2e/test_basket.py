"""The basket as guide D tells it: ticked days wait in it, count for nothing before it is sent, and are never lost."""

import re
from datetime import date

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import guides, offer
from tests.e2e.people import box, lower_than, sign_in

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"
WEEK = "/planning/periscolaire/?semaine=2026-11-23"
MONTH = "/planning/restauration/?mois=2026-11"
TUESDAY_EVENING = "mardi 24 novembre, Inès, Soir"
EMPTY = "Aucun changement. Cochez des jours pour réserver."


def prepare() -> dict[str, str]:
    return {"email": guides.alsh().email}


def prepare_booked() -> dict[str, str]:
    who = guides.alsh()
    malika = offer.User.objects.get(email="malika@rieux.example")
    offer.booked(who, [date(2026, 11, 24)], "periscolaire", by=malika)
    return {"email": who.email}


def taken() -> list[str]:
    """What stands recorded: nothing that only waits in a basket."""
    from marelle.bookings.models import Booking

    return [f"{booking.date} {booking.unit.slug}" for booking in Booking.objects.order_by("date", "unit__position")]


def waiting() -> list[str]:
    from marelle.bookings.models import BasketLine

    return [
        f"{line.act} {line.date} {line.unit.slug}" for line in BasketLine.objects.order_by("date", "unit__position")
    ]


def end_sessions() -> None:
    from marelle.accounts.models import Session

    Session.objects.all().delete()


def button(page: Page, words: str) -> Locator:
    return page.get_by_role("button", name=re.compile(words)).locator("visible=true").first


def notice(page: Page) -> Locator:
    return page.locator("[data-keeping]")


@pytest.mark.row("D6")
def test_ticked_days_wait_in_a_basket_and_count_for_nothing_until_sent(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    page.goto("/planning/verifier/")
    expect(page.get_by_role("main")).to_contain_text(EMPTY)
    page.goto(WEEK)
    expect(page.get_by_role("main")).to_contain_text(EMPTY)

    box(page, TUESDAY_EVENING).check(force=True)
    box(page, "jeudi 26 novembre, Inès, Matin").check(force=True)
    expect(page.locator("[data-request-count]").locator("visible=true").first).to_have_text("2 ajouts")
    button(page, "^Vérifier").click()
    expect(page.get_by_role("main")).to_contain_text("Ajouter mardi 24 novembre")
    expect(page.get_by_role("main")).to_contain_text("Elle n’est pas encore envoyée.")
    lower_than(page)
    axe(page)
    assert portal.call(taken) == []

    # The same basket on another device; leaving this one behind changes nothing.
    other = any_size(portal)
    sign_in(other, NADIA)
    expect(other.get_by_role("main")).to_contain_text("2 changements ne sont pas envoyés")
    other.goto(WEEK)
    expect(box(other, TUESDAY_EVENING)).to_be_checked()
    box(other, "jeudi 26 novembre, Inès, Matin").uncheck(force=True)
    button(other, "^Vérifier").click()
    expect(other.locator(".basketline")).to_have_count(1)
    page.reload()
    expect(page.locator(".basketline")).to_have_count(1)

    button(page, "Envoyer ma demande").click()
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"2026-\d{6}"))
    assert portal.call(taken) == ["2026-11-24 soir"]
    other.goto("/planning/verifier/")
    expect(other.get_by_role("main")).to_contain_text(EMPTY)


@pytest.mark.row("D6")
def test_leaving_the_planning_recalls_what_is_not_sent(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    page.goto(WEEK)
    accueil = page.get_by_role("navigation", name="Navigation principale").get_by_role("link", name="Accueil")
    reminder = page.get_by_role("dialog", name=re.compile("pas envoyé"))

    accueil.click()  # nothing waits, nothing is asked
    page.wait_for_url("**/")
    page.goto(WEEK)
    box(page, TUESDAY_EVENING).check(force=True)
    accueil.click()
    expect(reminder).to_contain_text("Votre changement n’est pas envoyé")
    lower_than(page)
    axe(page)
    reminder.get_by_role("button", name="Rester").click()
    expect(reminder).to_be_hidden()
    accueil.click()  # asked once
    page.wait_for_url("**/")
    expect(page.get_by_role("main")).to_contain_text("1 changement n’est pas envoyé")

    page.goto(WEEK)
    box(page, "jeudi 26 novembre, Inès, Matin").check(force=True)
    accueil.click()
    expect(reminder).to_contain_text("Vos 2 changements ne sont pas envoyés")
    reminder.get_by_role("link", name="Partir, je finirai plus tard").click()
    page.wait_for_url("**/")
    assert portal.call(waiting) == ["book 2026-11-24 soir", "book 2026-11-26 matin"]

    page.goto(WEEK)
    box(page, "jeudi 26 novembre, Inès, Soir").check(force=True)
    accueil.click()
    reminder.get_by_role("button", name="Vérifier et envoyer").click()
    expect(page.get_by_role("heading", name="Vérifiez votre demande")).to_be_visible()
    expect(page.locator(".basketline")).to_have_count(3)


@pytest.mark.row("D6")
def test_signing_out_asks_what_becomes_of_days_ticked_a_moment_ago(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    page.goto(WEEK)
    box(page, TUESDAY_EVENING).check(force=True)
    page.locator(".topbar summary", has_text=re.compile("Nadia|Compte|Mon compte")).first.click()
    page.get_by_role("button", name="Me déconnecter").locator("visible=true").first.click()
    dialog = page.get_by_role("dialog", name="Votre changement n’est pas envoyé")
    dialog.get_by_role("button", name=re.compile("Les garder")).click()
    page.wait_for_url("**/connexion/")
    assert portal.call(waiting) == ["book 2026-11-24 soir"]
    assert page.evaluate("Object.keys(localStorage)") == []


@pytest.mark.row("D6")
def test_a_lost_connection_keeps_the_ticks_and_saves_them_when_it_is_back(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    page.goto(WEEK)
    page.context.set_offline(True)
    box(page, TUESDAY_EVENING).check(force=True)
    expect(notice(page)).to_have_text(re.compile("Pas de connexion. Vos choix sont gardés sur cet appareil."))
    lower_than(page)
    axe(page)

    button(page, "^Vérifier").click()  # the page stays, with its ticks
    expect(notice(page)).to_contain_text("Pas de connexion.")
    expect(box(page, TUESDAY_EVENING)).to_be_checked()
    assert portal.call(waiting) == []

    page.context.set_offline(False)
    expect(notice(page)).to_contain_text("La connexion est revenue. Vos choix sont gardés.")
    assert portal.call(waiting) == ["book 2026-11-24 soir"]
    assert page.evaluate("Object.keys(localStorage)") == []


@pytest.mark.row("D6")
def test_ticks_made_without_a_connection_outlive_the_page(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    page.goto(WEEK)
    page.context.set_offline(True)
    box(page, TUESDAY_EVENING).check(force=True)
    expect(notice(page)).to_contain_text("Pas de connexion.")
    context = page.context
    page.close()  # the telephone puts the page away, without a word
    context.set_offline(False)
    page = context.new_page()
    assert portal.call(waiting) == []

    page.goto(MONTH)
    expect(page.get_by_role("main")).to_contain_text("Vos derniers choix sont retrouvés.")
    assert portal.call(waiting) == ["book 2026-11-24 soir"]
    page.goto(WEEK)
    expect(box(page, TUESDAY_EVENING)).to_be_checked()


@pytest.mark.row("D6")
@pytest.mark.parametrize("javascript", [True, False], ids=["js", "nojs"])
def test_ticks_of_an_ended_session_are_found_after_signing_in(live_portal, any_size, javascript) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = any_size(portal, javascript=javascript)
    sign_in(page, NADIA)
    page.goto(WEEK)
    portal.call(end_sessions)
    box(page, TUESDAY_EVENING).check(force=True)
    button(page, "^Vérifier").click()
    expect(page.get_by_text("Par sécurité, votre session est fermée. Vos choix sont gardés.").first).to_be_visible()
    page.get_by_label("Adresse e-mail").fill(NADIA)
    page.get_by_role("button", name="Continuer").click()
    page.get_by_label("Mot de passe", exact=True).fill(offer.PASSWORD)
    page.get_by_role("button", name=re.compile("Me connecter|Entrer|Se connecter")).first.click()
    expect(page.get_by_role("main")).to_contain_text("Vos derniers choix sont retrouvés.")
    expect(box(page, TUESDAY_EVENING)).to_be_checked()
    assert portal.call(waiting) == ["book 2026-11-24 soir"]


@pytest.mark.row("D8")
def test_unticking_a_day_and_sending_the_basket_asks_to_cancel_it(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare_booked, at=offer.AT)
    page = any_size(portal)
    sign_in(page, NADIA)
    page.goto(WEEK)
    evening = box(page, TUESDAY_EVENING)
    expect(evening).to_be_checked()
    evening.uncheck(force=True)
    expect(box(page, f"{TUESDAY_EVENING}, À annuler")).not_to_be_checked()
    expect(page.locator("[data-request-count]").locator("visible=true").first).to_have_text("1 annulation")
    button(page, "^Vérifier").click()
    expect(page.get_by_role("main")).to_contain_text("Annuler mardi 24 novembre")
    assert portal.call(waiting) == ["cancel 2026-11-24 soir"]
    lower_than(page)
    axe(page)
    button(page, "Envoyer ma demande").click()
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"2026-\d{6}"))
    expect(page.get_by_role("main")).to_contain_text("Annulation")
    page.goto(WEEK)
    expect(page.get_by_role("cell", name=f"{TUESDAY_EVENING}, Annulation en cours")).to_be_visible()
    assert portal.call(waiting) == []
