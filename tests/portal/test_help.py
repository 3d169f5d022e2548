"""Help: the town's words and video, the help of each page, the pages that the law asks for, the pages of what went
wrong."""

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import Site
from marelle.foundation.errors import server_error
from marelle.portal.guidance import TOPICS
from marelle.townfile import read_text
from marelle.towns import beside
from marelle.towns.services import load_town
from tests.offer import AT, TOWNS, Family, family
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

VIDEO = b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 8


@pytest.fixture
def benali(malika: User) -> Family:
    return family(children=[("Inès", "CE2")])


def town_with(**texts: str) -> str:
    """Cadours's file with these texts, instead of its own where it has them, and without its film."""
    file = (TOWNS / "cadours.toml").read_text()
    for name in {"help_video_file", "help_video_text", *texts}:
        file = re.sub(rf'^{name} = ("""(?s:.*?)"""|".*")\n', "", file, flags=re.MULTILINE)
    said = "\n".join(f'{name} = "{text}"' for name, text in texts.items())
    return file.replace("[municipality.texts]\n", f"[municipality.texts]\n{said}\n")


@pytest.fixture
def film(tmp_path: Path, settings: Settings) -> Path:
    """The folder of a town's file, with a video and its captions."""
    settings.TOWN_FILES_DIR = tmp_path / "kept"
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "film.webm").write_bytes(VIDEO)
    (folder / "film.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nBienvenue.\n")
    return folder


NAMED = {
    "help_video_file": "film.webm",
    "help_video_captions": "film.vtt",
    "help_video_text": "La vidéo montre le planning.",
}


@pytest.mark.row("A10")
def test_the_towns_own_video_is_shown_with_its_text(settings: Settings, film: Path, client: Client) -> None:
    town = read_text(town_with(**NAMED))
    beside.keep(town, beside=film)
    load_town(town, at=AT)
    screen = Screen(settings, None)
    seen = screen.go("/aide/")
    assert '<source src="/aide/fichiers/film.webm">' in screen.markup
    assert 'kind="captions"' in screen.markup and "La vidéo montre le planning." in seen
    whole = client.get("/aide/fichiers/film.webm")
    assert (whole.status_code, whole["Content-Type"]) == (200, "video/webm")
    assert b"".join(whole.streaming_content) == VIDEO  # type: ignore[attr-defined]
    assert client.get("/aide/fichiers/film.vtt")["Content-Type"] == "text/vtt; charset=utf-8"
    assert client.get("/aide/fichiers/cadours.toml").status_code == 404
    policy = client.get("/aide/")["Content-Security-Policy"]
    assert "media-src 'self'" in policy


@pytest.mark.parametrize(
    ("asked", "status", "body", "says"),
    [
        ("bytes=0-3", 206, VIDEO[:4], f"bytes 0-3/{len(VIDEO)}"),
        ("bytes=2000-", 206, VIDEO[2000:], f"bytes 2000-{len(VIDEO) - 1}/{len(VIDEO)}"),
        ("bytes=-5", 206, VIDEO[-5:], f"bytes {len(VIDEO) - 5}-{len(VIDEO) - 1}/{len(VIDEO)}"),
        ("bytes=99999-", 416, b"", f"bytes */{len(VIDEO)}"),
        ("bytes=5-2", 416, b"", f"bytes */{len(VIDEO)}"),
        ("bytes=0-1,3-4", 200, VIDEO, None),
        ("lignes=1", 200, VIDEO, None),
    ],
)
def test_a_player_asks_for_a_piece(
    film: Path, client: Client, asked: str, status: int, body: bytes, says: str | None
) -> None:
    town = read_text(town_with(help_video_file="film.webm"))
    beside.keep(town, beside=film)
    load_town(town, at=AT)
    answer = client.get("/aide/fichiers/film.webm", headers={"Range": asked})
    assert answer.status_code == status
    assert answer.headers.get("Content-Range") == says
    assert (b"".join(answer.streaming_content) if answer.streaming else answer.content) == body  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "content"), [("film.webm", b"MZ"), ("film.webm", b""), ("film.webm", None)])
def test_a_file_that_is_not_there_or_lies_is_refused(film: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (film / name).unlink()
    else:
        (film / name).write_bytes(content)
    with pytest.raises(beside.NotBeside):
        beside.keep(read_text(town_with(help_video_file="film.webm")), beside=film)
    assert not (film.parent / "kept").exists()


@pytest.mark.row("A10")
def test_each_page_has_its_help_at_the_same_place_and_leads_to_its_section(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    expected = {
        "/": "accueil",
        "/planning/": "planning",
        "/demarches/": "inscription",
        "/demarches/inscription/": "inscription",
        "/famille/": "famille",
        "/famille/historique/": "famille",
        "/actualites/": "actualites",
    }
    for path, slug in expected.items():
        screen.go(path)
        before, mark, after = screen.markup.partition("Aide sur cette page")
        assert mark and before.rindex("</main>") < len(before), path
        assert f'href="/aide/#aide-{slug}"' in after, path
    screen.go("/aide/")
    for topic in TOPICS:
        assert f'id="aide-{topic.slug}"' in screen.markup


def test_the_help_page_names_the_childs_school(settings: Settings, benali: Family) -> None:
    Site.objects.filter(slug="ecole-elementaire").update(phone="05 00 00 00 42", email="ecole@cadours.example")
    Site.objects.filter(slug="ecole-maternelle").update(phone="05 00 00 00 43")
    seen = Screen(settings, benali.user).go("/aide/")
    assert "05 00 00 00 42" in seen and "05 00 00 00 43" not in seen
    assert "05 00 00 00 42" not in Screen(settings, None).go("/aide/")


@pytest.mark.row("D11")
def test_legal_notice_terms_and_contact(settings: Settings, malika: User) -> None:
    screen = Screen(settings, None)
    assert "Directeur de la publication : le maire." in screen.go("/mentions-legales/")
    seen = screen.go("/conditions-d-utilisation/")
    assert "Conditions d’utilisation" in seen and "La commune n’a pas publié ses propres conditions" in seen
    assert "05 61 00 00 31" in seen
    load_town(read_text(town_with(terms_of_use="Le compte est **personnel**.")), at=AT)
    screen.go("/conditions-d-utilisation/")
    assert "<strong>personnel</strong>" in screen.markup


def test_the_footer_says_the_accessibility_of_the_town(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    screen.go("/")
    assert "Accessibilité : non conforme" in screen.markup.replace("\xa0", " ")
    load_town(read_text(town_with(accessibility_status="partial", accessibility="Audit du 3 mars : 78 %.")), at=AT)
    screen.go("/famille/")
    assert "Accessibilité : partiellement conforme" in screen.markup.replace("\xa0", " ")
    seen = screen.go("/accessibilite/")
    assert "Résultats des tests" in seen and "78 %" in seen and "Aucun audit" not in seen


def test_a_fault_is_told_without_the_database(settings: Settings, malika: User) -> None:
    Screen(settings, None).go("/aide/")  # the process has read the town once
    with CaptureQueriesContext(connection) as queries:
        answer = server_error(RequestFactory().get("/"))
    assert len(queries) == 0
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "Rien n’est perdu." in text and "05 61 00 00 31" in text and 'href="/"' in text


def test_a_missing_page_has_the_towns_look(settings: Settings, malika: User) -> None:
    screen = Screen(settings, None)
    seen = screen.go("/rien/")
    assert screen.status == 404
    assert "Page introuvable" in seen and "05 61 00 00 31" in seen and "Retour à l’accueil" in seen
    assert "commune__name" in screen.markup
