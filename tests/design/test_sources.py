"""What the sheets, templates and scripts may hold: one place for colours, nothing inline, every icon declared and
drawn.
"""

import re
from itertools import chain
from pathlib import Path

import pytest
from django.utils.safestring import SafeString

from marelle.foundation import icons

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "marelle"
SHEETS = sorted(PACKAGE.glob("*/static/**/*.css"))
TEMPLATES = sorted(path for path in PACKAGE.glob("*/templates/**/*") if path.suffix in (".html", ".txt", ".svg"))
GALLERY = [*(ROOT / "tests/design/gallery").glob("**/*.html"), ROOT / "tests/design/gallery/samples.py"]
SCRIPTS = sorted(PACKAGE.glob("*/static/**/*.js"))
# E-mails are read outside the policy, by programs that know no style sheet.
PAGES = [
    path for path in TEMPLATES if path.suffix == ".html" and not {"mail", "mails", "email", "emails"} & set(path.parts)
]
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|\b(?:rgb|rgba|hsl|hsla|oklch|lab)\(")


def named(paths: list[Path]) -> dict[str, Path]:
    return {str(path.relative_to(PACKAGE)): path for path in paths}


@pytest.mark.parametrize("path", named(SHEETS).values(), ids=named(SHEETS))
def test_colours_live_in_the_tokens_only(path: Path) -> None:
    if path.name == "tokens.css":
        return
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    assert COLOUR.findall(text) == []


@pytest.mark.parametrize("path", named(SHEETS).values(), ids=named(SHEETS))
def test_sheets_know_no_left_nor_right(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    sides = r"left|right|top|bottom"
    physical = rf"(?:margin|padding|border|inset)-(?:{sides})|(?<![\w-])(?:{sides}|width|height)\s*:"
    physical += r"|(?:text-align|float):\s*(?:left|right)"
    assert re.findall(physical, re.sub(r"\((?:min|max)-width:|safe-area-inset-\w+", "(", text)) == []


@pytest.mark.parametrize("path", named(PAGES).values(), ids=named(PAGES))
def test_pages_hold_nothing_inline(path: Path) -> None:
    text = re.sub(r"{%.*?%}", "", path.read_text())  # a tag's own words, such as {% with one=… %}, are no attributes
    assert re.findall(r"<style\b|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\bsrc=)[^>]*>", text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", text) == []


@pytest.mark.parametrize("path", named(SCRIPTS).values(), ids=named(SCRIPTS))
def test_scripts_build_no_code_and_no_markup(path: Path) -> None:
    assert (
        re.findall(
            r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\.style\.", path.read_text()
        )
        == []
    )


def names_used() -> set[str]:
    """The icons that templates draw by name, those that states, menus and pages name in Python, and the gallery's."""
    drawn = chain.from_iterable(re.findall(r"{% icon [\"']([\w-]+)[\"']", path.read_text()) for path in TEMPLATES)
    spelt = chain.from_iterable(
        re.findall(r"[\"']([a-z0-9]+(?:-[a-z0-9]+)*)[\"']", path.read_text())
        for path in (*PACKAGE.glob("**/*.py"), *TEMPLATES, *GALLERY)
        if path != PACKAGE / "foundation/icons.py"
    )
    return set(drawn) | (set(spelt) & set(icons.ICONS))


def test_every_icon_drawn_is_declared() -> None:
    drawn = {name for path in TEMPLATES for name in re.findall(r"{% icon [\"']([\w-]+)[\"']", path.read_text())}
    assert drawn - set(icons.ICONS) == set()


def test_every_icon_of_the_interface_is_used() -> None:
    assert set(icons.INTERFACE_ICONS) - names_used() == set()


def test_the_sprite_holds_every_declared_icon_once() -> None:
    text = icons.sprite().content.decode()
    assert re.findall(r'<symbol id="i-([\w-]+)"', text) == list(icons.ICONS)
    assert "<script" not in text
    assert "stroke=" not in text


def test_an_icon_is_silent_and_points_into_the_sprite() -> None:
    html = icons.icon("check", "i--sm")
    assert html == f'<svg class="i i--sm" aria-hidden="true"><use href="{icons.sprite_address()}#i-check"/></svg>'
    assert isinstance(html, SafeString)


def test_an_icon_nobody_declared_is_refused_in_a_template_and_replaced_in_data() -> None:
    with pytest.raises(icons.UndeclaredIcon):
        icons.icon("no-such-icon")
    assert f"#i-{icons.FALLBACK}" in icons.chosen_icon("no-such-icon")
