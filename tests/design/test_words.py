"""French spacing, money and badges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marelle.foundation.components.kids import badge_css, kids, letters_of
from marelle.foundation.french import euros, spaced


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Qui vient chercher Tom ?", "Qui vient chercher Tom\u202f?"),
        ("Modifiable : oui", "Modifiable\u00a0: oui"),
        ("à 18 h 30", "à 18\u00a0h\u00a030"),
        ("12 € le repas", "12\u00a0€ le repas"),
        ("« ouvré »", "«\u00a0ouvré\u00a0»"),
        ("demande n° 12 ; suite", "demande n°\u00a012\u202f; suite"),
        ("demande n° %(number)s", "demande n°\u00a0%(number)s"),
        ("https://mairie.example/?a=1", "https://mairie.example/?a=1"),
        ("3 heures", "3 heures"),
        ("par exemple 06 12 34 56 78.", "par exemple 06\u00a012\u00a034\u00a056\u00a078."),
    ],
)
def test_french_spaces(typed: str, printed: str) -> None:
    assert spaced(typed) == printed


@given(st.text())
def test_spacing_only_touches_spaces(text: str) -> None:
    once = spaced(text)
    assert once.translate({0xA0: " ", 0x202F: " "}) == text.translate({0xA0: " ", 0x202F: " "})
    assert spaced(once) == once


@pytest.mark.parametrize(
    ("cents", "printed"),
    [
        (320, "3,20\u00a0€"),
        (0, "0,00\u00a0€"),
        (-320, "−3,20\u00a0€"),
        (123456, "1\u202f234,56\u00a0€"),
        (5, "0,05\u00a0€"),
    ],
)
def test_money(cents: int, printed: str) -> None:
    assert euros(cents) == printed


def test_a_signed_sum() -> None:
    assert euros(640, signed=True) == "+6,40\u00a0€"
    assert euros(0, signed=True) == "0,00\u00a0€"


@pytest.mark.parametrize(
    ("names", "letters"),
    [
        (["Inès", "Tom"], ["In", "To"]),
        (["Inès", "Inaya"], ["Inè", "Ina"]),
        (["Léo", "Léon"], ["L1", "Léon"]),
        (["Tom", "Tom"], ["T1", "T2"]),
        (["Jean-Baptiste"], ["Je"]),
        (["É"], ["É"]),
    ],
)
def test_letters_tell_the_children_apart(names: list[str], letters: list[str]) -> None:
    assert letters_of(names) == letters


@given(st.lists(st.sampled_from(["Léa", "Léo", "Léon", "Tom", "Tomas", "Zoé", "Inès"]), max_size=6))
def test_letters_are_never_twice_the_same(names: list[str]) -> None:
    letters = letters_of(names)
    assert len(set(letters)) == len(names)


def test_a_child_keeps_its_shape_and_colour_when_another_comes() -> None:
    before = kids([("1", "Inès"), ("2", "Tom")])
    after = kids([("1", "Inès"), ("2", "Tom"), ("3", "Zoé")])
    assert [kid.css for kid in after[:2]] == [kid.css for kid in before]
    assert len({badge_css(rank) for rank in range(16)}) == 16
