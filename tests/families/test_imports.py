"""An import: what it would write is told, written whole or not at all, once, and undone within the day."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.activities.models import Site
from marelle.families.imports.planning import Plan, changed_children
from marelle.families.imports.saving import (
    KEPT,
    UNDO,
    NoLongerUndone,
    TooManyFiles,
    TwoFilesNeeded,
    Writing,
    advance,
    ask_to_save,
    begin_import,
    digest,
    drop_import,
    keep_ours,
    match_columns,
    save_import,
    tick,
    undo_import,
    work,
)
from marelle.families.imports.sheets import Unreadable
from marelle.families.models import Child, Guardian, Guardianship, Household, ImportRun, ImportState, Residence
from marelle.families.services import invite_guardian
from marelle.foundation.audit import Actor
from marelle.foundation.files.store import path_of
from marelle.foundation.models import AuditLine, StoredFile
from tests.people import AT, family, school, town

pytestmark = [pytest.mark.django_db, pytest.mark.row("S7")]

FILES = Path(__file__).parent / "files"
MALIKA = Actor(id=None, label="Malika Roux", is_agent=True)
HEADER = "Nom élève;Prénom élève;Date de naissance;Classe;Niveau;Nom responsable 1;Prénom responsable 1;Courriel responsable 1;Téléphone responsable 1;Adresse;CP;Commune;Nom responsable 2;Prénom responsable 2;Adresse responsable 2;CP responsable 2"  # noqa: E501
LOU = "Aubry;Lou;01/02/2019;CE1 A;CE1;Aubry;Jeanne;jeanne@aubry.example;0600000021;1 rue Haute;31480;Cadours"
SAM = "Bonnet;Sam;05/06/2018;CE2 A;CE2;Bonnet;Paul;paul@bonnet.example;;9 rue Basse;31480;Cadours"


@pytest.fixture(autouse=True)
def files_kept_apart(settings: Settings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def site() -> Site:
    town()
    site = school()
    site.levels = ["PS", "MS", "GS", "CP", "CE1", "CE2", "CM1", "CM2"]
    site.save()
    return site


def begun(site: Site | None, *files: tuple[str, bytes]) -> ImportRun:
    run = begin_import(files=list(files), school=site, by=MALIKA, at=AT)
    if run.state == ImportState.MATCHING:
        run = match_columns(run=run, matching=run.matching, at=AT)
    return advance(run, at=AT)


def sheet(site: Site | None, *lines: str) -> ImportRun:
    return begun(site, ("familles.csv", "\n".join([HEADER, *lines]).encode()))


def onde(site: Site) -> ImportRun:
    names = ("onde-responsables.csv", "onde-eleves.csv")
    return begun(site, *((name, (FILES / name).read_bytes()) for name in names))


def saved(run: ImportRun, *, at=AT) -> ImportRun:  # type: ignore[no-untyped-def]
    return save_import(run=run, by=MALIKA, at=at)


def plan_of(run: ImportRun) -> Plan:
    assert run.plan is not None
    return Plan.from_json(run.plan)


def everything() -> dict[str, list[tuple[object, ...]]]:
    return {
        model.__name__: sorted(model._default_manager.values_list())
        for model in (Household, Guardian, Guardianship, Child, Residence)
    }


def test_a_school_s_export_is_told_before_anything_is_written(site: Site) -> None:
    run = onde(site)
    assert run.state == ImportState.READY
    assert run.counts == {
        "homes": 4,
        "new_homes": 4,
        "children": 4,
        "new_children": 4,
        "two_homes": 1,
        "changed": 0,
        "unchanged": 0,
        "refused": 6,
        "remarks": 2,
        "absent": 0,
    }
    assert not Household.objects.exists() and not Child.objects.exists()


def test_a_school_s_export_is_written_whole_with_its_two_homes(site: Site) -> None:
    run = saved(onde(site))
    assert run.state == ImportState.SAVED
    assert [
        (home.name, home.address, home.city, [str(one) for one in home.guardians.order_by("guardianships__position")])
        for home in Household.objects.order_by("id")
    ] == [
        ("Rousselin", "12 rue des Lilas", "Cadours", ["Églantine Rousselin", "Basile Rousselin"]),
        ("Keita", "8 rue du Lavoir", "Cadours", ["Aminata Keita"]),
        ("Tarride", "2 quai Nord", "Toulouse", ["Lucien Tarride"]),
        ("Cazals", "3 rue Neuve", "Cadours", ["Ondine Cazals"]),
    ]
    soraya = Child.objects.get(first_name="Soraya")
    assert (soraya.last_name, soraya.birth_date, soraya.ine) == ("Tarride", date(2018, 11, 21), "1234567890C")
    assert (soraya.school, soraya.level, soraya.class_name) == (site, "CE2", "CE2 M. Roche")
    assert sorted(home.name for home in soraya.households.all()) == ["Keita", "Tarride"]
    assert Household.objects.filter(search_text__contains="soraya").count() == 2
    lines = AuditLine.objects.filter(action="household.imported")
    assert {line.household_id for line in lines} == set(Household.objects.values_list("id", flat=True))
    assert {line.actor_label for line in lines} == {"Malika Roux"}


def test_the_same_file_again_changes_nothing(site: Site) -> None:
    saved(onde(site))
    before, lines = everything(), AuditLine.objects.count()
    again = onde(site)
    assert (again.counts["new_homes"], again.counts["new_children"], again.counts["changed"]) == (0, 0, 0)
    assert again.counts["unchanged"] == 4
    saved(again)
    assert everything() == before
    assert AuditLine.objects.count() == lines + 1


def test_confirmed_twice_is_written_once(site: Site) -> None:
    run = onde(site)
    saved(run)
    before, lines = everything(), AuditLine.objects.count()
    saved(run, at=AT + timedelta(minutes=1))
    assert (everything(), AuditLine.objects.count()) == (before, lines)


def test_a_new_year_s_file_changes_class_and_level_and_shows_both(site: Site) -> None:
    saved(sheet(site, LOU))
    run = sheet(site, LOU.replace("CE1 A;CE1", "CE2 B;CE2").replace("1 rue Haute", "7 quai Nord"))
    (changes,) = changed_children(plan_of(run)).values()
    assert [(change.field, change.old, change.new) for change in changes] == [
        ("level", "CE1", "CE2"),
        ("class_name", "CE1 A", "CE2 B"),
        ("address", "1 rue Haute, 31480 Cadours", "7 quai Nord, 31480 Cadours"),
    ]
    saved(run)
    assert Child.objects.values_list("level", "class_name").get() == ("CE2", "CE2 B")
    assert Household.objects.values_list("address", flat=True).get() == "7 quai Nord"


def test_what_the_agent_keeps_stays(site: Site) -> None:
    saved(sheet(site, LOU))
    run = sheet(site, LOU.replace("CE1 A;CE1", "CE2 B;CE2"))
    keys = {change.field: change.key for change in plan_of(run).children[0].changes}
    run = keep_ours(run=run, shown=list(keys.values()), kept=[keys["level"], "child:999:level"])
    saved(run)
    assert Child.objects.values_list("level", "class_name").get() == ("CE1", "CE2 B")


def test_a_blank_cell_erases_nothing(site: Site) -> None:
    saved(sheet(site, LOU))
    before = everything()
    saved(sheet(site, "Aubry;Lou;01/02/2019;;;Aubry;Jeanne;;;;;"))
    assert everything() == before


def test_a_family_registered_by_hand_is_recognised(site: Site) -> None:
    home = family(site=site)
    run = sheet(
        site,
        "BENALI;INES;12/03/2018;CE1 A;CE1;BENALI;NADIA;;;4, r. Haute;31480;CADOURS",
        "Benali;Tom;01/09/2021;GS;GS;Benali;Nadia;;;4 rue Haute;31480;Cadours",
    )
    saved(run)
    assert Household.objects.get() == home
    assert [child.first_name for child in home.children.order_by("id")] == ["Inès", "Tom"]
    assert Guardian.objects.count() == 1


def test_a_parent_who_left_gets_a_home_and_does_not_carry_the_first_away(site: Site) -> None:
    both = LOU + ";Aubry;Marc;;"
    saved(sheet(site, both))
    run = sheet(site, LOU + ";Aubry;Marc;3 quai Nord;31000")
    assert [remark.why for remark in plan_of(run).remarks] == ["other_home_too"]
    saved(run)
    first, second = Household.objects.order_by("id")
    assert (first.address, second.address) == ("1 rue Haute", "3 quai Nord")
    assert [str(adult) for adult in second.guardians.all()] == ["Marc Aubry"]
    assert Child.objects.get().households.count() == 2


def test_an_address_already_used_is_said_and_left_aside(site: Site) -> None:
    family(email="jeanne@aubry.example", site=site)
    run = sheet(site, LOU)
    assert [remark.why for remark in plan_of(run).remarks] == ["email_in_use"]
    saved(run)
    assert Guardian.objects.get(last_name="Aubry").email == ""


def test_an_open_account_keeps_its_address(site: Site) -> None:
    saved(sheet(site, LOU))
    invite_guardian(guardian=Guardian.objects.get(), by=MALIKA, at=AT)
    run = sheet(site, LOU.replace("jeanne@aubry", "autre@aubry"))
    assert [remark.why for remark in plan_of(run).remarks] == ["open_account"]
    saved(run)
    assert Guardian.objects.get().email == "jeanne@aubry.example"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (LOU.replace("CE1 A;CE1", "6A;CM2"), "level_not_here"),
        (LOU.replace("01/02/2019", "01/13/2019"), "bad_date"),
    ],
)
def test_a_line_that_does_not_fit_the_school_is_refused_and_the_others_pass(site: Site, line: str, why: str) -> None:
    site.levels = ["CP", "CE1", "CE2"]
    site.save()
    run = sheet(site, line, SAM)
    assert [(remark.line, remark.why) for remark in plan_of(run).remarks] == [(2, why)]
    saved(run)
    assert [str(child) for child in Child.objects.all()] == ["Sam Bonnet"]


def test_schools_are_named_in_the_file_or_chosen(site: Site) -> None:
    run = sheet(None, LOU)
    assert [remark.why for remark in plan_of(run).remarks] == ["no_school"]
    text = "\n".join(
        f"{line};{name}"
        for line, name in ((HEADER, "École"), (LOU + ";;;;", "école des TILLEULS"), (SAM + ";;;;", "Ailleurs"))
    )
    run = begun(None, ("a.csv", text.encode()))
    assert [(remark.line, remark.why) for remark in plan_of(run).remarks] == [(3, "unknown_school")]
    assert [child.school for child in plan_of(run).children] == [site.pk]


def test_children_of_the_school_absent_from_the_file_are_told_and_stay(site: Site) -> None:
    home = family(site=site)
    run = sheet(site, LOU)
    assert [name for _id, name in plan_of(run).absent] == ["Inès Benali"]
    saved(run)
    assert home.children.count() == 1


def test_columns_are_matched_once(site: Site) -> None:
    text = b"A;B;C;D;E\nAubry;Lou;01/02/2019;Aubry;Jeanne\n"
    run = begin_import(files=[("a.csv", text)], school=site, by=MALIKA, at=AT)
    assert run.state == ImportState.MATCHING
    with pytest.raises(ValueError, match=r"child\.birth_date"):
        match_columns(run=run, matching={"child.last_name": 0, "child.first_name": 1}, at=AT)
    matching = {"child.last_name": 0, "child.first_name": 1, "child.birth_date": 2, "1.last_name": 3, "1.first_name": 4}
    run = advance(match_columns(run=run, matching=matching, at=AT), at=AT)
    assert (run.state, run.counts["children"]) == (ImportState.READY, 1)
    again = begin_import(files=[("b.csv", text.replace(b"Lou", b"Max"))], school=site, by=MALIKA, at=AT)
    assert (again.state, again.matching) == (ImportState.READING, matching)


def test_half_a_school_s_export_or_two_spreadsheets_are_refused_and_leave_nothing(site: Site) -> None:
    pupils = ("e.csv", (FILES / "onde-eleves.csv").read_bytes())
    guardians = ("r.csv", (FILES / "onde-responsables.csv").read_bytes())
    for files, missing in (([pupils], "guardians"), ([guardians], "pupils")):
        with pytest.raises(TwoFilesNeeded) as refusal:
            begin_import(files=files, school=site, by=MALIKA, at=AT)
        assert refusal.value.missing == missing
    with pytest.raises(TooManyFiles):
        begin_import(files=[("a.csv", b"A;B\n1;2"), ("b.csv", b"A;B\n1;2")], school=site, by=MALIKA, at=AT)
    with pytest.raises(Unreadable):
        begin_import(files=[("a.xlsx", b"PK\x03\x04")], school=site, by=MALIKA, at=AT)
    assert not ImportRun.objects.exists() and not StoredFile.objects.exists()


def test_what_moved_since_the_preview_is_shown_again_and_not_written(site: Site) -> None:
    run = sheet(site, LOU)
    family(name="Aubry", email="jeanne@aubry.example", site=site)
    before = everything()
    run = saved(run)
    assert (run.state, run.counts["moved"]) == (ImportState.READY, 1)
    assert everything() == before
    assert [remark.why for remark in plan_of(run).remarks] == ["email_in_use"]
    assert saved(run).state == ImportState.SAVED


def test_a_failure_half_way_writes_nothing(site: Site, django_db_blocker) -> None:  # type: ignore[no-untyped-def]
    run = sheet(site, LOU, SAM)
    before = everything()

    def trip(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if 'INSERT INTO "families_residence"' in sql:
            raise RuntimeError("power cut")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(trip), pytest.raises(RuntimeError):
        saved(run)
    assert everything() == before
    run.refresh_from_db()
    assert run.state == ImportState.READY


def test_undoing_restores_exactly_what_was(site: Site) -> None:
    saved(sheet(site, LOU))
    before = everything()
    run = saved(
        sheet(
            site,
            LOU.replace("CE1 A;CE1", "CE2 B;CE2").replace("0600000021", "0600000022") + ";Aubry;Marc;3 quai Nord;31000",
            SAM,
        )
    )
    assert everything() != before
    run = undo_import(run=run, by=MALIKA, at=AT + UNDO - timedelta(seconds=1))
    assert everything() == before
    assert run.state == ImportState.UNDONE
    undo_import(run=run, by=MALIKA, at=AT + timedelta(days=3))
    assert AuditLine.objects.filter(action="import.undone").count() == 1
    assert saved(sheet(site, SAM)).state == ImportState.SAVED


def test_undo_ends_after_a_day(site: Site) -> None:
    run = saved(sheet(site, LOU))
    with pytest.raises(NoLongerUndone):
        undo_import(run=run, by=MALIKA, at=AT + UNDO)
    assert Household.objects.exists()


def test_what_somebody_touched_since_is_not_undone(site: Site) -> None:
    run = saved(sheet(site, LOU, SAM))
    before = everything()
    invite_guardian(guardian=Guardian.objects.get(first_name="Paul"), by=MALIKA, at=AT)
    with pytest.raises(NoLongerUndone) as refusal:
        undo_import(run=run, by=MALIKA, at=AT)
    assert refusal.value.touched == ["Bonnet"]
    assert {**everything(), "Guardian": []} == {**before, "Guardian": []}


def test_a_value_changed_by_hand_since_stops_the_undoing(site: Site) -> None:
    saved(sheet(site, LOU))
    run = saved(sheet(site, LOU.replace("CE1 A;CE1", "CE2 B;CE2")))
    Child.objects.update(class_name="CE2 C")
    with pytest.raises(NoLongerUndone) as refusal:
        undo_import(run=run, by=MALIKA, at=AT)
    assert refusal.value.touched == ["Aubry"]


def test_an_abandoned_import_leaves_no_file(site: Site, django_capture_on_commit_callbacks) -> None:  # type: ignore[no-untyped-def]
    run = sheet(site, LOU)
    assert run.file is not None
    path = path_of(run.file.pk)
    assert path.exists() and b"Jeanne" not in path.read_bytes()
    with django_capture_on_commit_callbacks(execute=True):
        drop_import(run=run)
    assert not path.exists() and not StoredFile.objects.exists()


def test_a_file_lost_before_it_was_read_ends_the_import(site: Site) -> None:
    run = sheet(site, LOU)
    assert run.file is not None
    path_of(run.file.pk).unlink()
    ImportRun.objects.update(state=ImportState.READING)
    assert tick(at=AT) == 1
    run.refresh_from_db()
    assert run.state == ImportState.DROPPED


def test_after_a_month_only_counts_remain(site: Site) -> None:
    saved(sheet(site, LOU))
    assert tick(at=AT + KEPT) == 0
    assert tick(at=AT + KEPT + timedelta(seconds=1)) == 1
    run = ImportRun.objects.get()
    assert (run.plan, run.journal, run.file, run.state) == (None, None, None, ImportState.SAVED)
    assert run.counts["children"] == 1 and not StoredFile.objects.exists()


def many(n: int) -> bytes:
    lines = [
        f"Nom{i:04};Prénom{i % 7};{1 + i % 28:02}/{1 + i % 12:02}/2018;CE2 A;CE2;Nom{i:04};Ada;ada{i}@nom.example;;{i} rue Haute;31480;Cadours"  # noqa: E501
        for i in range(n)
    ]
    return "\n".join([HEADER, *lines]).encode()


def test_a_long_file_is_the_worker_s_and_one_worker_s(site: Site) -> None:
    run = begun(site, ("long.csv", many(700)))
    assert run.state == ImportState.READING
    assert tick(at=AT) == 1
    run.refresh_from_db()
    assert (run.state, run.counts["new_children"]) == (ImportState.READY, 700)
    assert not ask_to_save(run=run, shown="another page", by=MALIKA, at=AT)
    assert ask_to_save(run=run, shown=digest(run), by=MALIKA, at=AT)
    run.refresh_from_db()
    run = advance(run, at=AT)
    assert run.state == ImportState.SAVING
    ImportRun.objects.update(claimed_at=AT)
    assert not work(run.pk, at=AT)
    assert tick(at=AT + timedelta(minutes=11)) == 1
    assert Child.objects.count() == 700


def test_an_import_asks_the_same_number_of_questions_whatever_its_size(site: Site) -> None:
    def questions(n: int) -> list[int]:
        run = begun(site, ("a.csv", many(n)))
        with CaptureQueriesContext(
            connection,
        ) as reading:
            ImportRun.objects.update(state=ImportState.READING)
            work(run.pk, at=AT)
        run.refresh_from_db()
        with CaptureQueriesContext(connection) as saving:
            saved(run)
        run.refresh_from_db()
        with CaptureQueriesContext(connection) as undoing:
            undo_import(run=run, by=MALIKA, at=AT)
        return [len(reading), len(saving), len(undoing)]

    assert questions(2) == questions(60)


@pytest.mark.race
def test_two_agents_confirm_at_once_and_it_is_written_once(transactional_db, race) -> None:  # type: ignore[no-untyped-def]
    town()
    site = school()
    run = sheet(site, LOU, SAM)
    outcomes = race(lambda _n: saved(run).state, range(8), at_once=8)
    assert [outcome.error for outcome in outcomes] == [None] * 8
    assert {outcome.answer for outcome in outcomes} == {ImportState.SAVED}
    assert (Household.objects.count(), Child.objects.count()) == (2, 2)
    assert AuditLine.objects.filter(action="import.saved").count() == 1


@pytest.mark.race
def test_without_its_locks_it_would_be_written_several_times(transactional_db, race) -> None:  # type: ignore[no-untyped-def]
    town()
    run = sheet(school(), LOU, SAM)

    def naive(_n: int) -> None:
        with transaction.atomic():
            if ImportRun.objects.get(pk=run.pk).state == ImportState.READY:
                Writing(run=run, plan=plan_of(run), by=MALIKA, at=AT).write()
                ImportRun.objects.update(state=ImportState.SAVED)

    race(naive, range(8), at_once=8)
    assert Household.objects.count() > 2


@pytest.mark.parametrize("awaits", [False, True], ids=["declared by a family", "of a family that waits"])
def test_who_declares_somebody_else_s_child_does_not_become_its_other_home(site: Site, awaits: bool) -> None:
    stranger = family("Voisin")
    lou = Child.objects.create(first_name="Lou", last_name="Aubry", birth_date=date(2019, 2, 1), declared_at=AT)
    Residence.objects.create(household=stranger, child=lou)
    if awaits:
        # All that such a family says of itself may be borrowed, names and address too.
        Household.objects.filter(pk=stranger.pk).update(
            awaits_since=AT, address="1 rue Haute", postcode="31480", city="Cadours"
        )
        stranger.guardians.update(first_name="Jeanne", last_name="Aubry")
    saved(sheet(site, LOU))
    assert [home.pk for home in lou.households.all()] == [stranger.pk]
    mine = Child.objects.exclude(pk=lou.pk).get(first_name="Lou").households.get()
    assert mine != stranger and mine.guardians.get().email == "jeanne@aubry.example"


@pytest.mark.parametrize("by_address", [False, True], ids=["by e-mail", "by name and address"])
def test_a_declared_child_is_the_one_of_the_file_when_an_adult_is(site: Site, by_address: bool) -> None:
    home = family("Aubry")
    lou = Child.objects.create(first_name="Lou", last_name="Aubry", birth_date=date(2019, 2, 1), declared_at=AT)
    Residence.objects.create(household=home, child=lou)
    said = {"first_name": "Jeanne", "last_name": "Aubry"}
    home.guardians.update(**said, email="" if by_address else "jeanne@aubry.example")
    if by_address:
        Household.objects.filter(pk=home.pk).update(address="1 rue Haute", postcode="31480", city="Cadours")
    saved(sheet(site, LOU))
    assert Child.objects.filter(first_name="Lou").get() == lou and lou.households.get() == home
