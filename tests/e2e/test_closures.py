"""A strike at Cadours: an agent announces it in one act, the family reads it everywhere, the agent takes it back."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from tests import offer
from tests.e2e.people import lower_than, read_mail, sign_in

pytestmark = pytest.mark.e2e

NADIA = "nadia@famille.example"
MONDAY = date(2026, 11, 16)


def prepare() -> dict[str, str]:
    offer.cadours()
    malika = offer.agent(email="malika@cadours.example")
    who = offer.family(email=NADIA)
    offer.enrolled(who, by=malika)
    request = offer.booked(who, [MONDAY], by=malika)
    return {"agent": malika.email, "number": request.number}


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_a_strike_is_announced_read_and_taken_back(live_portal, visit, axe, size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT, worker=True)
    desk, home = visit(portal, size=size), visit(portal, size=size)

    # What, whom, when; then who is concerned; then it is done.
    sign_in(desk, portal.facts["agent"])
    desk.goto("/agents/fermetures/")
    desk.get_by_role("main").get_by_role("link", name="Annoncer une fermeture").first.click()
    desk.get_by_role("radio", name="Grève").check()
    desk.get_by_label("Qui est concerné").select_option(label="Toute la commune")
    desk.get_by_label("Le jour, ou le premier jour").fill("2026-11-16")
    desk.get_by_label("Ce que les familles lisent").fill("Les agents du restaurant sont en grève.")
    desk.get_by_role("button", name="Voir qui est concerné").click()
    main = desk.get_by_role("main")
    expect(main).to_contain_text("2 journées annulées")
    expect(main).to_contain_text("Tom Benali")
    lower_than(desk)
    axe(desk)
    desk.get_by_role("button", name="Confirmer et prévenir les familles").click()
    expect(desk.get_by_role("status").or_(main).first).to_contain_text("2 réservations annulées")
    axe(desk)

    # The family: an e-mail, the cell, the sheet of the day, the request.
    sign_in(home, NADIA)
    home.goto("/planning/cantine/?mois=2026-11")
    expect(home.locator(".tile", has_text="Grève").first).to_be_visible()
    axe(home)
    home.goto("/planning/cantine/jour/2026-11-16/")
    expect(home.get_by_role("main")).to_contain_text("Les agents du restaurant sont en grève")
    expect(home.get_by_role("main")).to_contain_text("Annoncé le mardi 10 novembre")
    lower_than(home)
    home.goto(f"/demandes/{portal.facts['number']}/")
    expect(home.get_by_role("main")).to_contain_text("Fermé")
    expect(home.get_by_role("main")).to_contain_text("Les agents du restaurant sont en grève")
    letter = read_mail(visit(portal, size="desktop"), NADIA, "Grève, lundi 16 novembre")
    assert "Inès" in letter and "Tom" in letter and "vous n’avez rien à faire" in letter

    # The strike is called off: everything is as it was.
    desk.get_by_role("link", name="Annuler cette fermeture").click()
    desk.get_by_role("button", name="Annuler la fermeture").click()
    expect(desk.get_by_role("main")).to_contain_text("La fermeture est annulée")
    home.goto("/planning/cantine/?mois=2026-11")
    expect(home.locator(".tile", has_text="Grève")).to_have_count(0)
    expect(home.get_by_role("checkbox", name=re.compile("^lundi 16 novembre, Inès, Réservé"))).to_be_checked()
    read_mail(visit(portal, size="desktop"), NADIA, "Grève.*annulé")
