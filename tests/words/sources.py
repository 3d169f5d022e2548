"""The French texts of the sources, found without gettext: Python's tree, Django's reading of templates."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

from scripts.environment import ROOT

MARELLE = ROOT / "marelle"
# The function → which of its arguments are the context, the text and its plural.
CALLS: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
_LITERAL = r"u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_IN_TEMPLATE = re.compile(rf"\b(?P<call>n?p?gettext|_)\((?P<texts>\s*{_LITERAL}(?:\s*,\s*{_LITERAL})*)")


@dataclass(frozen=True, slots=True)
class Text:
    """A text to translate, and the file that has it."""

    file: Path
    context: str
    text: str
    plural: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.context, self.text, self.plural

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}: {self.text}"


def texts_of_python(file: Path, source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in CALLS:
            said = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
            yield from _text(file, name, said)


def texts_of_template(file: Path, source: str) -> Iterator[Text]:
    for call in _IN_TEMPLATE.finditer(templatize(source)):
        said = [ast.literal_eval(literal) for literal in re.findall(_LITERAL, call["texts"])]
        yield from _text(file, call["call"], said)


def _text(file: Path, call: str, said: list[object]) -> Iterator[Text]:
    context, text, plural = (
        "" if place is None else said[place] if place < len(said) else None for place in CALLS[call]
    )
    # whatever is not written out there is found where it is
    if isinstance(context, str) and isinstance(text, str) and isinstance(plural, str):
        yield Text(file, context, text, plural)


def texts() -> list[Text]:
    """Every text of Marelle's Python and templates."""
    found: list[Text] = []
    for file in sorted(MARELLE.rglob("*.py")):
        if "migrations" not in file.parts:
            found += texts_of_python(file, file.read_text())
    for file in sorted(MARELLE.rglob("templates/**/*")):
        if file.suffix in (".html", ".txt"):
            found += texts_of_template(file, file.read_text())
    return found
