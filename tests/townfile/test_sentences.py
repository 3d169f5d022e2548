"""French for days, limits and decisions: one wording everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from marelle.foundation.french import NBSP
from marelle.foundation.sentences import (
    day_words,
    limit_words,
    moment_words,
    sentence,
    span_words,
    time_words,
    weekdays_words,
)
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.limits import limit_from_plain
from tests.spaces import plain_spaces

PARIS = "Europe/Paris"


def test_days_and_times() -> None:
    assert day_words(date(2026, 11, 23)) == f"lundi 23{NBSP}novembre"
    assert plain_spaces(day_words(date(2026, 12, 1), year=True)) == "mardi 1er décembre 2026"
    assert time_words(time(9)) == f"9{NBSP}h"
    assert time_words(time(18, 30)) == f"18{NBSP}h{NBSP}30"
    assert plain_spaces(span_words(date(2026, 7, 6), date(2026, 8, 28))) == "du lundi 6 juillet au vendredi 28 août"
    assert plain_spaces(span_words(date(2026, 7, 6), date(2026, 7, 6))) == "le lundi 6 juillet"
    assert weekdays_words({0, 1, 3}) == "lundi, mardi et jeudi"
    assert weekdays_words({0, 1, 2, 3, 4}) == "du lundi au vendredi"


def test_an_instant_is_told_on_the_towns_clock() -> None:
    at = datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert plain_spaces(moment_words(at, PARIS)) == "vendredi 20 novembre, 9 h"
    assert plain_spaces(moment_words(at, "Indian/Reunion")) == "vendredi 20 novembre, 12 h"
    midnight = datetime(2026, 11, 19, 23, tzinfo=UTC)
    assert plain_spaces(moment_words(midnight, PARIS)) == "jeudi 19 novembre, minuit"
    assert plain_spaces(moment_words(midnight, PARIS, opens=True)) == "vendredi 20 novembre, 0 h"


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({"days": 1, "at": "09:00"}, "la veille, 9 h"),
        ({"days": 7}, "7 jours avant, minuit"),
        ({"last": "monday", "at": "17:00"}, "le lundi précédent, 17 h"),
        ({"before_holidays": "friday 12:00"}, "le vendredi avant le début des vacances, 12 h"),
        ({"before_term": {"clear_days": 15}}, "15 jours francs avant le début de la période, minuit"),
        ({"working_hours": 48}, "48 heures ouvrées avant"),
        ({"hours": 1}, "1 heure avant"),
        ({"working_days": 5}, "5 jours ouvrés avant, minuit"),
        ({"week_days": 2, "at": "12:00"}, "2 jours avant, hors week-end, 12 h"),
        ({"school_days": 1, "at": "11:00"}, "1 jour d’école avant, 11 h"),
        ({"previous_week": "thursday", "at": "09:00"}, "le jeudi de la semaine précédente, 9 h"),
        ({"same_day": "08:30"}, "le jour même, 8 h 30"),
        ({"never": True}, "jamais en ligne"),
        ({"on": "2026-09-25", "at": "12:00"}, "le vendredi 25 septembre 2026, 12 h"),
        (
            {"by_weekday": {"monday": "friday 09:00", "tuesday": "friday 09:00", "thursday": "tuesday 09:00"}},
            "pour lundi et mardi : le vendredi précédent, 9 h ; pour jeudi : le mardi précédent, 9 h",
        ),
        (
            {"days": 1, "at": "09:00", "on_closed_day": "earlier"},
            "la veille, 9 h ; avancé au jour ouvré précédent si c’est un jour férié ou fermé",
        ),
        (
            {"opens": {"on": "2026-10-01"}, "closes": {"days": 15}},
            "ouvert à partir de : le jeudi 1er octobre 2026, 0 h ; fermé à partir de : 15 jours avant, minuit",
        ),
    ],
)
def test_a_limit_reads_as_the_regulation_says_it(plain: dict[str, object], words: str) -> None:
    assert plain_spaces(limit_words(limit_from_plain(plain))) == words


def test_what_must_not_be_cut_at_a_lines_end_is_not() -> None:
    words = sentence(Refused(Reason.PUBLIC_HOLIDAY, {"name": "Ascension"}), PARIS)
    assert words == f"Jour férié{NBSP}: Ascension"


def test_a_decision_reads_as_a_family_is_told() -> None:
    at = datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert plain_spaces(sentence(Allowed(until=at), PARIS)) == "Modifiable jusqu’au vendredi 20 novembre, 9 h"
    assert plain_spaces(sentence(Refused(Reason.PAST_LIMIT, {"since": at}), PARIS)) == (
        "Trop tard pour changer en ligne : le délai était vendredi 20 novembre, 9 h"
    )
    assert sentence(Refused(Reason.TOO_YOUNG, {"age": 2, "min_age": 6}), PARIS) == (
        "L’enfant n’a pas encore l’âge requis (6 ans)"
    )


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_sentence_even_without_facts(reason: Reason) -> None:
    words = sentence(Refused(reason), PARIS)
    assert words and "%" not in words and not words.endswith(".")
