"""A wrong file names all its faults at once, each with its line; it never ends in a traceback."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marelle import townfile
from marelle.townfile.lines import locate

ROOT = Path(__file__).parents[2]
CADOURS = (ROOT / "marelle" / "demo" / "towns" / "cadours.toml").read_text(encoding="utf-8")

SMALLEST = """\
format = 1
[municipality]
slug = "sainte-foy"
name = "Sainte-Foy"
[calendar]
zone = "A"
[years.2026-2027]
[sites.ecole]
name = "École"
kind = "school"
[services.cantine]
name = "Cantine"
sites = ["ecole"]
limits.book = { days = 1, at = "09:00" }
[services.cantine.units.repas]
name = "Repas"
[services.cantine.groups.tous]
name = "Tous"
"""


def faults(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(townfile.TownFileErrors) as caught:
        townfile.read_text(text)
    return [(fault.line, fault.key, fault.found) for fault in caught.value.faults]


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def test_all_faults_come_at_once_with_their_lines() -> None:
    text = (
        SMALLEST.replace('zone = "A"', 'zone = "Z"')
        .replace('kind = "school"', 'kind = "ecole"\nlevel = ["CP"]')
        .replace('sites = ["ecole"]', 'sites = ["ecole", "autre"]\nicone = "sun"')
        .replace('at = "09:00"', 'at = "9h"')
        .replace("[years.2026-2027]", "[years.2030-2031]")
    )
    assert faults(text) == [
        (6, "calendar.zone", '"Z"'),
        (10, "sites.ecole.kind", '"ecole"'),
        (11, "sites.ecole.level", "level"),
        (14, "services.cantine.sites.1", '"autre"'),
        (15, "services.cantine.icone", "icone"),
        (16, "services.cantine.limits.book.at", '"9h"'),
    ]


def test_a_fault_says_what_is_expected_in_french() -> None:
    with pytest.raises(townfile.TownFileErrors) as caught:
        townfile.read_text(SMALLEST.replace('at = "09:00"', 'at = "9h"').replace('name = "Cantine"', 'nam = "Cantine"'))
    assert str(caught.value).splitlines() == [
        "ligne 11, services.cantine.name : trouvé rien, attendu la clé name, qui manque",
        "ligne 12, services.cantine.nam : trouvé nam, attendu « name » ? Clés possibles : "
        + str(caught.value).splitlines()[1].split("Clés possibles : ")[1],
        'ligne 14, services.cantine.limits.book.at : trouvé "9h", attendu une heure, comme "09:00"',
    ]


CANTEEN, UNIT, GROUP = "services.cantine", "services.cantine.units.repas", "services.cantine.groups.tous"

#: A line of the smallest file, what is put instead (… stands for the line itself), and the key of the fault.
WRONG = [
    ("[years.2026-2027]", "[years.2031-2032]", "years.2031-2032"),
    ('limits.book = { days = 1, at = "09:00" }', "", f"{CANTEEN}.limits.book"),
    ('name = "Repas"', '…\nstarts_at = "13:00"\nends_at = "12:00"', f"{UNIT}.ends_at"),
    ('name = "Repas"', '…\nparts = ["repas"]', f"{UNIT}.parts.0"),
    ('name = "Tous"', "…\nwho = { min_age = 9, max_age = 3 }", f"{GROUP}.who.max_age"),
    ('name = "Tous"', "…\nby_unit = { diner = 3 }", f"{GROUP}.by_unit.diner"),
    ('zone = "A"', 'zone = "Corse"', "calendar.zone"),
    ('zone = "A"', 'zone = "Corse"\nofficial_file = "absent.csv"', "calendar.official_file"),
    ('zone = "A"', 'zone = "Corse"\nofficial_file = "../a.csv"', "calendar.official_file"),
    ('zone = "A"', '…\npublic_holidays = "bretagne"', "calendar.public_holidays"),
    (
        'zone = "A"',
        '…\nclosures = [{ name = "x", first_day = 2026-10-02, last_day = 2026-10-01 }]',
        "calendar.closures.0.last_day",
    ),
    ('name = "Sainte-Foy"', '…\ntime_zone = "Paris"', "municipality.time_zone"),
    ('name = "Sainte-Foy"', '…\ncolour = "vert"', "municipality.colour"),
    ('name = "Sainte-Foy"', '…\nemail = "x@"', "municipality.email"),
    ('name = "Cantine"', '…\nopen = { on = "school_days", holidays = ["noel"] }', f"{CANTEEN}.open.holidays"),
    ('name = "Cantine"', '…\nperiods.by = "terms"', f"{CANTEEN}.periods.by"),
    (
        'name = "Cantine"',
        '…\nlate.book = { mode = "agent", surcharge = { add_cents = 1, add_percent = 2 } }',
        f"{CANTEEN}.late.book.surcharge",
    ),
    ('name = "Cantine"', "…\nlate.unbooked = {}", f"{CANTEEN}.late.unbooked"),
    (
        'name = "Cantine"',
        '…\ncombinations = [{ rule = "consecutive", units = ["repas"] }]',
        f"{CANTEEN}.combinations.0.days",
    ),
    ('name = "Cantine"', '…\nrequires = { papers = ["assurance"] }', f"{CANTEEN}.requires.papers.0"),
    ('name = "Cantine"', "…\nrequires = { papers_wait_days = 9 }", f"{CANTEEN}.requires.papers_wait_days"),
    ('name = "Cantine"', "…\nrequires = { school_dossier = true }", f"{CANTEEN}.requires.school_dossier"),
    (
        'name = "Cantine"',
        '…\nkind = "school"\nrequires = { school_dossier = true }',
        f"{CANTEEN}.requires.school_dossier",
    ),
    ('zone = "A"', '…\n[papers.pai]\nname = "PAI"\nown_end = true\nvalid_months = 3', "papers.pai.valid_months"),
    ('zone = "A"', '…\n[papers.pai]\nname = "PAI"\nown_end = true\neach_year = true', "papers.pai.each_year"),
    ('zone = "A"', '…\n[papers.a]\nname = "A"\nvalid_months = 3\nmax_age_months = 6', "papers.a.max_age_months"),
    ('zone = "A"', '…\n[papers.a]\nname = "A"\nremind_days = 10', "papers.a.remind_days"),
    ('zone = "A"', '…\n[papers.a]\nname = "A"\nabout = "household"\nhealth = true', "papers.a.health"),
    ('zone = "A"', '…\n[requests.a]\nname = "A"\nfields = ["rien"]', "requests.a.fields.0"),
    ('zone = "A"', '…\n[requests.a]\nname = "A"\nto = "site"', "requests.a.to"),
    ('zone = "A"', '…\n[requests.a]\nname = "A"\nhealth = true', "requests.a.health"),
    ('zone = "A"', '…\n[papers.p]\nname = "P"\n[requests.a]\nname = "A"\npapers = ["p"]', "requests.a.papers.0"),
    (
        'zone = "A"',
        '…\n[papers.p]\nname = "P"\nabout = "household"\n[requests.a]\nname = "A"\npapers = ["p"]\npage = "household"',
        "requests.a.page",
    ),
    ("days = 1", "by_period = { paques-2027 = 2026-09-25 }", f"{CANTEEN}.limits.book.by_period.paques-2027"),
    ("days = 1", "days = 1, hours = 3", f"{CANTEEN}.limits.book"),
    ("format = 1", "format = 2", "format"),
]


@pytest.mark.parametrize(("before", "after", "key"), WRONG, ids=[key for _before, _after, key in WRONG])
def test_each_fault_is_named(before: str, after: str, key: str) -> None:
    assert before in SMALLEST
    text = SMALLEST.replace(before, after.replace("…", before))
    assert key in [found for _line, found, _shown in faults(text)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("format = ", 1),
        ('[municipality]\nname = "x"\nname = "y"\n', 3),
        ("a = 2026-02-31\n", None),
        ("a = " + "[" * 3000, None),
        ("municipality = 3\nservices = []\nsites = 'x'\ncalendar = 2026-01-01\nyears = true", 1),
    ],
)
def test_what_is_hardly_a_file_says_so(text: str, line: int | None) -> None:
    found = faults(text)
    assert found and (line is None or found[0][0] == line or found[0][0] is not None)


def test_unreadable_files_say_so(tmp_path: Path) -> None:
    for name, content in (("latin.toml", 'name = "é"'.encode("latin-1")), ("big.toml", b"#" * 2_000_001)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(townfile.TownFileErrors):
            townfile.read(tmp_path / name)
    with pytest.raises(townfile.TownFileErrors):
        townfile.read(tmp_path / "absent.toml")
    with pytest.raises(townfile.TownFileErrors):
        townfile.read(tmp_path)


def test_an_official_calendar_stands_in_the_export(tmp_path: Path) -> None:
    (tmp_path / "officiel.csv").write_text(
        "Description;Population;Date de début;Date de fin;Académies;Zones;annee_scolaire\n"
        "Vacances d'Été;-;2026-07-04;2026-09-01;Corse;Corse;2025-2026\n"
        "Vacances d'Hiver;-;2027-02-13;2027-03-01;Corse;Corse;2026-2027\n"
        "Vacances d'Été;-;2027-07-03;2027-09-01;Corse;Corse;2026-2027\n",
        encoding="utf-8",
    )
    path = tmp_path / "ajaccio.toml"
    path.write_text(SMALLEST.replace('zone = "A"', 'zone = "Corse"\nofficial_file = "officiel.csv"'), encoding="utf-8")
    town = townfile.read(path)
    assert [period.slug for period in town.school_calendar().holidays.periods] == ["ete-2026", "hiver-2027", "ete-2027"]
    assert townfile.read_text(townfile.write(town)) == town


def test_the_law_is_recalled_but_does_not_refuse() -> None:
    text = SMALLEST.replace(
        'name = "Cantine"',
        'name = "Cantine"\nkind = "canteen"\n'
        'periods = { opens = { days = 7 }, early = [{ who = "working_parents", opens = { days = 9 } }] }',
    )
    (warning,) = townfile.warnings(townfile.read_text(text))
    assert warning.key == "services.cantine.periods.early.0.who"


# Whatever the text


scalars = st.one_of(
    st.booleans(), st.integers(-5, 5000), st.text(max_size=12), st.dates(), st.times(), st.datetimes(), st.floats()
)
keys = st.sampled_from(
    sorted({part for path in locate(CADOURS) for part in path if not part.isdigit()} | {"x", "book", "by_weekday"})
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def reads_or_names_its_faults(content: dict[str, object]) -> None:
    from marelle.townfile.kinds import Reading
    from marelle.townfile.reading import _town

    reading = Reading(content)
    town = _town(reading, None)
    assert (town is not None and not reading.faults) or reading.faults
    for fault in reading.faults:
        assert fault.found and fault.expected


@given(st.dictionaries(keys, trees, max_size=6))
def test_any_content_loads_or_names_its_faults(content: dict[str, object]) -> None:
    reads_or_names_its_faults(content)


@given(data=st.data())
def test_any_change_of_a_good_file_loads_or_names_its_faults(data: st.DataObject) -> None:
    content = tomllib.loads(CADOURS)
    paths = sorted(path for path in locate(CADOURS) if len(path) > 1)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(paths))
        at: object = content
        for key in path[:-1]:
            if isinstance(at, dict):
                at = at.get(key)
            elif isinstance(at, list):
                at = at[int(key)] if key.isdigit() and int(key) < len(at) else None
        if isinstance(at, dict):
            at[path[-1]] = data.draw(trees)
    reads_or_names_its_faults(content)


@given(cut=st.integers(0, len(CADOURS)), junk=st.text(max_size=5))
def test_any_text_loads_or_names_its_faults(cut: int, junk: str) -> None:
    try:
        townfile.read_text(CADOURS[:cut] + junk + CADOURS[cut:])
    except townfile.TownFileErrors as errors:
        assert errors.faults
        for fault in errors.faults:
            assert fault.line is None or 1 <= fault.line <= CADOURS.count("\n") + junk.count("\n") + 2


def test_every_key_of_a_file_has_its_line() -> None:
    lines = locate(CADOURS)
    rows = CADOURS.splitlines()
    for path, line in lines.items():
        if not path[-1].isdigit():
            assert path[-1] in rows[line - 1], path
    assert lines["services", "cantine", "limits", "book", "at"] == line_of(CADOURS, "book = { days = 1")
    many = 'a = [\n 1,\n # x\n 2]\n[[t]]\nk = 1\n[[t]]\nk = """\n[no]\n"""\n"q.r".s = \'[\'\n[t.u]\nv=1\n'
    found = locate(many)
    assert found["a", "1"] == 4
    assert found["t", "1", "k"] == 8
    assert found["t", "1", "q.r", "s"] == 11
    assert found["t", "1", "u", "v"] == 13
