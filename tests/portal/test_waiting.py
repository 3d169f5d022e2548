"""Waiting for a place, as a family and an agent read it."""

import re

import pytest
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.bookings.models import Booking
from marelle.bookings.services.waiting import tick
from marelle.townfile.town import WaitingList
from tests.bookings.test_waiting import HOUR, WEDNESDAY, arrive, free_the_place, small, with_list
from tests.offer import AT, Family, agent, booked, cadours, choose
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db


@pytest.fixture
def malika() -> User:
    cadours()
    small()
    return agent()


@pytest.fixture
def two(malika: User) -> tuple[Family, Family]:
    """One family holds the only place of the Wednesday; the other has nothing yet."""
    first, second = arrive("Un", by=malika), arrive("Deux", by=malika)
    booked(first, [WEDNESDAY], "mercredi", by=malika)
    return first, second


def tick_the_full_day(screen: Screen) -> str:
    """Tick the Wednesday on the month of November and go to the check, as the form does without JavaScript."""
    screen.go("/planning/mercredi/?mois=2026-11")
    key = next(k for k in re.findall(r'name="want" value="([^"]+)"', screen.markup) if k.endswith("2026-11-18"))
    seen = re.findall(r'name="seen" value="([^"]*)"', screen.markup)
    return screen.post("/planning/mercredi/", {"mois": "2026-11", "seen": seen, "want": [key], "do": "check"})


def test_ticking_a_full_day_joins_its_list(settings: Settings, two: tuple[Family, Family]) -> None:
    screen = Screen(settings, two[1].user)
    check = tick_the_full_day(screen)
    assert "Attendre une place mercredi 18 novembre" in check
    assert "Liste d’attente : personne avant LéoDeux" in check

    receipt = screen.post("/planning/envoyer/", {"send_key": screen.field("send_key"), "shown": screen.field("shown")})
    assert "1 jour est en liste d’attente" in receipt and "1ᵉʳ en attente" in receipt
    assert "C’est réservé" not in receipt
    assert "Ajouter à mon agenda" not in receipt, "a day that waits is not one to come"

    month = screen.go("/planning/mercredi/?mois=2026-11")
    assert "1ᵉʳ en attente" in month
    assert f'href="/places/{Booking.objects.get(household=two[1].household).pk}/"' in screen.markup
    assert "Liste d’attente" in screen.go("/demarches/")


def test_the_check_offers_the_list_of_a_day_that_filled_meanwhile(settings: Settings, malika: User) -> None:
    first, second = arrive("Un", by=malika), arrive("Deux", by=malika)
    choose(second, [WEDNESDAY], "mercredi")
    booked(first, [WEDNESDAY], "mercredi", by=malika)
    screen = Screen(settings, second.user)

    check = screen.go("/planning/verifier/")
    assert "Complet" in check and "S’inscrire en liste d’attente" in check
    found = re.search(r'action="(/planning/attendre/\d+/)"', screen.markup)
    assert found is not None
    assert "Attendre une place mercredi 18 novembre" in screen.post(found[1])


@pytest.fixture
def offered(two: tuple[Family, Family], malika: User, settings: Settings) -> tuple[Screen, str, Family]:
    first, second = two
    screen = Screen(settings, second.user)
    tick_the_full_day(screen)
    screen.post("/planning/envoyer/", {"send_key": screen.field("send_key"), "shown": screen.field("shown")})
    free_the_place(first, by=malika)
    tick(at=AT)
    return screen, f"/places/{Booking.objects.get(household=second.household).pk}/", second


def test_an_offer_is_told_everywhere_and_accepted_on_its_page(offered: tuple[Screen, str, Family]) -> None:
    screen, path, who = offered
    assert "Une place se libère mercredi 18 novembre pour LéoDeux" in screen.go("/")
    assert f'href="{path}"' in screen.markup
    assert "Place proposée" in screen.go("/planning/mercredi/?mois=2026-11")

    page = screen.go(path)
    assert "répondez avant demain, 8 h 52" in page and "Accepter" in page and "Refuser" in page
    assert Booking.objects.get(household=who.household).state == "offered", "reading writes nothing"

    assert "C’est réservé" in screen.post(path, {"do": "accept"})
    assert Booking.objects.get(household=who.household).state == "booked"
    assert "n’attend plus votre réponse" in screen.post(path, {"do": "accept"})


def test_a_refused_offer_is_given_back(offered: tuple[Screen, str, Family]) -> None:
    screen, path, who = offered
    assert "Vous n’attendez plus de place" in screen.post(path, {"do": "leave"})
    assert Booking.objects.get(household=who.household).state == "withdrawn"
    assert screen.post(path, {"do": "keep"}) and screen.status == 404


def test_an_answer_too_late_is_told_so(offered: tuple[Screen, str, Family]) -> None:
    screen, path, who = offered
    screen.at(AT + 24 * HOUR)
    assert "Le délai pour répondre est passé" in screen.go(path)
    assert "n’attend plus votre réponse" in screen.post(path, {"do": "accept"})
    assert Booking.objects.get(household=who.household).state == "offered", "the worker ends it"


def test_another_family_finds_nothing(offered: tuple[Screen, str, Family], two: tuple[Family, Family]) -> None:
    screen, path, who = offered
    other = Screen(screen.settings, two[0].user)
    other.go(path)
    assert other.status == 404
    other.post(path, {"do": "accept"})
    assert other.status == 404 and Booking.objects.get(household=who.household).state == "offered"


def test_an_agent_reads_who_waits_and_offers_by_hand(
    settings: Settings, two: tuple[Family, Family], malika: User
) -> None:
    with_list(WaitingList.AGENT)
    first, second = two
    screen = Screen(settings, second.user)
    tick_the_full_day(screen)
    screen.post("/planning/envoyer/", {"send_key": screen.field("send_key"), "shown": screen.field("shown")})

    desk = Screen(settings, malika)
    assert "1 en attente" in desk.go("/agents/?jour=2026-11-18")
    assert 'href="/agents/attente/mercredi/2026-11-18/"' in desk.markup
    page = desk.go("/agents/attente/mercredi/2026-11-18/")
    assert "Rang 1" in page and "LéoDeux" in page

    here, chosen = desk.path, {"reservation": desk.field("reservation")}
    assert "pas de place à proposer" in desk.post(here, chosen)
    free_the_place(first, by=malika)
    assert "proposée à LéoDeux" in desk.post(here, chosen)
    assert Booking.objects.get(household=second.household).state == "offered"


def test_an_automatic_list_leaves_nothing_to_the_agent(
    settings: Settings, two: tuple[Family, Family], malika: User
) -> None:
    _first, second = two
    screen = Screen(settings, second.user)
    tick_the_full_day(screen)
    screen.post("/planning/envoyer/", {"send_key": screen.field("send_key"), "shown": screen.field("shown")})
    desk = Screen(settings, malika)
    assert "Proposer une place" not in desk.go("/agents/attente/mercredi/2026-11-18/")
    desk.post(desk.path, {"reservation": Booking.objects.get(household=second.household).pk})
    assert desk.status == 404
