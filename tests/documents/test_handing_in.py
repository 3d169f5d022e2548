"""A home hands in a document: what is kept, what it replaces, what another home learns of it."""

import uuid
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from marelle.activities.queries import rules_of
from marelle.documents.models import SupportingDocument
from marelle.documents.queries import Subject, accepted_terms, standing
from marelle.documents.services import NotAsked, accept_terms, hand_in
from marelle.families.models import Residence
from marelle.foundation.files.store import read
from marelle.foundation.models import AuditLine
from marelle.rules.papers import DocumentState, PaperState
from tests.documents.papers import PICTURE, town_with_papers
from tests.offer import AT, Family, family
from tests.people import queries

pytestmark = pytest.mark.django_db
YEAR, TODAY = "2026-2027", date(2026, 11, 10)


@pytest.fixture(autouse=True)
def files(settings, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    settings.FILES_DIR = tmp_path / "files"
    return settings.FILES_DIR


@pytest.fixture
def town():  # type: ignore[no-untyped-def]
    return town_with_papers()


@pytest.fixture
def benali(town) -> Family:  # type: ignore[no-untyped-def]
    return family()


def give(who: Family, town, paper: str, **fields) -> SupportingDocument:  # type: ignore[no-untyped-def]
    said = {"name": "photo.jpg", "at": AT, "school_year": YEAR, "judged": PICTURE, **fields}
    return hand_in(household=who.household, paper=rules_of(town).paper(paper), by=who.user, **said)


def stands(who: Family, town, *papers: str, year: str = YEAR, on: date = TODAY):  # type: ignore[no-untyped-def]
    return standing(town=town, household=who.household, children=who.children, school_year=year, papers=papers, on=on)


def states(who: Family, town, *papers: str, year: str = YEAR, on: date = TODAY):  # type: ignore[no-untyped-def]
    return {subject: one.state for subject, one in stands(who, town, *papers, year=year, on=on).items()}


def on_disk(files: Path) -> int:
    return len([path for path in files.rglob("*") if path.is_file()]) if files.exists() else 0


def test_each_paper_is_asked_of_whom_it_is_about(town, benali) -> None:  # type: ignore[no-untyped-def]
    ines, tom = benali.children
    asked = stands(benali, town, "assurance", "domicile", "identite", "unknown")
    assert set(asked) == {
        Subject("assurance", child=ines.pk),
        Subject("assurance", child=tom.pk),
        Subject("domicile"),
        Subject("identite", guardian=benali.guardian.pk),
    }
    assert {one.state for one in asked.values()} == {PaperState.MISSING}


def test_a_document_is_kept_and_waits(town, benali, files) -> None:  # type: ignore[no-untyped-def]
    ines, tom = benali.children
    document = give(benali, town, "assurance", child=tom, name="C:\\photos\\assurance tom.exe")
    assert states(benali, town, "assurance") == {
        Subject("assurance", child=ines.pk): PaperState.MISSING,
        Subject("assurance", child=tom.pk): PaperState.TO_REVIEW,
    }
    assert stands(benali, town, "assurance")[Subject("assurance", child=tom.pk)].key == document.pk
    assert document.file is not None and read(document.file) == PICTURE.content
    assert document.file.name == "assurance tom.jpg"
    line = AuditLine.objects.get(action="document.handed_in")
    assert line.household_id == benali.household.pk
    assert line.text.replace("\u00a0", " ") == "Document donné : Assurance scolaire (Tom)."


def test_a_yearly_paper_says_nothing_of_another_year(town, benali) -> None:  # type: ignore[no-untyped-def]
    give(benali, town, "assurance", child=benali.children[0], school_year="2025-2026")
    assert set(states(benali, town, "assurance").values()) == {PaperState.MISSING}


def test_the_next_one_replaces_what_still_waits(town, benali) -> None:  # type: ignore[no-untyped-def]
    first = give(benali, town, "domicile")
    second = give(benali, town, "domicile", at=AT + timedelta(minutes=5))
    first.refresh_from_db()
    assert (first.state, first.ended_at) == (DocumentState.REPLACED, AT + timedelta(minutes=5))
    assert stands(benali, town, "domicile")[Subject("domicile")].key == second.pk


def test_a_form_sent_twice_keeps_one(town, benali, files) -> None:  # type: ignore[no-untyped-def]
    key = uuid.uuid4()
    assert give(benali, town, "domicile", send_key=key) == give(benali, town, "domicile", send_key=key)
    assert (SupportingDocument.objects.count(), on_disk(files)) == (1, 1)


def test_a_health_paper_is_not_named_where_anybody_reads(town, benali) -> None:  # type: ignore[no-untyped-def]
    document = give(benali, town, "pai", child=benali.children[1], name="asthme de Tom.pdf")
    assert "accueil" not in AuditLine.objects.get(action="document.handed_in").text
    assert document.file is not None and document.file.name == "Projet d’accueil individualisé.jpg"


@pytest.mark.parametrize("paper", ["assurance", "domicile", "identite"])
def test_nobody_gives_for_somebody_else(town, benali, files, paper: str) -> None:  # type: ignore[no-untyped-def]
    other = family("Moreau", (("Léo", "CP"),))
    subjects = {
        "assurance": {"child": other.children[0]},
        "domicile": {"child": benali.children[0]},
        "identite": {"guardian": other.guardian},
    }
    with pytest.raises(NotAsked):
        give(benali, town, paper, **subjects[paper])
    assert not SupportingDocument.objects.exists() and on_disk(files) == 0


def test_what_fails_leaves_no_file(town, benali, files) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError), transaction.atomic():
        give(benali, town, "domicile", issued_on="not a day")
    assert not SupportingDocument.objects.exists() and on_disk(files) == 0


def test_the_other_home_of_a_child_knows_nothing_of_it(town, benali) -> None:  # type: ignore[no-untyped-def]
    other = family("Moreau", (("Léo", "CP"),))
    tom = benali.children[1]
    Residence.objects.create(household=other.household, child=tom)
    other.children.append(tom)
    give(benali, town, "assurance", child=tom)
    assert states(other, town, "assurance")[Subject("assurance", child=tom.pk)] is PaperState.MISSING


def test_reading_costs_the_same_for_one_child_and_for_eight(town) -> None:  # type: ignore[no-untyped-def]
    papers = ("assurance", "domicile", "pai", "identite", "certificat")
    counts = set()
    for number in (1, 8):
        who = family(f"Foyer{number}", tuple((f"Enfant{n}", "CE1") for n in range(number)))
        for child in who.children:
            give(who, town, "assurance", child=child)
        counts.add(queries(lambda who=who: stands(who, town, *papers)))  # type: ignore[misc]
    assert counts == {2}


def test_a_regulation_is_accepted_in_its_version(town, benali) -> None:  # type: ignore[no-untyped-def]
    terms = rules_of(town).terms[0]
    assert accepted_terms(town=town, household=benali.household, terms=[terms.slug]) == frozenset()
    assert accept_terms(household=benali.household, terms=terms, by=benali.user, at=AT)
    assert not accept_terms(household=benali.household, terms=terms, by=benali.user, at=AT)
    assert accepted_terms(town=town, household=benali.household, terms=[terms.slug]) == {terms.slug}
    assert AuditLine.objects.filter(action="terms.accepted").count() == 1
