"""Something wrong in what a town wrote: where, what was found, what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class Words(str):
    """A French text that remembers its msgid and parameters, so that whoever shows it may translate it.

    Here because nothing below the pages knows gettext; modules name it `_`, which is what message extraction looks for.
    """

    msgid: str
    parameters: Mapping[str, object]

    def __new__(cls, msgid: str, **parameters: object) -> Words:
        words = super().__new__(cls, msgid % parameters if parameters else msgid)
        words.msgid = msgid
        words.parameters = parameters
        return words


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where (keys from the root), what was found (as written), what is expected; `line` when it is known."""

    path: tuple[str, ...]
    found: str
    expected: str
    line: int | None = None

    @property
    def key(self) -> str:
        """The path as TOML writes it: services.cantine.limits.book."""
        return ".".join(self.path)


def shown(value: object) -> str:
    """A value as the town wrote it, cut to a readable length."""
    if isinstance(value, Mapping):
        text = "{ " + ", ".join(f"{key} = {shown(item)}" for key, item in value.items()) + " }" if value else "{}"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = f'"{value}"'
    else:
        text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"
