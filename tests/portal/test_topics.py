"""Sending what the town's file lets families ask for, and following it with messages."""

import io
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import Site
from marelle.documents.models import SupportingDocument
from marelle.families.services import NewChild, create
from marelle.foundation.models import OutboxMail
from marelle.requests.models import FamilyRequest, RequestMessage
from marelle.requests.services import Verdict, answer
from marelle.requests.thread import read_form, write
from marelle.townfile import read
from marelle.towns.services import load_town
from tests.offer import AT, TOWNS, Family, booked, enrolled, family, paris
from tests.portal.visit import Screen
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

KEY = "5b0e9a1e-0000-4000-8000-000000000001"


def picture() -> SimpleUploadedFile:
    drawn = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(drawn, "PNG")
    return SimpleUploadedFile("dispense.png", drawn.getvalue(), content_type="image/png")


def test_the_page_offers_what_the_town_lets_ask(screen: Screen) -> None:
    seen = screen.go("/demarches/")
    for heading in ("École", "Cantine et périscolaire", "Autre"):
        assert heading in seen
    assert "Écrire à la mairie Réponse sous 2 jours ouvrés" in seen
    assert "Dispense médicale Quand un médecin déconseille la cantine ou une activité" in seen


def test_without_a_child_what_concerns_one_says_why(settings: Settings, malika: User) -> None:
    alone = family("Seul", [])
    seen = Screen(settings, alone.user).go("/demarches/")
    assert "Dispense médicale Aucun enfant n’est rattaché à votre foyer : écrivez-nous." in seen


@pytest.mark.row("D3")
def test_a_request_is_filled_checked_and_sent(screen: Screen, benali: Family) -> None:
    page = "/demarches/demande/dispense-medicale/"
    seen = screen.go(page)
    assert "Pour quel enfant ?" in seen
    assert "seuls les agents habilités le lisent" in seen
    filled = {"send_key": screen.field("send_key"), "enfant": str(benali.children[1].pk), "q-repas-sans": "3"}
    seen = screen.post(page, filled | {"do": "check"})
    assert "Elle n’est pas encore envoyée" in seen
    assert "Combien de repas sont concernés ? 3" in seen
    assert not FamilyRequest.objects.exists()
    seen = screen.post(page, filled | {"do": "send"})
    request = FamilyRequest.objects.get()
    assert screen.place == f"/demandes/{request.number}/"
    assert "Merci, c’est enregistré" in seen
    assert "Dispense médicale" in seen
    assert read_form(request).answers[0].value == 3
    screen.post(page, filled | {"do": "send"})
    assert FamilyRequest.objects.count() == 1


def test_what_is_missing_is_said_and_nothing_is_lost(screen: Screen) -> None:
    page = "/demarches/demande/dispense-medicale/"
    seen = screen.post(page, {"send_key": KEY, "do": "check", "q-repas-sans": "beaucoup", "mots": "Merci d’avance"})
    assert screen.status == 422
    assert "Il y a un problème" in seen
    assert "Choisissez l’enfant concerné." in seen
    assert "Indiquez un nombre entier" in seen
    assert "Merci d’avance" in seen
    assert "<title>Erreur" in screen.markup


def test_another_familys_child_cannot_be_chosen(screen: Screen, malika: User) -> None:
    moreau = family("Moreau", [("Léo", "CP")])
    page = "/demarches/demande/dispense-medicale/"
    screen.post(page, {"send_key": KEY, "do": "send", "enfant": str(moreau.children[0].pk)})
    assert screen.status == 422
    assert not FamilyRequest.objects.exists()


def test_what_a_page_already_does_leads_there(screen: Screen) -> None:
    screen.go("/demarches/demande/demenagement/")
    assert screen.place == "/famille/"
    screen.go("/demarches/demande/inconnue/")
    assert screen.status == 404


@pytest.mark.row("D3")
def test_the_paper_goes_with_the_request(settings: Settings) -> None:
    load_town(read(TOWNS / "espace-famille-alsh.toml"), at=AT)
    who = family(children=[])
    school = Site.objects.filter(kind=Site.Kind.SCHOOL)[0]
    tom = NewChild(first_name="Tom", last_name="Benali", birth_date=date(2019, 3, 12), school=school, level="CP")
    child = create(tom)
    who.household.residences.create(child=child)
    screen = Screen(settings, who.user)
    page = "/demarches/demande/dispense-medicale/"
    filled = {"send_key": KEY, "enfant": str(child.pk), "q-a-partir-du": "2026-11-16", "mots": "Bras cassé"}
    seen = screen.post(page, filled | {"do": "check"})
    assert "À partir du lundi 16 novembre 2026" in seen
    seen = screen.post(page, filled | {"do": "send"})
    assert screen.status == 422
    assert "Joignez ce document : Dispense médicale." in seen
    seen = screen.post(page, filled | {"do": "send", "p-dispense-medicale": SimpleUploadedFile("x.png", b"rien")})
    assert screen.status == 422
    assert "Ce fichier n’est ni une photo ni un PDF." in seen
    seen = screen.post(page, filled | {"do": "send", "p-dispense-medicale": picture()})
    assert "Merci, c’est enregistré" in seen
    document = SupportingDocument.objects.get()
    assert document.line is not None and document.line.request == FamilyRequest.objects.get()
    screen.post(page, filled | {"do": "send", "p-dispense-medicale": picture()})
    assert SupportingDocument.objects.count() == 1
    seen = screen.go(f"/demandes/{FamilyRequest.objects.get().number}/")
    assert "Documents Dispense médicale En attente de vérification" in seen
    assert f'href="/documents/{document.pk}/"' in screen.markup
    assert screen.client.get(screen.path)["Cache-Control"] == "private, no-store", "it tells of health"


@pytest.mark.row("D3")
def test_the_family_writes_on_any_request_and_reads_the_answer(screen: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika, at=paris(2026, 10, 1))
    request = booked(benali, [date(2026, 11, 19)])
    here = f"/demandes/{request.number}/"
    seen = screen.go(here)
    assert "Aucun message." in seen
    key = screen.field("send_key")
    seen = screen.post(f"{here}message/", {"send_key": key, "message": "Faut-il un pique-nique ?"})
    assert "Vous aujourd’hui, 8 h 52 Faut-il un pique-nique ?" in seen
    screen.post(f"{here}message/", {"send_key": key, "message": "Faut-il un pique-nique ?"})
    assert RequestMessage.objects.count() == 1
    seen = screen.post(f"{here}message/", {"send_key": KEY, "message": " "})
    assert screen.status == 422
    assert "Écrivez votre message, ou joignez un fichier." in seen
    write(request_id=request.pk, text="Non, il est prévu.", send_key=request.send_key, by=malika, at=AT, as_agent=True)
    seen = screen.go("/demarches/?etat=messages")
    assert "Messages : 1 non lu" in plain_spaces(screen.markup)
    assert "Message En cours" in seen
    for address in (here, f"{here}?envoyee=1"):
        seen = screen.go(address)
        assert "Non, il est prévu." in seen and "Marquer comme lu" in seen
    screen.post(f"{here}lu/")
    assert "Messages : 0 non lu" in plain_spaces(screen.markup)
    assert OutboxMail.objects.filter(kind="requests/message", to_address=benali.email).count() == 1


def test_a_message_brings_a_file_that_its_home_alone_reads(
    settings: Settings, screen: Screen, benali: Family, malika: User
) -> None:
    enrolled(benali, by=malika, at=paris(2026, 10, 1))
    request = booked(benali, [date(2026, 11, 19)])
    here = f"/demandes/{request.number}/"
    screen.post(f"{here}message/", {"send_key": KEY, "message": "", "piece": picture()})
    message = RequestMessage.objects.get()
    url = reverse("portal:message_file", args=[request.number, message.pk])
    assert screen.client.get(url)["Content-Type"] == "image/jpeg"
    moreau = family("Moreau", [("Léo", "CP")])
    assert Screen(settings, moreau.user).client.get(url).status_code == 404
    seen = screen.post(
        f"{here}message/",
        {"send_key": str(benali.user.pk).zfill(32), "message": "Voici", "piece": SimpleUploadedFile("a.exe", b"MZ")},
    )
    assert screen.status == 422
    assert "Voici" in seen and "Ce fichier n’est ni une photo ni un PDF." in seen


def test_long_after_its_answer_the_thread_is_closed(screen: Screen, benali: Family, malika: User) -> None:
    page = "/demarches/demande/ecrire/"
    screen.post(page, {"send_key": KEY, "mots": "Bonjour", "do": "send"})
    request = FamilyRequest.objects.get()
    answer(request_id=request.pk, verdicts={request.lines.get().pk: Verdict(accept=True)}, by=malika, at=AT)
    seen = screen.go(f"/demandes/{request.number}/")
    assert "Répondue" in seen and "Réponse donnée" in seen and "cceptée" not in seen
    screen.at(AT + timedelta(days=31))
    seen = screen.go(f"/demandes/{request.number}/")
    assert "close depuis plus de 30 jours" in seen
    seen = screen.post(f"/demandes/{request.number}/message/", {"send_key": KEY, "message": "Encore"})
    assert "faites-en une nouvelle" in seen
    assert not RequestMessage.objects.exists()
