"""Where a family arrives: what is today, what is to do, what closes soon."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import Period
from marelle.activities.queries import municipality
from marelle.families.models import HealthFile
from tests import dossiers, guides
from tests.offer import (
    AT,
    Family,
    accept,
    agent,
    ask,
    booked,
    choose,
    enrolled,
    family,
    healthy,
    paris,
    permitted,
    refuse,
    reread,
    service,
)
from tests.portal.visit import Screen
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

WEEK = [date(2026, 11, day) for day in (9, 10, 12, 13)]
SUNDAY = paris(2026, 11, 1, 10)


def test_a_stranger_is_sent_to_the_door(settings: Settings, malika: User) -> None:
    screen = Screen(settings, None)
    screen.go("/")
    assert screen.path == "/connexion/?next=%2F"


def test_an_agent_without_a_household_finds_nothing_here(settings: Settings, malika: User) -> None:
    screen = Screen(settings, malika)
    screen.go("/")
    assert screen.status == 404


def test_a_first_visit_welcomes_and_leads_to_the_enrolments(settings: Settings, benali: Family) -> None:
    seen = Screen(settings, benali.user).go("/")
    assert "Bonjour Nadia" in seen
    assert "Bienvenue sur le portail famille de Cadours." in seen
    assert "Inscrivez Inès et Tom à un premier service" in seen
    assert "Réserver ou annuler" not in seen and "Suivre mes demandes" not in seen
    assert "Aucune demande pour l’instant." in seen


def test_a_place_at_the_school_leads_to_the_services(settings: Settings) -> None:
    guides.load("tutos")
    malika = agent("Malika Roux", email="malika@saint-aubin-du-port.example")
    who = guides.household("Benali", {"Inès": "CE2"}, school="ecole-du-port", email="nadia@famille.example")
    dossiers.ready(who, by=malika)
    assert "Inscrivez Inès à un premier service" in Screen(settings, who.user).go("/")
    guides.enrol(who, "cantine", by=malika)
    assert "à un premier service" not in Screen(settings, who.user).go("/")


def test_a_household_without_children_is_told_whom_to_call(settings: Settings, malika: User) -> None:
    seen = Screen(settings, family("Seule", ()).user).go("/")
    assert "Aucun enfant n’est encore rattaché à votre foyer." in seen
    assert municipality().phone in seen
    assert "Inscrire à un service" not in seen


@pytest.mark.row("A4")
def test_an_accepted_enrolment_says_that_days_remain_to_be_reserved(
    settings: Settings, benali: Family, malika: User
) -> None:
    enrolled(benali, by=malika)
    screen = Screen(settings, benali.user)
    seen = screen.go("/")
    assert "Il reste à réserver les jours : restauration scolaire" in seen
    assert "Inscription acceptée pour Inès et Tom" in seen
    assert 'href="/planning/cantine/"' in screen.markup

    booked(benali, WEEK[2:], children=benali.children[:1])
    seen = screen.go("/")
    assert "Inscription acceptée pour Tom" in seen


@pytest.mark.row("A5")
def test_days_that_are_not_open_yet_are_announced_not_proposed(
    settings: Settings, benali: Family, malika: User
) -> None:
    enrolled(benali, by=malika)
    Period.objects.filter(service=service()).update(opens_at=paris(2026, 12, 1, 8))
    reread()
    seen = Screen(settings, benali.user).go("/")
    assert "Réservations ouvertes à partir du mardi 1er décembre, 8 h" in seen
    assert "Il reste à réserver" not in seen


def test_a_refused_enrolment_is_to_be_corrected_until_it_is_asked_again(
    settings: Settings, benali: Family, malika: User
) -> None:
    refuse(ask(benali), "Il manque le certificat de scolarité.", by=malika)
    screen = Screen(settings, benali.user)
    seen = screen.go("/")
    assert "Cantine pour Tom : inscription refusée" in seen
    assert "Il manque le certificat de scolarité." in seen

    ask(benali, children=benali.children[1:])
    seen = screen.go("/")
    assert "Cantine pour Tom : inscription refusée" not in seen
    assert "Cantine pour Inès : inscription refusée" in seen


def test_what_is_not_sent_comes_first(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    choose(benali, WEEK[2:], children=benali.children[:1])
    screen = Screen(settings, benali.user)
    seen = screen.go("/")
    assert "2 changements ne sont pas envoyés" in seen and "Premier délai : demain, 9 h" in seen
    assert seen.index("2 changements") < seen.index("Il reste à réserver")
    assert 'href="/planning/verifier/"' in screen.markup


def test_nothing_to_do_says_so(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=SUNDAY)
    booked(benali, WEEK, by=malika, at=SUNDAY)
    permitted(benali)
    seen = Screen(settings, benali.user).go("/")
    assert "Rien à faire aujourd’hui." in seen
    assert "Aujourd’hui : restauration scolaire pour Inès et Tom." in seen


def test_a_public_holiday_names_itself_and_the_next_day(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=SUNDAY)
    booked(benali, WEEK, by=malika, children=benali.children[:1], at=SUNDAY)
    seen = Screen(settings, benali.user, at=paris(2026, 11, 11, 10)).go("/")
    assert "Aujourd’hui est férié" in seen
    assert "Prochain jour : demain, restauration scolaire pour Inès." in seen


def test_the_week_shows_each_childs_days_with_their_state(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=SUNDAY)
    booked(benali, WEEK[:2], by=malika, children=benali.children[:1], at=SUNDAY)
    booked(benali, WEEK[3:], children=benali.children[1:])
    screen = Screen(settings, benali.user)
    seen = screen.go("/")
    assert "Cette semaine" in seen and "Présences prévues du lundi 9 novembre au vendredi 13 novembre" in seen
    table = screen.markup.partition('class="weekstrip"')[2].partition("</table>")[0]
    assert table.count("slot--ok") + table.count("slot--past") == 2
    assert table.count("slot--wait") == 1
    assert plain_spaces(table).count("Férié : ") == 2


def test_in_the_holidays_the_week_is_the_next_one_with_something(
    settings: Settings, benali: Family, malika: User
) -> None:
    enrolled(benali, by=malika, at=paris(2026, 10, 1))
    seen = Screen(settings, benali.user, at=paris(2026, 10, 21, 9)).go("/")
    assert "Semaine du lundi 2 novembre" in seen
    assert "Cette semaine" not in seen


@pytest.mark.row("A8")
def test_a_limit_within_the_day_is_told_until_it_passes(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=SUNDAY)
    screen = Screen(settings, benali.user, at=paris(2026, 11, 12, 8, 59, 0))
    notice = "Cantine, vendredi 13 novembre : modifiable jusqu’à aujourd’hui, 9 h."
    assert notice in screen.go("/")
    assert notice not in screen.at(paris(2026, 11, 12, 9)).go("/")


def test_the_last_three_requests_are_shown(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=SUNDAY)
    for day in (16, 17, 19, 20):
        booked(benali, [date(2026, 11, day)], children=benali.children[:1])
    seen = Screen(settings, benali.user).go("/")
    assert "Cantine, vendredi 20 novembre" in seen and "Cantine, mardi 17 novembre" in seen
    assert "Cantine, lundi 16 novembre" not in seen


def test_another_household_is_never_shown(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=SUNDAY)
    booked(benali, WEEK, by=malika, at=SUNDAY)
    seen = Screen(settings, family("Durand", (("Léo", "CP"),), first_name="Paul").user).go("/")
    assert "Inès" not in seen and "Prochain jour" not in seen and "2026-0" not in seen


QUERIES = 19


@pytest.mark.parametrize("count", [1, 6])
def test_queries_do_not_grow_with_the_family(settings: Settings, malika: User, count: int) -> None:
    names = ("Ana", "Bo", "Chloé", "Dan", "Eva", "Flo")[:count]
    who = family("Grand", [(name, "CE2") for name in names])
    enrolled(who, by=malika, at=SUNDAY)
    enrolled(who, "mercredi", by=malika, at=SUNDAY)
    for day in WEEK[:count]:
        booked(who, [day], by=malika, at=SUNDAY)
    choose(who, [date(2026, 11, 16)])
    screen = Screen(settings, who.user, at=AT + timedelta(minutes=1))
    screen.go("/")
    with CaptureQueriesContext(connection) as queries:
        screen.go("/")
    assert len(queries) == QUERIES, [query["sql"][:120] for query in queries]


def guide_e(settings: Settings) -> tuple[Family, Screen]:
    """The town of guide E, whose services require the health file."""
    guides.load("tutos")
    who = guides.household(
        "Benali", {"Inès": "CE2", "Tom": "PS"}, school="ecole-du-port", email="nadia@famille.example"
    )
    return who, Screen(settings, who.user)


@pytest.mark.row("E5")
def test_a_health_file_is_asked_for_where_the_town_requires_it(settings: Settings) -> None:
    who, screen = guide_e(settings)
    assert "Remplissez la fiche santé : Inès et Tom" in screen.go("/")
    assert f"/famille/enfants/{who.children[0].pk}/sante/modifier/" in screen.markup
    healthy(who)
    assert "fiche santé" not in screen.go("/")
    screen.at(paris(2027, 9, 10, 9))
    assert "Confirmez la fiche santé : Inès et Tom" in screen.go("/")


@pytest.mark.row("E5")
def test_a_plan_that_ends_is_told_without_saying_that_there_is_one(settings: Settings) -> None:
    who, screen = guide_e(settings)
    healthy(who)
    HealthFile.objects.filter(child=who.children[0]).update(has_plan=True, plan_until=date(2026, 11, 30))
    seen = screen.go("/")
    assert "Relisez la fiche santé : Inès" in seen and "PAI" not in seen


def test_permissions_are_asked_of_a_home_whose_children_are_in_a_service(
    settings: Settings, benali: Family, malika: User
) -> None:
    screen = Screen(settings, benali.user)
    assert "Répondez aux autorisations" not in screen.go("/")
    enrolled(benali, by=malika, at=SUNDAY)
    assert "Répondez aux autorisations : Inès et Tom" in screen.go("/")
    permitted(benali)
    assert "Répondez aux autorisations" not in screen.go("/")


def test_waiting_enrolments_are_nothing_to_do(settings: Settings, benali: Family, malika: User) -> None:
    request = ask(benali)
    permitted(benali)
    screen = Screen(settings, benali.user)
    assert "Rien à faire aujourd’hui." in screen.go("/")
    accept(request, by=malika)
    assert "Il reste à réserver les jours" in screen.go("/")
