"""The invented families of the demo: who they are and how they live, from a seed. No database.

The same seed, number and schools give the same family. Every name is made up, addresses end in `.example`, telephone
numbers are in a range that nobody has. First names, streets and the like are data and stay out of gettext.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

DOMAIN = "famille.example"

#: The two families that visitors play. The history leaves the second one as it arrived.
NADIA, JULIEN = 1, 2

#: A family in ten is the second home of the eldest child of the one before it.
EVERY, SECOND_HOME = 10, 8

MOTHERS = (
    "Amina", "Camille", "Sofia", "Claire", "Fatou", "Hélène", "Linh", "Manon", "Yasmine", "Pauline", "Aïcha", "Élodie",
    "Joana", "Mariam", "Caroline", "Thu", "Léa", "Samira", "Anaïs", "Nathalie", "Rokia", "Virginie",
)  # fmt: skip
FATHERS = (
    "Karim", "Thomas", "Miguel", "Nicolas", "Mamadou", "Antoine", "Duc", "Julien", "Rachid", "Olivier", "Ousmane",
    "Vincent", "Paulo", "Sékou", "Matthieu", "Minh", "Fabien", "Hicham", "Romain", "Stéphane", "Ibrahima", "Cédric",
)  # fmt: skip
GIRLS = (
    "Jade", "Lina", "Zoé", "Awa", "Mila", "Anna", "Chloé", "Nour", "Louise", "Inaya", "Rose", "Maï", "Alba", "Éva",
    "Salomé", "Aminata", "Lucie", "Clara", "Sirine", "Margaux", "Romane", "Adèle", "Beatriz", "Kadiatou",
)  # fmt: skip
BOYS = (
    "Adam", "Louis", "Rayan", "Gabin", "Moussa", "Hugo", "Sacha", "Tiago", "Noé", "Ilyès", "Arthur", "Bao", "Malo",
    "Amadou", "Eliott", "Jules", "Younes", "Axel", "Diego", "Marius", "Ismaël", "Côme", "Paul", "Nathan",
)  # fmt: skip
NAMES = (
    "Nguyen", "Diallo", "Oliveira", "Petit", "Klein", "Traoré", "Berrada", "Lefèvre", "Garcia", "Rousseau", "Da Silva",
    "Mercier", "Koné", "Haddadi", "Fontaine", "Tran", "Lopez", "Chevalier", "Camara", "Bonnet", "Ferreira", "Muller",
    "Amrani", "Gauthier", "Keïta", "Perrin", "Santos", "Schmitt", "El Amrani", "Faure", "Sow", "Blanchard", "Pham",
    "Marchand", "Barry", "Lemoine", "Kaya", "Robin", "Cissé", "Vidal", "Costa", "Noël", "Brun", "Touré", "Giraud",
    "Ziani", "Leclerc", "Pereira", "Renaud", "Sylla", "Carpentier", "Moulin", "Bouzid", "Collet", "Martinez", "Aubert",
)  # fmt: skip
#: The other parent's name, where a child has two homes.
OTHER_NAMES = ("Sanchez", "Morel", "Bâ", "Weber", "Dos Reis", "Charpentier", "Hamdi", "Lacroix")
STREETS = (
    "rue du Lavoir", "rue des Tilleuls", "chemin du Moulin", "allée des Cerisiers", "rue de la Fontaine",
    "place de l’Église", "impasse du Verger", "avenue de la Gare", "rue des Écoles", "chemin des Vignes",
)  # fmt: skip

#: How old a child of that level is by the end of the civil year in which the school year starts.
AGES = {"PS": 3, "MS": 4, "GS": 5, "CP": 6, "CE1": 7, "CE2": 8, "CM1": 9, "CM2": 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """A school of the town, as far as families know it. `classes`: class name and the levels it takes."""

    slug: str
    levels: tuple[str, ...]
    classes: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adult:
    """`joins`: chooses a password soon after the invitation. No e-mail: is never invited."""

    first_name: str
    last_name: str
    email: str
    phone: str
    joins: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kid:
    """`school` is a slug, "" where the town has none."""

    first_name: str
    last_name: str
    birth_date: date
    school: str
    level: str
    class_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """`reserves_on`: from that day of the month on, it reserves the next month. `fickle`: the chance, on any day, that
    it changes a day. `weeks`: the parity of the weeks its children spend there, None for all. `second_home_of`: the
    number of the family whose eldest child lives here too."""

    number: int
    name: str
    street: str
    adults: tuple[Adult, ...]
    kids: tuple[Kid, ...]
    reserves_on: int
    fickle: float
    weeks: int | None = None
    second_home_of: int | None = None


def family(number: int, *, seed: str, schools: Sequence[School], school_year: int) -> Family:
    """The family of that number (from 1), its children in the level they have in the school year that starts in
    `school_year`."""
    if number == NADIA:
        return _nadia(schools, school_year)
    if number == JULIEN:
        return _julien(schools, school_year)
    dice = Random(f"{seed}/{number}")
    second = number % EVERY == SECOND_HOME
    name = _name(number)
    mother = _adult(dice, MOTHERS, name, number, 0)
    father = _adult(dice, FATHERS, name, number, 1)
    if second:
        name = OTHER_NAMES[number // EVERY % len(OTHER_NAMES)]
        adults = [_adult(dice, FATHERS if dice.random() < 0.5 else MOTHERS, name, number, 0, joins=True)]
    else:
        adults = [mother, father] if dice.random() < 0.6 else [mother]
    kids = [] if second else _kids(dice, name, dice.choices((1, 2, 3, 4), (30, 48, 17, 5))[0], schools, school_year)
    return Family(
        number=number,
        name=name,
        street=_street(dice),
        adults=tuple(adults),
        kids=tuple(kids),
        reserves_on=dice.randint(15, 25),
        fickle=dice.choice((0.02, 0.03, 0.06)),
        weeks=1 if second else 0 if number % EVERY == SECOND_HOME - 1 else None,
        second_home_of=number - 1 if second else None,
    )


def addresses(family: Family) -> list[str]:
    return [adult.email for adult in family.adults if adult.email]


def _nadia(schools: Sequence[School], school_year: int) -> Family:
    dice = Random("Benali")
    return Family(
        number=NADIA,
        name="Benali",
        street="12 rue du Marché",
        adults=(
            Adult(
                first_name="Nadia",
                last_name="Benali",
                email=f"nadia.benali@{DOMAIN}",
                phone="06 00 00 00 01",
                joins=True,
            ),
        ),
        kids=(
            _kid(dice, "Inès", "Benali", "CE2", schools, school_year),
            _kid(dice, "Tom", "Benali", "GS", schools, school_year),
        ),
        reserves_on=18,
        fickle=0.05,
    )


def _julien(schools: Sequence[School], school_year: int) -> Family:
    dice = Random("Moreau")
    return Family(
        number=JULIEN,
        name="Moreau",
        street="3 impasse du Verger",
        adults=(
            Adult(
                first_name="Julien",
                last_name="Moreau",
                email=f"julien.moreau@{DOMAIN}",
                phone="06 00 00 00 02",
                joins=True,
            ),
        ),
        kids=(
            _kid(dice, "Lola", "Moreau", "CM1", schools, school_year),
            _kid(dice, "Nino", "Moreau", "MS", schools, school_year),
        ),
        reserves_on=31,
        fickle=0,
    )


def _name(number: int) -> str:
    position = number - 3
    name = NAMES[position % len(NAMES)]
    lap = position // len(NAMES)
    return f"{name}-{NAMES[(position * 7 + lap) % len(NAMES)]}" if lap else name


def _adult(
    dice: Random, first_names: Sequence[str], name: str, number: int, rank: int, joins: bool | None = None
) -> Adult:
    first_name = dice.choice(first_names)
    has_address = rank == 0 or dice.random() < 0.7
    ascii_name = _letters(f"{first_name}.{name}").replace(" ", "-")
    return Adult(
        first_name=first_name,
        last_name=name,
        email=f"{ascii_name}@{DOMAIN}" if has_address else "",
        phone=f"06 00 00 {rank:02d} {number % 100:02d}",
        joins=joins if joins is not None else has_address and dice.random() < (0.9 if rank == 0 else 0.6),
    )


def _kids(dice: Random, name: str, count: int, schools: Sequence[School], school_year: int) -> list[Kid]:
    levels = sorted({level for school in schools for level in school.levels} or AGES, key=lambda one: AGES.get(one, 99))
    kids: list[Kid] = []
    for level in sorted(dice.sample(levels, min(count, len(levels))), key=levels.index, reverse=True):
        others = {kid.first_name for kid in kids}
        first_name = dice.choice([one for one in (GIRLS if dice.random() < 0.5 else BOYS) if one not in others])
        kids.append(_kid(dice, first_name, name, level, schools, school_year))
    return kids


def _kid(dice: Random, first_name: str, last_name: str, level: str, schools: Sequence[School], school_year: int) -> Kid:
    """A child of that level, or of the level nearest to it that the town's schools have."""
    offered = sorted({one for school in schools for one in school.levels})
    if offered and level not in offered:
        level = min(offered, key=lambda one: (abs(AGES.get(one, 6) - AGES[level]), one))
    taken_by = [school for school in schools if level in school.levels]
    school = dice.choice(taken_by) if taken_by else dice.choice(schools) if schools else None
    classes = [name for name, levels in (school.classes if school else ()) if level in levels]
    born = date(school_year - AGES.get(level, 6), 1, 1) + timedelta(days=dice.randrange(365))
    return Kid(
        first_name=first_name,
        last_name=last_name,
        birth_date=born,
        school=school.slug if school else "",
        level=level,
        class_name=dice.choice(classes) if classes else "",
    )


def _street(dice: Random) -> str:
    return f"{dice.randint(1, 68)} {dice.choice(STREETS)}"


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
