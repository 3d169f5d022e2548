"""The five towns of the guides, and two written from docs/town-file.md alone."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from marelle import townfile
from marelle.rules.absences import judge_absence
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.lateness import LateMode, Surcharge
from marelle.rules.limits import limit_from_plain
from marelle.townfile.town import Booking, ValidationMode

ROOT = Path(__file__).parents[2]
DEMO = sorted((ROOT / "marelle" / "demo" / "towns").glob("*.toml"))
WRITTEN = sorted((Path(__file__).parent / "towns").glob("*.toml"))


def town(name: str) -> townfile.Town:
    return townfile.read(next(path for path in (*DEMO, *WRITTEN) if path.stem == name))


@pytest.mark.parametrize("path", [*DEMO, *WRITTEN], ids=lambda path: path.stem)
def test_export_then_read_gives_the_same_town(path: Path) -> None:
    read = townfile.read(path)
    again = townfile.read_text(townfile.write(read))
    assert again == read
    assert townfile.write(again) == townfile.write(read)
    assert townfile.diff(read, again) == []
    assert townfile.warnings(read) == []


def test_the_five_guides_have_their_towns() -> None:
    assert [path.stem for path in DEMO] == [
        "cadours",
        "espace-famille-alsh",
        "mon-compte-famille",
        "portes-de-meuse",
        "tutos",
    ]


def local(name: str, service: str, day: date, at: datetime) -> townfile.Explanation:
    explanations = townfile.explain_all(town(name), service=service, day=day, at=at)
    assert townfile.agree(explanations)
    return explanations[0]


NOON = datetime(2026, 11, 20, 11, tzinfo=UTC)


@pytest.mark.row("A8")
@pytest.mark.parametrize(
    ("service", "day", "until"),
    [
        ("cantine", date(2026, 11, 23), datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("mercredi", date(2026, 11, 25), datetime(2026, 11, 23, 16, tzinfo=UTC)),
        ("petites-vacances", date(2027, 2, 10), datetime(2027, 2, 5, 11, tzinfo=UTC)),
    ],
)
def test_cadours_closes_when_its_guide_says(service: str, day: date, until: datetime) -> None:
    calendar = town("cadours").school_calendar()
    assert calendar.zone == "C"
    explanation = local("cadours", service, day, until)
    assert explanation.book_until == explanation.cancel_until == until
    assert isinstance(explanation.book, Refused)


@pytest.mark.row("A6")
def test_cadours_garderie_is_enrolment_only() -> None:
    garderie = town("cadours").service("garderie")
    assert garderie.booking is Booking.ENROLMENT_ONLY
    assert local("cadours", "garderie", date(2026, 11, 23), NOON).book == Refused(Reason.ENROLMENT_ONLY)


@pytest.mark.row("A5")
def test_each_service_of_cadours_opens_on_its_own_calendar() -> None:
    read = town("cadours")
    calendar = read.school_calendar()
    year = calendar.school_year(date(2026, 11, 23))

    def slugs(service: str) -> list[str]:
        return [p.slug for p in townfile.periods_of(read, read.service(service), year=year, calendar=calendar)]

    assert slugs("cantine") == ["2026-2027"]
    assert slugs("mercredi") == slugs("tap") == ["trimestre-1-2026", "trimestre-2-2027", "trimestre-3-2027"]
    assert slugs("petites-vacances") == ["toussaint-2026", "hiver-2027", "printemps-2027"]
    winter = local("cadours", "petites-vacances", date(2027, 2, 10), NOON)
    assert winter.book == Refused(Reason.NOT_OPEN_YET, {"opens": datetime(2026, 12, 26, 7, tzinfo=UTC)})


def test_nothing_of_cadours_is_accepted_without_an_agent() -> None:
    for service in town("cadours").services:
        modes = service.validation
        assert {modes.enrol, modes.book, modes.cancel} == {ValidationMode.ASKED}


@pytest.mark.row("B3")
def test_portes_de_meuse_sends_late_families_to_the_schools_referent() -> None:
    read = town("portes-de-meuse")
    assert read.site("ecole-ancerville").email == "referent.ancerville@portesdemeuse.example"
    late = local("portes-de-meuse", "restaurant", date(2026, 11, 23), datetime(2026, 11, 20, 8, tzinfo=UTC))
    assert late.book == Refused(Reason.AGENT_ONLY, {"since": datetime(2026, 11, 20, 8, tzinfo=UTC)})


@pytest.mark.row("C10")
def test_mon_compte_famille_answers_by_the_services_setting() -> None:
    read = town("mon-compte-famille")
    assert read.service("mercredi").validation.book is ValidationMode.IMMEDIATE
    assert read.service("restauration").validation.book is ValidationMode.ASKED


@pytest.mark.row("C9")
def test_with_and_without_meal_have_their_own_limits() -> None:
    read = town("mon-compte-famille")
    calendar = read.school_calendar()
    wednesday = date(2026, 11, 25)
    answers = {
        one.unit: one.book_until
        for one in townfile.explain_all(read, service="mercredi", day=wednesday, at=NOON, calendar=calendar)
    }
    assert answers["apres-midi"] == calendar.instant(date(2026, 11, 24), time(12))
    assert answers["journee"] == calendar.instant(date(2026, 11, 20), time(12))
    assert read.service("mercredi").components(read.service("mercredi").unit("journee")) == (
        "matin",
        "repas",
        "apres-midi",
    )


@pytest.mark.row("D9")
@pytest.mark.row("D10")
def test_espace_famille_counts_in_working_time_and_surcharges_late_days() -> None:
    read = town("espace-famille-alsh")
    calendar = read.school_calendar()
    morning = townfile.explain(read, service="periscolaire", unit="matin", day=date(2026, 11, 23), at=NOON)
    assert morning.book_until == calendar.instant(date(2026, 11, 19), time(7, 30))
    late = read.service("periscolaire").late.book.rule()
    assert late.mode is LateMode.AGENT
    assert late.surcharge_for("matin") == Surcharge(add_cents=400)
    assert late.surcharge_for("soir") == Surcharge(add_cents=1000)
    assert read.service("mercredi").late.book.rule().surcharge_for("journee") == Surcharge(add_cents=300)
    wednesday = local("espace-famille-alsh", "mercredi", date(2026, 11, 18), NOON)
    assert wednesday.book_until == calendar.instant(date(2026, 11, 10), None)


@pytest.mark.row("E6")
@pytest.mark.row("E10")
def test_tutos_asks_for_the_dossier_first_and_accepts_at_once_after() -> None:
    read = town("tutos")
    canteen = read.service("cantine")
    assert canteen.requires.school_dossier and canteen.requires.health_file
    assert canteen.requires.papers == ("assurance-scolaire", "quotient-familial")
    assert canteen.requires.terms == ("cgu",)
    assert canteen.validation.book is ValidationMode.IMMEDIATE
    assert read.service("creche").booking is Booking.ENROLMENT_ONLY


def test_the_centre_written_from_the_documentation_says_r37() -> None:
    read = town("centre-social")
    calendar = read.school_calendar()

    def until(day: date) -> datetime | None:
        at = datetime(2026, 9, 1, tzinfo=UTC)
        return townfile.explain(read, service="accueil", unit="soir", day=day, at=at, calendar=calendar).book_until

    assert until(date(2026, 11, 24)) == calendar.instant(date(2026, 11, 19), time(15))
    assert until(date(2026, 11, 27)) == calendar.instant(date(2026, 11, 23), time(15))
    # Easter Monday
    assert until(date(2027, 3, 29)) is None
    assert until(date(2027, 3, 31)) == calendar.instant(date(2027, 3, 25), time(15))
    assert until(date(2027, 4, 2)) == calendar.instant(date(2027, 3, 30), time(15))
    policy = read.absence_policy(read.service("accueil"))
    proof = datetime(2026, 11, 25, tzinfo=UTC)
    days = judge_absence(policy, cause="maladie", days=[date(2026, 11, 23)], calendar=calendar, proof_at=proof)
    assert [day.still_due for day in days] == [10]


def test_the_canteen_written_from_the_documentation_says_r12() -> None:
    read = town("saint-exupery")
    calendar = read.school_calendar()
    answer = townfile.explain(read, service="cantine", unit="repas", day=date(2026, 11, 27), at=NOON, calendar=calendar)
    assert answer.book_until == calendar.instant(date(2026, 11, 19), time(12))
    assert isinstance(answer.book, Refused)
    policy = read.absence_policy(read.service("cantine"))
    week = [date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 26)]

    def due(proof: datetime) -> list[int]:
        days = judge_absence(policy, cause="maladie", days=week, calendar=calendar, starts_at=time(12), proof_at=proof)
        return [day.still_due for day in days]

    assert due(datetime(2026, 11, 25, tzinfo=UTC)) == [0, 0, 0]
    assert due(datetime(2026, 11, 30, tzinfo=UTC)) == [100, 100, 0]
    assert due(datetime(2026, 12, 10, tzinfo=UTC)) == [100, 100, 100]


# The documentation

DOCUMENT = (ROOT / "docs" / "town-file.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_smallest_file_of_the_documentation_is_whole() -> None:
    (smallest,) = [block for block in BLOCKS if "format = 1" in block]
    read = townfile.read_text(smallest)
    answer = townfile.explain(read, service="cantine", unit="repas", day=date(2026, 11, 23), at=NOON)
    assert isinstance(answer.book, Allowed)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_example_of_the_documentation_says_only_what_is_known(number: int) -> None:
    block = BLOCKS[number]
    if "…" in block or block.startswith("combinations"):
        block = block.replace('"https://…"', '"https://a.example"')
    content = tomllib.loads(block)
    if "combinations" in content:
        content = {"services": {"x": {"combinations": content["combinations"]}}}
    try:
        townfile.read_text(_toml(content))
    except townfile.TownFileErrors as errors:
        unknown = [fault for fault in errors.faults if "clé parmi" in fault.expected or "Clés" in fault.expected]
        assert unknown == []


def _toml(content: dict[str, object]) -> str:
    from marelle.townfile.writing import _section

    lines: list[str] = []
    _section(content, (), lines)
    return "\n".join(lines)


def test_every_limit_of_the_documentations_table_is_one() -> None:
    table = DOCUMENT.split("| write | it means")[1].split("\n\n")[0]
    found = re.findall(r"^\| `(\{.*?\})`", table, re.MULTILINE)
    assert len(found) >= 17
    for plain in found:
        if "…" not in plain:
            limit_from_plain(tomllib.loads(f"limit = {plain}")["limit"])


def test_the_published_schema_is_current() -> None:
    published = json.loads((ROOT / "docs" / "town-file.schema.json").read_text(encoding="utf-8"))
    assert published == townfile.json_schema(), "run: marelle-admin town schema > docs/town-file.schema.json"
