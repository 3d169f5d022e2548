"""Too late to cancel: a family says that the children will not come, and the agents know at once."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from tests import guides, offer
from tests.e2e.people import lower_than, read_mail, sign_in

pytestmark = pytest.mark.e2e

MONDAY, FAR = date(2026, 11, 16), date(2026, 12, 10)
BEFORE = offer.paris(2026, 11, 2, 9)
LATE = offer.paris(2026, 11, 16, 8)
NADIA = "nadia@famille.example"


def prepare() -> dict[str, str]:
    """Valmontier: Inès and Tom eat on Monday, which the limit of last Thursday locks."""
    who = guides.valmontier(at=BEFORE)
    malika = offer.agent("Malika Roux", email="malika2@valmontier.example", at=BEFORE)
    offer.booked(who, [MONDAY, FAR], "restauration", by=malika, at=BEFORE)
    return {"agent": malika.email}


def test_two_children_announced_absent_in_one_form(live_portal, any_size, visit, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=LATE, worker=True)
    home = any_size(portal)
    main = home.get_by_role("main")

    # From the locked day's sheet: its boxes are ticked already.
    sign_in(home, NADIA)
    home.goto("/planning/restauration/jour/2026-11-16/")
    home.get_by_role("link", name="Signaler une absence").click()
    for child in ("Inès", "Tom"):
        expect(home.get_by_role("checkbox", name=re.compile(f"lundi 16 novembre.*{child}"))).to_be_checked()
    expect(main).to_contain_text("dès jeudi 10 décembre")
    lower_than(home)
    axe(home)

    # Without a reason the form comes back as it was.
    home.get_by_role("button", name="Vérifier").click()
    expect(home.get_by_role("alert")).to_contain_text("Choisissez une raison.")
    expect(home.get_by_role("checkbox", name=re.compile("lundi 16 novembre.*Tom"))).to_be_checked()
    axe(home)
    home.get_by_role("radio", name="Enfant malade").check()
    home.get_by_label("Un mot pour le service").fill("De retour jeudi")
    home.get_by_role("button", name="Vérifier").click()

    # Told before ten, the town's first day stays due; nothing is recorded yet.
    expect(main).to_contain_text("Elle n’est pas encore signalée.")
    expect(main).to_contain_text("Cette journée sera facturée.")
    lower_than(home)
    axe(home)
    home.get_by_role("button", name="Signaler l’absence").click()
    expect(main).to_contain_text("Les agents la voient déjà")
    expect(main).to_contain_text("Raison : Enfant malade")
    lower_than(home)
    axe(home)
    number = re.search(r"\d{4}-\d{6}", main.inner_text())
    assert number is not None

    # The e-mail lists it, and says nothing of the reason.
    text = read_mail(home, NADIA, "Absence signalée pour Inès et Tom")
    assert "Lundi 16 novembre" in text and "malade" not in text and "jeudi" not in text

    # The agents' day: nobody for lunch, two absences, named.
    desk = visit(portal, size="desktop")
    sign_in(desk, portal.facts["agent"])
    desk.goto("/agents/")
    named = desk.get_by_role("region", name="À savoir ce jour-là")
    expect(named).to_contain_text("Inès Benali")
    expect(named).to_contain_text("Absence signalée")
    axe(desk)
    named.get_by_role("link", name="Tom Benali").click()
    expect(desk.get_by_role("main")).to_contain_text("Enfant malade")
    expect(desk.get_by_role("main")).to_contain_text("De retour jeudi")
    axe(desk)

    # Tom will come after all.
    home.goto(f"/demandes/{number[0]}/")
    home.get_by_role("link", name="Annuler ce signalement").click()
    home.get_by_role("checkbox", name=re.compile("lundi 16 novembre.*Inès", re.I)).uncheck()
    lower_than(home)
    axe(home)
    home.get_by_role("button", name="Annuler ce signalement").click()
    expect(main).to_contain_text("la réservation tient comme avant")
    desk.goto("/agents/")
    expect(named).to_contain_text("Inès Benali")
    expect(named).not_to_contain_text("Tom Benali")


def test_without_javascript(live_portal, visit) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=LATE)
    home = visit(portal, size="phone", javascript=False)
    sign_in(home, NADIA)
    home.goto("/")
    home.get_by_role("link", name="Signaler une absence").click()
    home.get_by_role("checkbox", name=re.compile("lundi 16 novembre.*Inès")).check()
    home.get_by_role("radio", name="Autre raison").check()
    home.get_by_role("button", name="Vérifier").click()
    home.get_by_role("button", name="Signaler l’absence").click()
    expect(home.get_by_role("main")).to_contain_text("Absence signalée")
