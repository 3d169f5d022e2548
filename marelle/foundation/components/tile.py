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
from marelle.foundation.icons import chosen_icon, icon

# {…} are already escaped or safe by construction.
_BOX = (
    '<label class="tile" data-was="{was}" data-base="{base}"{data}>'
    '<input type="checkbox" id="t-{key}" name="{name}" value="{key}"{checked}{described}>'
    '<span class="vh">{day}, </span>{badge}'
    '<span class="tile__txt">{who}<span class="tile__label tile__same">{word}</span>'
    '<span class="tile__label tile__diff">{diff}</span></span>{badge_note}{icons}</label>'
)
_TEXT = (
    '<{tag} class="tile{change}" data-was="{was}"{data}><span class="vh">{day}, </span>{badge}'
    '<span class="tile__txt">{who}<span class="tile__label">{word}</span>{why}</span>{icon}</{end}>'
)


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


@lru_cache(maxsize=256)
def _icons(same: str, diff: str) -> str:
    return chosen_icon(same, "tile__same") + chosen_icon(diff, "tile__diff")


@lru_cache(maxsize=8)
def _differences(language: str | None) -> tuple[Mark, Mark]:
    return Mark(_("À ajouter"), "plus", "add"), Mark(_("À annuler"), "minus", "remove")


def difference(*, adds: bool) -> State:
    """The word and icon of a change that is not sent yet."""
    return _differences(get_language())[0 if adds else 1]


def tile_html(tile: Tile, *, name: str = "want") -> SafeString:
    """One tile: a label around its box when the family may change it, else a text."""
    kid, state = tile.kid, tile.state
    who = _who(kid.name if kid else "", tile.unit)
    words: str = escape(str(state.word))
    if tile.note:
        words = f"{words} · {escape(tile.note)}"
    data = f' data-kid="{escape(kid.key)}"' if kid else ""
    if not tile.editable:
        changed = difference(adds=tile.change == "add") if tile.change else state
        why = f'<span class="vh">, {escape(tile.why)}</span>' if tile.why else ""
        hint = f' title="{escape(tile.why)}"' if tile.why else ""
        link = f' href="{escape(tile.href)}"' if tile.href else ""
        return mark_safe(
            _TEXT.format(
                tag="a" if tile.href else "div",
                end="a" if tile.href else "div",
                change=f" tile--{tile.change}" if tile.change else "",
                was=escape(state.css),
                data=data + hint + link,
                day=escape(tile.day),
                badge=badge(kid) if kid else "",
                who=who,
                word=escape(str(changed.word)) if tile.change else words,
                why=why,
                icon=chosen_icon(changed.icon),
            )
        )
    diff = tile.ask or difference(adds=not tile.base)
    if tile.cents is not None:
        data += f' data-cents="{tile.cents}"'
    if tile.alone:
        data += " data-alone"
    if tile.clash:
        data += " data-clash"
    day = escape(tile.day)
    said = f"{day} · {escape(tile.unit)}" if tile.unit else day
    return mark_safe(
        _BOX.format(
            was=escape(state.css),
            base="1" if tile.base else "0",
            data=f'{data} data-day="{said}"' + (f' data-who="{escape(kid.name)}"' if kid else ""),
            key=escape(tile.key),
            name=name,
            checked=" checked" if tile.ticked else "",
            described=f' aria-describedby="{escape(tile.described_by)}"' if tile.described_by else "",
            day=day,
            badge=badge(kid) if kid else "",
            who=who,
            word=words,
            diff=escape(str(diff.word)),
            badge_note=f'<span class="tile__badge" aria-hidden="true">{escape(tile.note)}</span>' if tile.note else "",
            icons=_icons(state.icon, diff.icon),
        )
    )


def tiles_html(day: Day, grid: Grid) -> SafeString:
    """All the tiles of a cell; where it holds several units, each unit's word above its tiles."""
    if not grid.several_units:
        return mark_safe("".join([tile_html(tile, name=grid.name) for tile in day.tiles]))
    parts: list[str] = []
    unit = ""
    for tile in day.tiles:
        if tile.unit != unit:
            unit = tile.unit
            parts.append(f'<span class="unitname" aria-hidden="true">{escape(unit)}</span>')
        parts.append(tile_html(tile, name=grid.name))
    return mark_safe("".join(parts))


def cell_html(day: Day, grid: Grid) -> SafeString:
    """A date's cell: its head, then its tiles or why it is shut."""
    names = [f"of-{day.group}"] if grid.groups else []
    if day.starts:
        names.append("kid-start")
    if day.today or day.outside:
        names.append("is-today" if day.today else "is-out")
    css = f' class="{" ".join(names)}"' if names else ""
    head = ""
    if day.number:
        now = ' aria-current="date"' if day.today else ""
        inside = f'{escape(day.number)}<span class="vh"> {escape(day.title)}</span>'
        if day.href:
            inside = f'<a class="day__num" href="{escape(day.href)}"{now}>{inside}</a>'
        else:
            inside = f'<span class="day__num"{now}>{inside}</span>'
        if day.due:
            inside += (
                f'<span class="day__due" id="{escape(day.due_id)}">{icon("clock-alert")}'
                f'<span class="vh">{escape(day.due_words)}</span><span aria-hidden="true">'
                f'<span class="mob-hide">{escape(_("jusqu’à"))} </span>{escape(day.due)}</span></span>'
            )
        elif day.aside:
            inside += f'<span class="day__aside">{escape(day.aside)}</span>'
        head = f'<div class="day__head">{inside}</div>'
    if day.closed:
        body = (
            f'<div class="tile tile--shut" data-was="{escape(day.closed.css)}"><span class="tile__txt">'
            f'<span class="tile__label">{escape(day.closed.word)}</span></span>{chosen_icon(day.closed.icon)}</div>'
        )
    else:
        body = tiles_html(day, grid)
    return mark_safe(f'<td{css}><div class="day">{head}{body}</div></td>')
