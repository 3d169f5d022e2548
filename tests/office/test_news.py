"""Actualités as agents write them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from marelle.accounts.models import AgentRole, User
from marelle.accounts.services import register_agent
from marelle.activities.models import Site
from marelle.communication.models import NewsPost
from marelle.foundation.audit import PORTAL
from tests.communication.news import draft, publish
from tests.offer import AT, Family, family, paris
from tests.office.conftest import Page
from tests.people import queries
from tests.spaces import plain_spaces

DAY = timedelta(days=1)
CLASSES = {"title": "Grève mardi", "summary": "Pas de cantine.", "body": "Apportez un **pique-nique**.", "when": "now"}


def send(desk: Client, url: str, **said: object) -> str:
    answer = desk.post(url, {**CLASSES, **said}, follow=True)
    assert answer.status_code == 200, answer.status_code
    return plain_spaces(answer.text)


@pytest.mark.row("S6", "D2")
def test_written_previewed_published_changed_and_withdrawn(desk: Client, page: Page, benali: Family) -> None:
    new, key = reverse("office:new_news"), str(uuid4())
    seen = send(desk, new, key=key, do="preview")
    assert "<strong>pique-nique</strong>" in seen and "Grève mardi" in seen
    assert NewsPost.objects.count() == 0
    assert 'value="Grève mardi"' in seen and key in seen
    seen = send(desk, new, key=key, do="save")
    assert "Brouillon enregistré" in seen
    post = NewsPost.objects.get()
    url = reverse("office:news_post", args=[post.pk])
    seen = send(desk, url, edition=1, title="Grève jeudi", do="publish")
    assert "Actualité en ligne." in seen and "Retirer" in seen
    post.refresh_from_db()
    assert post.published_at is not None and post.title == "Grève jeudi"
    answer = desk.post(url, {**CLASSES, "edition": 1, "title": "D’après l’ancienne", "do": "save"})
    assert answer.status_code == 422
    assert "a modifié cette actualité entre-temps" in answer.text and "D’après l’ancienne" in answer.text
    assert "Actualité modifiée." in send(desk, url, edition=2, title="Grève vendredi", do="publish")
    withdraw = reverse("office:withdraw_news", args=[post.pk])
    assert "Actualité retirée" in send(desk, withdraw)
    assert "Actualité remise en ligne" in send(desk, withdraw, do="put_back")
    assert "Grève vendredi" in page("news", voir="en-ligne")
    assert "Grève vendredi" not in page("news", voir="retirees")


def test_a_date_is_the_towns_own(desk: Client, malika: User) -> None:
    seen = send(
        desk,
        reverse("office:new_news"),
        key=str(uuid4()),
        when="later",
        published_at="2026-11-12T08:00",
        unpublish_at="2026-12-04T12:00",
        do="publish",
    )
    assert "Actualité programmée : jeudi 12 novembre, 8 h." in seen
    post = NewsPost.objects.get()
    assert (post.published_at, post.unpublish_at) == (paris(2026, 11, 12, 8), paris(2026, 12, 4, 12))
    assert 'value="2026-11-12T08:00"' in seen


def test_what_is_badly_typed_is_said_and_kept(desk: Client, malika: User) -> None:
    answer = desk.post(
        reverse("office:new_news"),
        {
            "key": str(uuid4()),
            "title": "",
            "body": "Gardez-moi",
            "when": "later",
            "published_at": "2026-11-01T08:00",
            "unpublish_at": "2026-10-01T08:00",
            "do": "publish",
        },
    )
    seen = plain_spaces(answer.text)
    assert answer.status_code == 422
    for words in ("Écrivez un titre.", "Ce moment est passé.", "Le retrait vient avant la publication.", "Gardez-moi"):
        assert words in seen, words
    assert NewsPost.objects.count() == 0


def test_a_form_sent_twice_publishes_once(desk: Client, malika: User) -> None:
    key = str(uuid4())
    for _turn in range(2):
        send(desk, reverse("office:new_news"), key=key, do="publish")
    assert NewsPost.objects.count() == 1


def test_a_draft_is_deleted_once_asked(desk: Client, malika: User) -> None:
    post, online = draft(by=malika), publish(by=malika)
    url = reverse("office:delete_news", args=[post.pk])
    assert "Supprimer ce brouillon ?" in plain_spaces(desk.get(url).text)
    assert desk.get(reverse("office:delete_news", args=[online.pk])).status_code == 404
    assert "Brouillon supprimé." in send(desk, url)
    assert list(NewsPost.objects.all()) == [online]


def test_an_agent_of_a_site_writes_for_it_only(client: Client, malika: User) -> None:
    school = Site.objects.get(slug="ecole-maternelle")
    user = register_agent(
        name="Sami Petit", email="sami@cadours.example", kind=AgentRole.Kind.SITE, by=PORTAL, at=AT, sites=[school]
    )
    user.is_active = True
    user.save()
    theirs = publish("La leur", by=malika, sites=["ecole-maternelle"])
    towns = publish("Pour tous", by=malika)
    both = publish("Deux écoles", by=malika, sites=["ecole-maternelle", "ecole-elementaire"])
    client.force_login(user)
    seen = client.get(reverse("office:news")).text
    assert "La leur" in seen and "Pour tous" not in seen and "Deux écoles" not in seen
    for post, status in ((theirs, 200), (towns, 404), (both, 404)):
        assert client.get(reverse("office:news_post", args=[post.pk])).status_code == status
    new = reverse("office:new_news")
    form = client.get(new).text
    assert "École maternelle" in form and "École élémentaire" not in form
    elsewhere = Site.objects.get(slug="ecole-elementaire").pk
    for sites in ([], [elsewhere], [school.pk, elsewhere]):
        answer = client.post(new, {**CLASSES, "key": str(uuid4()), "sites": sites, "do": "publish"})
        assert answer.status_code == 422, sites
    send(client, new, key=str(uuid4()), sites=[school.pk], do="publish")
    assert [site.pk for site in NewsPost.objects.latest("id").sites.all()] == [school.pk]


def test_the_count_says_whom_it_is_for(desk: Client, malika: User, benali: Family) -> None:
    family("Moreau", [("Léo", "GS")], first_name="Julien")
    school = Site.objects.get(slug="ecole-elementaire")
    seen = send(desk, reverse("office:new_news"), key=str(uuid4()), do="preview")
    assert "2 familles, 3 enfants" in seen
    seen = send(desk, reverse("office:new_news"), key=str(uuid4()), sites=[school.pk], do="preview")
    assert "1 famille, 1 enfant" in seen


def test_the_list_is_searched_sorted_and_paged(desk: Client, page: Page, malika: User) -> None:
    assert "Écrivez-le une fois" in page("news")
    for n in range(21):
        publish(f"Info {n:02}", by=malika, at=AT - n * DAY)
    assert "Page 1 sur 2" in page("news")
    seen = page("news", tri="titre")
    assert seen.index("Info 00") < seen.index("Info 01")
    assert "Info 20" in page("news", q="info 20") and "Info 19" not in page("news", q="info 20")
    assert "Aucune actualité ne correspond" in page("news", q="rien")


def test_queries_do_not_grow_with_the_list(desk: Client, malika: User, clock: Callable[[datetime], None]) -> None:
    url, taken = reverse("office:news"), []
    for count in (1, 9):
        for n in range(count):
            publish(f"{count} {n}", by=malika, sites=["ecole-elementaire"], services=["cantine"], urgent=True)
        desk.get(url)
        taken.append(queries(lambda: desk.get(url)))
    assert taken[0] == taken[1]
