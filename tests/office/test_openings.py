"""The agents' page of openings: when, for how many families, who asked, what came of the e-mails."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import AgentRole
from marelle.activities.models import Period, Site
from marelle.bookings.queries.openings import KIND
from marelle.bookings.services.openings import tick, wish
from marelle.families.models import Guardian
from marelle.foundation.models import MailState, OutboxMail
from tests.guides import valmontier
from tests.offer import AT, agent, ask, cadours, enrolled, family, paris, reread
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

PAGE = "/agents/ouvertures/"
OPENS = paris(2026, 12, 26, 8)


def winter() -> Period:
    return Period.objects.get(slug="hiver-2027")


def test_a_period_to_come_says_when_for_how_many_and_who_asked(settings: Settings) -> None:
    cadours()
    malika = agent()
    benali = family()
    enrolled(benali, "petites-vacances", by=malika)
    waits = family("Moreau", [("Léo", "CP")])
    ask(waits, "petites-vacances")
    declines = family("Roux", [("Ana", "CP")])
    enrolled(declines, "petites-vacances", by=malika)
    wish(household=waits.household, period=winter(), wanted=True, user=waits.user, at=AT)
    wish(household=declines.household, period=winter(), wanted=False, user=declines.user, at=AT)

    seen = Screen(settings, malika).go(PAGE)
    row = seen[seen.index("Vacances d’hiver") : seen.index("Vacances de printemps")]
    assert "Ouvre le samedi 26 décembre, 8 h" in row
    assert "1 famille a demandé l’e-mail Moreau" in row
    assert "2 familles concernées" in row and "Personne n’a encore reçu l’e-mail" in row
    assert seen.index("2e trimestre") < seen.index("Vacances d’hiver") < seen.index("3e trimestre"), "by date"
    turned = Screen(settings, malika).go(f"{PAGE}?tri=recentes")
    assert turned.index("3e trimestre") < turned.index("Vacances d’hiver")


def test_once_open_it_says_who_was_told_and_who_could_not_be(settings: Settings) -> None:
    cadours()
    malika = agent()
    for name in ("Benali", "Moreau", "Roux"):
        enrolled(family(name), "petites-vacances", by=malika)
    Guardian.objects.filter(last_name="Roux").update(email="")
    tick(at=OPENS)
    failed = OutboxMail.objects.filter(kind=KIND).first()
    assert failed is not None
    OutboxMail.objects.filter(pk=failed.pk).update(state=MailState.FAILED)

    seen = Screen(settings, malika, at=OPENS + timedelta(days=1)).go(PAGE)
    row = seen[seen.index("Ouvertes ces 30 derniers jours") :]
    assert "Ouvert depuis le samedi 26 décembre, 8 h" in row
    assert "3 familles prévenues à partir du samedi 26 décembre, 8 h" in row
    assert "1 e-mail non remis" in row and "1 famille sans adresse e-mail" in row
    later = Screen(settings, malika, at=OPENS + timedelta(days=31)).go(PAGE)
    assert "Aucune période n’a ouvert récemment." in later or "Vacances d’hiver" not in later


def test_both_openings_are_named(settings: Settings) -> None:
    valmontier()
    seen = Screen(settings, agent()).go(PAGE)
    assert "Ouvre le samedi 5 décembre, 0 h (Habite la commune)" in seen
    assert "Ouvre le samedi 12 décembre, 0 h (toutes les familles)" in seen


def test_nothing_to_open_says_so(settings: Settings) -> None:
    cadours()
    Period.objects.update(opens_at=None)
    reread()
    seen = Screen(settings, agent()).go(PAGE)
    assert "Aucune ouverture n’est prévue." in seen and "Aucune période n’a ouvert récemment." in seen


def test_an_agent_of_a_school_counts_the_families_of_that_school(settings: Settings) -> None:
    cadours()
    malika = agent()
    enrolled(family("Benali", [("Inès", "CE2")]), "petites-vacances", by=malika)
    enrolled(family("Roux", [("Tom", "GS")]), "petites-vacances", by=malika)
    AgentRole.objects.get(user=malika).sites.set(Site.objects.filter(slug="ecole-maternelle"))
    assert "1 famille concernée" in Screen(settings, malika).go(PAGE)


def test_the_page_asks_as_much_for_many_families_as_for_one(settings: Settings) -> None:
    cadours()
    malika = agent()
    screen = Screen(settings, malika)

    def count() -> int:
        screen.go(PAGE)
        with CaptureQueriesContext(connection) as queries:
            screen.go(PAGE)
        return len(queries)

    enrolled(family(), "petites-vacances", by=malika)
    before = count()
    for name in ("Moreau", "Roux"):
        who = family(name)
        ask(who, "petites-vacances")
        wish(household=who.household, period=winter(), wanted=True, user=who.user, at=AT)
    assert count() == before
