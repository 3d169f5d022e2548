"""`marelle-admin rules` and `town`: what they print, and that they need no database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from marelle import townfile
from marelle.towns.words import difference_line

ROOT = Path(__file__).parents[2]
TOWNS = ROOT / "marelle" / "demo" / "towns"
CADOURS = TOWNS / "cadours.toml"


def run(*words: object) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def explain(service: str, day: str, at: str, *more: object, file: Path = CADOURS) -> dict[str, object]:
    text = run("rules", "explain", file, "--service", service, "--date", day, "--at", at, "--json", *more)
    return dict(json.loads(text))


@pytest.mark.row("A8")
def test_explain_says_yes_and_until_when() -> None:
    assert explain("cantine", "2026-11-23", "2026-11-22T08:59") == {
        "bookable": True,
        "book_until": "2026-11-22T09:00:00+01:00",
        "cancellable": True,
        "cancel_until": "2026-11-22T09:00:00+01:00",
        "reason": None,
    }


@pytest.mark.row("A8")
@pytest.mark.row("B3")
def test_explain_says_no_since_when() -> None:
    found = explain("cantine", "2026-11-23", "2026-11-22T09:00")
    assert (found["bookable"], found["cancellable"]) == (False, False)
    assert found["book_until"] == "2026-11-22T09:00:00+01:00"
    assert str(found["reason"]).startswith("Trop tard pour changer en ligne : le délai était dimanche 22 novembre, 9 h")


@pytest.mark.parametrize(
    ("service", "day", "reason"),
    [
        ("cantine", "2025-11-11", "Jour férié : 11 novembre"),
        ("cantine", "2026-12-22", "Pas d’école ce jour-là : Vacances de Noël"),
        ("cantine", "2026-11-25", "Pas d’accueil ce jour de la semaine : ouvert lundi, mardi, jeudi et vendredi"),
        ("garderie", "2026-11-23", "Sans réservation : l’inscription suffit"),
        ("petites-vacances", "2026-12-22", "Pas d’accueil à cette date"),
    ],
)
def test_explain_says_why_a_day_is_closed(service: str, day: str, reason: str) -> None:
    assert explain(service, day, "2026-09-20T10:00") == {
        "bookable": False,
        "book_until": None,
        "cancellable": False,
        "cancel_until": None,
        "reason": reason,
    }


def test_explain_lists_units_that_disagree() -> None:
    file = TOWNS / "mon-compte-famille.toml"
    found = explain("mercredi", "2026-11-25", "2026-11-23T10:00", file=file)
    assert {unit["unit"]: unit["bookable"] for unit in found["units"]} == {  # type: ignore[attr-defined]
        "matin": True,
        "matin-repas": False,
        "repas": False,
        "apres-midi": True,
        "journee": False,
    }
    one = explain("mercredi", "2026-11-25", "2026-11-23T10:00", "--unit", "matin", file=file)
    assert one["book_until"] == "2026-11-24T12:00:00+01:00"


def test_explain_takes_the_towns_clock_or_an_offset() -> None:
    assert explain("cantine", "2026-11-23", "2026-11-22T07:59Z")["bookable"] is True
    assert explain("cantine", "2026-11-23", "2026-11-22T08:00+00:00")["bookable"] is False


def test_explain_speaks_to_people_too() -> None:
    words = run("rules", "explain", CADOURS, "--service", "cantine", "--date", "2026-11-23", "--at", "2026-11-20T10:00")
    assert words.splitlines() == [
        "Restauration scolaire, Repas, lundi 23 novembre 2026",
        "  Réserver : oui, jusqu’au dimanche 22 novembre, 9 h (la veille, 9 h)",
        "  Annuler : oui, jusqu’au dimanche 22 novembre, 9 h (la veille, 9 h)",
    ]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--service", "piscine", "--date", "2026-11-23", "--at", "2026-11-20T10:00"), "Service inconnu : piscine"),
        (("--service", "cantine", "--unit", "x", "--date", "2026-11-23", "--at", "2026-11-20T10:00"), "Unité inconnue"),
        (("--service", "cantine", "--date", "23/11/2026", "--at", "2026-11-20T10:00"), "Date attendue"),
        (("--service", "cantine", "--date", "2026-11-23", "--at", "demain"), "Instant attendu"),
        (
            ("--service", "cantine", "--date", "2028-09-04", "--at", "2026-11-20T10:00"),
            "s’arrête le jeudi 31 août 2028",
        ),
    ],
)
def test_a_wrong_question_is_answered_in_words(more: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError) as caught:
        run("rules", "explain", CADOURS, *more)
    assert words in str(caught.value).replace("\N{NO-BREAK SPACE}", " ")


def test_calendar_shows_a_month_with_its_limits() -> None:
    lines = run("rules", "calendar", CADOURS, "--service", "cantine", "--month", "2026-11").splitlines()
    assert len(lines) == 30
    assert lines[1] == "lundi 2 novembre         réserver ou annuler avant dimanche 1er novembre, 9 h"
    assert lines[10].endswith("Jour férié : 11 novembre")


def test_check_lists_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "faux.toml"
    path.write_text(CADOURS.read_text().replace('zone = "C"', 'zone = "Q"').replace('"17:00"', '"17h"'))
    with pytest.raises(CommandError) as caught:
        run("town", "check", path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all("ligne" in line and "trouvé" in line and "attendu" in line for line in lines)
    assert "le fichier est bon" in run("town", "check", CADOURS)


def test_periods_of_a_year_come_by_one_command() -> None:
    lines = run("town", "periods", CADOURS, "--year", "2026-2027").splitlines()
    assert any("hiver-2027" in line and "du samedi 6 février au dimanche 21 février" in line for line in lines)
    with pytest.raises(CommandError):
        run("town", "periods", CADOURS, "--year", "2040-2041")


def test_differences_are_said_in_words() -> None:
    text = CADOURS.read_text()
    old = townfile.read_text(text)
    new = townfile.read_text(
        text.replace('book = { days = 1, at = "09:00" }', 'book = { days = 2, at = "10:00" }')
        .replace("capacity = 60", "capacity = 50")
        .replace('[services.garderie.units.matin]\nname = "Matin"\nstarts_at = "07:30"\nends_at = "08:50"\n', "")
    )
    assert [difference_line(one).replace("\N{NO-BREAK SPACE}", " ") for one in townfile.diff(old, new)] == [
        "service cantine, limite de réservation : « la veille, 9 h » devient « 2 jours avant, 10 h »",
        "service cantine, groupe maternelle, places : « 60 » devient « 50 »",
        "service garderie, unité matin : archivé, car absent du fichier",
    ]


def test_no_database_is_touched() -> None:
    command = [sys.executable, "-m", "marelle", "rules", "explain", str(CADOURS), "--service", "cantine"]
    command += ["--date", "2026-11-23", "--at", "2026-11-22T08:59", "--json"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MARELLE_")}
    environment["MARELLE_DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/nothing"
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bookable"] is True
