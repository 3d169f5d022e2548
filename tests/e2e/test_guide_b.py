"""Guide B: the calendars of Portes de Meuse, locked past the limit, each change confirmed by an e-mail."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from tests import guides, offer
from tests.e2e.people import box, lower_than, read_mail, sign_in

pytestmark = pytest.mark.e2e

FRIDAY, MONDAY, TUESDAY = date(2026, 11, 13), date(2026, 11, 16), date(2026, 11, 17)
BEFORE = offer.paris(2026, 11, 2, 9)
#: Thursday at ten: Friday's meal is ordered since nine o'clock.
THURSDAY = offer.paris(2026, 11, 12, 10)
CLAIRE = "claire@famille.example"


def prepare() -> dict[str, str]:
    guides.load("portes-de-meuse", at=BEFORE)
    agent = offer.agent(email="agent@portesdemeuse.example", at=BEFORE)
    who = guides.household("Thomas", {"Alix": "CE2"}, school="ecole-ancerville", email=CLAIRE, at=BEFORE)
    guides.enrol(who, "restaurant", by=agent, at=BEFORE)
    offer.booked(who, [FRIDAY, MONDAY], "restaurant", at=BEFORE)
    return {}


@pytest.mark.row("B3")
def test_a_locked_day_says_why_since_when_and_whom_to_write_to(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=THURSDAY)
    page = any_size(portal)
    sign_in(page, CLAIRE)
    page.goto("/planning/restaurant/?mois=2026-11")
    assert box(page, "vendredi 13 novembre, Alix").count() == 0
    page.goto("/planning/restaurant/jour/2026-11-13/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("Trop tard pour changer en ligne")
    expect(main).to_contain_text(re.compile(r"le délai était jeudi 12\s+novembre, 9\s+h"))
    expect(page.get_by_role("link", name="referent.ancerville@portesdemeuse.example")).to_be_visible()
    # and what can still be said there
    expect(page.get_by_role("link", name="Signaler une absence")).to_be_visible()
    lower_than(page)
    axe(page)


@pytest.mark.row("B4")
def test_each_change_of_a_calendar_is_confirmed_by_an_e_mail_that_lists_it(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=THURSDAY, worker=True)
    page = any_size(portal)
    sign_in(page, CLAIRE)
    page.goto("/planning/restaurant/?mois=2026-11")
    box(page, "lundi 16 novembre, Alix").uncheck(force=True)
    box(page, "mardi 17 novembre, Alix").check(force=True)
    page.get_by_role("button", name=re.compile("^Vérifier")).locator("visible=true").first.click()
    page.get_by_role("button", name="Envoyer ma demande").click()
    expect(page.get_by_role("main")).to_contain_text("C’est réservé")
    number = re.search(r"\d{4}-\d{6}", page.get_by_role("main").inner_text())
    assert number is not None
    text = read_mail(page, CLAIRE, f"Demande n° {number[0]}")
    assert re.search(r"Annulation, lundi 16 novembre\s*:\s*Annulé", text)
    assert re.search(r"Ajout, mardi 17 novembre\s*:\s*Réservé", text)
