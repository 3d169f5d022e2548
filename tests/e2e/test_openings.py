"""Cadours’ winter holidays open: the planning says when, the family chooses its e-mail, which leads to the days."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests import offer
from tests.e2e.people import box, lower_than, read_mail, sign_in
from tests.offer import TOWNS, paris

pytestmark = pytest.mark.e2e

OPENS = paris(2026, 12, 26, 8)
BEFORE = OPENS - timedelta(minutes=30)
NADIA = "nadia@famille.example"
PLANNING = "/planning/petites-vacances/"


def prepare() -> dict[str, str]:
    offer.cadours()
    malika = offer.agent(email="malika@cadours.example")
    who = offer.family(email=NADIA)
    offer.enrolled(who, "petites-vacances", by=malika)
    return {"agent": malika.email}


def open_earlier() -> None:
    """Rather than wait for 8:00, the town hall brings the opening forward to 7:15 in its file."""
    from marelle.foundation.clock import now
    from marelle.townfile import read_text
    from marelle.towns.services import load_town

    text = (TOWNS / "cadours.toml").read_text()
    said, sooner = 'opens = { days = 42, at = "08:00" }', 'opens = { days = 42, at = "07:15" }'
    assert text.count(said) == 1
    load_town(read_text(text.replace(said, sooner)), at=now())


@pytest.mark.row("A5")
def test_a_family_hears_that_the_holidays_open_and_reserves(live_portal, any_size, axe) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=BEFORE, worker=True)
    page = any_size(portal)
    sign_in(page, NADIA)

    # Home says when, and leads there; each period of the list says it too.
    expect(page.get_by_role("main")).to_contain_text("Réservations ouvertes à partir du samedi 26 décembre, 8 h")
    page.goto(f"{PLANNING}lieu/")
    expect(page.get_by_role("main")).to_contain_text("ouvre le samedi 26 décembre, 8 h")

    # On the planning: when, and the e-mail, that can be refused and asked for again.
    page.get_by_role("link", name=re.compile("Vacances d’hiver")).click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("Vacances d’hiver : ouvre le samedi 26 décembre, 8 h.")
    expect(main.get_by_role("checkbox")).to_have_count(0)
    lower_than(page)
    axe(page)
    page.get_by_role("button", name="Ne plus me prévenir").click()
    expect(main).to_contain_text("Aucun e-mail ne vous préviendra.")
    axe(page)
    page.get_by_role("button", name="Me prévenir à l’ouverture").click()
    expect(main).to_contain_text("Un e-mail vous préviendra à l’ouverture.")

    # It opens: the worker's e-mail leads to days that can be ticked.
    portal.call(open_earlier)
    text = read_mail(page, NADIA, "Réservations ouvertes : Vacances d’hiver")
    assert "du samedi 6 février au dimanche 21 février" in text
    link = re.search(r"https?://\S*/planning/petites-vacances/\S*", text)
    assert link is not None, text
    parts = urlsplit(link[0])
    page.goto(f"{parts.path}?{parts.query}")
    expect(main).not_to_contain_text("ouvre le")
    box(page, "lundi 8 février, Inès").check(force=True)
    page.get_by_role("button", name=re.compile("^Vérifier")).locator("visible=true").first.click()
    page.get_by_role("button", name="Envoyer ma demande").click()
    expect(main).to_contain_text("lundi 8 février")

    # The office reads that the family was told, once.
    desk = any_size(portal)
    sign_in(desk, portal.facts["agent"])
    desk.goto("/agents/ouvertures/")
    expect(desk.get_by_role("main")).to_contain_text("1 famille prévenue le samedi 26 décembre")
    lower_than(desk)
    axe(desk)
