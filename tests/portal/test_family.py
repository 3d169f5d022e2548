"""Who the family is, what was done in its name, and the pages open to everybody."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.families.models import Guardianship, Residence
from tests.offer import AT, Family, booked, choose, enrolled, family
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db


def test_the_family_reads_what_the_town_knows_of_it(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    seen = Screen(settings, benali.user).go("/famille/")
    assert "Inès Benali" in seen and "École élémentaire de Cadours" in seen and "CE2" in seen
    assert f"E-mail de connexion {benali.email}" in seen
    assert "Services Restauration scolaire" in seen
    assert "12 rue du Marché, 31480 Cadours" in seen
    assert "Me déconnecter" in seen


def test_a_childs_other_home_is_never_named(settings: Settings, benali: Family, malika: User) -> None:
    other = family("Moreau", (), first_name="Julien")
    Residence.objects.create(household=other.household, child=benali.children[0])
    seen = Screen(settings, other.user).go("/famille/")
    assert "Inès Benali" in seen
    assert "Nadia" not in seen and "Tom" not in seen and benali.email not in seen


def test_history_tells_who_what_and_when(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    request = booked(benali, [date(2026, 11, 16)], by=malika)
    screen = Screen(settings, benali.user)
    seen = screen.go("/famille/historique/")
    assert "Mardi 10 novembre" in seen
    assert f"8 h 52 Demande n° {request.number} envoyée : 2 ajouts. Nadia Benali" in seen
    assert "Malika Roux, pour la mairie" in seen

    seen = screen.go(f"/famille/historique/?q={request.number}")
    assert "Demande d’inscription" not in seen and "2 ajouts" in seen
    assert "Rien ne correspond" in screen.go("/famille/historique/?q=zzz%00")


def test_history_is_the_households_own(settings: Settings, benali: Family, malika: User) -> None:
    other = family("Durand", (("Léo", "CP"),), first_name="Paul")
    enrolled(benali, by=malika)
    seen = Screen(settings, other.user).go("/famille/historique/")
    assert "Inès" not in seen and "Famille Durand" in seen


@pytest.mark.parametrize("path", ["/famille/", "/famille/historique/"])
def test_strangers_and_agents_read_no_family(settings: Settings, malika: User, path: str) -> None:
    stranger = Screen(settings, None)
    stranger.go(path)
    assert stranger.place == "/connexion/"
    desk = Screen(settings, malika)
    desk.go(path)
    assert desk.status == 404


@pytest.mark.parametrize(("path", "queries"), [("/famille/", 11), ("/famille/historique/", 8)])
@pytest.mark.parametrize("count", [1, 8])
def test_queries_do_not_grow_with_the_family(
    settings: Settings, malika: User, path: str, queries: int, count: int
) -> None:
    who = family("Grand", [(f"{'ABCDEFGH'[i]}nna", "CE2") for i in range(count)])
    enrolled(who, by=malika)
    for day in (16, 17, 19, 20, 23, 24, 26, 27)[:count]:
        booked(who, [date(2026, 11, day)])
    screen = Screen(settings, who.user)
    screen.go(path)
    with CaptureQueriesContext(connection) as made:
        screen.go(path)
    assert len(made) == queries, [query["sql"][:120] for query in made]


def test_a_guardian_of_two_households_goes_from_one_to_the_other(settings: Settings, benali: Family) -> None:
    other = family("Moreau", (("Léo", "CP"),), first_name="Julien")
    screen = Screen(settings, benali.user)
    screen.go("/")
    assert "Changer de foyer" not in screen.markup
    Guardianship.objects.create(household=other.household, guardian=benali.guardian, position=1)
    assert "Foyer Benali" in screen.go("/famille/")
    assert "Changer de foyer" in screen.markup
    screen.post("/famille/foyer/", {"household": other.household.pk})
    seen = screen.go("/famille/")
    assert "Foyer Moreau" in seen and "Léo Moreau" in seen and "Inès" not in seen


# ── navigation ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "Accueil"),
        ("/demarches/", "Démarches"),
        ("/demarches/inscription/", "Démarches"),
        ("/famille/historique/", "Famille"),
    ],
)
def test_the_navigation_says_where_one_is(settings: Settings, benali: Family, path: str, place: str) -> None:
    screen = Screen(settings, benali.user)
    screen.go(path)
    nav = screen.markup.partition('<nav class="nav"')[2].partition("</nav>")[0]
    current = nav.partition('aria-current="page">')[2].partition("</a>")[0]
    assert nav.count('aria-current="page"') == 1
    assert current.endswith(place)


def test_choices_not_sent_are_counted_on_every_page(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    choose(benali, [date(2026, 11, 16), date(2026, 11, 17)])
    screen = Screen(settings, benali.user)
    for path in ("/", "/demarches/", "/famille/"):
        screen.go(path)
        nav = screen.markup.partition('<nav class="nav"')[2].partition("</nav>")[0]
        assert '<span class="nav__count"><span class="vh"> : </span>4</span>' in nav


# ── open to everybody ───────────────────────────────────────────────────────────────────────────────────────────────

OPEN = ["/aide/", "/mentions-legales/", "/donnees-personnelles/", "/accessibilite/"]


@pytest.mark.parametrize("path", OPEN)
def test_open_pages_are_read_by_strangers_families_and_agents(
    settings: Settings, benali: Family, malika: User, path: str
) -> None:
    for user in (None, benali.user, malika):
        screen = Screen(settings, user)
        seen = screen.go(path)
        assert screen.status == 200
        assert "05 61 00 00 31" in seen and "cadours.scolaire@mairie-cadours.example" in seen
        assert ('<nav class="nav"' in screen.markup) == (user == benali.user)


@pytest.mark.parametrize("path", OPEN)
def test_open_pages_stand_without_a_town(settings: Settings, path: str) -> None:
    assert not Municipality.objects.exists()
    screen = Screen(settings, None, at=AT)
    screen.go(path)
    assert screen.status == 200


@pytest.mark.row("A10")
def test_help_is_in_the_towns_own_words(settings: Settings, malika: User) -> None:
    screen = Screen(settings, None)
    seen = screen.go("/aide/")
    assert "Cadours vous explique" in seen and "choisissez une semaine type" in seen
    assert "https://mairie-cadours.example/portail-famille/video" in screen.markup


def test_the_accessibility_page_owns_up_to_what_is_not_checked(settings: Settings, malika: User) -> None:
    seen = Screen(settings, None).go("/accessibilite/")
    for words in (
        "État de conformité",
        "non conforme",
        "Aucun audit en cours de validité",
        "Contenus non accessibles",
        "Établissement de cette déclaration",
        "Retour d’information et contact",
        "Voies de recours",
    ):
        assert words in seen, words


def test_every_page_leads_to_help_and_to_the_legal_pages(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    for path in ("/", "/famille/", "/demarches/", "/aide/"):
        screen.go(path)
        for target in OPEN:
            assert f'href="{target}"' in screen.markup
