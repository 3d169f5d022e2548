"""What changes from one town's file to another, key by key; the words are made where gettext is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from marelle.townfile.kinds import Section
from marelle.townfile.town import Town
from marelle.townfile.writing import to_plain


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One key that differs, by its path; plain values as the file writes them, None where there is none.

    A whole table that appears or disappears ([services.cantine]) is one difference; so is another order of tables that
    families see in the file's order, with the slugs as values.
    """

    change: Change
    path: tuple[str, ...]
    before: Any = None
    after: Any = None


def diff(old: Town, new: Town) -> list[Difference]:
    """Every difference, in the order of the new file, then what disappeared."""
    return list(_differences(to_plain(old), to_plain(new), ()))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Difference]:
    for key, after in new.items():
        here = (*path, key)
        if key not in old:
            yield Difference(change=Change.ADDED, path=here, after=after)
        elif isinstance(after, Section) and isinstance(old[key], Section):
            yield from _differences(old[key], after, here)
        elif old[key] != after:
            yield Difference(change=Change.CHANGED, path=here, before=old[key], after=after)
    for key, before in old.items():
        if key not in new:
            yield Difference(change=Change.REMOVED, path=(*path, key), before=before)
    before, after = [key for key in old if key in new], [key for key in new if key in old]
    if path and before != after:
        yield Difference(change=Change.REORDERED, path=path, before=before, after=after)
