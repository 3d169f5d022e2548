"""`marelle-admin town load|export|diff`: what they print, and what they leave."""

from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from marelle.activities.models import Municipality, OpeningDay
from marelle.foundation.models import AuditLine
from marelle.rules.limits import limit_from_plain
from marelle.townfile import Town, read
from marelle.townfile.town import LimitPair, OpenDays, Validation, ValidationMode
from marelle.townfile.town import Unit as SaidUnit
from marelle.towns.effects import Effects, effects_of
from marelle.towns.services import load_town
from marelle.towns.words import effects_lines, report_lines
from tests.offer import AT, TOWNS, agent, ask, booked, cadours, enrolled, family
from tests.towns.files import (
    NAMES,
    closed_on,
    file_of,
    with_capacity,
    with_service,
    with_units,
    without_service,
)

MONDAY, TUESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 19))
PAST = date(2026, 11, 9)


def run(*words: object) -> str:
    out = StringIO()
    call_command("town", *map(str, words), stdout=out, stderr=StringIO())
    return plain(out.getvalue())


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def effects(new: Town) -> Effects:
    return effects_of(file_of(), new, at=AT)


def lines(new: Town) -> list[str]:
    return [plain(line) for line in effects_lines(effects(new))]


def counts(new: Town) -> tuple[int, int, int]:
    found = effects(new)
    return found.bookings, found.enrolments, found.full_days


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_load_export_and_load_again(name: str, tmp_path: Path) -> None:
    source, copy = TOWNS / f"{name}.toml", tmp_path / "copie.toml"
    for video in TOWNS.glob("*.webm"):  # a file that the town's file names lies beside it, and beside its copy
        (tmp_path / video.name).symlink_to(video)
    said = run("load", source)
    assert said.splitlines()[0].endswith("le fichier est chargé.")
    assert "Ajouts : 1 commune, 3 années scolaires" in said
    assert f"{OpeningDay.objects.count()} ouverts" in said

    assert run("export", copy) == f"{copy} est écrit.\n"

    assert read(copy) == read(source)
    assert run("export") == plain(copy.read_text())
    assert run("diff", copy) == "Rien ne change.\n"
    assert run("load", copy).splitlines()[1:] == ["Rien n’a changé."]
    again = tmp_path / "encore.toml"
    run("export", again)
    assert again.read_bytes() == copy.read_bytes()


@pytest.mark.django_db
def test_a_load_says_what_it_did() -> None:
    cadours()
    who, malika = family(), agent()
    enrolled(who, by=malika)
    booked(who, [MONDAY], by=malika)
    new = with_capacity(closed_on(without_service(file_of(), "tap"), MONDAY), "cantine", "elementaire", 90)

    said = [plain(line) for line in report_lines(load_town(new, at=AT))]

    assert said == [
        "Changements : 1 commune et 2 services",
        "Archivés, car absents du fichier : 1 service, 1 service sur un site, 1 unité, 1 groupe et 9 périodes",
        "Jours d’accueil (un par unité et par groupe) : 62 fermés et 245 avec d’autres places",
        "Attention : 2 jours que le fichier n’ouvre plus restent, car 2 réservations y sont attendues. "
        "Personne d’autre ne peut y réserver ; un agent les ferme.",
    ]


@pytest.mark.django_db
def test_a_faulty_file_is_refused_with_its_faults_and_writes_nothing(tmp_path: Path) -> None:
    cadours()
    before = Municipality.objects.get().document
    path = tmp_path / "faux.toml"
    text = (TOWNS / "cadours.toml").read_text()
    path.write_text(text.replace("capacity = 60", 'capacity = "soixante"').replace('zone = "C"', 'zone = "Q"'))

    for verb in ("check", "load", "diff"):
        with pytest.raises(CommandError) as refused:
            run(verb, path)
        said = plain(str(refused.value)).splitlines()
        assert len(said) == 2
        assert all(line.startswith("ligne ") and "trouvé" in line and "attendu" in line for line in said)

    assert Municipality.objects.get().document == before
    assert AuditLine.objects.filter(action="town.loaded").count() == 1


@pytest.mark.django_db
def test_a_year_past_the_calendar_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "loin.toml"
    path.write_text((TOWNS / "cadours.toml").read_text().replace("[years.2027-2028]", "[years.2031-2032]"))
    with pytest.raises(CommandError) as refused:
        run("load", path)
    assert "years.2031-2032" in str(refused.value)
    assert "le calendrier couvre (jusqu’au" in plain(str(refused.value))
    assert not Municipality.objects.exists()


@pytest.mark.django_db
def test_before_any_load_there_is_nothing_to_export_or_compare() -> None:
    with pytest.raises(CommandError, match="Aucune commune"):
        run("export")
    assert "tout le fichier serait nouveau" in run("diff", TOWNS / "cadours.toml")


def limited(plain_limit: dict[str, Any]) -> LimitPair:
    return LimitPair(book=limit_from_plain(plain_limit))


@pytest.fixture
def families(db: None) -> None:
    """In Cadours: Inès (élémentaire) and Tom (maternelle) on Monday and Tuesday, Jade (élémentaire) on Monday, who also
    waits for an answer for Thursday; Inès and Tom are also enrolled on Wednesdays, with one day there."""
    cadours()
    malika = agent()
    benali, petit = family(), family("Petit", [("Jade", "CE1")])
    for who in (benali, petit):
        enrolled(who, by=malika)
    enrolled(benali, "mercredi", by=malika)
    booked(benali, [MONDAY, TUESDAY], by=malika)
    booked(benali, [date(2026, 11, 25)], "mercredi", by=malika, children=benali.children[:1])
    booked(petit, [MONDAY], by=malika)
    booked(petit, [THURSDAY])


@pytest.mark.usefixtures("families")
def test_a_limit_touches_the_bookings_of_its_service_or_unit() -> None:
    new = with_service(file_of(), "cantine", limits=limited({"days": 2, "at": "10:00"}))
    assert lines(new) == [
        "service cantine, limite de réservation : « la veille, 9 h » devient « 2 jours avant, 10 h » "
        "(6 réservations à venir touchées)",
        "En tout : 1 changement ; 6 réservations à venir touchées.",
    ]
    own = with_units(
        file_of(), "mercredi", lambda units: (replace(unit, limits=limited({"days": 3})) for unit in units)
    )
    assert counts(own) == (1, 0, 0)
    validation = Validation(book=ValidationMode.IMMEDIATE)
    assert counts(with_service(file_of(), "cantine", validation=validation)) == (6, 0, 0)
    assert counts(with_service(file_of(), "petites-vacances", limits=limited({"days": 3}))) == (0, 0, 0)


@pytest.mark.usefixtures("families")
def test_a_booking_that_several_changes_touch_counts_once_in_all() -> None:
    new = with_service(
        file_of(),
        "cantine",
        limits=limited({"days": 2}),
        validation=Validation(book=ValidationMode.IMMEDIATE),
    )
    found = effects(new)
    assert [effect.bookings for effect in found.each] == [6, 6]
    assert found.bookings == 6


@pytest.mark.usefixtures("families")
def test_what_disappears_touches_its_bookings_and_its_enrolments() -> None:
    assert lines(without_service(file_of(), "cantine"))[-2:] == [
        "service cantine : archivé, car absent du fichier (6 réservations à venir touchées et 3 inscriptions touchées)",
        "En tout : 1 changement ; 6 réservations à venir touchées et 3 inscriptions touchées.",
    ]
    assert counts(without_service(file_of(), "mercredi")) == (1, 2, 0)
    cantine = file_of().service("cantine")
    assert counts(with_service(file_of(), "cantine", groups=cantine.groups[:1])) == (4, 2, 0)
    assert counts(with_service(file_of(), "cantine", sites=("ecole-elementaire",), groups=cantine.groups[1:])) == (
        2,
        1,
        0,
    )
    town = with_units(file_of(), "mercredi", lambda units: (SaidUnit(slug="journee", name="Journée"),))
    assert counts(town) == (1, 0, 0)
    years = tuple(year for year in file_of().years if year.slug != "2026-2027")
    assert counts(replace(file_of(), years=years)) == (7, 5, 0)


@pytest.mark.usefixtures("families")
def test_a_closure_touches_the_bookings_of_the_days_that_close() -> None:
    assert lines(closed_on(file_of(), MONDAY))[-1] == "En tout : 1 changement ; 3 réservations à venir touchées."
    assert counts(closed_on(file_of(), PAST)) == (0, 0, 0)
    assert counts(closed_on(file_of(), MONDAY, date(2026, 11, 25))) == (4, 0, 0)
    assert counts(with_service(file_of(), "cantine", open=OpenDays(weekdays=(0, 1, 4)))) == (1, 0, 0)
    weekdays = with_units(file_of(), "cantine", lambda units: (replace(unit, weekdays=(0,)) for unit in units))
    assert counts(weekdays) == (3, 0, 0)
    calendar = replace(file_of().calendar, school_weekdays=(1, 3, 4))
    assert counts(replace(file_of(), calendar=calendar)) == (3, 0, 0)
    terms = tuple(term for term in file_of().calendar.terms if term.slug != "trimestre-1-2026")
    assert counts(replace(file_of(), calendar=replace(file_of().calendar, terms=terms))) == (1, 0, 0)
    # Tuesday 17 November is a school day in every zone; the three others too
    assert counts(replace(file_of(), calendar=replace(file_of().calendar, zone="B"))) == (0, 0, 0)


@pytest.mark.usefixtures("families")
def test_fewer_places_touch_the_days_where_more_are_taken() -> None:
    assert lines(with_capacity(file_of(), "cantine", "elementaire", 1))[-1] == (
        "En tout : 2 changements ; 1 jour où plus d’enfants ont leur place, et la gardent."
    )
    assert counts(with_capacity(file_of(), "cantine", "elementaire", 0)) == (0, 0, 3)
    assert counts(with_capacity(file_of(), "cantine", "elementaire", 1, margin=1)) == (0, 0, 0)
    assert counts(with_capacity(file_of(), "cantine", "elementaire", None)) == (0, 0, 0)


@pytest.mark.usefixtures("families")
def test_names_texts_and_order_touch_nobody() -> None:
    town = file_of()
    renamed = replace(
        with_service(town, "cantine", name="Le restaurant"), municipality=replace(town.municipality, phone="01")
    )
    assert counts(renamed) == (0, 0, 0)
    assert lines(renamed)[1] == (
        "service cantine, nom : « Restauration scolaire » devient « Le restaurant » (aucune réservation touchée)"
    )
    turned = replace(town, services=(*town.services[1:], town.services[0]))
    assert lines(turned)[0].startswith("services, dans un autre ordre : mercredi, tap, ")
    assert lines(town) == ["Rien ne change."]


@pytest.mark.django_db
def test_who_is_admitted_touches_the_enrolments_that_wait_too() -> None:
    cadours()
    ask(family(), "mercredi")
    who = replace(file_of().service("mercredi").who, max_age=9)
    assert counts(with_service(file_of(), "mercredi", who=who)) == (0, 2, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_any_town_compares_with_any_other(name: str, django_assert_num_queries: Any) -> None:
    cadours()
    new = file_of(name)
    with django_assert_num_queries(3):
        found = effects(new)
    said = effects_lines(found)
    assert len(said) == (len(found.each) + 1 if found.each else 1)
    for words in said:
        assert "_" not in words
        assert "\n" not in words
