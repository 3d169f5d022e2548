"""Signaler une absence: the family's page, its check, its record, and taking it back."""

import re
from datetime import date
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.bookings.models import Absence, Booking
from marelle.documents.models import SupportingDocument
from marelle.requests.models import FamilyRequest
from marelle.requests.services import Verdict, answer
from tests import guides
from tests.foundation.hostile import photograph
from tests.offer import Family, agent, booked, family, paris
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

PAGE = "/demarches/absence/"
# Rieux's canteen closes 48 working hours before; a proof within 48 h frees the day.
MONDAY, TUESDAY, FAR = date(2026, 11, 16), date(2026, 11, 17), date(2026, 12, 10)
BEFORE, LATE = paris(2026, 11, 2, 9), paris(2026, 11, 16, 8)


@pytest.fixture
def benali() -> Family:
    who = guides.alsh(at=BEFORE)
    booked(who, [MONDAY, TUESDAY, FAR], "restauration", by=agent(at=BEFORE), at=BEFORE)
    return who


@pytest.fixture
def screen(settings: Settings, benali: Family) -> Screen:
    return Screen(settings, benali.user, at=LATE)


def key(day: date) -> str:
    booking = Booking.objects.get(date=day, unit__service__slug="restauration")
    return f"{booking.child_id}.{booking.unit_id}.{day.isoformat()}"


def form(screen: Screen, *days: date, do: str = "check", cause: str = "dispense", note: str = "") -> dict[str, Any]:
    screen.go(PAGE)
    return {
        "send_key": screen.field("send_key"),
        "d": [key(day) for day in days],
        "cause": cause,
        "note": note,
        "do": do,
    }


def test_the_page_offers_the_locked_days_and_leads_elsewhere_for_the_others(screen: Screen) -> None:
    seen = screen.go(PAGE)
    assert "Aujourd’hui, lundi 16 novembre Cantine" in seen and "Demain, mardi 17 novembre Cantine" in seen
    assert "10 décembre" not in seen.partition("Ces jours s’annulent encore")[0]
    assert "Ces jours s’annulent encore" in seen
    assert "Cantine, dès jeudi 10 décembre" in seen
    assert "École fermée ou grève" in seen and "Dispense médicale" in seen and "Autre raison" in seen


def test_what_it_costs_is_told_before_and_after(screen: Screen, benali: Family) -> None:
    told = "ne sera pas facturée si vous remettez un justificatif avant le mercredi 18 novembre, 12 h"
    filled = form(screen, MONDAY, note="Merci à la cantine")
    seen = screen.post(PAGE, filled)
    assert "Elle n’est pas encore signalée." in seen and told in seen
    assert "Dispense médicale" in seen and "Merci à la cantine" in seen
    assert not Absence.objects.exists()
    again = screen.post(PAGE, {**filled, "do": "edit"})
    assert "Merci à la cantine" in again
    assert re.search(r'value="[^"]*2026-11-16" checked', screen.markup)

    seen = screen.post(PAGE, {**filled, "do": "send"})
    request = FamilyRequest.objects.get(kind="absence")
    assert screen.place == f"/demandes/{request.number}/"
    assert "L’absence est signalée" in seen and told in seen
    assert "Justificatif à donner avant le mercredi 18 novembre, 12 h." in seen
    # the same form again: the same request
    assert screen.post(PAGE, {**filled, "do": "send"}) and screen.place == f"/demandes/{request.number}/"
    assert Absence.objects.count() == 1

    assert "Absence : cantine, lundi 16 novembre" in screen.go("/demarches/")
    assert "Absence signalée" in screen.go("/demarches/")
    assert "Absence signalée, demande n°" in screen.go("/famille/historique/")
    day = screen.go("/planning/restauration/jour/2026-11-16/")
    assert "Inès : absence signalée" in day and "Inès, Absence" in day
    assert "Absence signalée" in screen.go("/")


def test_the_proof_is_given_from_its_page_and_settles_the_cost(
    screen: Screen, benali: Family, settings, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    settings.FILES_DIR = tmp_path / "files"
    screen.post(PAGE, {**form(screen, MONDAY), "do": "send"})
    assert Absence.objects.get().still_due == 100
    link = re.search(r'href="/documents/[?]donner=([^"#]+)#[^"]*"', screen.markup)
    assert link is not None
    wanted = unquote(link[1])
    seen = screen.go(f"/documents/?donner={wanted}")
    assert "Dispense médicale" in seen and "Inès, absence du lundi 16 novembre" in seen

    # Another absence's, another paper, another child: not found.
    for wrong in (wanted.replace("dispense-medicale", "dossier-annuel"), f"{wanted}9"):
        assert screen.client.post("/documents/", {"item": wrong}).status_code == 404
    photo = SimpleUploadedFile("dispense.jpg", photograph())
    sent = screen.client.post("/documents/", {"item": wanted, "send_key": "a", f"f-{wanted}": photo})
    assert sent.status_code == 302
    document = SupportingDocument.objects.get()
    assert document.line == Absence.objects.get().line and document.review is not None
    number = FamilyRequest.objects.get(kind="absence").number
    assert "Donner celui de" not in screen.go(f"/demandes/{number}/")  # an agent has it

    # Accepted: what counts is when it was handed in, not when it was read.
    verdicts = {document.review.pk: Verdict(accept=True)}
    answer(request_id=document.review.request_id, verdicts=verdicts, by=agent("Sami Petit"), at=paris(2026, 11, 30))
    absence = Absence.objects.get()
    assert (absence.still_due, absence.proof_at) == (0, document.handed_at)
    assert "ne sera pas facturée" in screen.go(f"/demandes/{number}/")
    assert "Justificatif accepté pour l’absence" in screen.go("/famille/historique/")
    assert "Pour cette absence" in screen.go("/documents/")


def test_nothing_ticked_and_no_reason_are_said_and_the_rest_is_kept(screen: Screen) -> None:
    filled = form(screen, cause="", note="Bonjour")
    seen = screen.post(PAGE, filled)
    assert screen.status == 422
    assert "Cochez au moins un jour." in seen and "Choisissez une raison." in seen and "Bonjour" in seen
    seen = screen.post(PAGE, {**filled, "d": [key(MONDAY)]})
    assert "Choisissez une raison." in seen and "Cochez au moins" not in seen
    assert re.search(r'value="[^"]*2026-11-16" checked', screen.markup)


def test_each_refused_day_says_why_and_the_others_stay_ticked(screen: Screen) -> None:
    filled = form(screen, MONDAY, TUESDAY, FAR)
    seen = screen.at(paris(2026, 11, 16, 13)).post(PAGE, filled)
    assert screen.status == 422
    assert "aujourd’hui, lundi 16 novembre, cantine : L’accueil a commencé" in seen
    assert "Ce jour peut encore être annulé au planning, jusqu’au" in seen
    assert re.search(r'value="[^"]*2026-11-17" checked', screen.markup)
    assert not re.search(r'<input[^>]*value="[^"]*2026-12-10"', screen.markup)
    # sent all the same: what can be recorded is, the rest is told
    seen = screen.post(PAGE, {**filled, "do": "send"})
    assert Absence.objects.count() == 1
    assert "Inès, lundi 16 novembre, cantine : L’accueil a commencé" in seen


def test_a_day_that_can_still_be_cancelled_leads_to_the_planning(screen: Screen) -> None:
    seen = screen.go(f"{PAGE}?service=restauration&jour=2026-12-10")
    assert "Inès, jeudi 10 décembre : Ce jour peut encore être annulé au planning" in seen
    assert "/planning/restauration/jour/2026-12-10/" in screen.markup


def test_the_days_sheet_leads_here_with_its_day_ticked(screen: Screen) -> None:
    screen.go("/planning/restauration/jour/2026-11-17/")
    link = re.search(r'href="(/demarches/absence/[^"]*)"', screen.markup)
    assert link is not None
    screen.go(link[1].replace("&amp;", "&"))
    assert re.search(r'value="[^"]*2026-11-17" checked', screen.markup)
    screen.go("/planning/restauration/jour/2026-12-10/")
    assert "/demarches/absence/" not in screen.markup


def test_taken_back_until_it_begins(screen: Screen) -> None:
    screen.post(PAGE, form(screen, MONDAY, TUESDAY, do="send"))
    number = FamilyRequest.objects.get(kind="absence").number
    screen.at(paris(2026, 11, 16, 12))
    seen = screen.go(f"/demandes/{number}/annuler-absence/")
    assert "Mardi 17 novembre" in seen and "Lundi 16" not in seen
    line = re.search(r'name="d" value="(\d+)"', screen.markup)
    assert line is not None
    assert "Cochez au moins un jour." in screen.post(f"/demandes/{number}/annuler-absence/")
    seen = screen.post(f"/demandes/{number}/annuler-absence/", {"d": line[1]})
    assert "Signalement annulé : la réservation tient comme avant." in seen
    assert Booking.objects.filter(absence=None, date=TUESDAY).exists()
    seen = screen.post(f"/demandes/{number}/annuler-absence/", {"d": line[1]})
    assert "Il n’y a plus rien à annuler" in seen
    assert "Annuler ce signalement" not in screen.go(f"/demandes/{number}/")


def test_nothing_of_another_family_can_be_said_or_seen(settings: Settings, screen: Screen) -> None:
    filled = form(screen, MONDAY, do="send")
    stranger = family("Moreau", [], email="julien@famille.example", at=BEFORE)
    other = Screen(settings, stranger.user, at=LATE)
    other.post(PAGE, filled)
    assert other.status == 404
    for forged in ("x", "1.2", "1.2.2026-13-01", "1.2.20261116", "9" * 30 + ".1.2026-11-16"):
        screen.post(PAGE, {**filled, "d": [forged]})
        assert screen.status == 404, forged
    assert not Absence.objects.exists()
    screen.post(PAGE, filled)
    number = FamilyRequest.objects.get(kind="absence").number
    other.go(f"/demandes/{number}/annuler-absence/")
    assert other.status == 404
    ordinary = FamilyRequest.objects.filter(kind="booking").first()
    assert ordinary is not None
    screen.go(f"/demandes/{ordinary.number}/annuler-absence/")
    assert screen.status == 404


def test_without_anything_booked_the_page_says_so(settings: Settings, benali: Family) -> None:
    Booking.objects.update(state="cancelled")
    assert "Aucun jour réservé à venir." in Screen(settings, benali.user, at=LATE).go(PAGE)


def test_the_queries_do_not_grow_with_the_days(screen: Screen, benali: Family) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            screen.go(PAGE)
        return len(seen)

    screen.go(PAGE)
    before = count()
    booked(benali, [date(2026, 11, day) for day in (19, 20, 23, 24)], "restauration", by=agent(at=BEFORE), at=BEFORE)
    assert count() == before <= 16
