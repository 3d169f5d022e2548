"""Under the grid: why days are locked, since when, and whom to write to."""

import re

import pytest
from pytest_django import Settings

from tests.offer import agent, cadours, enrolled, family, paris
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db


@pytest.mark.row("A8", "B3")
def test_days_that_share_a_reason_share_a_sentence(settings: Settings) -> None:
    early = paris(2027, 1, 20, 10)
    cadours(at=early)
    who = family(at=early)
    enrolled(who, "petites-vacances", by=agent(), at=early)
    screen = Screen(settings, who.user, at=paris(2027, 2, 5, 12))
    text = screen.go("/planning/petites-vacances/?vue=mois&mois=2027-02").partition("À savoir sur ces jours")[2]

    assert text.count("le délai était vendredi 5 février, 12 h") == 1
    assert "Du lundi 8 février au vendredi 19 février, Inès et Tom" in text
    assert "centre@mairie-cadours.example" in text
    targets = set(re.findall(r'href="#(jour-[0-9-]+)"', screen.markup))
    places = re.findall(r' id="(jour-[0-9-]+)"', screen.markup)
    assert targets and targets <= set(places), "a locked day leads nowhere"
    assert len(places) == len(set(places)), "an anchor stands twice"


def test_each_day_with_a_limit_of_its_own_keeps_its_sentence(settings: Settings) -> None:
    cadours()
    who = family()
    enrolled(who, by=agent())
    text = Screen(settings, who.user, at=paris(2026, 11, 12, 9, 30)).go("/planning/cantine/?mois=2026-11")

    assert "Jeudi 12 novembre, Inès et Tom" in text and "Vendredi 13 novembre, Inès et Tom" in text
