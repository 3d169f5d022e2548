"""The news as families read it: on the home page, in the list, above every page."""

from datetime import timedelta
from functools import partial

import pytest
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.communication.services.posts import withdraw_post
from marelle.townfile import read_text
from marelle.towns.services import load_town
from tests.communication.news import draft, publish
from tests.offer import AT, TOWNS, Family, enrolled, family, paris
from tests.people import queries
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def benali(malika: User) -> Family:
    return family(children=[("Inès", "CE2")])


@pytest.mark.row("D2")
def test_the_home_shows_the_last_three_and_leads_to_the_page(settings: Settings, benali: Family, malika: User) -> None:
    for n in range(4):
        publish(f"Nouvelle {n}", by=malika, at=AT - (5 - n) * DAY, summary=f"Résumé {n}", body=f"**Texte {n}**")
    publish("Pour la maternelle", by=malika, sites=["ecole-maternelle"])
    draft("Pas encore", by=malika)
    screen = Screen(settings, benali.user)
    seen = screen.go("/")
    assert [n for n in range(4) if f"Nouvelle {n}" in seen] == [1, 2, 3]
    assert "Pour la maternelle" not in seen and "Pas encore" not in seen
    seen = screen.go("/actualites/")
    assert all(f"Nouvelle {n}" in seen for n in range(4)) and "Pour la maternelle" not in seen
    link = screen.markup.partition('href="/actualites/')[2].partition('"')[0]
    seen = screen.go(f"/actualites/{link}")
    assert "Texte 3" in seen and "<strong>Texte 3</strong>" in screen.markup


def test_the_list_is_narrowed_searched_and_paged(settings: Settings, benali: Family, malika: User) -> None:
    screen = Screen(settings, benali.user)
    assert "Aucune actualité pour l’instant" in screen.go("/actualites/")
    for n in range(9):
        publish(f"Info {n}", by=malika, at=AT - (n + 1) * DAY)
    publish("Travaux rue des Lilas", by=malika, sites=["ecole-elementaire"])
    assert "Page 1 sur 2" in screen.go("/actualites/")
    assert "Info 8" in screen.go("/actualites/?page=2")
    seen = screen.go("/actualites/?pour=mes-ecoles")
    assert "Travaux" in seen and "Info" not in seen
    seen = screen.go("/actualites/?pour=ville&q=info+3")
    assert "Info 3" in seen and "Info 4" not in seen and "Travaux" not in seen
    assert "Aucune actualité ne correspond" in screen.go("/actualites/?q=rien%00du%20tout")


def test_an_urgent_post_stands_above_every_page_until_it_is_read(
    settings: Settings, benali: Family, malika: User
) -> None:
    other = family("Moreau", [("Léo", "GS")], first_name="Julien")
    strike = publish("Grève mardi", by=malika, urgent=True, summary="Pas d’accueil.", sites=["ecole-elementaire"])
    screen = Screen(settings, benali.user)
    for path in ("/", "/demarches/", "/famille/", "/aide/"):
        screen.go(path)
        assert "Information urgente" in screen.markup and "Grève mardi" in screen.markup, path
    screen.go("/famille/historique/?q=a")
    assert screen.field("next") == "/famille/historique/?q=a".replace("&", "&amp;")
    Screen(settings, other.user).go("/")
    screen.post(f"/actualites/{strike.pk}/lu/", {"next": "/famille/"})
    assert screen.path == "/famille/"
    assert "Information urgente" not in screen.markup
    screen.post(f"/actualites/{strike.pk}/lu/", {"next": "https://ailleurs.example/"})
    assert screen.path == "/actualites/"
    stranger = Screen(settings, other.user)
    stranger.go("/")
    assert "Information urgente" not in stranger.markup


def test_a_withdrawn_post_is_found_no_more(settings: Settings, benali: Family, malika: User) -> None:
    post = publish(by=malika)
    screen = Screen(settings, benali.user)
    screen.go(f"/actualites/{post.pk}/")
    assert screen.status == 200
    withdraw_post(post_id=post.pk, by=malika.actor(), at=AT)
    screen.go(f"/actualites/{post.pk}/")
    assert screen.status == 404


def test_a_town_may_have_no_news(settings: Settings, benali: Family, malika: User) -> None:
    publish("Grève", by=malika, urgent=True)
    text = (TOWNS / "cadours.toml").read_text()
    load_town(read_text(text.replace("answer_working_days = 2", 'answer_working_days = 2\ntabs_off = ["news"]')), at=AT)
    screen = Screen(settings, benali.user)
    seen = screen.go("/")
    assert "Actualités" not in seen and "Grève" not in screen.markup
    screen.go("/actualites/")
    assert screen.status == 404


@pytest.mark.row("C2")
def test_the_home_has_the_guides_blocks(settings: Settings, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    seen = Screen(settings, benali.user).go("/")
    space = seen.partition("Mon espace")[2]
    for words in ("Mes informations", "Mes enfants", "Inscriptions", "Réservations", "Acceptées : Inès"):
        assert words in space, words
    assert "Demandez d’abord l’inscription" in space


def test_queries_do_not_grow_with_the_news_nor_the_children(settings: Settings, malika: User) -> None:
    taken = []
    for count, posts in ((1, 1), (8, 12)):
        who = family(f"F{count}", [(f"Enfant {n}", "CE2") for n in range(count)], at=paris(2026, 11, 1, 10))
        for n in range(posts):
            publish(f"{count} {n}", by=malika, sites=["ecole-elementaire"], services=["cantine"], urgent=n == 0)
            publish(f"tous {count} {n}", by=malika)
        screen = Screen(settings, who.user)
        for path in ("/", "/actualites/"):
            screen.go(path)
        taken.append([queries(partial(screen.go, path)) for path in ("/", "/actualites/")])
    assert taken[0] == taken[1]


def test_the_door_tells_strangers_what_the_town_wants_public(settings: Settings, malika: User) -> None:
    publish("Pour tous", by=malika, body="**Lisez**")
    publish("Pour une école", by=malika, sites=["ecole-elementaire"])
    screen = Screen(settings, None)
    assert "Pour tous" not in screen.go("/connexion/")
    text = (TOWNS / "cadours.toml").read_text()
    text = text.replace("answer_working_days = 2", "answer_working_days = 2\npublic_news = true")
    load_town(read_text(text), at=AT)
    seen = screen.go("/connexion/")
    assert "Pour tous" in seen and "<strong>Lisez</strong>" in screen.markup and "Pour une école" not in seen
