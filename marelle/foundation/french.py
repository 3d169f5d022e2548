"""French spacing and money, for texts typed with plain spaces."""

import re
import unicodedata

NBSP = "\u00a0"
THIN = "\u202f"

_BEFORE_HIGH = re.compile(r"[ \u00a0](?=[;!?](?:[\s<»)]|$))")
_BEFORE_COLON = re.compile(r" (?=:(?:\s|$))")
_CLOSING = re.compile(r" (?=»)")
_OPENING = re.compile(r"« ")
_UNIT = re.compile(r"(?<=\d) (?=(?:€|%|h|min|j|Ko|Mo|km|°C)(?![\w]))")
_MINUTES = re.compile(r"(?<=\d[ \u00a0]h) (?=\d\d(?!\d))")
_NUMBER = re.compile(r"(?<=\b[nN]°) (?=\d|%\()")  # the number itself, or where it comes in a text to translate

_PHONE = re.compile(r"\b0\d(?: \d\d){4}\b")


def spaced(text: str) -> str:
    """`text` with the no-break spaces that French wants: before : ; ! ? and », after «, between a number and its
    unit, inside a time or a telephone number.
    """
    text = _PHONE.sub(lambda found: found[0].replace(" ", NBSP), text)
    text = _UNIT.sub(NBSP, text)
    text = _MINUTES.sub(NBSP, text)
    text = _NUMBER.sub(NBSP, text)
    text = _BEFORE_HIGH.sub(THIN, text)
    text = _BEFORE_COLON.sub(NBSP, text)
    text = _CLOSING.sub(NBSP, text)
    return _OPENING.sub(f"«{NBSP}", text)


def euros(cents: int, *, signed: bool = False) -> str:
    """320 → "3,20 €", 123456 → "1 234,56 €"; `signed`: with a plus or a true minus sign."""
    sign = "\u2212" if cents < 0 else "+" if signed and cents > 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}".replace(",", THIN) + f",{rest:02d}{NBSP}€"


def of_name(name: str) -> str:
    """ "d’Inès", "de Tom": a first name after "de"."""
    first = unicodedata.normalize("NFD", name[:1]).lower()[:1]
    return f"d’{name}" if first in set("aeiouhœæ") else f"de {name}"
