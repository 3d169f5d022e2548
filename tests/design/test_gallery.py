"""The gallery in a real browser: what styles and scripts add, and what is left without them."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.plumbing.portals import end, free_port

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("", "units", "week", "components", "door", "staff", "404", "500")
Visit = Callable[..., Page]

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    """The gallery's address; a process of its own, stopped by its id."""
    address = f"http://127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "runserver", "--noreload", "--skip-checks", address.removeprefix("http://")],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.design.gallery.settings"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{address}/404", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        yield address
    finally:
        end(process)


def test_every_page_is_accessible(gallery: str, any_size: Visit, axe: Callable[[Page], None]) -> None:
    page = any_size(gallery, bypass_csp=True)
    for name in PAGES:
        page.goto(f"/{name}")
        in_both_themes(page, axe)


def test_a_town_in_its_colour_is_accessible(gallery: str, desktop: Visit, axe: Callable[[Page], None]) -> None:
    page = desktop(gallery, bypass_csp=True)
    for colour in ("f6c400", "e30613", "7ec8e3", "0a8f3c"):
        page.goto(f"/?colour={colour}")
        in_both_themes(page, axe)


def in_both_themes(page: Page, axe: Callable[[Page], None]) -> None:
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        axe(page)


def test_no_page_scrolls_sideways(gallery: str, desktop: Visit) -> None:
    page = desktop(gallery)
    for name in PAGES:
        page.goto(f"/{name}")
        for width in (1280, 1024, 768, 390, 360, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


def test_icons_come_through_the_policy(gallery: str, desktop: Visit) -> None:
    page = desktop(gallery)
    with page.expect_response("**/icones-*.svg") as drawn:
        page.goto("/")
    assert drawn.value.ok


def test_a_box_is_called_by_date_child_and_state_at_every_size(gallery: str, any_size: Visit) -> None:
    page = any_size(gallery)
    page.goto("/")
    box = page.get_by_role("checkbox", name="jeudi 12 novembre, Inès, Réservé", exact=True)
    expect(box).to_be_checked()
    expect(box).to_have_accessible_description("Modifiable jusqu’à aujourd’hui, 9 h")
    box.press("Space")
    expect(page.get_by_role("checkbox", name="jeudi 12 novembre, Inès, À annuler", exact=True)).not_to_be_checked()


def test_the_difference_is_drawn_without_javascript(gallery: str, any_size: Visit) -> None:
    page = any_size(gallery, javascript=False)
    page.goto("/")
    page.locator("label.tile", has=page.locator("#t-2\\.7\\.2026-11-17")).click()
    expect(page.get_by_role("checkbox", name="mardi 17 novembre, Tom, À ajouter", exact=True)).to_be_checked()
    expect(page.get_by_role("button", name="Vérifier").locator("visible=true").first).to_be_visible()


def test_arrows_walk_and_copy(gallery: str, desktop: Visit) -> None:
    page = desktop(gallery)
    page.goto("/")
    start = page.get_by_role("checkbox", name="lundi 30 novembre, Inès, Libre")
    start.focus()
    start.press("ArrowRight")
    expect(page.get_by_role("checkbox", name="mardi 1er décembre, Inès, Libre")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    copied = page.get_by_role("checkbox", name="mardi 1er décembre, Tom, À ajouter")
    expect(copied).to_be_focused()
    expect(copied).to_be_checked()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("checkbox", name="mardi 24 novembre, Tom, Libre")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("checkbox", name="vendredi 27 novembre, Tom, Refusé")).to_be_focused()
    page.keyboard.press("PageUp")
    expect(page.get_by_role("checkbox", name="jeudi 12 novembre, Inès, Réservé")).to_be_focused()


def test_the_request_follows_the_boxes(gallery: str, desktop: Visit) -> None:
    page = desktop(gallery)
    page.goto("/")
    panel = page.get_by_role("complementary", name="Ma demande")
    expect(panel.locator(".change")).to_have_count(4)
    expect(panel).to_contain_text("+6,40 €")
    page.get_by_role("checkbox", name="mardi 17 novembre, Tom, Libre").press("Space")
    expect(panel.locator(".change")).to_have_count(5)
    expect(panel).to_contain_text("+9,60 €")
    expect(page.get_by_role("status").last).to_have_text("4 ajouts, 1 annulation. Total +9,60 €")
    panel.get_by_role("button", name="Tout remettre comme avant").click()
    expect(panel.locator(".change")).to_have_count(0)
    expect(panel).to_contain_text("Aucun changement")


def test_a_column_menu_acts_on_what_is_shown_and_gives_the_focus_back(gallery: str, any_size: Visit) -> None:
    page = any_size(gallery)
    page.goto("/")
    opener = page.locator("summary", has_text="les mardis")
    opener.click()
    page.get_by_role("button", name="Inès et Tom").locator("visible=true").click()
    for name in ("mardi 17 novembre, Tom", "mardi 1er décembre, Inès", "mardi 1er décembre, Tom"):
        expect(page.get_by_role("checkbox", name=f"{name}, À ajouter")).to_be_checked()
    expect(page.get_by_role("checkbox", name="lundi 30 novembre, Inès, Libre")).not_to_be_checked()
    expect(opener).to_be_focused()
    opener.click()
    page.keyboard.press("Escape")
    expect(page.locator(".menu[open]")).to_have_count(0)
    expect(opener).to_be_focused()


def test_what_was_refused_is_left_out_of_bulk_actions(gallery: str, desktop: Visit) -> None:
    page = desktop(gallery)
    page.goto("/")
    page.locator("summary", has_text="les vendredis").click()
    page.get_by_role("button", name="Inès et Tom").locator("visible=true").click()
    expect(page.get_by_role("checkbox", name="vendredi 27 novembre, Tom, Refusé")).not_to_be_checked()


def test_a_focused_box_is_never_under_the_bars(gallery: str, phone: Visit) -> None:
    page = phone(gallery)
    page.goto("/")
    page.keyboard.press("Tab")
    boxes = page.locator(".tile > input")
    for number in range(boxes.count()):
        boxes.nth(number).focus()
        box, bar = boxes.nth(number).bounding_box(), page.locator(".basketbar").bounding_box()
        assert box is not None and bar is not None
        assert box["y"] + box["height"] <= bar["y"] + 1


def test_targets_are_large_enough_for_a_finger(gallery: str, phone: Visit) -> None:
    page = phone(gallery)
    for name in ("", "units", "week"):
        page.goto(f"/{name}")
        small = page.locator("label.tile").evaluate_all(
            "tiles => tiles.map(t => t.getBoundingClientRect()).filter(r => r.height < 44 || r.width < 24).length"
        )
        assert small == 0
