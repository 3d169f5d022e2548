"""The agents' pages of an import and of invitations sent together."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.families.imports.saving import advance
from marelle.families.models import Child, Guardian, Household, ImportRun, ImportState, InvitationRound
from marelle.families.services import invite_guardian
from marelle.foundation.audit import PORTAL
from marelle.foundation.models import MailState, OutboxMail
from tests.families.test_imports import FILES, LOU, SAM
from tests.families.test_imports import HEADER as COLUMNS
from tests.offer import AT
from tests.people import queries
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("S7")]

HERE = "/agents/familles/imports/"
INVITE = "/agents/familles/inviter/"


@pytest.fixture(autouse=True)
def files_kept_apart(settings: Settings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def school(malika: User) -> str:
    from marelle.activities.models import Site

    return str(Site.objects.get(slug="ecole-elementaire").pk)


def upload(desk: Client, school: str, *files: tuple[str, bytes], follow: bool = True) -> Any:
    data: dict[str, Any] = {"school": school}
    for name, (title, content) in zip(("file", "second"), files, strict=False):
        data[name] = SimpleUploadedFile(title, content)
    return desk.post(HERE, data, follow=follow)


def sheet(*lines: str) -> tuple[str, bytes]:
    return "familles.csv", "\n".join([COLUMNS, *lines]).encode()


def onde() -> list[tuple[str, bytes]]:
    return [(name, (FILES / name).read_bytes()) for name in ("onde-eleves.csv", "onde-responsables.csv")]


def decide(desk: Client, run: ImportRun, do: str, page: str = "") -> Any:
    import re

    shown = re.search(r'name="shown" value="(\w+)"', page)
    return desk.post(f"{HERE}{run.pk}/decider/", {"do": do, "shown": shown[1] if shown else ""}, follow=True)


def previewed(desk: Client, school: str, *lines: str) -> tuple[ImportRun, str]:
    """A spreadsheet handed in, its columns confirmed as recognised, and its preview."""
    response = upload(desk, school, sheet(*lines))
    run = ImportRun.objects.latest("id")
    if run.state == ImportState.MATCHING:
        response = desk.post(f"{HERE}{run.pk}/colonnes/", run.matching, follow=True)
        run.refresh_from_db()
    return run, plain_spaces(response.text)


def test_a_school_s_two_files_are_looked_at_then_saved_then_undone(desk: Client, school: str) -> None:
    page = plain_spaces(upload(desk, school, *onde()).text)
    run = ImportRun.objects.get()
    assert "Rien n’est encore enregistré." in page
    for sentence in (
        "Date de naissance « 31/02/2019 » : ce jour n’existe pas",
        "Même identifiant national que la ligne 2",
        "Aucun responsable légal",
        "Nom ou prénom vide",
        "Zéphyr Lacombe n’est pas dans le fichier des élèves",
    ):
        assert sentence in page, sentence
    two = plain_spaces(desk.get(f"{HERE}{run.pk}/?voir=deux-foyers").text)
    assert "Soraya Tarride" in two and "8 rue du Lavoir" in two and "2 quai Nord" in two
    assert not Household.objects.exists()
    page = plain_spaces(decide(desk, run, "save", page).text)
    assert "Import enregistré" in page and "Annuler cet import" in page
    assert Household.objects.count() == 4
    page = plain_spaces(decide(desk, run, "undo").text)
    assert "Import annulé : tout est comme avant." in page
    assert not Household.objects.exists() and not Child.objects.exists() and not Guardian.objects.exists()


def test_columns_are_asked_for_once(desk: Client, school: str) -> None:
    unknown = "A;B;C;D;E\nAubry;Lou;01/02/2019;Aubry;Jeanne"
    page = plain_spaces(upload(desk, school, ("a.csv", unknown.encode())).text)
    assert "Associer les colonnes" in page
    run = ImportRun.objects.get()
    page = plain_spaces(desk.post(f"{HERE}{run.pk}/colonnes/", {"child.last_name": "0", "1.email": "0"}).text)
    assert "Choisissez la colonne : Prénom de l’enfant." in page and "Une colonne sert deux fois" in page
    said = {"child.last_name": 0, "child.first_name": 1, "child.birth_date": 2, "1.last_name": 3, "1.first_name": 4}
    page = plain_spaces(desk.post(f"{HERE}{run.pk}/colonnes/", said, follow=True).text)
    assert "Lou Aubry" in page and "Aperçu de l’import" in page
    page = plain_spaces(upload(desk, school, ("b.csv", unknown.replace("Lou", "Max").encode())).text)
    assert "Max Aubry" in page and "Aperçu de l’import" in page


def test_a_change_is_shown_old_and_new_and_may_be_left_aside(desk: Client, school: str) -> None:
    run, page = previewed(desk, school, LOU)
    decide(desk, run, "save", page)
    run, _page = previewed(desk, school, LOU.replace("CE1 A;CE1", "CE2 B;CE2"))
    page = plain_spaces(desk.get(f"{HERE}{run.pk}/?voir=changements").text)
    assert "CE1 A" in page and "CE2 B" in page
    child = Child.objects.get()
    keys = [f"child:{child.pk}:level", f"child:{child.pk}:class_name"]
    page = desk.post(f"{HERE}{run.pk}/garder/", {"vu": keys, "garder": keys[:1]}, follow=True).text
    assert "Vos choix sont retenus." in page
    decide(desk, run, "save", page)
    child.refresh_from_db()
    assert (child.level, child.class_name) == ("CE1", "CE2 B")


def test_a_page_that_is_no_longer_true_saves_nothing(desk: Client, school: str) -> None:
    run, _page = previewed(desk, school, LOU)
    page = plain_spaces(decide(desk, run, "save").text)
    assert "L’aperçu a changé depuis cette page." in page and not Household.objects.exists()
    run, page = previewed(desk, school, LOU)
    other, otherwise = previewed(desk, school, LOU)
    decide(desk, other, "save", otherwise)
    page = plain_spaces(decide(desk, run, "save", page).text)
    assert "Des familles ont changé depuis l’aperçu" in page
    assert Household.objects.count() == 1


def test_sent_twice_it_is_saved_once(desk: Client, school: str) -> None:
    run, page = previewed(desk, school, LOU)
    for _twice in range(2):
        assert "Import enregistré" in decide(desk, run, "save", page).text
    assert Household.objects.count() == 1


def test_what_was_touched_since_is_named_and_not_undone(desk: Client, school: str) -> None:
    run, page = previewed(desk, school, LOU)
    decide(desk, run, "save", page)
    invite_guardian(guardian=Guardian.objects.get(), by=PORTAL, at=AT)
    page = plain_spaces(decide(desk, run, "undo").text)
    assert "Rien n’est annulé" in page and "Aubry" in page
    assert Household.objects.count() == 1


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("a.xlsx", b"PK\x03\x04" + bytes(80))], "C’est un classeur."),
        ([("a.csv", b"%PDF-1.7")], "Ce fichier n’est pas un tableau au format CSV."),
        ([("a.csv", b"a\x00b;c\n1;2")], "Ce fichier n’est pas un tableau au format CSV."),
        ([("a.csv", b"Nom;Prenom\n")], "Le fichier n’a que sa ligne de titres."),
        ([("a.csv", b"")], "Ce fichier est vide."),
        ([("a.csv", b"x" * (10 * 1024 * 1024 + 1))], "Le maximum est 10 Mo."),
        ([("e.csv", (FILES / "onde-eleves.csv").read_bytes())], "Ajoutez le fichier des responsables"),
        ([], "Choisissez un fichier."),
    ],
)
def test_a_file_that_is_no_such_file_is_refused_in_words(
    desk: Client, school: str, files: list[tuple[str, bytes]], sentence: str
) -> None:
    page = plain_spaces(upload(desk, school, *files).text)
    assert sentence in page and "Erreur :" in page
    assert not ImportRun.objects.exists()


def test_the_refused_lines_are_a_file_in_which_nothing_is_a_formula(desk: Client, school: str) -> None:
    run, _page = previewed(desk, school, "=cmd|' /C calc'!A0;@Lou;01/02/2019;;;;", LOU)
    response = desk.get(f"{HERE}{run.pk}/refus.csv")
    text = response.content.decode("utf-8-sig")
    assert "attachment" in response["Content-Disposition"]
    lines = text.splitlines()
    assert lines[0] == "Fichier;Ligne;Qui;Suite;Pourquoi;Que faire"
    assert lines[1] == "familles.csv;2;'@Lou =cmd|' /C calc'!A0;Refusée;Aucun responsable légal;Compléter le fichier"


def test_a_script_in_a_cell_is_only_text(desk: Client, school: str) -> None:
    run, page = previewed(desk, school, LOU.replace("Lou", "<script>alert(1)</script>"))
    assert "<script>alert" not in page and "&lt;script&gt;" in desk.get(f"{HERE}{run.pk}/?voir=nouveaux").text


def test_a_long_file_says_where_it_stands_and_asks_again(desk: Client, school: str) -> None:
    run, _page = previewed(desk, school, LOU)
    ImportRun.objects.update(state=ImportState.READING, lines=5000)
    response = desk.get(f"{HERE}{run.pk}/")
    assert (
        response["Refresh"] == "3" and "Le fichier attend son tour." in response.text and "Actualiser" in response.text
    )
    ImportRun.objects.update(lines=1)
    advance(run, at=AT)
    assert "Aperçu de l’import" in desk.get(f"{HERE}{run.pk}/").text


def test_the_preview_asks_the_same_number_of_questions_whatever_its_size(desk: Client, school: str) -> None:
    def asked(lines: list[str]) -> int:
        run, _page = previewed(desk, school, *lines)
        return queries(lambda: desk.get(f"{HERE}{run.pk}/?voir=nouveaux"))

    many = [SAM.replace("Sam", f"Sam{n}").replace("paul@", f"paul{n}@") for n in range(40)]
    one = asked([LOU])
    assert asked(many) == one
    assert one <= 9


# ── invitations ─────────────────────────────────────────────────────────────────────────────────────────────────────


def three_families(desk: Client, school: str) -> None:
    run, page = previewed(desk, school, LOU, SAM)
    decide(desk, run, "save", page)


def test_invitations_are_counted_by_class_before_they_leave(desk: Client, school: str) -> None:
    three_families(desk, school)
    page = plain_spaces(desk.get(INVITE).text)
    assert "2 personnes jamais invitées" in page and "Envoyer 2 invitations" in page
    page = plain_spaces(desk.get(INVITE, {"classe": f"{school}|CE1 A"}).text)
    assert "Envoyer 1 invitation" in page
    desk.post(INVITE, {"classe": f"{school}|CE1 A", "quand": "now", "send_key": str(uuid.uuid4())})
    assert OutboxMail.objects.get().to_address == "jeanne@aubry.example"


def test_invitations_are_scheduled_on_the_town_s_clock_and_called_off(desk: Client, school: str) -> None:
    three_families(desk, school)
    asked = {"quand": "later", "moment": "2026-11-12T09:00", "send_key": str(uuid.uuid4())}
    page = plain_spaces(desk.post(INVITE, asked, follow=True).text)
    assert "Les invitations partent jeudi 12 novembre, 9 h." in page.replace("2026, ", "")
    round = InvitationRound.objects.get()
    assert round.due_at.isoformat() == "2026-11-12T08:00:00+00:00"
    page = plain_spaces(desk.post(f"{INVITE}{round.pk}/", {"do": "cancel"}, follow=True).text)
    assert "Aucune invitation n’est partie." in page
    assert "déjà commencé ou annulé" in desk.post(f"{INVITE}{round.pk}/", {"do": "cancel"}, follow=True).text


@pytest.mark.parametrize("moment", ["", "x", "2026-11-10T08:00", "2040-01-01T00:00"])
def test_a_wrong_time_is_said_and_nothing_is_decided(desk: Client, school: str, moment: str) -> None:
    three_families(desk, school)
    response = desk.post(INVITE, {"quand": "later", "moment": moment, "send_key": str(uuid.uuid4())})
    assert response.status_code == 422 and "Il y a un problème" in response.text
    assert not InvitationRound.objects.exists()


def test_the_report_tells_what_became_of_each_and_invites_again(desk: Client, school: str) -> None:
    three_families(desk, school)
    desk.post(INVITE, {"quand": "now", "send_key": str(uuid.uuid4())})
    round = InvitationRound.objects.get()
    OutboxMail.objects.update(state=MailState.SENT)
    OutboxMail.objects.filter(to_address="paul@bonnet.example").update(state=MailState.FAILED, error="Boîte pleine")
    User.objects.filter(email="jeanne@aubry.example").update(is_active=True, activated_at=AT + timedelta(minutes=1))
    page = plain_spaces(desk.get(f"{INVITE}{round.pk}/").text)
    assert "Compte ouvert" in page and "Boîte pleine" in page and "Renvoyer à 1 personne" in page
    failed = desk.get(f"{INVITE}{round.pk}/?voir=echecs").text
    assert "Paul Bonnet" in failed and "Jeanne Aubry" not in failed
    key = str(uuid.uuid4())
    for _twice in range(2):
        desk.post(f"{INVITE}{round.pk}/", {"do": "again", "send_key": key})
    assert OutboxMail.objects.filter(to_address="paul@bonnet.example").count() == 2
    assert OutboxMail.objects.filter(to_address="jeanne@aubry.example").count() == 1
