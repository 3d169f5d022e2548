"""What can be asked for, and the list of what was."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import Period, Service
from tests.offer import Family, ask, booked, enrolled, family, paris, refuse, reread, service
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

PAGE = "/demarches/"


def test_what_cannot_be_asked_says_why(screen: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    ask(benali, "mercredi", usual=(2,))
    seen = screen.go(PAGE)
    assert "Restauration scolaire Réserver ou annuler des jours" in seen
    assert "Accueil de loisirs du mercredi après-midi L’inscription attend la réponse du service" in seen
    assert "Temps d’activités périscolaires Demandez d’abord l’inscription" in seen
    assert "Garderie Inscription seule : facturée à la présence, aucun jour à réserver" in seen
    assert "Inscriptions 2027-2028 Ouvre lundi 17 mai 2027, 8 h" in seen


def test_a_service_without_days_nor_a_word_on_its_price_is_not_there(screen: Screen) -> None:
    Service.objects.filter(slug="garderie").update(billing_note="")
    assert "Garderie" not in screen.go(PAGE).partition("Faire une demande")[2].partition("Attestations")[0]


@pytest.mark.row("A5")
def test_a_service_whose_days_open_later_says_when(screen: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    Period.objects.filter(service=service()).update(opens_at=paris(2026, 12, 1, 8))
    reread()
    seen = screen.go(PAGE)
    assert "Restauration scolaire Ouvre mardi 1er décembre, 8 h" in seen
    assert 'href="/planning/cantine/"' not in screen.markup


def test_without_any_request_the_page_says_what_will_come(screen: Screen) -> None:
    seen = screen.go(PAGE)
    assert "Aucune demande pour l’instant" in seen
    assert "Chercher" not in seen


def test_requests_are_counted_filtered_and_searched(screen: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=paris(2026, 10, 1))
    refuse(ask(benali, "mercredi", usual=(2,)), "Complet.", by=malika)
    waiting = booked(benali, [date(2026, 11, 16)], children=benali.children[1:])
    screen.post(f"/demandes/{booked(benali, [date(2026, 11, 17)]).number}/retirer/")

    seen = screen.go(PAGE)
    assert "Toutes 4 En cours 1 Acceptées 1 Refusées 1 Retirées 1" in seen
    assert "Inscription : mercredi" in seen and "Cantine, lundi 16 novembre" in seen
    assert f"N° {waiting.number} · Tom · envoyée aujourd’hui, 8 h 52 · réponse au plus tard vendredi 13" in seen

    seen = screen.go(f"{PAGE}?etat=en-cours")
    assert "Cantine, lundi 16 novembre" in seen and "Inscription : mercredi" not in seen
    seen = screen.go(f"{PAGE}?etat=refusees")
    assert "Inscription : mercredi" in seen and "Cantine, lundi" not in seen

    for words in (waiting.number, str(waiting.pk), f"n°{waiting.pk}"):
        seen = screen.go(f"{PAGE}?q={words}")
        assert "Toutes 1" in seen and "Cantine, lundi 16 novembre" in seen
    assert "Toutes 4" in screen.go(f"{PAGE}?q=tom")
    assert "Toutes 1" in screen.go(f"{PAGE}?q=tom mercredi")
    assert "Aucune demande ne correspond" in screen.go(f"{PAGE}?q=zzz")
    assert "Toutes 4" in screen.go(f"{PAGE}?etat=nonsense&page=99")
    assert "Toutes 4" in screen.go(f"{PAGE}?q=to%00m")


def test_a_waiting_enrolment_stands_under_its_question_mark(screen: Screen, benali: Family) -> None:
    ask(benali)
    assert "En attente" in screen.go(PAGE)


def test_the_list_is_paged(screen: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=paris(2026, 10, 1))
    day = date(2026, 11, 16)
    for _ in range(11):
        while day.weekday() in (2, 5, 6):
            day += timedelta(days=1)
        booked(benali, [day], children=benali.children[:1])
        day += timedelta(days=1)
    seen = screen.go(PAGE)
    assert "Page 1 sur 2" in seen and "Inscription : cantine" not in seen
    seen = screen.go(f"{PAGE}?page=2")
    assert "Page 2 sur 2" in seen and "Inscription : cantine" in seen


def test_another_household_sees_nothing(settings: Settings, benali: Family) -> None:
    ask(benali)
    other = family("Durand", (("Léo", "CP"),), first_name="Paul")
    seen = Screen(settings, other.user).go(PAGE)
    assert "Aucune demande pour l’instant" in seen and "Inès" not in seen


QUERIES = 16


@pytest.mark.parametrize("count", [1, 8])
def test_queries_do_not_grow_with_the_requests(settings: Settings, malika: User, count: int) -> None:
    who = family("Grand", [(f"{'ABCDEFGH'[i]}nna", "CE2") for i in range(count)])
    enrolled(who, by=malika, at=paris(2026, 10, 1))
    for day in (16, 17, 19, 20, 23, 24, 26, 27)[:count]:
        booked(who, [date(2026, 11, day)])
    screen = Screen(settings, who.user)
    screen.go(PAGE)
    with CaptureQueriesContext(connection) as queries:
        screen.go(PAGE)
    assert len(queries) == QUERIES, [query["sql"][:120] for query in queries]
