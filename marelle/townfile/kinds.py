"""What a value of the town's file may be: each kind reads it, writes it back, and says itself as JSON Schema.

A table of the file is a frozen dataclass whose fields are declared with `said(kind, help)`: from that one declaration
come the reading with every fault, the export and the schema that editors use.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar, dataclass_transform

from marelle.rules import limits as grammar
from marelle.rules.faults import Fault, shown
from marelle.rules.faults import Words as _
from marelle.rules.limits import WEEKDAYS

Path = tuple[str, ...]
T = TypeVar("T")

#: What a kind answers when it could not read: the fault is already recorded.
BAD: Any = type("Bad", (), {"__repr__": lambda self: "BAD"})()

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Section(dict[str, Any]):
    """A table that the export writes under a header of its own instead of on one line."""


class Reading:
    """One reading of a file: its whole content, for references, and the faults so far."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.faults: list[Fault] = []

    def fault(self, path: Path, found: object, expected: str, *, is_text: bool = False) -> Any:
        text = str(found) if is_text else shown(found)
        self.faults.append(Fault(path=path, found=text, expected=expected))
        return BAD

    def known(self, place: Path) -> tuple[str, ...]:
        """The keys of a table of the file, whatever they hold; a `*` in the place stands for every key there."""
        tables: list[Any] = [self.content]
        for key in place:
            found: list[Any] = []
            for table in tables:
                if isinstance(table, Mapping):
                    found += table.values() if key == "*" else [table[key]] if key in table else []
            tables = found
        return tuple(key for table in tables if isinstance(table, Mapping) for key in table)


class Kind:
    """Base of all kinds; `expected` is what a fault says was expected."""

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        raise NotImplementedError

    def plain(self, value: Any) -> Any:
        """What TOML writes; None leaves the key out."""
        return value

    def schema(self) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Text(Kind):
    """Text without control characters; `lines` allows line breaks."""

    most: int = 200
    lines: bool = False
    empty: bool = False
    pattern: str = ""
    example: str = ""

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if not isinstance(value, str):
            return reading.fault(path, value, _("un texte entre guillemets"))
        if len(value) > self.most:
            return reading.fault(path, value, _("un texte de %(most)d caractères au plus", most=self.most))
        if not value.strip() and not self.empty:
            return reading.fault(path, value, _("un texte qui n’est pas vide"))
        if any((ord(c) < 32 and not (c == "\n" and self.lines)) or c == "\x7f" for c in value):
            return reading.fault(path, value, _("un texte sans caractère de contrôle"))
        if self.pattern and not re.fullmatch(self.pattern, value):
            return reading.fault(path, value, _("un texte de la forme %(example)s", example=self.example))
        return value

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "string", "maxLength": self.most}
        if not self.empty:
            found["minLength"] = 1
        if self.pattern:
            found["pattern"] = f"^(?:{self.pattern})$"
        return found


class Slug(Text):
    """Lower-case words joined by hyphens: an identity."""

    def __init__(self) -> None:
        super().__init__(most=50, pattern=SLUG.pattern, example="restauration-scolaire")


class Colour(Text):
    def __init__(self) -> None:
        super().__init__(most=7, pattern="#[0-9a-fA-F]{6}", example="#2d6a4f")


class Email(Text):
    def __init__(self) -> None:
        super().__init__(
            most=254,
            pattern=r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
            example="ecole@commune.example",
        )


class Link(Text):
    def __init__(self) -> None:
        super().__init__(most=500, pattern=r"https?://\S+", example="https://commune.example/aide")


@dataclass(frozen=True, kw_only=True)
class Number(Kind):
    least: int = 0
    most: int = 100_000

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most:
            return value
        expected = _("un nombre entier de %(least)d à %(most)d", least=self.least, most=self.most)
        return reading.fault(path, value, expected)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Flag(Kind):
    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        return value if isinstance(value, bool) else reading.fault(path, value, _("true ou false"))

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Day(Kind):
    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if isinstance(value, date) and not isinstance(value, datetime) and 2000 <= value.year <= 2100:
            return value
        return reading.fault(path, value, _("une date sans guillemets, comme 2026-09-25"))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class Instant(Kind):
    """A date and time of the town's own clock."""

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if isinstance(value, datetime) and value.tzinfo is None and 2000 <= value.year <= 2100:
            return value.replace(microsecond=0)
        expected = _("une date et une heure de la commune, sans décalage, comme 2026-09-21T08:00:00")
        return reading.fault(path, value, expected)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


class Clock(Kind):
    """A time of day, written "09:00"."""

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value, re.ASCII):
            return time.fromisoformat(value)
        if isinstance(value, time) and value.tzinfo is None:
            return value.replace(second=0, microsecond=0)
        return reading.fault(path, value, _('une heure, comme "09:00"'))

    def plain(self, value: Any) -> Any:
        return value.strftime("%H:%M")

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words. `flags`: what true and false mean, where they may stand for a word."""

    choices: type[StrEnum]
    flags: Mapping[bool, StrEnum] = dataclasses.field(default_factory=dict)

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        names = [choice.value for choice in self.choices]
        if isinstance(value, bool) and value in self.flags:
            return self.flags[value]
        if isinstance(value, str) and value in names:
            return self.choices(value)
        return reading.fault(path, value, _("une valeur parmi %(values)s", values=", ".join(names)))

    def plain(self, value: Any) -> Any:
        return value.value

    def schema(self) -> dict[str, Any]:
        return {"enum": [*(choice.value for choice in self.choices), *self.flags]}


class Weekday(Kind):
    """A weekday's English name in the file, 0 (Monday) to 6 here."""

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if isinstance(value, str) and value in WEEKDAYS:
            return WEEKDAYS.index(value)
        return reading.fault(path, value, _("un jour parmi %(keys)s", keys=", ".join(WEEKDAYS)))

    def plain(self, value: Any) -> Any:
        return WEEKDAYS[value]

    def schema(self) -> dict[str, Any]:
        return {"enum": list(WEEKDAYS)}


@dataclass(frozen=True)
class Reference(Kind):
    """The slug of something declared elsewhere: `place` is where ("papers"), `*` standing for every key."""

    place: Path
    also: tuple[str, ...] = ()

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        known = (*reading.known(self.place), *self.also)
        if isinstance(value, str) and value in known:
            return value
        listed = ", ".join(dict.fromkeys(known)) or _("aucun n’est déclaré")
        place = ".".join(self.place)
        return reading.fault(path, value, _("un identifiant de [%(place)s] : %(known)s", place=place, known=listed))

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True)
class SiblingReference(Kind):
    """The slug of a neighbour: the first `up` keys of its path, then down `place` (units of a service)."""

    up: int
    place: Path

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        return Reference((*path[: self.up], *self.place)).read(value, path, reading)

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, kw_only=True)
class Several(Kind):
    """A list of one kind, as a tuple."""

    of: Kind
    least: int = 0
    distinct: bool = True

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if not isinstance(value, list):
            return reading.fault(path, value, _("une liste entre crochets"))
        if len(value) < self.least:
            return reading.fault(path, value, _("au moins %(least)d élément", least=self.least))
        items = [self.of.read(item, (*path, str(n)), reading) for n, item in enumerate(value)]
        if self.distinct:
            for n, item in enumerate(items):
                if item is not BAD and item in items[:n]:
                    reading.fault((*path, str(n)), value[n], _("chaque élément une seule fois"))
        return tuple(item for item in items if item is not BAD)

    def plain(self, value: Any) -> Any:
        return [self.of.plain(item) for item in value]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.of.schema(), "minItems": self.least}


class WeekdaySet(Several):
    """Weekdays, kept in the week's order."""

    def __init__(self, *, least: int = 0) -> None:
        super().__init__(of=Weekday(), least=least)

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        found = super().read(value, path, reading)
        return found if found is BAD else tuple(sorted(found))


@dataclass(frozen=True, kw_only=True)
class LimitSentence(Kind):
    """A limit of the grammar; `opening`: read as the moment something opens (no window, 00:00 without a time)."""

    opening: bool = False
    window: bool = True

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        try:
            limit = grammar.limit_from_plain(value)
        except grammar.InvalidLimit as invalid:
            reading.faults += [dataclasses.replace(fault, path=(*path, *fault.path)) for fault in invalid.faults]
            return BAD
        if not isinstance(limit, grammar.Window):
            return grammar.from_midnight(limit) if self.opening else limit
        if self.opening or not self.window:
            return reading.fault(path, value, _("un seul moment, pas opens et closes"))
        return limit

    def plain(self, value: Any) -> Any:
        return grammar.limit_to_plain(value)

    def schema(self) -> dict[str, Any]:
        return {"$ref": "#/$defs/limit"}


@dataclass(frozen=True, kw_only=True)
class Mapped(Kind):
    """A table whose keys are free slugs or references and whose values are of one kind, as a tuple of pairs."""

    key: Kind
    of: Kind

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if not isinstance(value, Mapping):
            return reading.fault(path, value, _("une table"))
        pairs = [
            (self.key.read(name, (*path, name), reading), self.of.read(item, (*path, name), reading))
            for name, item in value.items()
        ]
        return tuple(pair for pair in pairs if pair[0] is not BAD and pair[1] is not BAD)

    def plain(self, value: Any) -> Any:
        return {self.key.plain(name): self.of.plain(item) for name, item in value}

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.of.schema()}


REQUIRED: Any = dataclasses.MISSING


def said(kind: Kind, help: str, *, default: Any = REQUIRED) -> Any:
    """Declare a key of a table: its kind, what it says (English, for the schema), and its value when absent."""
    metadata = {"kind": kind, "help": help}
    if default is REQUIRED:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(said, dataclasses.field))
def table(cls: type[T]) -> type[T]:
    """Make the class a frozen, keyword-only dataclass that `Table` can read."""
    return dataclass(frozen=True, kw_only=True, slots=True)(cls)


@dataclass(frozen=True, kw_only=True)
class Table(Kind):
    """A table read into the dataclass `of`; `header`: exported under a header of its own.

    `shorthand` names the key that a bare value stands for.
    """

    of: type[Any]
    header: bool = False
    shorthand: str = ""

    def fields(self) -> dict[str, tuple[Kind, dataclasses.Field[Any]]]:
        return {
            field.name: (field.metadata["kind"], field)
            for field in dataclasses.fields(self.of)
            if "kind" in field.metadata
        }

    def read(self, value: Any, path: Path, reading: Reading, **given: Any) -> Any:
        if self.shorthand and not isinstance(value, Mapping):
            value = {self.shorthand: value}
        if not isinstance(value, Mapping):
            return reading.fault(path, value, _("une table"))
        fields = {name: pair for name, pair in self.fields().items() if name not in given}
        self.unknown(value, path, reading, fields)
        known: dict[str, Any] = dict(given)
        whole = True
        for name, (kind, field) in fields.items():
            if name in value:
                item = kind.read(value[name], (*path, name), reading)
                if item is not BAD:
                    known[name] = item
                elif field.default is dataclasses.MISSING:
                    whole = False
            elif field.default is dataclasses.MISSING:
                whole = False
                expected = _("la clé %(key)s, qui manque", key=name)
                reading.fault((*path, name), _("rien"), expected, is_text=True)
        return self.of(**known) if whole else BAD

    @staticmethod
    def unknown(value: Mapping[str, Any], path: Path, reading: Reading, fields: Iterable[str]) -> None:
        names = list(fields)
        for key in value:
            if key not in names:
                near = get_close_matches(key, names, n=1)
                listed = ", ".join(names)
                if near:
                    expected = _("« %(near)s » ? Clés possibles : %(keys)s", near=near[0], keys=listed)
                else:
                    expected = _("une clé parmi %(keys)s", keys=listed)
                reading.fault((*path, key), key, expected, is_text=True)

    def plain(self, value: Any) -> Any:
        found: dict[str, Any] = Section() if self.header else {}
        for name, (kind, field) in self.fields().items():
            item = getattr(value, name)
            if item is None or (field.default is not dataclasses.MISSING and item == field.default):
                continue
            found[name] = kind.plain(item)
        return found

    def schema(self) -> dict[str, Any]:
        fields = self.fields()
        return {
            "type": "object",
            "description": " ".join((self.of.__doc__ or "").split()),
            "additionalProperties": False,
            "properties": {
                name: {**kind.schema(), "description": field.metadata["help"]} for name, (kind, field) in fields.items()
            },
            "required": [name for name, (_kind, field) in fields.items() if field.default is dataclasses.MISSING],
        }


@dataclass(frozen=True, kw_only=True)
class Keyed(Kind):
    """Tables by slug ([services.cantine]), as a tuple in the file's order; the class's field `slug` takes the key."""

    of: type[Any]
    name: Kind = dataclasses.field(default_factory=Slug)
    least: int = 0

    @property
    def inner(self) -> Table:
        return Table(of=self.of, header=True)

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        if not isinstance(value, Mapping):
            return reading.fault(path, value, _("des tables [%(place)s.identifiant]", place=".".join(path)))
        if len(value) < self.least:
            reading.fault(path, value, _("au moins une table [%(place)s.identifiant]", place=".".join(path)))
        items = []
        for slug, item in value.items():
            here = (*path, slug)
            name = self.name.read(slug, here, reading)
            read = self.inner.read(item, here, reading, slug=slug)
            if name is not BAD and read is not BAD:
                items.append(read)
        return tuple(items)

    def plain(self, value: Any) -> Any:
        return Section({item.slug: self.inner.plain(item) for item in value})

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "propertyNames": self.name.schema(), "additionalProperties": self.inner.schema()}
