"""The family's pages in a browser, with something of everything and at a first visit: nothing for axe to find on a
laptop in the light and on a phone in the dark, nothing sticking out."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from tests import offer
from tests.plumbing.portals import Portal

pytestmark = pytest.mark.e2e

SUNDAY = offer.paris(2026, 11, 1, 10)


def prepare() -> dict[str, str]:
    """A family with something of everything, and one at its first visit; each already signed in."""
    offer.cadours()
    malika = offer.agent()
    benali = offer.family()
    offer.enrolled(benali, by=malika, at=SUNDAY)
    offer.booked(benali, [date(2026, 11, day) for day in (9, 10, 13)], by=malika, at=SUNDAY)
    offer.booked(benali, [date(2026, 11, 12)], children=benali.children[1:])
    offer.accept(offer.ask(benali, "mercredi", usual=(2,)), by=malika)
    offer.refuse(offer.ask(benali, "petites-vacances", children=benali.children[1:]), "Dossier incomplet.", by=malika)
    waiting = offer.ask(benali, "garderie", usual=())
    offer.choose(benali, [date(2026, 11, 19)])
    new = offer.family("Durand", (("Léo", "CP"),), first_name="Paul")
    return {
        "benali": signed_in(benali),
        "new": signed_in(new),
        "number": waiting.number,
    }


def signed_in(who: offer.Family) -> str:
    client = Client()
    client.force_login(who.user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def browse(visit: Callable[..., Page], portal: Portal, who: str, **how: object) -> Page:
    page = visit(portal, **how)
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": portal.facts[who], "url": portal.url}])
    return page


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)], ids=["desktop-light", "phone-dark"])
def test_every_page_is_clean(
    live_portal: Callable[..., Portal],
    visit: Callable[..., Page],
    axe: Callable[..., None],
    size: str,
    dark: bool,
) -> None:
    portal = live_portal(prepare, at=offer.AT)
    number = portal.facts["number"]
    paths = [
        "/",
        "/demarches/",
        "/demarches/inscription/",
        f"/demandes/{number}/",
        f"/demandes/{number}/?envoyee=1",
        f"/demandes/{number}/retirer/",
        "/famille/",
        "/famille/historique/",
    ]
    for who, seen in (("benali", paths), ("new", paths[:3])):
        page = browse(visit, portal, who, size=size, dark=dark)
        for path in seen:
            page.goto(path)
            axe(page)


def test_nothing_sticks_out_of_a_narrow_phone(live_portal: Callable[..., Portal], visit: Callable[..., Page]) -> None:
    portal = live_portal(prepare, at=offer.AT)
    page = browse(visit, portal, "benali", size="phone")
    page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/", "/demarches/", "/demarches/inscription/", "/famille/", "/famille/historique/", "/aide/"):
        page.goto(path)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{path} is {wider} px wider than the screen"


@pytest.mark.row("A2", "A3")
def test_a_child_is_enrolled_by_keyboard_without_scripts(
    live_portal: Callable[..., Portal], visit: Callable[..., Page]
) -> None:
    portal = live_portal(prepare, at=offer.AT)
    page = browse(visit, portal, "new", javascript=False)
    page.goto("/demarches/inscription/")
    canteen = page.get_by_role("checkbox", name="Restauration scolaire, Léo, CP")
    monday = page.get_by_role("group", name="Jours habituels pour Léo").first.get_by_role("checkbox", name="lundi")
    expect(monday).to_be_hidden()
    canteen.focus()
    page.keyboard.press("Space")
    expect(canteen).to_be_checked()
    page.keyboard.press("Tab")
    expect(monday).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("button", name=re.compile("^Continuer")).press("Enter")
    page.get_by_role("checkbox", name=re.compile("J’ai lu et j’accepte")).press("Space")
    page.get_by_role("button", name="Envoyer ma demande d’inscription").press("Enter")
    expect(page.get_by_role("heading", name="Merci, c’est enregistré")).to_be_visible()
    page.goto("/demarches/inscription/")
    expect(page.get_by_role("group", name="Restauration scolaire")).to_contain_text("En attente")
