"""The planning grid's data: what `foundation/parts/_grid.html` draws, for families (boxes) and agents (read only).

One class tree serves both orientations. Month view: `columns` are weekdays, each `Week` a calendar week, each `Day` a
date with the
tiles of all children. Week view: `groups` are children, `columns` child × unit, each `Week` a day (its label the
date's number, its
span the weekday) and each `Day` one cell without a head.

Words are given ready to read, already translated; whoever fills the grid never gives HTML. A tile says where the town
hall stands
(`state`) and what the family wants (`ticked`); the difference is drawn by the style sheet.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from django.utils.functional import Promise

from marelle.foundation.components.kids import Kid

__all__ = [
    "Column",
    "ColumnGroup",
    "Day",
    "Grid",
    "Kid",
    "Mark",
    "Menu",
    "MenuItem",
    "State",
    "Tile",
    "Week",
    "pack_seen",
    "unpack_seen",
]


class State(Hashable, Protocol):
    """A state as people meet it. Any enum member or object with these three attributes."""

    @property
    def word(self) -> str | Promise: ...
    @property
    def icon(self) -> str: ...
    @property
    def css(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A state said on the spot: a public holiday's name, "Complet", a tag of a list."""

    word: str
    icon: str
    css: str = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One child, one unit, one date.

    key: "child.unit.date", the box's value and, prefixed by "t-", its id; unique in the page.
    day: the date in words ("jeudi 12 novembre"), first in the accessible name.
    state: what is recorded. `base`: whether that counts as ticked (booked, pending: yes; free, refused: no).
    ticked: what the family wants. editable: a box if so, else a plain text.
    change: for read-only grids, "add" or "remove" draws the tile as a change asked for.
    unit: the unit's word, said in the name and drawn above its tiles where a cell holds several units (give them unit
    by unit).
    ask: what ticking this tile asks for when that is not a plain addition (a place on the waiting list).
    note: a short fact beside the word ("2 places"). why: the reason in words, for screen readers and the pointer's
    hint ("le délai était hier, 9 h").
    cents: the price, for totals; None when the service has none. described_by: ids of texts elsewhere in the page,
    space-separated.
    alone: never taken by the bulk actions (refused before, or full). href: for a tile that leads somewhere.
    clash: what is wanted does not go with the rest; `described_by` leads to why.
    """

    key: str
    day: str
    state: State
    kid: Kid | None = None
    unit: str = ""
    ticked: bool = False
    base: bool = False
    editable: bool = False
    change: str = ""
    ask: State | None = None
    note: str = ""
    why: str = ""
    cents: int | None = None
    described_by: str = ""
    alone: bool = False
    href: str = ""
    clash: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One cell. date: "2026-11-12". number: "12"; empty in the week view. title: hidden words after the number
    ("novembre : détail du jour").
    due: the hour until which it may change, when that is near ("9 h"); due_words: the same in full ("Modifiable
    jusqu'à demain, 9 h").
    aside: a short text in the head ("Aujourd'hui", "3,20 €"). closed: the whole cell is shut, for this reason.
    outside: not in the period shown. starts, group: in the week view, as its column's."""

    date: str = ""
    number: str = ""
    title: str = ""
    href: str = ""
    today: bool = False
    due: str = ""
    due_words: str = ""
    aside: str = ""
    tiles: tuple[Tile, ...] = ()
    closed: Mark | None = None
    outside: bool = False
    starts: bool = False
    group: int = 0

    @property
    def due_id(self) -> str:
        return f"due-{self.date}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuItem:
    """A submit button name="do". value: what the server is sent.
    scope "col", "row" or "all" with sets "on", "off" or "undo": JavaScript does it on the spot for what is displayed
    (`kid`: for that
    child only); no scope: the server does it. title: a small heading above this item."""

    value: str
    label: str
    icon: str = ""
    kid: Kid | None = None
    scope: str = ""
    sets: str = "on"
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """label: the visible word ("Tous"); hidden: the rest of the accessible name (" les lundis")."""

    label: str
    hidden: str
    items: tuple[MenuItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """name: "Lundi", or the unit's. short: for phones when columns are five or more ("Lun."). icon: the unit's, in
    the week view.
    starts: first column of a child. group: the child's rank."""

    name: str
    short: str = ""
    icon: str = ""
    menu: Menu | None = None
    starts: bool = False
    group: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnGroup:
    kid: Kid
    span: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One row. label: "S46"; span: "9–13 nov.". past: folded to `summary` with a link to `href` (`link`: its hidden
    name).
    closed: the whole row is shut. today: in the week view, this row is today's. seen: what the page showed, for
    `unpack_seen`; left to
    `pack_seen` when None. In the week view a row is a day: `href` leads to its page (`link`: its hidden words);
    `due`, `due_words` and `date` are a Day's."""

    label: str
    span: str = ""
    days: tuple[Day, ...] = ()
    menu: Menu | None = None
    past: bool = False
    summary: str = ""
    href: str = ""
    link: str = ""
    closed: Mark | None = None
    today: bool = False
    seen: str | None = None
    due: str = ""
    due_words: str = ""
    date: str = ""

    @property
    def due_id(self) -> str:
        return f"due-{self.date}"

    @property
    def packed(self) -> str:
        return pack_seen(tile for day in self.days for tile in day.tiles) if self.seen is None else self.seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """caption: what the table is, read first by screen readers. name: the field of the ticked boxes. seen_name: that
    of the packed rows.
    several_units: cells hold more than one unit, so each tile says its own. reading: no box, no menu, for agents.
    picked: in a wide week view, the rank of the child that a phone shows; the others stay in the form."""

    caption: str
    columns: tuple[Column, ...]
    weeks: tuple[Week, ...]
    groups: tuple[ColumnGroup, ...] = ()
    name: str = "want"
    seen_name: str = "seen"
    several_units: bool = False
    reading: bool = False
    picked: int = 0

    @property
    def picks(self) -> bool:
        """Whether a phone has no room for all the children at once."""
        return len(self.groups) > 1 and len(self.columns) > 6

    @property
    def css(self) -> str:
        kinds = ["grid", "grid--week" if self.groups else "grid--month"]
        if self.reading:
            kinds.append("grid--read")
        if len(self.columns) > 4:
            kinds.append("grid--wide")
        if self.picks:
            kinds.append(f"grid--pick pick-{self.picked}")
        return " ".join(kinds)

    @property
    def menus(self) -> bool:
        return not self.reading and any(column.menu for column in self.columns)

    def states(self) -> Iterator[State]:
        """Every different state drawn, in the order met: the legend's material."""
        met: set[str] = set()
        for state in self._drawn():
            if state.css not in met:
                met.add(state.css)
                yield state

    def _drawn(self) -> Iterator[State]:
        for week in self.weeks:
            if week.closed:
                yield week.closed
            for day in week.days:
                if day.closed:
                    yield day.closed
                yield from (tile.state for tile in day.tiles)


def pack_seen(tiles: Iterable[Tile]) -> str:
    """What the page showed of its editable tiles, in one field per row: "key=state key=state"."""
    return " ".join(f"{tile.key}={tile.state.css}" for tile in tiles if tile.editable)


def unpack_seen(fields: Iterable[str]) -> Mapping[str, str]:
    """{tile's key: the state's css when the page was made}. A field that is not ours gives nothing; never raises."""
    return {
        key: state for field in fields for pair in field.split() for key, cut, state in (pair.partition("="),) if cut
    }
