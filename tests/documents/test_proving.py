"""A correction and the paper that proves it: both or neither."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from marelle.accounts.models import User
from marelle.activities.queries import municipality
from marelle.documents.giving import Giving, Item, Ready
from marelle.documents.models import SupportingDocument
from marelle.documents.proving import ask_with_proof
from marelle.documents.queries import find_paper
from marelle.documents.services.handing_in import NotAsked
from marelle.families.facts import Subject, fact_of
from marelle.foundation.models import AuditLine, OutboxMail, StoredFile
from marelle.requests.corrections import Change, NotTheirs
from marelle.requests.models import FamilyRequest
from tests.documents.papers import town_with_papers
from tests.dossiers import PICTURE
from tests.offer import AT, Family, agent, family

pytestmark = [pytest.mark.django_db, pytest.mark.row("B5")]


@pytest.fixture
def benali(settings: Any, tmp_path: Path) -> Family:
    settings.FILES_DIR = tmp_path / "files"
    town_with_papers()
    agent()
    return family()


def files(settings: Any) -> list[Path]:
    return [path for path in settings.FILES_DIR.rglob("*") if path.is_file()]


def change(subject: Subject, field: str, after: Any) -> Change:
    return Change(subject=subject, field=field, after=after)


def proof(paper: str = "domicile", **about: Any) -> Giving:
    found = find_paper(municipality(), paper)
    assert found is not None
    item = Item(paper=found, **about)
    return Giving(items=[item], ready=[Ready(item=item, judged=PICTURE, name="facture.jpg", facts={})])


def ask(who: Family, subject: Subject, giving: Giving, *, after: Any, by: User | None = None) -> FamilyRequest | None:
    return ask_with_proof(
        household=who.household, changes=[change(subject, "address", after)], proof=giving, by=by or who.user, at=AT,
        send_key=uuid.uuid4(),
    )  # fmt: skip


def moved() -> dict[str, str]:
    return {"address": "12 rue Neuve", "postcode": "31480", "city": "Cadours"}


def test_both_are_there(benali: Family, settings: Any) -> None:
    giving = proof()
    assert ask(benali, benali.household, giving, after=moved()) is not None
    assert len(giving.given) == 1 and SupportingDocument.objects.count() == 1 and len(files(settings)) == 1


def test_a_paper_that_is_refused_leaves_no_correction(benali: Family, settings: Any) -> None:
    stranger = family("Moreau", [("Léo", "CP")]).children[0]
    before = AuditLine.objects.count(), OutboxMail.objects.count()
    with pytest.raises(NotAsked):
        ask(benali, benali.household, proof(child=stranger), after=moved())
    assert not FamilyRequest.objects.exists() and not StoredFile.objects.exists() and files(settings) == []
    assert (AuditLine.objects.count(), OutboxMail.objects.count()) == before


def test_a_correction_that_is_refused_leaves_no_paper(benali: Family, settings: Any) -> None:
    other = family("Moreau", [("Léo", "CP")])
    with pytest.raises(NotTheirs):
        ask(benali, other.household, proof(), after=moved())
    assert not SupportingDocument.objects.exists() and files(settings) == []


def test_several_papers_and_the_last_refused_leave_no_file(benali: Family, settings: Any) -> None:
    stranger = family("Moreau", [("Léo", "CP")]).children[0]
    good, bad = proof(), proof(child=stranger)
    with pytest.raises(NotAsked):
        ask(benali, benali.household, Giving(items=[], ready=[*good.ready, *bad.ready]), after=moved())
    assert not StoredFile.objects.exists() and files(settings) == []


def test_what_changes_nothing_keeps_no_paper(benali: Family, settings: Any) -> None:
    stands = fact_of("household", "address").read(benali.household, today=AT.date())
    assert ask(benali, benali.household, proof(), after=stands) is None
    assert not SupportingDocument.objects.exists() and files(settings) == []
