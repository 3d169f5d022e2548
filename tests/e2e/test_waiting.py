"""A full Wednesday at Cadours’ centre: a family waits, another leaves, the place is offered by e-mail and accepted."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from tests import offer
from tests.e2e.people import box, lower_than, read_mail, sign_in

pytestmark = pytest.mark.e2e

WEDNESDAY = date(2026, 11, 18)
LEO, TOM = "ana.leo@famille.example", "ana.tom@famille.example"


def prepare() -> dict[str, str]:
    """Tom holds the only place of his age on Wednesday 18 November; Léo has none."""
    from marelle.activities.models import OpeningDay

    offer.cadours()
    malika = offer.agent(email="malika@cadours.example")
    day = OpeningDay.objects.filter(unit__service__slug="mercredi", date=WEDNESDAY)
    day.update(capacity=1, ceiling=1)
    for name, email in (("Tom", TOM), ("Léo", LEO)):
        who = offer.family(f"de {name}", [(name, "CE2")], email=email)
        offer.enrolled(who, "mercredi", by=malika)
        if name == "Tom":
            offer.booked(who, [WEDNESDAY], "mercredi")
    return {"agent": malika.email}


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_a_family_waits_and_gets_the_place_that_frees(live_portal, visit, axe, size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT, worker=True)
    home, other = visit(portal, size=size), visit(portal, size="desktop")

    # Ticking the full day means joining its list; the check says so, and how many stand before.
    sign_in(home, LEO)
    home.goto("/planning/mercredi/?mois=2026-11")
    full = box(home, "mercredi 18 novembre")
    full.check(force=True)
    home.get_by_role("button", name=re.compile("^Vérifier")).locator("visible=true").first.click()
    expect(home.get_by_role("main")).to_contain_text("Attendre une place mercredi 18 novembre")
    expect(home.get_by_role("main")).to_contain_text("personne avant Léo")
    home.get_by_role("button", name="Envoyer ma demande").click()
    expect(home.get_by_role("main")).to_contain_text("1ᵉʳ en attente")

    # The rank stands on the planning, and leads to the place's page.
    home.goto("/planning/mercredi/?mois=2026-11")
    home.get_by_role("link", name=re.compile("18 novembre.*Léo.*1ᵉʳ en attente")).click()
    expect(home.get_by_role("heading", name=re.compile("Léo attend une place"))).to_be_visible()
    lower_than(home)
    axe(home)

    # Tom's family withdraws its day; the worker offers the place, and the e-mail leads to its page.
    sign_in(other, TOM)
    other.goto("/planning/mercredi/?mois=2026-11")
    box(other, "mercredi 18 novembre").uncheck(force=True)
    other.get_by_role("button", name=re.compile("^Vérifier")).locator("visible=true").first.click()
    other.get_by_role("button", name="Envoyer ma demande").click()
    text = read_mail(other, LEO, "Une place se libère")
    path = re.search(r"/places/\d+/", text)
    assert path is not None, text

    home.goto("/")
    expect(home.get_by_role("main")).to_contain_text("Une place se libère mercredi 18 novembre pour Léo")
    home.goto(path[0])
    lower_than(home)
    axe(home)
    home.get_by_role("button", name=re.compile("^Accepter")).click()
    expect(home.get_by_role("main")).to_contain_text("C’est réservé")
    home.goto("/planning/mercredi/?mois=2026-11")
    expect(box(home, "mercredi 18 novembre")).to_be_checked()
