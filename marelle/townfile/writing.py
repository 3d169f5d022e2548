"""Write a town's file: what `read` gives back is an equal town. Comments are not kept; defaults are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from marelle.townfile.kinds import Section
from marelle.townfile.town import TOWN, Town

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 110


def write(town: Town) -> str:
    """The town as TOML text."""
    lines: list[str] = []
    plain = TOWN.plain(town)
    _section({"format": town.format, **plain}, (), lines)
    return "\n".join(lines).strip("\n") + "\n"


def to_plain(town: Town) -> dict[str, Any]:
    """The town as nested dictionaries, defaults left out: the content that two files are compared by."""
    return {"format": town.format, **TOWN.plain(town)}


def _section(content: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    inner = {key: value for key, value in content.items() if isinstance(value, Section)}
    own = {key: value for key, value in content.items() if key not in inner}
    if path and (own or not inner):
        lines += ["", f"[{'.'.join(_key(key) for key in path)}]"]
    for key, value in own.items():
        lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in inner.items():
        _section(value, (*path, key), lines)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return _lines(value) if "\n" in value else _text(value)
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }" if value else "{}"
        )
    items = [_value(item) for item in value]
    short = f"[{', '.join(items)}]"
    if len(short) <= _WIDTH and "\n" not in short:
        return short
    return "[\n" + "".join(f"  {item},\n" for item in items) + "]"


def _text(text: str) -> str:
    return '"' + "".join(_escaped(c) for c in text) + '"'


def _lines(text: str) -> str:
    inner = "\n".join("".join(_escaped(c) for c in line) for line in text.split("\n"))
    return f'"""\n{inner}"""'


def _escaped(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    return c if c.isprintable() or c in "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}" else f"\\U{ord(c):08x}"
