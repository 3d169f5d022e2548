"""A tile's HTML, written from pre-formatted strings: a year's grid has hundreds, and the template engine is the
bottleneck.
"""

from functools import lru_cache
from html import escape

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marelle.foundation.components.grid import Day, Grid, Mark, State, Tile
from marelle.foundation.components.kids import Kid
from marelle.foundation.icons import chosen_icon


@lru_cache(maxsize=512)
def badge(kid: Kid, classes: str = "") -> SafeString:
    """A child's badge; silent, since the name always stands beside it."""
    return format_html(
        '<span class="{}" aria-hidden="true">{}</span>', f"kid {kid.css} {classes}".rstrip(), kid.letters
    )


@lru_cache(maxsize=256)
def _who(name: str, unit: str) -> str:
    said = format_html('<span class="tile__name">{}<span class="sep">, </span></span>', name) if name else ""
    return said + (format_html('<span class="vh">{}, </span>', unit) if unit else "")


@lru_cache(maxsize=8)
def _differences(language: str | None) -> tuple[Mark, Mark]:
    return Mark(_("À ajouter"), "plus", "add"), Mark(_("À annuler"), "minus", "remove")


def difference(*, adds: bool) -> State:
    """The word and icon of a change that is not sent yet."""
    return _differences(get_language())[0 if adds else 1]


def tile_html(tile: Tile, *, name: str = "want") -> SafeString:
    """One tile: a label around its box when the family may change it, else a text."""
    language = get_language()
    return mark_safe(_box(tile, name, language) if tile.editable else _text(tile, language))


def _box(tile: Tile, name: str, language: str | None) -> str:
    before, after_day, after_key, label = _box_look(
        language, name, tile.kid, tile.unit, tile.state, tile.ask, tile.note, tile.base, tile.cents, tile.alone,
        tile.clash,
    )  # fmt: skip
    day, key = escape(tile.day), escape(tile.key)
    described = f' aria-describedby="{escape(tile.described_by)}"' if tile.described_by else ""
    checked = " checked" if tile.ticked else ""
    return f'{before}{day}{after_day}{key}{after_key}{key}"{checked}{described}><span class="vh">{day}, </span>{label}'


@lru_cache(maxsize=4096)  # a family's grid has hundreds of boxes and a dozen looks
def _box_look(
    language: str | None,
    name: str,
    kid: Kid | None,
    unit: str,
    state: State,
    ask: State | None,
    note: str,
    base: bool,
    cents: int | None,
    alone: bool,
    clash: bool,
) -> tuple[str, str, str, str]:
    """What boxes of one look have in common: the pieces of their HTML around the day, the key, and the key again."""
    diff = ask or difference(adds=not base)
    word = escape(str(state.word))
    data = f' data-kid="{escape(kid.key)}"' if kid else ""
    data += f' data-cents="{cents}"' if cents is not None else ""
    data += " data-alone" if alone else ""
    data += " data-clash" if clash else ""
    said = f" · {escape(unit)}" if unit else ""
    whose = f' data-who="{escape(kid.name)}"' if kid else ""
    return (
        f'<label class="tile" data-was="{escape(state.css)}" data-base="{int(base)}"{data} data-day="',
        f'{said}"{whose}><input type="checkbox" id="t-',
        f'" name="{name}" value="',
        f'{badge(kid) if kid else ""}<span class="tile__txt">{_who(kid.name if kid else "", unit)}'
        f'<span class="tile__label tile__same">{word}{f" · {escape(note)}" if note else ""}</span>'
        f'<span class="tile__label tile__diff">{escape(str(diff.word))}</span></span>'
        + (f'<span class="tile__badge" aria-hidden="true">{escape(note)}</span>' if note else "")
        + f"{chosen_icon(state.icon, 'tile__same')}{chosen_icon(diff.icon, 'tile__diff')}</label>",
    )


def _text(tile: Tile, language: str | None) -> str:
    tag, before, after_day, label, after_why = _text_look(
        language, tile.kid, tile.unit, tile.state, tile.change, tile.note, bool(tile.href)
    )
    why = f'<span class="vh">, {escape(tile.why)}</span>' if tile.why else ""
    hint = f' title="{escape(tile.why)}"' if tile.why else ""
    link = f' href="{escape(tile.href)}"' if tile.href else ""
    return (
        f'{before}{hint}{link}><span class="vh">{escape(tile.day)}, </span>{after_day}{label}{why}{after_why}</{tag}>'
    )


@lru_cache(maxsize=4096)
def _text_look(
    language: str | None, kid: Kid | None, unit: str, state: State, change: str, note: str, leads: bool
) -> tuple[str, str, str, str, str]:
    """The same for tiles that are a text: its tag, and the pieces around the links and the reason."""
    tag = "a" if leads else "div"
    shown = difference(adds=change == "add") if change else state
    word = escape(str(shown.word))
    if note and not change:
        word = f"{word} · {escape(note)}"
    data = f' data-kid="{escape(kid.key)}"' if kid else ""
    changed = f" tile--{change}" if change else ""
    return (
        tag,
        f'<{tag} class="tile{changed}" data-was="{escape(state.css)}"{data}',
        f'{badge(kid) if kid else ""}<span class="tile__txt">{_who(kid.name if kid else "", unit)}',
        f'<span class="tile__label">{word}</span>',
        f"</span>{chosen_icon(shown.icon)}",
    )


def tiles_html(day: Day, grid: Grid, language: str | None) -> str:
    """All the tiles of a cell; where it holds several units, each unit's word above its tiles."""
    parts: list[str] = []
    unit = ""
    for tile in day.tiles:
        if grid.several_units and tile.unit != unit:
            unit = tile.unit
            parts.append(f'<span class="unitname" aria-hidden="true">{escape(unit)}</span>')
        parts.append(_box(tile, grid.name, language) if tile.editable else _text(tile, language))
    return "".join(parts)
