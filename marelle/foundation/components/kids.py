"""A child's badge: a shape, a colour and the shortest letters that tell the children of a family apart."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_TONES = ("a", "b", "c", "d")
_SHAPES = ("round", "square", "drop", "leaf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kid:
    """`key`: the child's id as text, unique on the page. `css`: the badge's classes after "kid"."""

    key: str
    name: str
    letters: str
    css: str = "kid--a kid--round"


def badge_css(rank: int) -> str:
    """The look of the child of this rank: the first four differ by shape and colour alike, sixteen by one of them."""
    tone = rank % 4
    shape = (tone + rank // 4) % 4
    return f"kid--{_TONES[tone]} kid--{_SHAPES[shape]}"


def _plain(name: str) -> str:
    letters = [c for c in unicodedata.normalize("NFC", name.strip()) if c.isalpha()]
    return "".join(letters) or name.strip() or "?"


def letters_of(names: Sequence[str]) -> list[str]:
    """For each name its first letters, two at least and as many as tell it from the others, four at most; twins of
    one name get a number.
    """
    plain = [_plain(name) for name in names]
    found: list[str] = []
    for at, name in enumerate(plain):
        others = [other.casefold() for i, other in enumerate(plain) if i != at]
        length = next(
            (n for n in (2, 3, 4) if not any(other.startswith(name[:n].casefold()) for other in others)),
            None,
        )
        if length is None:
            same = [i for i, other in enumerate(plain) if other[:2].casefold() == name[:2].casefold()]
            found.append(f"{name[:1].upper()}{same.index(at) + 1}")
        else:
            found.append(name[:1].upper() + name[1:length].lower())
    return found


def kids(children: Sequence[tuple[str, str]]) -> list[Kid]:
    """Badges for the children of a household, given as (key, first name) from the first one recorded to the last:
    a child keeps its badge when another one comes."""
    letters = letters_of([name for _, name in children])
    return [
        Kid(key=key, name=name, letters=letters[rank], css=badge_css(rank)) for rank, (key, name) in enumerate(children)
    ]
