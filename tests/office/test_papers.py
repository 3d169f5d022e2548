"""Agents answer documents, ask for them, and take them at the counter."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.queries import municipality, rules_of
from marelle.documents.models import SupportingDocument
from marelle.documents.queries import Subject, standing
from marelle.documents.services import hand_in
from marelle.documents.services.keeping import tick as keep
from marelle.documents.services.reminders import tick as remind
from marelle.foundation.models import AuditLine, OutboxMail, StoredFile
from marelle.foundation.postman import compose
from marelle.rules.papers import DocumentState, PaperState
from tests.documents.papers import PICTURE, asked, town_with_papers
from tests.foundation.hostile import photograph
from tests.offer import AT, Family, agent, family
from tests.people import queries
from tests.security.world import agent_of

pytestmark = [pytest.mark.django_db, pytest.mark.row("E6")]
YEAR = "2026-2027"


@pytest.fixture(autouse=True)
def portal(settings, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    settings.FILES_DIR = tmp_path / "files"
    settings.CLOCK = (AT, datetime.now(UTC))
    town_with_papers()
    return settings.FILES_DIR


@pytest.fixture
def benali() -> Family:
    who = family()
    asked(who)
    OutboxMail.objects.all().delete()
    return who


@pytest.fixture
def malika() -> User:
    return agent()


def desk(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(answer) -> str:  # type: ignore[no-untyped-def]
    return re.sub(r"\s+", " ", answer.text.replace("\u00a0", " ").replace("\u202f", " "))


def give(who: Family, paper: str, **fields) -> SupportingDocument:  # type: ignore[no-untyped-def]
    said = {"name": "photo.jpg", "at": AT, "school_year": YEAR, "judged": PICTURE, **fields}
    return hand_in(household=who.household, paper=rules_of(municipality()).paper(paper), by=who.user, **said)


def state(who: Family, paper: str) -> PaperState:
    found = standing(
        town=municipality(),
        household=who.household,
        children=who.children[:1],
        school_year=YEAR,
        papers=[paper],
        on=AT.date(),
    )
    return next(iter(found.values())).state


def answer_to(client: Client, document: SupportingDocument, do: str, **fields: str):  # type: ignore[no-untyped-def]
    assert document.review is not None
    line = document.review
    return client.post(f"/agents/demandes/{line.request.number}/", {"do": do, "lues": f"{line.pk} ", **fields})


def mails() -> list[str]:
    return [re.sub(r"\s+", " ", str(compose(mail).body)) for mail in OutboxMail.objects.order_by("created_at")]


def test_an_agent_sees_the_document_and_accepts_it_until_the_end_of_the_year(benali: Family, malika: User) -> None:
    document, client = give(benali, "assurance", child=benali.children[0]), desk(malika)
    assert document.review is not None
    page = client.get(f"/agents/demandes/{document.review.request.number}/")
    assert "Assurance scolaire 2026-2027" in text(page) and f'src="/documents/{document.pk}/"' in page.text
    assert 'value="2027-08-3' in page.text  # what the rule proposes
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert answer_to(client, document, "accepter").status_code == 302
    document.refresh_from_db()
    assert (document.state, document.reviewed_by_label) == (DocumentState.ACCEPTED, "Malika Roux")
    assert document.valid_until is not None and document.valid_until.year == 2027
    assert state(benali, "assurance") is PaperState.ACCEPTED
    assert any("Assurance scolaire" in mail for mail in mails())


def test_an_agent_without_the_second_step_that_the_town_asks_sees_no_document(
    benali: Family, malika: User, settings: Settings
) -> None:
    document, client = give(benali, "assurance", child=benali.children[0]), desk(malika)
    assert client.get(f"/documents/{document.pk}/").status_code == 200
    settings.AGENTS_SECOND_FACTOR = True
    assert client.get(f"/documents/{document.pk}/").status_code == 404


def test_the_end_that_the_agent_reads_is_the_one_that_counts(benali: Family, malika: User) -> None:
    document = give(benali, "identite", guardian=benali.guardian)
    line = document.review_id
    answer_to(desk(malika), document, "accepter", **{f"fin-{line}": "2027-01-05"})
    document.refresh_from_db()
    assert document.valid_until == date(2027, 1, 5)
    again = give(benali, "identite", guardian=benali.guardian, at=AT + timedelta(days=1))
    answer_to(desk(malika), again, "accepter", **{f"fin-{again.review_id}": "", f"toujours-{again.review_id}": "1"})
    again.refresh_from_db()
    assert again.valid_until is None


def test_a_refusal_says_why_to_the_family(benali: Family, malika: User) -> None:
    document, client = give(benali, "assurance", child=benali.children[0]), desk(malika)
    assert answer_to(client, document, "refuser").status_code == 422
    assert answer_to(client, document, "refuser", modele="illisible").status_code == 302
    document.refresh_from_db()
    assert document.state == DocumentState.REFUSED and "illisible" in document.reason
    home = desk(benali.user)
    page = text(home.get("/documents/"))
    assert "Refusé" in page and "Le document est illisible" in page and "Remplacer le fichier" in page
    assert "Le document est illisible" in text(home.get("/"))  # to be done, on the home page
    assert any("illisible" in mail for mail in mails())


def test_documents_are_opened_to_be_answered_never_ticked_unseen(benali: Family, malika: User) -> None:
    first = give(benali, "assurance", child=benali.children[0])
    second = give(benali, "domicile", issued_on=date(2026, 11, 1))
    assert first.review is not None and second.review is not None
    request, client = first.review.request, desk(malika)
    assert second.review.request == request
    assert f'name="d" value="{request.pk}"' not in client.get("/agents/demandes/").text
    for do in ("", "refuser"):
        said = {"d": request.pk, "do": do, "motif": "Illisible."}
        answer = client.post("/agents/demandes/accepter/", said, follow=True)
        assert f"La demande n° {request.number} se lit avant la réponse : ouvrez-la." in text(answer)
        assert set(SupportingDocument.objects.values_list("state", flat=True)) == {DocumentState.TO_REVIEW}
    lues = f"{first.review_id} {second.review_id}"
    client.post(f"/agents/demandes/{request.number}/", {"do": "accepter", "lues": lues})
    assert set(SupportingDocument.objects.values_list("state", flat=True)) == {DocumentState.ACCEPTED}


def test_why_a_paper_about_health_is_refused_stands_in_no_e_mail(benali: Family, malika: User) -> None:
    malika.agent_role.reads_health = True
    malika.agent_role.save()
    plan = give(benali, "pai", child=benali.children[1], valid_until=date(2027, 6, 30))
    other = give(benali, "assurance", child=benali.children[1])
    assert plan.review is not None and other.review is not None
    assert plan.review.request != other.review.request
    client, here = desk(malika), f"/agents/demandes/{plan.review.request.number}/"
    assert answer_to(client, plan, "refuser", motif="La page sur les arachides manque.").status_code == 302
    plan.refresh_from_db()
    assert plan.state == DocumentState.REFUSED and "arachides" in plan.reason
    assert mails() and not any("arachides" in mail for mail in mails())
    assert "arachides" in client.get(here).text
    malika.agent_role.reads_health = False
    malika.agent_role.save()
    assert "arachides" not in client.get(here).text


def test_only_who_reads_health_answers_what_tells_of_it(benali: Family, malika: User) -> None:
    plan = give(benali, "pai", child=benali.children[1], valid_until=date(2027, 6, 30))
    assert plan.review is not None
    client = desk(malika)
    page = text(client.get(f"/agents/demandes/{plan.review.request.number}/"))
    assert "Ce document parle de santé" in page and "accueil individualisé" not in page
    refused = answer_to(client, plan, "accepter")
    assert refused.status_code == 422 and "attend un agent qui peut lire la santé" in text(refused)
    malika.agent_role.reads_health = True
    malika.agent_role.save()
    assert "accueil individualisé" in text(client.get(f"/agents/demandes/{plan.review.request.number}/"))
    assert answer_to(client, plan, "accepter").status_code == 302
    plan.refresh_from_db()
    assert (plan.state, plan.valid_until) == (DocumentState.ACCEPTED, date(2027, 6, 30))
    for mail in mails():
        assert "accueil" not in mail and "PAI" not in mail
    assert not any("accueil" in line.text for line in AuditLine.objects.all())


def test_a_withdrawal_takes_it_off_the_queue(benali: Family, malika: User) -> None:
    document = give(benali, "domicile")
    assert document.review is not None
    number = document.review.request.number
    assert desk(benali.user).post(f"/demandes/{number}/retirer/").status_code == 302
    document.refresh_from_db()
    assert document.state == DocumentState.WITHDRAWN
    assert answer_to(desk(malika), document, "accepter").status_code == 409


def test_what_is_missing_is_asked_by_e_mail_once(benali: Family, malika: User) -> None:
    client, address = desk(malika), f"/agents/familles/{benali.household.pk}/pieces/"
    page = client.get(address)
    assert text(page).count("Assurance scolaire 2026-2027") >= 2
    keys = re.findall(r'name="p" value="([^"]+)"', page.text)
    assert len(keys) == 3
    form = {"p": keys[:2], "send_key": str(uuid.uuid4())}
    assert "E-mail envoyé à 1 responsable." in text(client.post(f"{address}demander/", form, follow=True))
    assert "Rien n’est parti" in text(client.post(f"{address}demander/", form, follow=True))
    assert len(mails()) == 1 and "Assurance scolaire 2026-2027 (Inès)" in mails()[0]
    assert AuditLine.objects.filter(action="document.asked").count() == 1


def test_a_paper_brought_to_the_counter_is_kept_and_accepted(benali: Family, malika: User) -> None:
    client, address = desk(malika), f"/agents/familles/{benali.household.pk}/pieces/"
    key = f"assurance.c{benali.children[0].pk}.{YEAR}.0"
    assert "Pièce apportée au guichet" in text(client.get(address, {"donner": key}))
    assert client.post(address, {"item": key, "send_key": "a"}).status_code == 422
    photo = SimpleUploadedFile("a.jpg", photograph())
    answer = client.post(address, {"item": key, "send_key": "a", "accepter": "1", f"f-{key}": photo}, follow=True)
    assert "Bien reçu : Assurance scolaire 2026-2027 (Inès)." in text(answer)
    document = SupportingDocument.objects.get()
    assert (document.state, document.by_agent) == (DocumentState.ACCEPTED, True)
    assert "Accepté" in text(client.get(f"/agents/familles/{benali.household.pk}/"))


def test_the_page_costs_the_same_for_one_child_and_for_eight(malika: User) -> None:
    counts = []
    for number in (1, 8):
        who = family(f"Foyer{number}", tuple((f"Enfant{n}", "CE1") for n in range(number)))
        asked(who)
        for child in who.children:
            give(who, "assurance", child=child)
        document = SupportingDocument.objects.filter(household=who.household).first()
        assert document is not None and document.review is not None
        client = desk(malika)
        for path in (
            f"/agents/familles/{who.household.pk}/pieces/",
            f"/agents/demandes/{document.review.request.number}/",
        ):
            client.get(path)
            counts.append(queries(lambda client=client, path=path: client.get(path)))  # type: ignore[misc]
    assert counts[:2] == counts[2:]


NOON = AT + timedelta(hours=4)


def accepted(who: Family, malika: User, paper: str, *, until: date, **fields) -> SupportingDocument:  # type: ignore[no-untyped-def]
    document = give(who, paper, **fields)
    answer_to(desk(malika), document, "accepter", **{f"fin-{document.review_id}": until.isoformat()})
    OutboxMail.objects.all().delete()
    document.refresh_from_db()
    return document


def test_a_home_is_told_once_before_a_document_ends(benali: Family, malika: User) -> None:
    document = accepted(benali, malika, "identite", until=date(2026, 12, 5), guardian=benali.guardian)
    assert remind(at=AT - timedelta(days=10)) == 0  # not yet
    assert remind(at=NOON.replace(hour=2)) == 0  # not at night
    assert remind(at=NOON) == 1 and remind(at=NOON + timedelta(days=1)) == 0
    assert len(mails()) == 1 and "Pièce d’identité (Nadia Benali) : jusqu’au samedi 5 décembre 2026" in mails()[0]
    document.refresh_from_db()
    assert document.told_end == date(2026, 12, 5)


def test_a_home_that_gave_the_next_one_is_told_nothing(benali: Family, malika: User) -> None:
    accepted(benali, malika, "identite", until=date(2026, 12, 5), guardian=benali.guardian)
    give(benali, "identite", guardian=benali.guardian, at=AT + timedelta(hours=1))
    assert remind(at=NOON) == 0 and mails() == []


def test_a_refusal_without_another_document_is_recalled_once(benali: Family, malika: User) -> None:
    document = give(benali, "assurance", child=benali.children[0])
    answer_to(desk(malika), document, "refuser", modele="illisible")
    OutboxMail.objects.all().delete()
    assert remind(at=NOON + timedelta(days=2)) == 0
    assert remind(at=NOON + timedelta(days=8)) == 1 and remind(at=NOON + timedelta(days=9)) == 0
    assert "ont été refusés" in mails()[0]


def test_what_serves_no_more_is_erased_after_its_time(benali: Family, malika: User, portal: Path) -> None:
    refused, kept = (
        give(benali, "domicile", issued_on=date(2026, 11, 1)),
        give(benali, "assurance", child=benali.children[0]),
    )
    line = refused.review_id
    answer_to(
        desk(malika),
        refused,
        "lignes",
        **{f"ligne-{line}": "refuser", f"motif-{line}": "Trop ancien.", f"ligne-{kept.review_id}": "accepter"},
    )
    refused.refresh_from_db()
    assert refused.state == DocumentState.REFUSED
    assert keep(at=AT + timedelta(days=80)) == 0
    assert keep(at=AT + timedelta(days=95)) == 1
    refused.refresh_from_db()
    assert (refused.file, refused.issued_on, refused.reason, refused.state) == (None, None, "", DocumentState.REFUSED)
    assert StoredFile.objects.get() == SupportingDocument.objects.get(pk=kept.pk).file
    assert keep(at=AT + timedelta(days=900)) == 1  # a year after the end of its validity
    assert not StoredFile.objects.exists()
    assert Subject("domicile") in standing(
        town=municipality(), household=benali.household, children=benali.children, school_year=YEAR,
        papers=["domicile"], on=date(2027, 3, 1),
    )  # fmt: skip


def take_back(client: Client, document: SupportingDocument, *, when: datetime | None = None):  # type: ignore[no-untyped-def]
    given = when or document.reviewed_at
    assert document.review is not None and given is not None
    said = {"reponse": f"{document.review_id}|{given.isoformat()}"}
    return client.post(f"/agents/demandes/{document.review.request.number}/reprendre/", said, follow=True)


@pytest.mark.parametrize("do", ["accepter", "refuser"])
def test_an_answer_given_by_mistake_is_taken_back(benali: Family, malika: User, do: str) -> None:
    malika.agent_role.reads_health = True
    malika.agent_role.save()
    document, client = give(benali, "pai", child=benali.children[0], valid_until=date(2027, 6, 30)), desk(malika)
    assert document.review is not None
    here = f"/agents/demandes/{document.review.request.number}/"
    assert "Reprendre une réponse" not in text(client.get(here)), "nothing is answered yet"
    answer_to(client, document, do, **{f"fin-{document.review_id}": "2027-01-05"}, modele="illisible")
    document.refresh_from_db()
    page = client.get(here)
    assert "Reprendre une réponse donnée par erreur" in text(page)
    assert f'value="{document.review_id}|' in page.text
    OutboxMail.objects.all().delete()
    given = document.reviewed_at
    done = take_back(client, document)
    assert "La réponse est reprise : le document attend à nouveau. La famille est prévenue." in text(done)
    document.refresh_from_db()
    assert (document.state, document.reason) == (DocumentState.TO_REVIEW, "")
    assert (document.reviewed_at, document.ended_at) == (None, None)
    assert document.valid_until == date(2027, 6, 30), "as the family said it"
    assert state(benali, "pai") is PaperState.TO_REVIEW
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["requests/answer_taken_back"]
    assert "a été donnée par erreur" in mails()[0] and "illisible" not in mails()[0]
    line = AuditLine.objects.get(action="request.answer_taken_back")
    assert line.household_id == benali.household.pk and "réponse reprise" in line.text
    again = take_back(client, document, when=given)
    assert "est reprise" in text(again), "sent twice, it is done once"
    assert OutboxMail.objects.count() == 1 and AuditLine.objects.filter(action=line.action).count() == 1
    answer_to(client, document, "accepter")
    document.refresh_from_db()
    assert document.state == DocumentState.ACCEPTED


def test_an_answer_is_taken_back_only_as_it_was_read(benali: Family, malika: User) -> None:
    """Somebody took it back and answered anew between the page and its form: their answer stays."""
    document, client = give(benali, "assurance", child=benali.children[0]), desk(malika)
    answer_to(client, document, "refuser", modele="illisible")
    document.refresh_from_db()
    stays = take_back(client, document, when=AT - timedelta(minutes=1))
    assert "ne se reprend plus" in text(stays)
    document.refresh_from_db()
    assert document.state == DocumentState.REFUSED


def test_an_answer_stays_once_the_family_acted_on_it_or_a_day_went_by(
    benali: Family, malika: User, settings: Settings
) -> None:
    client, accepted = desk(malika), give(benali, "domicile")
    answer_to(client, accepted, "accepter")
    refused = give(benali, "assurance", child=benali.children[0])
    answer_to(client, refused, "refuser", modele="illisible")
    refused.refresh_from_db()
    accepted.refresh_from_db()
    give(benali, "assurance", child=benali.children[0], at=AT + timedelta(minutes=5))
    assert "ne se reprend plus" in text(take_back(client, refused))
    settings.CLOCK = (AT + timedelta(hours=25), datetime.now(UTC))
    assert accepted.review is not None
    here = f"/agents/demandes/{accepted.review.request.number}/"
    assert "Reprendre une réponse" not in text(client.get(here))
    assert "ne se reprend plus" in text(take_back(client, accepted))
    accepted.refresh_from_db()
    assert accepted.state == DocumentState.ACCEPTED
    assert not OutboxMail.objects.filter(kind="requests/answer_taken_back").exists()


def test_an_answer_is_taken_back_by_who_could_have_given_it(benali: Family, malika: User) -> None:
    plan, home = give(benali, "pai", child=benali.children[1], valid_until=date(2027, 6, 30)), give(benali, "domicile")
    reader = agent("Hélène Petit")
    reader.agent_role.reads_health = True
    reader.agent_role.save()
    answer_to(desk(reader), plan, "accepter")
    answer_to(desk(malika), home, "accepter")
    plan.refresh_from_db()
    home.refresh_from_db()
    assert plan.review is not None
    page = text(desk(malika).get(f"/agents/demandes/{plan.review.request.number}/"))
    assert "Reprendre une réponse" not in page
    assert "ne se reprend plus" in text(take_back(desk(malika), plan))
    school = benali.children[0].school
    assert school is not None
    assert take_back(desk(agent_of(school)), home).status_code == 404
    assert take_back(desk(benali.user), home).status_code == 404
    assert set(SupportingDocument.objects.values_list("state", flat=True)) == {DocumentState.ACCEPTED}


@pytest.mark.parametrize("said", ["", "x", "1", "1|hier", "²|2026-11-10T08:00:00+00:00", "1|2026-11-10T08:00:00"])
def test_nonsense_takes_nothing_back(benali: Family, malika: User, said: str) -> None:
    document = give(benali, "domicile")
    assert document.review is not None
    address = f"/agents/demandes/{document.review.request.number}/reprendre/"
    assert "Cochez la réponse" in text(desk(malika).post(address, {"reponse": said}, follow=True))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("anew", [False, True])
def test_two_at_once_take_an_answer_back_once(race, malika: User, anew: bool) -> None:  # type: ignore[no-untyped-def]
    """Two agents; or an agent while the family gives another document: there is one to be read."""
    documents = [give(family(f"Foyer{n}"), "domicile") for n in range(6)]
    for document in documents:
        answer_to(desk(malika), document, "refuser", modele="illisible")
        document.refresh_from_db()

    def act(n: int) -> None:
        document = documents[n // 2]
        if anew and n % 2:
            user = document.handed_by
            assert user is not None
            hand_in(
                household=document.household, paper=rules_of(municipality()).paper("domicile"), judged=PICTURE,
                name="photo.jpg", by=user, at=AT + timedelta(minutes=1),
            )  # fmt: skip
        else:
            assert take_back(desk(malika), document).status_code == 200

    outcomes = race(act, range(12), at_once=12)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    for document in documents:
        waiting = SupportingDocument.objects.filter(household=document.household, state=DocumentState.TO_REVIEW)
        assert waiting.count() == 1
        told = AuditLine.objects.filter(action="request.answer_taken_back", household_id=document.household_id).count()
        assert told <= 1 if anew else told == 1
