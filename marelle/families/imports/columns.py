"""Which column says what. Recognised by its name, else matched once by an agent (`ColumnMatch`). Pure."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from marelle.families.spelling import words

CHILD = ("last_name", "first_name", "birth_date", "ine", "school", "level", "class_name")
ADULT = ("last_name", "first_name", "email", "phone", "address", "postcode", "city")

#: What a spreadsheet may tell: "child.birth_date", "1.email", "2.address"…
FIELDS: tuple[str, ...] = (
    *(f"child.{name}" for name in CHILD),
    *(f"1.{name}" for name in ADULT),
    *(f"2.{name}" for name in ADULT),
)
REQUIRED = ("child.last_name", "child.first_name", "child.birth_date", "1.last_name", "1.first_name")

#: field → column's index
Matching = Mapping[str, int]

_CHILD_NAMES = {
    "last_name": ("nom", "nom eleve", "nom de famille eleve", "nom enfant", "nom de l enfant", "nom de famille"),
    "first_name": ("prenom", "prenom eleve", "prenom enfant", "prenom de l enfant"),
    "birth_date": (
        "date naissance",
        "date de naissance",
        "naissance",
        "ne le",
        "nee le",
        "ne e le",
        "date naissance enfant",
        "date de naissance enfant",
        "date de naissance de l enfant",
    ),
    "ine": ("ine", "identifiant national", "numero ine"),
    "school": ("ecole", "etablissement", "nom ecole", "nom de l ecole"),
    "level": ("niveau", "niveau scolaire"),
    "class_name": ("classe", "libelle classe", "nom classe", "enseignant"),
}
_ADULT_NAMES = {
    "last_name": ("nom",),
    "first_name": ("prenom",),
    "email": ("courriel", "e mail", "email", "mail", "adresse e mail", "adresse mail"),
    "phone": ("telephone", "tel", "portable", "mobile", "telephone portable"),
    "address": ("adresse", "rue", "adresse postale"),
    "postcode": ("cp", "code postal"),
    "city": ("commune", "ville"),
}
_ADULT_ENDINGS = {
    "1": ("responsable 1", "resp 1", "parent 1", "representant 1", "1", "responsable", "parent", "pere mere"),
    "2": ("responsable 2", "resp 2", "parent 2", "representant 2", "2"),
}

PUPILS_FILE = ("nom eleve", "prenom eleve", "date naissance", "adresse1", "libelle classe")
GUARDIANS_FILE = ("nom", "prenom", "courriel", "nom de famille enfant")


def signature(header: Sequence[str]) -> str:
    """The same for two files of the same columns, whatever their accents and capitals."""
    return sha256("\n".join(words(name) for name in header).encode()).hexdigest()


def is_pupils_file(header: Sequence[str]) -> bool:
    """ONDE's export of pupils."""
    return {*PUPILS_FILE} <= {words(name) for name in header}


def is_guardians_file(header: Sequence[str]) -> bool:
    """ONDE's export of guardians."""
    return {*GUARDIANS_FILE} <= {words(name) for name in header}


def column_of(header: Sequence[str], *names: str, after: int = -1) -> int | None:
    """The first column of one of these names, in the order of the names, past the column `after`."""
    said = [words(name) for name in header]
    for name in names:
        for index in range(after + 1, len(said)):
            if said[index] == name:
                return index
    return None


def recognised(header: Sequence[str]) -> dict[str, int]:
    """What can be told of a spreadsheet's columns from their names. What no column says alone of an adult (an address)
    is read in the plain column: one address for child and adults."""
    found: dict[str, int] = {}
    for place, endings in _ADULT_ENDINGS.items():
        for name, titles in _ADULT_NAMES.items():
            spellings = [f"{title} {ending}" for ending in endings for title in titles]
            spellings += [f"{ending} {title}" for ending in endings for title in titles]
            spellings += [f"{title} du {ending}" for ending in endings for title in titles]
            index = column_of(header, *spellings)
            if index is not None and index not in found.values():
                found[f"{place}.{name}"] = index
    for name, titles in _CHILD_NAMES.items():
        index = column_of(header, *titles)
        if index is not None and index not in found.values():
            found[f"child.{name}"] = index
    for name in ("email", "phone", "address", "postcode", "city"):
        index = column_of(header, *_ADULT_NAMES[name])
        if f"1.{name}" not in found and index is not None and index not in found.values():
            found[f"1.{name}"] = index
    return found


def missing(matching: Matching) -> list[str]:
    return [name for name in REQUIRED if name not in matching]


def usable(matching: Mapping[str, object], header: Sequence[str]) -> dict[str, int]:
    """Of a remembered or hand-typed matching, what holds for this header: each column once, at a place that exists."""
    kept: dict[str, int] = {}
    for name in FIELDS:
        index = matching.get(name)
        if isinstance(index, int) and 0 <= index < len(header) and index not in kept.values():
            kept[name] = index
    return kept
