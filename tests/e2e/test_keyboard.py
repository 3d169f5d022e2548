"""The month under the keys, and as a screen reader says it, with guide C's town and two children."""

import re
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from tests import guides, offer
from tests.e2e.people import box, sign_in

pytestmark = pytest.mark.e2e

NOVEMBER = "/planning/restauration/?mois=2026-11"


def prepare() -> dict[str, str]:
    """Thursday 19 November is booked for both children; nothing else is."""
    who = guides.valmontier()
    malika = offer.User.objects.get(email="malika@valmontier.example")
    offer.booked(who, [date(2026, 11, 19)], "restauration", by=malika)
    return {"email": who.email}


def opened(page: Page, email: str) -> Page:
    sign_in(page, email)
    page.goto(NOVEMBER)
    return page


def test_the_keys_walk_tick_and_copy(live_portal, desktop) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = opened(desktop(portal), portal.facts["email"])
    keys = page.keyboard

    box(page, "lundi 23 novembre, Inès").focus()
    keys.press("Tab")  # the boxes stay in the order of the page, each a stop of its own
    expect(box(page, "lundi 23 novembre, Tom")).to_be_focused()
    keys.press("Shift+Tab")
    expect(box(page, "lundi 23 novembre, Inès, Libre")).to_be_focused()

    keys.press("Space")
    expect(box(page, "lundi 23 novembre, Inès, À ajouter")).to_be_checked()
    keys.press("Space")
    expect(box(page, "lundi 23 novembre, Inès, Libre")).not_to_be_checked()

    keys.press("ArrowRight")
    expect(box(page, "mardi 24 novembre, Inès")).to_be_focused()
    keys.press("ArrowRight")  # no canteen on Wednesdays: the next box is Thursday's
    expect(box(page, "jeudi 26 novembre, Inès")).to_be_focused()
    keys.press("ArrowLeft")
    keys.press("ArrowDown")
    expect(box(page, "mardi 24 novembre, Tom")).to_be_focused()
    keys.press("ArrowUp")
    keys.press("ArrowUp")  # the week before
    expect(box(page, "mardi 17 novembre, Tom")).to_be_focused()

    keys.press("Home")
    expect(box(page, "lundi 16 novembre, Inès")).to_be_focused()
    keys.press("End")
    expect(box(page, "vendredi 20 novembre, Tom")).to_be_focused()
    keys.press("PageUp")
    first = page.locator(".grid .tile > input").first
    expect(first).to_be_focused()
    keys.press("PageDown")
    expect(page.locator(".grid .tile > input").last).to_be_focused()

    # Shift and an arrow copy the box's value to the next one: a row of days in a row of keys.
    box(page, "lundi 23 novembre, Tom").focus()
    keys.press("Space")
    for day in ("mardi 24", "jeudi 26", "vendredi 27"):
        keys.press("Shift+ArrowRight")
        expect(box(page, f"{day} novembre, Tom, À ajouter")).to_be_focused()
        expect(box(page, f"{day} novembre, Tom, À ajouter")).to_be_checked()

    menu = page.locator("summary", has_text="les lundis")
    menu.focus()
    keys.press("Enter")
    expect(page.locator(".menu[open]")).to_have_count(1)
    keys.press("Escape")
    expect(page.locator(".menu[open]")).to_have_count(0)
    expect(menu).to_be_focused()


def test_the_grid_may_be_passed_by(live_portal, desktop) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = opened(desktop(portal), portal.facts["email"])
    skip = page.get_by_role("link", name="Passer la grille")
    skip.focus()
    expect(skip).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#apres-grille")).to_be_focused()


def test_each_box_says_its_day_child_state_and_limit(live_portal, any_size) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=offer.AT)
    page = opened(any_size(portal), portal.facts["email"])
    grid = page.get_by_role("table", name=re.compile("novembre 2026", re.I))
    expect(grid).to_be_visible()

    # Date first, then child, then the word that holds now; the same on a phone, where words have left the screen.
    for child in ("Inès", "Tom"):
        expect(grid.get_by_role("checkbox", name=f"lundi 23 novembre, {child}, Libre", exact=True)).not_to_be_checked()
    booked = grid.get_by_role("checkbox", name=re.compile("^jeudi 19 novembre, Inès, Réservé"))
    expect(booked).to_be_checked()
    booked.press("Space")
    expect(grid.get_by_role("checkbox", name=re.compile("^jeudi 19 novembre, Inès, À annuler"))).not_to_be_checked()

    # Within three days of its limit a day says it; a day past it is read, not tabbed to, with the reason.
    expect(grid.get_by_role("checkbox", name=re.compile("^lundi 16 novembre, Inès"))).to_have_accessible_description(
        re.compile(r"^Modifiable jusqu’au? ")
    )
    assert grid.get_by_role("checkbox", name=re.compile("^mardi 10 novembre")).count() == 0
    expect(grid.locator(".tile", has_text="mardi 10 novembre").first).to_contain_text("le délai était")

    # Days are headed, and today is marked.
    for weekday in ("Lundi", "Mardi", "Jeudi", "Vendredi"):
        expect(grid.get_by_role("columnheader", name=re.compile(f"^{weekday}"))).to_have_count(1)
    expect(grid.locator("[aria-current=date]")).to_have_count(1)

    # What a tick changes is said once, a moment after.
    expect(page.get_by_role("status").last).to_have_text(re.compile("1 annulation"))
