"""Reading a file of families: encodings, columns, lines, homes; and everything that is not such a file."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from marelle.families.imports.columns import (
    is_guardians_file,
    is_pupils_file,
    missing,
    recognised,
    signature,
    usable,
)
from marelle.families.imports.homes import gathered
from marelle.families.imports.people import People, birth_date, level, phone, read_onde, read_spreadsheet
from marelle.families.imports.remarks import Why
from marelle.families.imports.sheets import MAX_LINES, SheetFault, Unreadable, read_sheet, safe_cell
from marelle.families.spelling import named, place

FILES = Path(__file__).parent / "files"
TODAY = date(2026, 11, 10)
HEADER = "Nom élève;Prénom élève;Date de naissance;Classe;Nom responsable 1;Prénom responsable 1;Courriel responsable 1;Adresse;CP;Commune;Nom responsable 2;Prénom responsable 2;Adresse responsable 2;CP responsable 2"  # noqa: E501


def spreadsheet(*lines: str) -> People:
    sheet = read_sheet("\n".join([HEADER, *lines]).encode())
    return read_spreadsheet(sheet, recognised(sheet.header), today=TODAY)


def onde() -> People:
    return read_onde(
        read_sheet((FILES / "onde-eleves.csv").read_bytes()),
        read_sheet((FILES / "onde-responsables.csv").read_bytes()),
        today=TODAY,
    )


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("cp1252", b""), ("utf-16", b"")],
    ids=["utf-8", "utf-8 with its mark", "windows-1252", "utf-16"],
)
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_sheet_reads_the_same_whatever_wrote_it(encoding: str, mark: bytes, delimiter: str, end: str) -> None:
    text = end.join(
        [delimiter.join(cells) for cells in (["Nom", "Prénom"], ["Œuvray", "Inès"], ["", ""], ["D’Arc", "Zoé"])]
    )
    sheet = read_sheet(mark + text.encode(encoding))
    assert sheet.header == ("Nom", "Prénom")
    assert [(row.line, row.cells) for row in sheet.rows] == [(2, ("Œuvray", "Inès")), (4, ("D’Arc", "Zoé"))]


def test_a_quoted_cell_may_hold_lines_and_columns_and_the_next_line_keeps_its_number() -> None:
    sheet = read_sheet(b'Nom;Adresse\nA;"2 rue Haute;\nBat. B"\nB;x\n')
    assert [(row.line, row.cells[1]) for row in sheet.rows] == [(2, "2 rue Haute; Bat. B"), (4, "x")]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", SheetFault.EMPTY),
        (b" \n\n", SheetFault.EMPTY),
        (b"\xef\xbb\xbf;;;\n", SheetFault.EMPTY),
        (b"Nom;Pr\x00nom\nA;B", SheetFault.NOT_TEXT),
        (b"MZ\x90\x00" * 50, SheetFault.NOT_TEXT),
        (b"%PDF-1.7\n1 0 obj", SheetFault.NOT_TEXT),
        (b"<html><script>alert(1)</script>", SheetFault.NOT_TEXT),
        (b"PK\x03\x04" + bytes(200), SheetFault.WORKBOOK),
        (b"\xd0\xcf\x11\xe0" + bytes(200), SheetFault.WORKBOOK),
        (b'Nom;Prenom\n"A;B\nC;D\n', SheetFault.QUOTES),
        (b"Nom;Prenom\n" + b"x" * 200_000 + b";B", SheetFault.QUOTES),
        (b"Nom\nA\nB\n", SheetFault.ONE_COLUMN),
        (b"a;" * 300 + b"b\n", SheetFault.TOO_MANY_COLUMNS),
        (b"Nom;Prenom\n", SheetFault.ONLY_A_HEADER),
        (b"Nom;Prenom\n" + b"A;B\n" * (MAX_LINES + 1), SheetFault.TOO_MANY_LINES),
        (b"A;B\n" * 3_000_000, SheetFault.TOO_HEAVY),
    ],
    ids=lambda value: value.value if isinstance(value, SheetFault) else "",
)
def test_what_is_no_such_file_is_refused_whole(content: bytes, fault: SheetFault) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_sheet(content)
    assert refusal.value.fault is fault


@given(some.binary(max_size=2000) | some.text(max_size=500).map(str.encode))
def test_nothing_makes_the_reader_fall_over(content: bytes) -> None:
    try:
        sheet = read_sheet(HEADER.encode() + b"\n" + content)
    except Unreadable:
        return
    people = read_spreadsheet(sheet, recognised(sheet.header), today=TODAY)
    assert all(row.cells and len(row.cells) == len(sheet.header) for row in sheet.rows)
    told = len(people.pupils) + sum(remark.why.refuses for remark in people.remarks)
    assert told <= len(sheet.rows)
    for home in gathered(people):
        assert home.adults and home.children


@given(some.lists(some.lists(some.text(max_size=12), min_size=20, max_size=20), max_size=6))
def test_no_pair_of_school_files_makes_the_reader_fall_over(cells: list[list[str]]) -> None:
    rows = "\n".join(";".join(row) for row in cells)
    try:
        pupils = read_sheet(((FILES / "onde-eleves.csv").read_text() + rows).encode())
        guardians = read_sheet(((FILES / "onde-responsables.csv").read_text() + rows).encode())
    except Unreadable:
        return
    people = read_onde(pupils, guardians, today=TODAY)
    assert {"Anouk Rousselin", "Soraya Tarride"} <= {str(pupil) for pupil in people.pupils}


def test_a_school_s_two_files_give_children_adults_and_what_is_refused() -> None:
    people = onde()
    assert [str(pupil) for pupil in people.pupils] == [
        "Anouk Rousselin",
        "Gaspard Rousselin",
        "Soraya Tarride",
        "Philippine Cazals",
    ]
    assert [(str(adult), adult.email, adult.phone) for adult in people.adults] == [
        ("Églantine Rousselin", "eglantine.rousselin@famille.example", "06 00 00 00 11"),
        ("Basile Rousselin", "", "05 61 00 00 01"),
        ("Aminata Keita", "aminata.keita@famille.example", "06 00 00 00 12"),
        ("Lucien Tarride", "lucien.tarride@famille.example", "06 00 00 00 13"),
        ("Ondine Cazals", "", "06 00 00 00 15"),
    ]
    assert sorted((remark.source, remark.line, remark.why) for remark in people.remarks) == [
        (0, 5, Why.BAD_DATE),
        (0, 6, Why.NO_GUARDIAN),
        (0, 7, Why.SAME_INE),
        (0, 8, Why.NO_NAME),
        (0, 10, Why.AGE),
        (1, 3, Why.SHARED_EMAIL),
        (1, 7, Why.BAD_EMAIL),
        (1, 8, Why.CHILD_NOT_IN_FILE),
    ]


def test_two_addresses_are_two_homes_and_one_address_however_written_is_one() -> None:
    people = onde()
    homes = [
        ([str(people.adults[n]) for n in home.adults], [people.pupils[n].first_name for n in home.children])
        for home in gathered(people)
    ]
    assert homes == [
        (["Églantine Rousselin", "Basile Rousselin"], ["Anouk", "Gaspard"]),
        (["Aminata Keita"], ["Soraya"]),
        (["Lucien Tarride"], ["Soraya"]),
        (["Ondine Cazals"], ["Philippine"]),
    ]


def test_neighbours_of_one_building_stay_apart() -> None:
    people = spreadsheet(
        "Aubry;Lou;01/02/2019;CE1;Aubry;Jeanne;;1 rue Haute;31480;Cadours",
        "Bonnet;Sam;01/02/2019;CE1;Bonnet;Paul;;1 rue Haute;31480;Cadours",
    )
    assert len(gathered(people)) == 2


def test_a_spreadsheet_says_two_homes_on_one_line_or_on_two() -> None:
    one = spreadsheet("Aubry;Lou;01/02/2019;CE1;Aubry;Jeanne;;1 rue Haute;31480;Cadours;Aubry;Paul;9 quai Nord;31000")
    two = spreadsheet(
        "Aubry;Lou;01/02/2019;CE1;Aubry;Jeanne;;1 rue Haute;31480;Cadours",
        "AUBRY;LOU;2019-02-01;CE1;Aubry;Paul;;9 quai Nord;31000;",
    )
    for people in (one, two):
        assert [[str(people.adults[n]) for n in home.adults] for home in gathered(people)] == [
            ["Jeanne Aubry"],
            ["Paul Aubry"],
        ]
        assert len(people.pupils) == 1


def test_brothers_and_sisters_on_several_lines_are_one_home() -> None:
    people = spreadsheet(
        "Aubry;Lou;01/02/2019;CE1;Aubry;Jeanne;j@aubry.example;1 rue Haute;31480;Cadours",
        "Aubry;Max;01/02/2017;CM1;Aubry;Jeanne;J@aubry.example;1 r. haute;31480;Cadours;Aubry;Paul",
    )
    (home,) = gathered(people)
    assert [str(people.adults[n]) for n in home.adults] == ["Jeanne Aubry", "Paul Aubry"]
    assert [people.pupils[n].first_name for n in home.children] == ["Lou", "Max"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Aubry;Lou;29/02/2019;CE1;Aubry;Jeanne", Why.BAD_DATE),
        ("Aubry;Lou;;CE1;Aubry;Jeanne", Why.BAD_DATE),
        ("Aubry;Lou;01/02/2030;CE1;Aubry;Jeanne", Why.AGE),
        ("Aubry;;01/02/2019;CE1;Aubry;Jeanne", Why.NO_NAME),
        ("Aubry;Lou;01/02/2019;CE1;;", Why.NO_GUARDIAN),
        ("Aubry;Lou;01/02/2019;CE1;Aubry;", Why.GUARDIAN_NO_NAME),
        ("Aubry;Lou;01/02/2019;CE1;Aubry;Jeanne;;;;;;;;;;trop", Why.EXCESS),
        (f"Aubry;Lou;01/02/2019;CE1;Aubry;Jeanne;;{'x' * 300}", Why.EXCESS),
    ],
)
def test_a_line_is_refused_with_its_number_and_its_reason(line: str, why: Why) -> None:
    people = spreadsheet("Bonnet;Sam;01/02/2019;CE1;Bonnet;Paul", line)
    assert [(remark.line, remark.why) for remark in people.remarks] == [(3, why)]
    assert [str(pupil) for pupil in people.pupils] == ["Sam Bonnet"]


def test_files_are_told_apart_by_their_columns() -> None:
    pupils = read_sheet((FILES / "onde-eleves.csv").read_bytes())
    guardians = read_sheet((FILES / "onde-responsables.csv").read_bytes())
    assert (is_pupils_file(pupils.header), is_guardians_file(pupils.header)) == (True, False)
    assert (is_pupils_file(guardians.header), is_guardians_file(guardians.header)) == (False, True)
    assert not missing(recognised(HEADER.split(";")))
    assert signature(["Prénom", "NOM "]) == signature(["prenom", "nom"]) != signature(["nom", "prenom"])


def test_a_matching_holds_for_the_columns_that_exist_each_once() -> None:
    header = ["a", "b", "c"]
    assert usable({"child.last_name": 0, "child.first_name": 0, "1.email": 7, "no": 1, "2.city": "1"}, header) == {
        "child.last_name": 0
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("12 bis, av. Jean-Jaurès", "31480", "Cadours"), ("12bis avenue jean jaures", "31480", "CADOURS")),
        (("3 ch. du Pré", "31480", ""), ("3 Chemin du pré", "31 480".replace(" ", ""), "Cadours")),
    ],
)
def test_an_address_is_the_same_however_it_is_written(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert place(*one) == place(*other) != ""


def test_what_is_typed_becomes_what_is_read() -> None:
    assert [named(text) for text in ("DE LA TOUR-D’ARC", "McCoy", "ÉLOÏSE")] == ["De La Tour-D’Arc", "McCoy", "Éloïse"]
    assert [phone(text) for text in ("612345678", "+33 6 12 34 56 78", "06.12.34.56.78", "poste 12")] == [
        "06 12 34 56 78",
        "06 12 34 56 78",
        "06 12 34 56 78",
        "poste 12",
    ]
    assert [birth_date(text) for text in ("1/2/2019", "2019-02-01 00:00", "01.02.2019", "1/2/19", "x")] == [
        date(2019, 2, 1),
        date(2019, 2, 1),
        date(2019, 2, 1),
        None,
        None,
    ]
    assert [level(text) for text in ("Cours élémentaire 1", "ce 1", "CP")] == ["CE1", "CE1", "CP"]
    assert [safe_cell(text) for text in ("=1+1", "@x", "Inès")] == ["'=1+1", "'@x", "Inès"]
