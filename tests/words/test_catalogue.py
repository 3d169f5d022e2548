"""The French catalogue: complete, spaced as French wants, and saying "0 jour". Needs no gettext."""

import re
from pathlib import Path

import polib
import pytest
from django.template import engines
from django.utils.translation import gettext, ngettext

from marelle.foundation.french import NBSP, THIN, spaced
from marelle.foundation.sentences import sentence
from marelle.rules.decisions import Reason, Refused
from scripts import messages
from scripts.environment import ROOT
from tests.people import agent, family, signed_in, town
from tests.words.sources import Text, texts, texts_of_python, texts_of_template

HERE = Path(__file__)
TOWNS = sorted((ROOT / "marelle" / "demo" / "towns").glob("*.toml"))
STRAIGHT = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_«%])")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(messages.CATALOGUE))


@pytest.fixture(scope="module")
def sources() -> list[Text]:
    found = texts()
    assert len(found) > 1000
    return found


def entries(catalogue: polib.POFile | polib.MOFile) -> dict[tuple[str, str, str], tuple[str, dict[int, str]]]:
    return {
        (entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""): (entry.msgstr, dict(entry.msgstr_plural))
        for entry in catalogue
    }


# ── the catalogue ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_compiled_says_what_is_written(catalogue: polib.POFile) -> None:
    compiled = polib.mofile(str(messages.CATALOGUE.with_suffix(".mo")))
    assert entries(compiled) == entries(catalogue)
    assert compiled.metadata == catalogue.metadata


def test_each_text_is_itself_with_the_spaces_of_french(catalogue: polib.POFile) -> None:
    wrong = [
        entry.msgid
        for entry in catalogue
        if (
            entry.msgstr_plural != {0: spaced(entry.msgid), 1: spaced(entry.msgid_plural)}
            if entry.msgid_plural
            else entry.msgstr != spaced(entry.msgid)
        )
    ]
    assert wrong == []


def test_it_says_nothing_of_the_day_nor_of_the_machine_it_was_made_on(catalogue: polib.POFile) -> None:
    assert catalogue.metadata == messages.METADATA
    assert [
        entry.msgid for entry in catalogue for name, line in entry.occurrences if line or Path(name).is_absolute()
    ] == []


def test_made_again_it_is_the_same_to_the_byte(catalogue: polib.POFile, tmp_path: Path) -> None:
    again = messages.french(catalogue)
    assert messages.write(again, tmp_path / "django.po") is True
    for suffix in (".po", ".mo"):
        assert (tmp_path / f"django{suffix}").read_bytes() == messages.CATALOGUE.with_suffix(suffix).read_bytes()
    assert messages.write(again, tmp_path / "django.po") is False


# ── the sources ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_plural_is_in_the_catalogue(catalogue: polib.POFile, sources: list[Text]) -> None:
    known = entries(catalogue)
    missing = [str(text) for text in sources if text.plural and text.key not in known]
    assert missing == [], "run `make messages`"


def test_every_text_with_spaces_that_must_not_break_is_in_the_catalogue(
    catalogue: polib.POFile, sources: list[Text]
) -> None:
    known = {(entry.msgctxt or "", entry.msgid) for entry in catalogue}
    spacious = [text for text in sources if spaced(text.text) != text.text]
    missing = [str(text) for text in spacious if (text.context, text.text) not in known]
    assert missing == [], "run `make messages`"


def test_no_text_is_typed_with_a_straight_apostrophe(sources: list[Text]) -> None:
    assert [str(text) for text in sources if STRAIGHT.search(text.text + text.plural)] == []


@pytest.mark.parametrize(
    "file", sorted((ROOT / "marelle" / "demo" / "towns").glob("*.toml")), ids=lambda file: file.stem
)
def test_no_town_of_the_demo_writes_a_straight_apostrophe(file: Path) -> None:
    assert [line for line in file.read_text().splitlines() if STRAIGHT.search(line)] == []


def test_texts_are_found_however_they_are_written() -> None:
    python = 'ngettext("%(n)d jour", "%(n)d jours", n); pgettext("heure", "9 h"); gettext_lazy("a" "b"); _(text)'
    assert [text.key for text in texts_of_python(HERE, python)] == [
        ("", "%(n)d jour", "%(n)d jours"),
        ("heure", "9 h", ""),
        ("", "ab", ""),
    ]
    template = (
        "{% load i18n %}{% translate 'Afficher' %}{% include 'x' with title=_(\"C’est vous\") %}"
        "{% blocktranslate trimmed count n=days|length with name=kid.name %}\n  {{ n }} jour pour {{ name }}\n"
        "{% plural %}{{ n }} jours pour {{ name }}{% endblocktranslate %}{% translate 'Mars' context 'mois' %}"
    )
    assert {text.key for text in texts_of_template(HERE, template)} == {
        ("", "Afficher", ""),
        ("", "C’est vous", ""),
        ("", "%(n)s jour pour %(name)s", "%(n)s jours pour %(name)s"),
        ("mois", "Mars", ""),
    }


# ── what is read ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_spaces_do_not_break_where_french_forbids_it() -> None:
    assert gettext("Vous n’avez rien reçu ?") == f"Vous n’avez rien reçu{THIN}?"
    template = engines["django"].from_string(
        "{% load i18n %}{% blocktranslate %}Demande n° {{ number }} envoyée{% endblocktranslate %}"
    )
    assert template.render({"number": "2026-000012"}) == f"Demande n°{NBSP}2026-000012 envoyée"
    closed = Refused(Reason.CLOSED, {"name": "Fête du village"})
    assert sentence(closed, "Europe/Paris") == f"Fermé{NBSP}: Fête du village"


@pytest.mark.parametrize(("n", "words"), [(0, "0 jour avant"), (1, "1 jour avant"), (2, "2 jours avant")])
def test_nought_is_singular(n: int, words: str) -> None:
    assert ngettext("%(n)d jour avant", "%(n)d jours avant", n) % {"n": n} == words
    most = Refused(Reason.TOO_MANY_DAYS, {"days": n, "per": "week"})
    assert sentence(most, "Europe/Paris") == f"Pas plus de {words.removesuffix(' avant')} par semaine"


@pytest.mark.django_db
@pytest.mark.parametrize(("n", "words"), [(0, "0 famille"), (1, "1 famille"), (2, "2 familles")])
def test_a_page_counts_as_french_does(n: int, words: str) -> None:
    town()
    for number in range(n):
        family(f"Benali{number}", email=f"parent{number}@example.org")
    page = signed_in(agent()).get("/agents/familles/", {"q": "benali"}).text
    assert f">{words}<" in page
