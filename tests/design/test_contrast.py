"""Every couple of colours that carries a meaning, computed from the sheet that is served (WCAG 2.2, 1.4.3 and
1.4.11).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marelle.foundation.theme import (
    DARK_LEAST,
    LIGHT_LEAST,
    contrast,
    mixed,
    normal_colour,
    sheet,
    theme,
)

SHEETS = Path(__file__).resolve().parents[2] / "marelle/foundation/static/foundation/css"
TOKENS = (SHEETS / "tokens.css").read_text()
GROUNDS = ("paper", "surface", "sunken")
STATES = ("ok", "wait", "stop", "queue", "off")


def block(selector: str) -> dict[str, str]:
    """The colours that the first block of this selector sets."""
    start = TOKENS.index(selector + " {")
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})\b", TOKENS[start : TOKENS.index("}", start)]))


LIGHT = block(":root")
DARK = {**LIGHT, **block(':root[data-theme="dark"]')}
THEMES = {"light": LIGHT, "dark": DARK}

READABLE = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3", "brand") for ground in GROUNDS),
    ("brand", "brand-tint"),
    ("on-brand", "brand"),
    ("on-brand", "brand-strong"),
    *((state, f"{state}-bg") for state in STATES),
    *((state, "surface") for state in STATES),
    ("ink", "wait-bg"),
    ("ink", "stop-bg"),
    ("ink", "ok-bg"),
    ("ink", "brand-tint"),
    *((f"kid-{kid}", f"kid-{kid}-bg") for kid in "abcd"),
    ("on-accent", "coral"),
    ("on-accent", "sun"),
    ("on-accent", "mint"),
    ("on-accent", "sky"),
    ("paper", "ink"),
]
VISIBLE = [
    *(("line-strong", ground) for ground in GROUNDS),
    *((f"{state}-line", "surface") for state in ("ok", "wait", "stop", "queue")),
    ("focus", "paper"),
    ("focus", "surface"),
    ("focus", "focus-halo"),
]


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("ink", "ground"), READABLE)
def test_text_is_readable_on_its_ground(name: str, ink: str, ground: str) -> None:
    assert contrast(THEMES[name][ink], THEMES[name][ground]) >= 4.5


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("edge", "ground"), VISIBLE)
def test_edges_and_focus_are_visible(name: str, edge: str, ground: str) -> None:
    assert contrast(THEMES[name][edge], THEMES[name][ground]) >= 3


def patterned(tokens: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """(what, ink, the pattern's worst colour), with the shares that planning.css and components.css mix."""
    stripes = mixed(tokens["wait-line"], tokens["wait-bg"], 0.20)
    yield "a pending day's word", tokens["wait"], stripes
    yield "a name over stripes", tokens["ink"], stripes
    yield "a cancelling day's word", tokens["stop"], mixed(tokens["stop-line"], tokens["surface"], 0.16)
    yield "a queued day's word", tokens["queue"], mixed(tokens["queue-line"], tokens["queue-bg"], 0.28)
    yield "today's caption", tokens["ink-3"], mixed(tokens["sun"], tokens["surface"], 0.14)
    yield "a title over the ruling", tokens["ink"], mixed(tokens["rule"], tokens["paper"], 0.40 * 0.5)
    yield "a text over the ruling", tokens["ink-2"], mixed(tokens["rule"], tokens["paper"], 0.40 * 0.5)
    yield "a caption over a receipt's ruling", tokens["ink-3"], mixed(tokens["rule"], tokens["surface"], 0.40 * 0.28)


@pytest.mark.parametrize("name", THEMES)
def test_text_over_patterns_is_readable(name: str) -> None:
    unreadable = {what: contrast(ink, ground) for what, ink, ground in patterned(THEMES[name])}
    assert {what: ratio for what, ratio in unreadable.items() if ratio < 4.5} == {}


def test_both_ways_into_the_dark_say_the_same() -> None:
    assert block(':root:not([data-theme="light"])') == block(':root[data-theme="dark"]')


@pytest.mark.parametrize(
    ("town", "light", "light_ratio", "dark", "dark_ratio"),
    [
        ("#f6c400", "#745c00", 5.56, "#f6c400", 9.11),
        ("#e30613", "#c00510", 5.56, "#fc959b", 7.05),
        ("#7ec8e3", "#1c6681", 5.57, "#7ec8e3", None),
    ],
)
def test_a_town_colour_is_moved_no_further_than_needed(
    town: str, light: str, light_ratio: float, dark: str, dark_ratio: float | None
) -> None:
    made = theme(town)
    assert made.light["brand"] == light
    assert round(min(contrast(light, LIGHT[ground]) for ground in GROUNDS), 2) == light_ratio
    assert made.dark["brand"] == dark
    if dark_ratio is not None:
        assert round(min(contrast(dark, DARK[ground]) for ground in GROUNDS), 2) == dark_ratio
    assert made.moved


@given(st.integers(0, 0xFFFFFF))
def test_any_town_colour_stays_readable(number: int) -> None:
    made = theme(f"#{number:06x}")
    for tokens, brand, least in ((LIGHT, made.light, LIGHT_LEAST), (DARK, made.dark, DARK_LEAST)):
        assert min(contrast(brand["brand"], tokens[ground]) for ground in GROUNDS) >= least
        assert contrast(brand["brand"], brand["brand-tint"]) >= 4.5
        assert contrast(brand["on-brand"], brand["brand"]) >= 4.5
        assert contrast(brand["on-brand"], brand["brand-strong"]) >= 4.5
        assert contrast(tokens["ink"], brand["brand-tint"]) >= 4.5
        for _, ink, ground in patterned({**tokens, **brand}):
            assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize(
    ("town", "alike"), [("#e30613", True), ("#0a8f3c", True), ("#2d3a9e", False), ("#808080", False)]
)
def test_a_town_in_a_state_colour_adds_in_ink(town: str, alike: bool) -> None:
    assert ("--add:var(--ink)" in sheet(town)) is alike


@pytest.mark.parametrize("wrong", ["red", "#12345", "#12345g", "#f6c400;}body{"])
def test_only_a_colour_is_a_colour(wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        normal_colour(wrong)
