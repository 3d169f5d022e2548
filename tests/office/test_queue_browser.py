"""The agents' desk in a browser: the keyboard's path, the phone's two pages, and what axe finds."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import offer
from tests.e2e.people import lower_than, sign_in

pytestmark = pytest.mark.e2e

DAYS = [date(2026, 11, day) for day in (13, 16, 17, 19, 20, 23)]


def prepare() -> dict[str, Any]:
    """Three families whose requests wait, in this order: Oliveira (today), Petit (Friday), Roux (an enrolment)."""
    offer.cadours()
    malika = offer.agent(email="malika@cadours.example")
    numbers = {}
    for name, days in (("Oliveira", [offer.AT.date()]), ("Petit", DAYS), ("Roux", [])):
        who = offer.family(name, [("Léo", "CE1"), ("Zoé", "GS")], at=offer.AT - timedelta(days=20))
        if days:
            offer.enrolled(who, by=malika, at=offer.AT - timedelta(days=19))
            numbers[name] = offer.booked(who, days, at=offer.AT - timedelta(days=3)).number
        else:
            numbers[name] = offer.ask(who, at=offer.AT).number
    return {"agent": malika.email, "numbers": numbers}


def states(number: str) -> list[str]:
    from marelle.requests.models import RequestLine

    return sorted(RequestLine.objects.filter(request=int(number[5:])).values_list("state", flat=True))


@pytest.mark.row("A7")
def test_the_keyboard_answers_a_queue(live_portal: Callable[..., Any], desktop: Callable[..., Page]) -> None:
    portal = live_portal(prepare, at=offer.AT)
    numbers = portal.facts["numbers"]
    page = desktop(portal)
    sign_in(page, portal.facts["agent"])
    page.goto("/agents/demandes/")

    # J goes down the list; A on a row that is not open opens it, and answers nothing.
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_url(re.compile(numbers["Roux"] + "|" + numbers["Petit"]))
    assert portal.call(states, number=numbers["Oliveira"]) == ["pending"] * 2
    second = "Roux" if numbers["Roux"] in page.url else "Petit"

    # The request is said to be open here, without a gesture.
    page.reload()
    expect(page.locator("#detail .detail__head")).to_contain_text("ouverte par vous")

    # R goes to the reason; letters typed in a field are letters.
    page.locator("#detail").focus()
    page.keyboard.press("r")
    expect(page.locator("#motif")).to_be_focused()
    page.keyboard.type("jaka")
    expect(page.locator("#motif")).to_have_value("jaka")

    # A accepts what is open, and the next one has the focus.
    page.locator("#detail").focus()
    page.keyboard.press("a")
    expect(page.locator(".messages")).to_contain_text(f"Famille {second}")
    expect(page.locator("#detail")).to_be_focused()
    assert set(portal.call(states, number=numbers[second])) == {"accepted"}

    # Space ticks a row; the bar counts; "?" tells the keys and Escape closes them.
    page.goto("/agents/demandes/")
    page.keyboard.press("j")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Accepter la demande")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press(" ")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Accepter les 2").click()
    expect(page.locator(".messages")).to_contain_text("2 demandes acceptées.")
    expect(page.get_by_role("heading", name="Rien à traiter")).to_be_visible()


@pytest.mark.row("A7")
def test_the_keys_stay_off_once_turned_off(live_portal: Callable[..., Any], desktop: Callable[..., Page]) -> None:
    portal = live_portal(prepare, at=offer.AT)
    page = desktop(portal)
    sign_in(page, portal.facts["agent"])
    page.goto("/agents/demandes/raccourcis/")
    page.get_by_role("checkbox", name=re.compile("une seule lettre")).uncheck()
    page.get_by_role("button", name="Enregistrer mon choix").click()
    page.wait_for_url(re.compile("/agents/demandes/$"))
    page.keyboard.press("a")
    page.keyboard.press("j")
    expect(page.locator("body")).to_be_focused()
    assert portal.call(states, number=portal.facts["numbers"]["Oliveira"]) == ["pending"] * 2


@pytest.mark.row("A7")
def test_on_a_phone_without_javascript_a_line_is_refused(
    live_portal: Callable[..., Any], phone: Callable[..., Page]
) -> None:
    portal = live_portal(prepare, at=offer.AT)
    number = portal.facts["numbers"]["Oliveira"]
    page = phone(portal, javascript=False)
    sign_in(page, portal.facts["agent"])
    page.goto("/agents/demandes/")
    lower_than(page)
    expect(page.locator("#detail")).to_be_hidden()
    page.get_by_role("link", name="Famille Oliveira").click()
    lower_than(page)
    expect(page.locator("#liste")).to_be_hidden()

    page.get_by_role("group", name=re.compile("Zoé, mardi 10 novembre")).get_by_label("Refuser").check()
    page.get_by_role("button", name="Envoyer ces réponses").click()
    expect(page.get_by_role("heading", name="Il y a un problème")).to_be_visible()
    expect(page.get_by_role("group", name=re.compile("Zoé, mardi 10")).get_by_label("Refuser")).to_be_checked()
    page.get_by_label("Message à la famille").fill("Sortie scolaire.")
    page.get_by_role("button", name="Envoyer ces réponses").click()
    expect(page.locator(".messages")).to_contain_text("1 ligne acceptée, 1 ligne refusée")
    assert portal.call(states, number=number) == ["accepted", "refused"]


@pytest.mark.row("S1")
@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)], ids=["desktop-light", "phone-dark"])
def test_axe_finds_nothing_at_the_desk(
    live_portal: Callable[..., Any], visit: Callable[..., Page], axe: Callable[..., None], size: str, dark: bool
) -> None:
    portal = live_portal(prepare, at=offer.AT)
    numbers = portal.facts["numbers"]
    page = visit(portal, size=size, dark=dark)
    sign_in(page, portal.facts["agent"])
    for address in (
        "/agents/",
        "/agents/?jour=2026-11-11",
        "/agents/demandes/",
        "/agents/demandes/?q=personne",
        f"/agents/demandes/{numbers['Petit']}/",
        f"/agents/demandes/{numbers['Roux']}/",
        "/agents/demandes/?voir=repondues",
        "/agents/demandes/raccourcis/",
    ):
        page.goto(address)
        lower_than(page)
        axe(page)
    page.goto(f"/agents/demandes/{numbers['Petit']}/")
    page.get_by_role("button", name="Tout refuser").click()
    axe(page)
