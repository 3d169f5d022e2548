"""What a town switches off is nowhere: not in the navigation, not on the home page, not at its old address."""

from dataclasses import replace

import pytest
from pytest_django import Settings

from marelle.townfile import read
from marelle.townfile.town import Tab
from marelle.towns.services import load_town
from tests.offer import AT, TOWNS, agent, enrolled, family, paris
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

OFF = {
    Tab.BOOKINGS: ("Planning", "Réserver ou annuler", "/planning/cantine/", "Les réservations ne se font pas"),
    Tab.REQUESTS: ("Démarches", "Écrire à la mairie", "/demarches/", "Les demandes ne se font pas"),
}


def cadours_without(*tabs: Tab) -> None:
    town = read(TOWNS / "cadours.toml")
    load_town(replace(town, municipality=replace(town.municipality, tabs_off=tabs)), at=AT)


@pytest.mark.row("D3")
@pytest.mark.parametrize("tab", OFF)
def test_a_tab_that_is_off_is_nowhere(settings: Settings, tab: Tab) -> None:
    word, shortcut, path, sentence = OFF[tab]
    cadours_without()
    malika = agent()
    who = family()
    enrolled(who, by=malika, at=paris(2026, 10, 1))
    screen = Screen(settings, who.user)
    assert shortcut in screen.go("/")
    navigation = screen.markup.partition("<nav")[2].partition("</nav>")[0]
    assert word in navigation

    cadours_without(tab)
    assert shortcut not in screen.go("/")
    assert screen.status == 200
    navigation = screen.markup.partition("<nav")[2].partition("</nav>")[0]
    assert word not in navigation
    assert sentence in screen.go(path)
    assert screen.status == 404


def test_news_that_are_off_say_so(settings: Settings) -> None:
    cadours_without(Tab.NEWS)
    who = family()
    screen = Screen(settings, who.user)
    assert "Les actualités ne se lisent pas sur ce portail." in screen.go("/actualites/")
    assert screen.status == 404


def test_a_stranger_is_sent_to_the_door_all_the_same(settings: Settings) -> None:
    cadours_without(Tab.REQUESTS)
    screen = Screen(settings, None)
    screen.go("/demarches/")
    assert screen.place == "/connexion/"


def test_without_invoices_nothing_names_them(settings: Settings) -> None:
    cadours_without(Tab.INVOICES)
    who = family()
    screen = Screen(settings, who.user)
    screen.go("/")
    assert "Factures" not in screen.markup.partition("<nav")[2].partition("</nav>")[0]
