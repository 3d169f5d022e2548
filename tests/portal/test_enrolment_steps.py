"""Enrolling in Saint-Aubin, which requires a dossier first: a place at school, health files, papers, a regulation."""

import re
from datetime import date
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.bookings.models import Enrolment, EnrolmentDraft
from marelle.bookings.services.completing import ask_more
from marelle.demo.dossiers import picture
from marelle.documents.models import SupportingDocument, TermsAcceptance
from marelle.families.models import Child
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import FamilyRequest
from tests import dossiers, guides, offer
from tests.offer import Family, accept, ask
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

PAGE = "/demarches/inscription/"
ONWARD = {"do": "continuer", "annee": "2026-2027"}


@pytest.fixture
def malika() -> User:
    guides.load("tutos")
    return offer.agent("Malika Roux", email="malika@saint-aubin-du-port.example")


@pytest.fixture
def benali(malika: User) -> Family:
    return guides.household("Benali", {"Inès": "CE2"}, school="ecole-du-port", email="nadia@famille.example")


def box(who: Family, service: str, position: int = 0) -> str:
    child = who.children[position]
    return f"{child.pk}.{offer.activity_for(child, service).pk}"


def jpeg(name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture("Attestation").content, content_type="image/jpeg")


def files(screen: Screen) -> list[str]:
    return list(dict.fromkeys(re.findall(r'name="(f-[^"]+)"', screen.markup)))


def give_all(screen: Screen) -> str:
    """Give a picture for every document asked on the step, and go on."""
    names = files(screen)
    dates = dict.fromkeys(re.findall(r'name="(d-[^"]+)"', screen.markup), "2026-11-02")
    sent = {name: jpeg() for name in names} | dates | ONWARD | {"send_key": screen.field("send_key")}
    return screen.post(f"{PAGE}pieces/?annee=2026-2027", sent)


def check_form(screen: Screen) -> dict[str, object]:
    return {"send_key": screen.field("send_key"), "annee": "2026-2027", "do": "envoyer"}


@pytest.mark.row("E5")
def test_without_a_health_file_nothing_is_asked_and_the_page_leads_there(screen: Screen, benali: Family) -> None:
    seen = screen.go(PAGE)
    assert "La fiche santé de Inès n’est pas remplie" in seen
    assert f'href="/famille/enfants/{benali.children[0].pk}/sante/"' in screen.markup
    assert f'value="{box(benali, "cantine")}"' not in screen.markup
    screen.post(PAGE, {"want": [box(benali, "cantine")]} | ONWARD)
    assert screen.status == 422 and not EnrolmentDraft.objects.exists()


@pytest.mark.row("E6")
def test_activities_wait_for_the_school_dossier(screen: Screen, benali: Family, malika: User) -> None:
    dossiers.healthy(benali)
    assert "L’inscription de Inès à l’école vient d’abord" in screen.go(PAGE)
    dossiers.give_papers(benali, "justificatif-domicile")
    dossiers.at_school(benali, by=malika)
    assert "vient d’abord" not in screen.go(PAGE)
    assert f'value="{box(benali, "cantine")}"' in screen.markup


@pytest.mark.row("E6", "E7")
def test_only_what_is_missing_is_asked_and_the_planning_opens_with_the_answer(
    screen: Screen, benali: Family, malika: User
) -> None:
    dossiers.healthy(benali)
    dossiers.give_papers(benali, "justificatif-domicile", "quotient-familial")
    dossiers.at_school(benali, by=malika)
    screen.go(PAGE)
    seen = screen.post(PAGE, {"want": [box(benali, "cantine"), box(benali, "periscolaire")]} | ONWARD)
    assert screen.place == f"{PAGE}pieces/"
    assert "Attestation d’assurance scolaire 2026-2027" in seen and "quotient" not in seen.lower()
    seen = screen.post(f"{PAGE}pieces/", {"send_key": str(uuid4())} | ONWARD)
    assert screen.status == 422 and "Il manque : Attestation d’assurance scolaire 2026-2027, Inès." in seen
    seen = give_all(screen)
    assert screen.place == f"{PAGE}reglement/" and "Acceptez-vous le règlement ?" in seen
    seen = screen.post(f"{PAGE}reglement/", ONWARD)
    assert screen.status == 422 and "Lisez et acceptez : Conditions générales d’utilisation." in seen
    seen = screen.post(f"{PAGE}reglement/", {"terms": "cgu@2026"} | ONWARD)
    assert screen.place == f"{PAGE}verifier/"
    assert "1 document prêt" in seen and "Accepté" in seen and "Il manque" not in seen
    assert not TermsAcceptance.objects.exists()  # nothing is accepted before it is sent
    seen = screen.post(f"{PAGE}verifier/", check_form(screen))
    assert "Merci, c’est enregistré" in seen
    assert TermsAcceptance.objects.get().version == "2026" and not EnrolmentDraft.objects.exists()

    seen = screen.go("/planning/cantine/")
    assert "Inscription pour Inès : en attente." in seen and "Voir le dossier de Inès" in seen
    accept(FamilyRequest.objects.filter(kind="enrolment").latest("id"), by=malika)
    assert OutboxMail.objects.filter(kind="bookings/enrolments_answered").exists()
    assert "Novembre 2026" in screen.go("/planning/cantine/")


@pytest.mark.row("E6")
def test_what_lacks_something_is_left_out_by_the_server_and_stays_begun(
    screen: Screen, benali: Family, malika: User
) -> None:
    """Whatever the browser posts: the document withdrawn in another window is missing at the send."""
    dossiers.ready(benali, by=malika)
    screen.go(PAGE)
    screen.post(PAGE, {"want": [box(benali, "cantine")]} | ONWARD)
    assert screen.place == f"{PAGE}verifier/"
    form = check_form(screen)
    SupportingDocument.objects.filter(paper="assurance-scolaire").update(state="withdrawn")
    seen = screen.post(f"{PAGE}verifier/", form)
    assert screen.status == 422
    assert "Cantine pour Inès : il manque : Attestation d’assurance scolaire." in seen
    assert EnrolmentDraft.objects.get().content["wanted"] == [box(benali, "cantine")]


@pytest.mark.row("E4")
def test_a_new_child_is_added_enrolled_at_a_school_and_accepted(screen: Screen, benali: Family, malika: User) -> None:
    dossiers.give_papers(benali, "justificatif-domicile")
    screen.go("/demarches/enfant/?annee=2026-2027")
    seen = screen.post("/demarches/enfant/", {"first_name": "Zoé", "last_name": "", "birth_date": "2030-01-01"})
    assert (
        screen.status == 422 and "Indiquez le nom." in seen and "La date de naissance doit être dans le passé." in seen
    )
    said = {"first_name": "Zoé", "last_name": "Benali", "birth_date": "2020-05-04", "annee": "2026-2027"}
    seen = screen.post("/demarches/enfant/", said)
    assert "Zoé est dans votre foyer." in seen and screen.place == PAGE
    screen.post("/demarches/enfant/", said)
    zoe = Child.objects.get(first_name="Zoé")
    assert zoe.declared_at is not None
    screen.post(f"{PAGE}enfants/", {"child": [str(zoe.pk)]} | ONWARD)
    assert screen.place == f"{PAGE}services/"
    assert "Pas d’inscription · École du Phare" in screen.go(f"{PAGE}services/")
    phare = offer.Activity.objects.get(service__slug="ecole", site__slug="ecole-du-phare")
    seen = screen.post(f"{PAGE}services/", {"want": [f"{zoe.pk}.{phare.pk}"]} | ONWARD)
    assert screen.place == f"{PAGE}precisions/" and "Quelques précisions" in seen
    field = f"q-{zoe.pk}-"
    assert "<option selected>CP</option>" in screen.markup  # six this year
    seen = screen.post(f"{PAGE}precisions/", {f"{field}level_": "CP", f"{field}starts_on_": "2020-01-01"} | ONWARD)
    assert screen.status == 422 and "un jour de l’année scolaire" in seen
    answers = {f"{field}level_": "CP", f"{field}starts_on_": "2026-12-01", f"{field}previous_school_": "Nîmes"}
    seen = screen.post(f"{PAGE}precisions/", answers | ONWARD)
    assert "Niveau : CP, Date d’arrivée à l’école : mardi 1er décembre, École précédente : Nîmes." in seen
    screen.post(f"{PAGE}verifier/", check_form(screen))
    enrolment = Enrolment.objects.get(child=zoe)
    assert enrolment.answers == {"level_": "CP", "starts_on_": "2026-12-01", "previous_school_": "Nîmes"}
    assert OutboxMail.objects.filter(kind="bookings/enrolments_sent").count() == 1

    accept(enrolment.line.request, by=malika)
    zoe.refresh_from_db()
    assert (zoe.school.slug, zoe.level, zoe.declared_at) == ("ecole-du-phare", "CP", None)  # type: ignore[union-attr]
    assert OutboxMail.objects.filter(kind="bookings/enrolments_answered").count() == 1
    assert AuditLine.objects.filter(action="child.declared").count() == 1


@pytest.mark.row("E4")
def test_a_child_of_the_same_name_elsewhere_is_never_joined(screen: Screen, benali: Family) -> None:
    other = guides.household("Martin", {"Zoé": "CP"}, school="ecole-du-port", email="a@famille.example")
    known = other.children[0]
    screen.go("/demarches/enfant/")
    screen.post(
        "/demarches/enfant/",
        {"first_name": "Zoé", "last_name": "Martin", "birth_date": known.birth_date.isoformat()},
    )
    assert Child.objects.filter(first_name="Zoé", last_name="Martin").count() == 2
    assert known.households.count() == 1


@pytest.mark.row("E7")
def test_the_dossier_says_what_is_missing_and_who_is_waited_for(screen: Screen, benali: Family, malika: User) -> None:
    child = benali.children[0]
    page = f"/demarches/dossier/{child.pk}/"
    seen = screen.go(page)
    assert "Inscription à l’école" in seen and "Il vous reste" in seen
    dossiers.healthy(benali)
    dossiers.give_papers(benali, "justificatif-domicile", "quotient-familial")
    dossiers.at_school(benali, by=malika)
    dossiers.give_papers(benali, "assurance-scolaire", accepted=False)
    guides.enrol(benali, "cantine", by=malika)
    seen = screen.go(page)
    assert "Reçu. Un agent le vérifie." in seen
    assert "Réserver les jours : cantine" in seen and "Le planning est ouvert." in seen
    SupportingDocument.objects.filter(paper="assurance-scolaire").update(state="refused", reason="Illisible.")
    seen = screen.go(page)
    assert "À refaire par vous" in seen and "Refusé : Illisible." in seen
    assert screen.go("/demarches/dossier/999999/") and screen.status == 404


@pytest.mark.row("E6", "E7")
def test_an_agent_asks_for_more_and_the_family_completes(screen: Screen, benali: Family, malika: User) -> None:
    dossiers.ready(benali, by=malika)
    request = ask(benali, "cantine")
    ask_more(
        request_id=request.pk, line_ids=request.lines.values_list("id", flat=True), what="Le jugement de garde.",
        by=malika, at=offer.AT,
    )  # fmt: skip
    assert OutboxMail.objects.filter(kind="bookings/enrolments_incomplete").count() == 1
    assert "demande à compléter" in screen.go("/")
    seen = screen.go(f"/demandes/{request.number}/")
    assert "Incomplète" in seen and "Le jugement de garde." in seen
    assert "Complément demandé À vous de répondre" in seen and "Au plus tard" not in seen
    assert seen.index("Compléter ma demande") < seen.index("Ce que vous demandez")
    seen = screen.go(f"/demandes/{request.number}/completer/")
    assert "Le jugement de garde." in seen
    screen.post(f"/demandes/{request.number}/completer/", {"reply": "Envoyé par la poste."})
    found = Enrolment.objects.get(line__request=request)
    assert (found.state, found.reply) == ("submitted", "Envoyé par la poste.")
    screen.post(f"/demandes/{request.number}/completer/", {"reply": "Encore."})
    found.refresh_from_db()
    assert found.reply == "Envoyé par la poste."
    accept(request, by=malika)
    screen.post(f"/demandes/{request.number}/completer/", {"reply": "Encore."})
    found.refresh_from_db()
    assert (found.state, found.reply) == ("accepted", "Envoyé par la poste.")


def test_a_paper_that_is_over_closes_the_planning_to_new_days(screen: Screen, benali: Family, malika: User) -> None:
    dossiers.ready(benali, by=malika)
    guides.enrol(benali, "cantine", by=malika)
    assert "Novembre 2026" in screen.go("/planning/cantine/?mois=2026-11")
    SupportingDocument.objects.filter(paper="assurance-scolaire").update(valid_until=date(2026, 11, 1))
    seen = screen.go("/planning/cantine/?mois=2026-11")
    assert "Il manque : Attestation d’assurance scolaire" in seen


@pytest.mark.parametrize("count", [1, 8])
def test_queries_do_not_grow_with_the_children(settings: Settings, malika: User, count: int) -> None:
    names = {f"{'ABCDEFGH'[i]}nna": "CE2" for i in range(count)}
    who = guides.household("Grand", names, school="ecole-du-port", email="g@famille.example")
    dossiers.healthy(who)
    dossiers.give_papers(who, "justificatif-domicile")
    dossiers.at_school(who, by=malika)
    screen = Screen(settings, who.user)
    every = [box(who, "cantine", n) for n in range(count)]
    screen.go(f"{PAGE}services/")
    screen.post(f"{PAGE}services/", {"want": every} | ONWARD)
    found = {}
    for step in ("services", "pieces", "verifier"):
        screen.go(f"{PAGE}{step}/")
        with CaptureQueriesContext(connection) as queries:
            screen.go(f"{PAGE}{step}/")
        assert screen.place == f"{PAGE}{step}/"
        found[step] = len(queries)
    with CaptureQueriesContext(connection) as queries:
        screen.go(f"/demarches/dossier/{who.children[0].pk}/")
    found["dossier"] = len(queries)
    with CaptureQueriesContext(connection) as queries:
        screen.go("/demarches/inscriptions/")
    found["list"] = len(queries)
    assert found == {"services": 18, "pieces": 18, "verifier": 18, "dossier": 20, "list": 7}
