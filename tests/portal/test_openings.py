"""Before a period opens: the planning says when, for whom, and offers an e-mail."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.bookings.models import OpeningWish
from marelle.families.services import set_audiences
from marelle.foundation.audit import PORTAL
from marelle.foundation.models import AuditLine
from tests.guides import valmontier
from tests.offer import AT, Family, agent, ask, cadours, enrolled, family, paris
from tests.portal.visit import Screen

pytestmark = [pytest.mark.django_db, pytest.mark.row("A5")]

PLANNING = "/planning/petites-vacances/?vue=semaine&periode=hiver-2027&semaine=2027-02-08"
OPENS = "Vacances d’hiver : ouvre le samedi 26 décembre, 8 h."


@pytest.fixture
def benali() -> Family:
    cadours()
    who = family()
    enrolled(who, "petites-vacances", by=agent())
    return who


def buttons(screen: Screen) -> list[str]:
    return re.findall(r'value="((?:tell|hush):[\w-]+)"', screen.markup)


def press(screen: Screen, button: str) -> str:
    query = {"vue": "semaine", "periode": "hiver-2027", "semaine": "2027-02-08"}
    return screen.post("/planning/petites-vacances/", {"do": button, **query})


def test_the_planning_says_when_it_opens_and_an_e_mail_can_be_refused_and_asked_again(
    settings: Settings, benali: Family
) -> None:
    screen = Screen(settings, benali.user)
    seen = screen.go(PLANNING)
    assert OPENS in seen and "Un e-mail vous préviendra à l’ouverture." in seen
    assert buttons(screen) == ["hush:hiver-2027"]

    for _again in range(2):
        seen = press(screen, "hush:hiver-2027")
        assert "Vacances d’hiver : aucun e-mail à l’ouverture." in seen
        assert screen.place == "/planning/petites-vacances/" and "semaine=2027-02-08" in screen.path
    assert "Aucun e-mail ne vous préviendra." in seen and buttons(screen) == ["tell:hiver-2027"]
    assert AuditLine.objects.filter(action="opening.declined").count() == 1

    seen = press(screen, "tell:hiver-2027")
    assert "Vacances d’hiver : un e-mail vous préviendra de l’ouverture." in seen
    assert OpeningWish.objects.get().wanted


def test_an_open_period_says_nothing_and_an_old_page_is_told(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user, at=paris(2026, 12, 26, 8))
    seen = screen.go(PLANNING)
    assert "ouvre le" not in seen and buttons(screen) == []
    assert "les réservations sont déjà ouvertes" in press(screen, "hush:hiver-2027")
    assert not OpeningWish.objects.exists()


def test_a_family_that_waits_for_its_enrolment_may_ask(settings: Settings, benali: Family) -> None:
    waits = family("Moreau", [("Léo", "CP")])
    ask(waits, "petites-vacances")
    screen = Screen(settings, waits.user)
    seen = screen.go("/planning/petites-vacances/")
    assert OPENS in seen and "tell:hiver-2027" in buttons(screen)
    seen = screen.post("/planning/petites-vacances/", {"do": "tell:hiver-2027"})
    assert "hush:hiver-2027" in buttons(screen) and "tell:printemps-2027" in buttons(screen)
    assert OpeningWish.objects.get().household_id == waits.household.pk


@pytest.mark.parametrize("button", ["tell:noel-1999", "tell:2026-2027", "tell:", "hush"])
def test_a_period_that_is_not_there_is_a_404(settings: Settings, benali: Family, button: str) -> None:
    screen = Screen(settings, benali.user)
    press(screen, button)
    assert screen.status == 404
    newcomer = Screen(settings, family("Moreau", [("Léo", "CP")]).user)
    press(newcomer, "tell:hiver-2027")
    assert newcomer.status == 404


def test_each_family_reads_its_own_opening_and_why(settings: Settings) -> None:
    who = valmontier()
    page = "/planning/vacances/?vue=semaine&periode=hiver-2027&semaine=2027-02-08&lieu=accueil-du-parc"
    seen = Screen(settings, who.user).go(page)
    assert "Vacances d’hiver : ouvre le samedi 5 décembre, 0 h, parce que vous habitez la commune." in seen
    assert "Pour toutes les familles : le samedi 12 décembre, 0 h." in seen

    set_audiences(household=who.household, audiences=[], by=PORTAL, at=AT)
    seen = Screen(settings, who.user).go(page)
    assert "Vacances d’hiver : ouvre le samedi 12 décembre, 0 h." in seen
    assert "Les familles prioritaires réservent à partir du samedi 5 décembre, 0 h." in seen


def test_the_home_page_leads_to_the_period_that_is_to_open(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    assert "Réservations ouvertes à partir du samedi 26 décembre, 8 h" in screen.go("/")
    assert 'href="/planning/petites-vacances/?periode=hiver-2027"' in screen.markup


def test_the_panel_asks_one_query_for_all_its_periods(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)

    def count(page: str) -> int:
        screen.go(page)
        with CaptureQueriesContext(connection) as queries:
            screen.go(page)
        return sum("openingwish" in query["sql"] for query in queries)

    assert count(PLANNING) == 1
    assert count("/planning/petites-vacances/?vue=periode&periode=annee") == 1
    assert count("/planning/petites-vacances/?vue=mois&mois=2026-10") == 0
