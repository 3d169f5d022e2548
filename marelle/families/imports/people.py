"""The children and adults that a file tells of, and what is wrong with its lines. Pure; `today` is handed in."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from marelle.families.imports.columns import Matching, column_of
from marelle.families.imports.remarks import Remark, Why
from marelle.families.imports.sheets import Row, Sheet
from marelle.families.spelling import named, place, plain, words

YOUNGEST, OLDEST = 1, 17
ONLY, GUARDIANS = 0, 1  # a remark's source


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody lives, as the file writes it."""

    street: str = ""
    postcode: str = ""
    city: str = ""

    @property
    def place(self) -> str:
        return place(self.street, self.postcode, self.city)


@dataclass(slots=True)
class Pupil:
    line: int
    last_name: str
    first_name: str
    born: date
    ine: str = ""
    school: str = ""
    level: str = ""
    class_name: str = ""
    used_name: str = ""
    homes: tuple[Home, ...] = ()

    @property
    def key(self) -> tuple[str, date]:
        return plain(f"{self.first_name} {self.last_name}"), self.born

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class Adult:
    """`children`: places in `People.pupils`."""

    source: int
    line: int
    last_name: str
    first_name: str
    email: str = ""
    phone: str = ""
    home: Home = Home()
    children: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return plain(f"{self.first_name} {self.last_name}")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class People:
    pupils: list[Pupil] = field(default_factory=list)
    adults: list[Adult] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


class _Refused(Exception):
    def __init__(self, why: Why, **facts: str) -> None:
        self.why, self.facts = why, facts


class _Cells:
    """A row's cells by field; "" for what no column says."""

    def __init__(self, row: Row, columns: Matching) -> None:
        self.row, self.columns = row, columns

    def __getitem__(self, name: str) -> str:
        index = self.columns.get(name)
        return "" if index is None else self.row.cells[index]


def read_spreadsheet(sheet: Sheet, matching: Matching, *, today: date) -> People:
    """One line per child with one or two adults. A child told twice by the same words gains the second line's adults,
    which is how two homes are often written."""
    people = People()
    known: dict[tuple[str, date], int] = {}
    numbers: dict[str, int] = {}
    for row in sheet.rows:
        cells = _Cells(row, matching)
        who = full_name(cells["child.first_name"], cells["child.last_name"])
        try:
            pupil = _pupil(row, cells, prefix="child.", today=today)
            other = numbers.get(pupil.ine) if pupil.ine else None
            if other is not None and people.pupils[other].key != pupil.key:
                raise _Refused(Why.SAME_INE, line=str(people.pupils[other].line))
            adults = list(_adults_beside(row, cells))
            if not adults:
                raise _Refused(Why.NO_GUARDIAN)
        except _Refused as refusal:
            people.remarks.append(Remark(ONLY, row.line, who, refusal.why, refusal.facts))
            continue
        index = known.setdefault(pupil.key, len(people.pupils))
        if index == len(people.pupils):
            people.pupils.append(pupil)
        elif not people.pupils[index].ine:
            people.pupils[index].ine = pupil.ine
        if pupil.ine:
            numbers.setdefault(pupil.ine, index)
        for adult in adults:
            adult.children.append(index)
            people.adults.append(adult)
    people.adults = _once(people)
    return _with_good_addresses(people)


def _adults_beside(row: Row, cells: _Cells) -> Iterator[Adult]:
    first = Home(cells["1.address"], cells["1.postcode"], cells["1.city"])
    for number in ("1", "2"):
        last_name, first_name = cells[f"{number}.last_name"], cells[f"{number}.first_name"]
        if not last_name and not first_name:
            continue
        if not last_name or not first_name:
            raise _Refused(Why.GUARDIAN_NO_NAME, name=last_name or first_name)
        home = Home(cells[f"{number}.address"], cells[f"{number}.postcode"], cells[f"{number}.city"])
        yield Adult(
            source=ONLY,
            line=row.line,
            last_name=named(last_name)[:80],
            first_name=named(first_name)[:80],
            email=cells[f"{number}.email"].lower(),
            phone=phone(cells[f"{number}.phone"]),
            home=home if home.street else first,
        )


def read_onde(pupils: Sheet, guardians: Sheet, *, today: date) -> People:
    """ONDE's two exports. A guardian is tied to children by their names and, between namesakes, their class."""
    people = People()
    columns = _onde_pupil_columns(pupils.header)
    seen: dict[tuple[str, date], int] = {}
    numbers: dict[str, int] = {}
    for row in pupils.rows:
        cells = _Cells(row, columns)
        who = full_name(cells["first_name"], cells["last_name"])
        try:
            pupil = _pupil(row, cells, prefix="", today=today)
            if pupil.ine and pupil.ine in numbers:
                raise _Refused(Why.SAME_INE, line=str(numbers[pupil.ine]))
            if pupil.key in seen:
                raise _Refused(Why.SAME_CHILD, line=str(seen[pupil.key]))
        except _Refused as refusal:
            people.remarks.append(Remark(ONLY, row.line, who, refusal.why, refusal.facts))
            continue
        pupil.used_name = cells["used_name"]
        pupil.homes = tuple(
            home
            for n in ("1", "2")
            if (home := Home(cells[f"address{n}"], cells[f"postcode{n}"], cells[f"city{n}"])).street
        )
        seen[pupil.key] = row.line
        if pupil.ine:
            numbers[pupil.ine] = row.line
        people.pupils.append(pupil)
    _onde_adults(people, guardians)
    return _with_good_addresses(people)


def _onde_pupil_columns(header: Sequence[str]) -> dict[str, int]:
    names = {
        "last_name": "nom eleve",
        "used_name": "nom d usage eleve",
        "first_name": "prenom eleve",
        "birth_date": "date naissance",
        "ine": "ine",
        "level": "niveau",
        "class_name": "libelle classe",
        "address1": "adresse1",
        "postcode1": "cp1",
        "city1": "commune1",
        "address2": "adresse2",
        "postcode2": "cp2",
        "city2": "commune2",
    }
    found = {name: column_of(header, title) for name, title in names.items()}
    return {name: index for name, index in found.items() if index is not None}


def _onde_adults(people: People, sheet: Sheet) -> None:
    header = sheet.header
    said = [words(name) for name in header]
    starts = [n for n, name in enumerate(said) if name in ("nom d usage enfant", "nom usage enfant")]
    starts = starts or [n for n, name in enumerate(said) if name == "nom de famille enfant"]
    own = header[: starts[0]] if starts else header
    columns = {
        name: index
        for name, titles in {
            "used_name": ("nom usage", "nom d usage"),
            "last_name": ("nom", "nom de famille"),
            "first_name": ("prenom",),
            "email": ("courriel",),
            "address": ("adresse",),
            "postcode": ("cp", "code postal"),
            "city": ("commune",),
        }.items()
        if (index := column_of(own, *titles)) is not None
    }
    phones = [n for n, name in enumerate(said[: len(own)]) if name.startswith(("tel", "portable"))]
    blocks = [range(start, end) for start, end in zip(starts, [*starts[1:], len(header)], strict=True)]
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for index, pupil in enumerate(people.pupils):
        for last in {pupil.last_name, pupil.used_name} - {""}:
            by_name[plain(f"{pupil.first_name} {last}")].append(index)
    left_out = {plain(remark.who) for remark in people.remarks}
    for row in sheet.rows:
        cells = _Cells(row, columns)
        last_name, first_name = cells["used_name"] or cells["last_name"], cells["first_name"]
        who = full_name(first_name, last_name)
        if row.excess or not last_name or not first_name:
            why = Why.EXCESS if row.excess else Why.GUARDIAN_NO_NAME
            people.remarks.append(Remark(GUARDIANS, row.line, who, why, {"name": who}))
            continue
        adult = Adult(
            source=GUARDIANS,
            line=row.line,
            last_name=named(last_name)[:80],
            first_name=named(first_name)[:80],
            email=cells["email"].lower(),
            phone=best_phone([row.cells[n] for n in phones]),
            home=Home(cells["address"], cells["postcode"], cells["city"]),
        )
        told = False
        for block in blocks:
            child = {said[n]: row.cells[n] for n in block}
            given = child.get("prenom") or child.get("prenom enfant", "")
            family = [child.get("nom de famille enfant", ""), child.get("nom d usage enfant", "")]
            names = [plain(f"{given} {name}") for name in family if name]
            if not given or not names:
                continue
            told = True
            candidates = sorted({index for name in names for index in by_name.get(name, [])})
            if len(candidates) > 1:
                in_class = words(child.get("classes", "") or child.get("classe", ""))
                same = [n for n in candidates if in_class and words(people.pupils[n].class_name) == in_class]
                candidates = same or candidates
            child_name = full_name(given, family[0] or family[1])
            if len(candidates) == 1:
                if candidates[0] not in adult.children:
                    adult.children.append(candidates[0])
            elif candidates:
                people.remarks.append(Remark(GUARDIANS, row.line, who, Why.NAMESAKES, {"name": child_name}))
            elif not left_out & set(names):
                people.remarks.append(Remark(GUARDIANS, row.line, who, Why.CHILD_NOT_IN_FILE, {"name": child_name}))
        if adult.children:
            people.adults.append(adult)
        elif not told:
            people.remarks.append(Remark(GUARDIANS, row.line, who, Why.NO_CHILD))
    people.adults = _once(people)
    _drop_orphans(people)


def _drop_orphans(people: People) -> None:
    """A child whom no adult answers for is left out."""
    held = {index for adult in people.adults for index in adult.children}
    places: dict[int, int] = {}
    kept: list[Pupil] = []
    for index, pupil in enumerate(people.pupils):
        if index in held:
            places[index] = len(kept)
            kept.append(pupil)
        else:
            people.remarks.append(Remark(ONLY, pupil.line, str(pupil), Why.NO_GUARDIAN))
    people.pupils = kept
    for adult in people.adults:
        adult.children = [places[index] for index in adult.children]


def _pupil(row: Row, cells: _Cells, *, prefix: str, today: date) -> Pupil:
    if row.excess:
        raise _Refused(Why.EXCESS)
    last_name, first_name = cells[f"{prefix}last_name"], cells[f"{prefix}first_name"]
    if not last_name or not first_name:
        raise _Refused(Why.NO_NAME)
    written = cells[f"{prefix}birth_date"]
    born = birth_date(written)
    if born is None:
        raise _Refused(Why.BAD_DATE, text=written)
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if not YOUNGEST <= age <= OLDEST:
        raise _Refused(Why.AGE, year=str(born.year))
    ine = cells[f"{prefix}ine"].replace(" ", "").upper()
    if ine and not re.fullmatch(r"[0-9]{10}[A-Z]", ine):
        raise _Refused(Why.BAD_INE, text=ine)
    return Pupil(
        line=row.line,
        last_name=named(last_name)[:80],
        first_name=named(first_name)[:80],
        born=born,
        ine=ine,
        school=cells[f"{prefix}school"],
        level=level(cells[f"{prefix}level"]),
        class_name=cells[f"{prefix}class_name"][:60],
    )


def _once(people: People) -> list[Adult]:
    """Each adult once: the same name at the same address, or with the same e-mail address, or, without an address, for
    a same child, is one person. What the first line does not say, the next ones may."""
    kept: list[Adult] = []
    seen: dict[tuple[str, str], Adult] = {}
    for adult in people.adults:
        keys = [(adult.name, adult.home.place)] if adult.home.place else []
        keys += [(adult.name, adult.email)] if adult.email else []
        keys += [(adult.name, f"child {index}") for index in adult.children] if not adult.home.place else []
        same = next((seen[key] for key in keys if key in seen), None)
        if same is None:
            kept.append(adult)
            same = adult
        else:
            same.children += [index for index in adult.children if index not in same.children]
            same.email = same.email or adult.email
            same.phone = same.phone or adult.phone
            same.home = same.home if same.home.street else adult.home
        for key in keys:
            seen.setdefault(key, same)
        for index in same.children:
            seen.setdefault((same.name, f"child {index}"), same)
    return kept


def _with_good_addresses(people: People) -> People:
    """An e-mail address opens one door: what is not an address, or a couple's shared one, is said and left aside."""
    holders: dict[str, Adult] = {}
    for adult in people.adults:
        if adult.email and not is_email(adult.email):
            people.remarks.append(Remark(adult.source, adult.line, str(adult), Why.BAD_EMAIL, {"address": adult.email}))
            adult.email = ""
        if not adult.email:
            continue
        holder = holders.setdefault(adult.email, adult)
        if holder is not adult:
            people.remarks.append(
                Remark(
                    adult.source,
                    adult.line,
                    str(adult),
                    Why.SHARED_EMAIL,
                    {"address": adult.email, "name": str(holder)},
                )
            )
            adult.email = ""
    return people


def full_name(first_name: str, last_name: str) -> str:
    return f"{named(first_name)} {named(last_name)}".strip()


def is_email(text: str) -> bool:
    return len(text) <= 254 and bool(re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([a-z0-9-]+\.)+[a-z]{2,}", text))


def birth_date(text: str) -> date | None:
    """Day, month, year, or year, month, day; a time after it is not read. None when that is no day."""
    match = re.match(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})(?!\d)", text, re.ASCII)
    if match:
        day, month, year = map(int, match.groups())
    elif match := re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", text, re.ASCII):
        year, month, day = map(int, match.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def phone(text: str) -> str:
    """ "0612345678", "+33 6 12 34 56 78" and the "612345678" of a spreadsheet → "06 12 34 56 78"; else as it stands."""
    digits = re.sub(r"[^0-9+]", "", text)
    digits = re.sub(r"^(\+33|0033)0?", "0", digits)
    if re.fullmatch(r"[1-9][0-9]{8}", digits):
        digits = f"0{digits}"
    if re.fullmatch(r"0[0-9]{9}", digits):
        return " ".join(digits[n : n + 2] for n in range(0, 10, 2))
    return text[:30]


def best_phone(texts: Sequence[str]) -> str:
    """The mobile phone among them, else the first."""
    said = [phone(text) for text in texts if text]
    return next((one for one in said if one.startswith(("06", "07"))), said[0] if said else "")


_LEVELS = {
    "toute petite section": "TPS",
    "petite section": "PS",
    "moyenne section": "MS",
    "grande section": "GS",
    "cours preparatoire": "CP",
    "cours elementaire 1": "CE1",
    "cours elementaire 2": "CE2",
    "cours moyen 1": "CM1",
    "cours moyen 2": "CM2",
}


def level(text: str) -> str:
    """ "Cours élémentaire 1", "ce 1" → "CE1"; what is no level is left as it stands, in ten letters."""
    said = words(text)
    for long, short in _LEVELS.items():
        if said in (long, long.replace(" 1", " 1ere annee").replace(" 2", " 2eme annee")):
            return short
    return said.replace(" ", "").upper()[:10]
