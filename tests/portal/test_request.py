"""One request, from its send to its answer, and taking it back."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.bookings.models import Booking, Enrolment
from marelle.bookings.services.answers import answer_request
from marelle.requests.models import FamilyRequest
from marelle.requests.services import Verdict
from tests.offer import AT, Family, accept, ask, booked, choose, enrolled, family, paris, refuse, send
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY, THURSDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 19)
LATER = paris(2026, 11, 10, 15, 30)


@pytest.fixture
def benali(malika: User) -> Family:
    who = family()
    enrolled(who, by=malika, at=paris(2026, 10, 1))
    return who


def at(request: FamilyRequest, rest: str = "") -> str:
    return f"/demandes/{request.number}/{rest}"


@pytest.mark.row("A7")
def test_a_request_just_sent_shows_its_number_its_stamp_and_what_comes_next(screen: Screen, benali: Family) -> None:
    request = booked(benali, [MONDAY, TUESDAY])
    seen = screen.go(at(request, "?envoyee=1"))
    assert "Merci, c’est enregistré" in seen
    assert "Enregistrée mardi 10 novembre 2026, 8 h 52" in seen
    # Wednesday 11 is a public holiday: two working days end on Friday.
    assert "Réponse au plus tard vendredi 13 novembre." in seen
    assert f"par e-mail à {benali.email} et sur cette page" in seen
    assert seen.count("En cours") >= 4

    later = screen.go(at(request))
    assert "Merci" not in later
    assert "Cantine, 4 changements" in later


@pytest.mark.row("A7")
def test_the_answer_is_told_line_by_line_with_its_reason(screen: Screen, benali: Family, malika: User) -> None:
    request = booked(benali, [MONDAY, TUESDAY], children=benali.children[:1])
    first, second = request.lines.order_by("date")
    verdicts = {first.pk: Verdict(accept=True), second.pk: Verdict(accept=False, reason="Sortie scolaire ce jour-là.")}
    answer_request(request_id=request.pk, verdicts=verdicts, by=malika, at=LATER)

    seen = screen.at(LATER).go(at(request))
    assert "Réponse : acceptée en partie Aujourd’hui, 15 h 30" in seen
    assert "ajouter lundi 16 novembre Réservé" in seen
    assert "ajouter mardi 17 novembre Refusé Sortie scolaire ce jour-là." in seen
    assert "Un jour refusé n’est pas réservé." in seen
    assert "Retirer ma demande" not in seen


@pytest.mark.row("A4")
def test_an_accepted_enrolment_says_that_days_remain(screen: Screen, benali: Family, malika: User) -> None:
    request = ask(benali, "mercredi", usual=(2,))
    assert "En attente" in screen.go(at(request))
    accept(request, by=malika)
    seen = screen.go(at(request))
    assert "Accueil de loisirs du mercredi après-midi : il reste à réserver les jours" in seen
    assert "Pour Inès et Tom" in seen
    assert 'href="/planning/mercredi/"' in screen.markup


@pytest.mark.row("A6")
def test_an_accepted_garderie_has_nothing_more_to_do(screen: Screen, benali: Family, malika: User) -> None:
    request = ask(benali, "garderie", usual=())
    accept(request, by=malika)
    seen = screen.go(at(request))
    assert "Garderie : facturée à la présence, aucun jour à réserver." in seen
    assert "il reste à réserver" not in seen


def test_a_refused_enrolment_can_be_asked_again_from_here(screen: Screen, benali: Family, malika: User) -> None:
    request = ask(benali, "mercredi", usual=(2,))
    refuse(request, "Dossier incomplet.", by=malika)
    seen = screen.go(at(request))
    assert seen.count("Dossier incomplet.") == 2
    assert "Redemander" in seen


def test_withdrawing_asks_first_then_takes_everything_back(screen: Screen, benali: Family) -> None:
    request = booked(benali, [MONDAY, TUESDAY])
    seen = screen.go(at(request, "retirer/"))
    assert "Retirer ma demande ?" in seen and "4 lignes attendent leur réponse" in seen
    assert not Booking.objects.exclude(state="pending").exists()  # asking changes nothing

    seen = screen.post(at(request, "retirer/"))
    assert screen.place == at(request)
    assert "Votre demande est retirée." in seen and "Retirée" in seen
    assert set(Booking.objects.values_list("state", flat=True)) == {"withdrawn"}


def test_a_withdrawn_enrolment_can_be_asked_anew(screen: Screen, benali: Family) -> None:
    request = ask(benali, "mercredi", usual=(2,))
    screen.post(at(request, "retirer/"))
    assert set(Enrolment.objects.filter(line__request=request).values_list("state", flat=True)) == {"withdrawn"}
    ask(benali, "mercredi", usual=(2,))


def test_withdrawing_what_is_answered_changes_nothing(screen: Screen, benali: Family, malika: User) -> None:
    request = booked(benali, [MONDAY], by=malika)
    for seen in (screen.go(at(request, "retirer/")), screen.post(at(request, "retirer/"))):
        assert screen.place == at(request)
        assert "Cette demande a déjà sa réponse" in seen
    assert set(Booking.objects.values_list("state", flat=True)) == {"booked"}


def test_a_cancellation_says_that_it_is_one(screen: Screen, benali: Family, malika: User) -> None:
    booked(benali, [MONDAY], by=malika)
    sending = send(benali, choose(benali, [MONDAY], wanted=False))
    assert sending.request is not None
    seen = screen.go(at(sending.request))
    assert "annuler lundi 16 novembre" in seen


@pytest.mark.parametrize("rest", ["", "retirer/", "agenda.ics"])
def test_another_households_request_is_not_found(settings: Settings, benali: Family, malika: User, rest: str) -> None:
    request = booked(benali, [MONDAY])
    for user in (family("Durand", (("Léo", "CP"),), first_name="Paul").user, malika):
        stranger = Screen(settings, user)
        stranger.go(at(request, rest))
        assert stranger.status == 404
        stranger.post(at(request, rest))
        assert stranger.status in (404, 405)
    assert set(Booking.objects.values_list("state", flat=True)) == {"pending"}


@pytest.mark.parametrize("number", ["2025-{id}", "2026-1", "{id}", "2026-{id}0", "abc", "2026-99999999999999999999"])
def test_a_number_that_is_not_quite_it_is_not_found(screen: Screen, benali: Family, number: str) -> None:
    request = booked(benali, [MONDAY])
    screen.go(f"/demandes/{number.format(id=f'{request.pk:06d}')}/")
    assert screen.status == 404


def test_the_days_go_to_the_familys_own_diary(screen: Screen, benali: Family, malika: User) -> None:
    request = booked(benali, [MONDAY, TUESDAY], by=malika)
    send(benali, choose(benali, [TUESDAY], wanted=False, children=benali.children[:1]))
    screen.go(at(request, "agenda.ics"))
    assert screen.markup.startswith("BEGIN:VCALENDAR\r\n") and screen.markup.endswith("END:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in screen.markup.split("\r\n"))
    whole = screen.markup.replace("\r\n ", "")
    assert whole.count("BEGIN:VEVENT") == 2
    assert "DTSTART:20261116T110000Z" in whole  # noon in Cadours
    assert "SUMMARY:Cantine\\, Inès et Tom" in whole and "SUMMARY:Cantine\\, Tom" in whole
    assert whole.count("STATUS:CONFIRMED") == 2

    waiting = booked(benali, [THURSDAY])
    screen.go(at(waiting, "agenda.ics"))
    assert screen.markup.count("STATUS:TENTATIVE") == 1


QUERIES = 11


@pytest.mark.parametrize("days", [1, 14])
def test_queries_do_not_grow_with_the_lines(settings: Settings, malika: User, days: int) -> None:
    who = family("Grand", [("Ana", "CE2"), ("Bo", "CP"), ("Eva", "GS")] if days > 1 else [("Ana", "CE2")])
    enrolled(who, by=malika, at=paris(2026, 10, 1))
    open_days = [date(2026, 11, day) for day in (16, 17, 19, 20, 23, 24, 26, 27)][:days]
    request = booked(who, open_days)
    screen = Screen(settings, who.user)
    screen.go(at(request))
    with CaptureQueriesContext(connection) as queries:
        screen.go(at(request))
    assert len(queries) == QUERIES, [query["sql"][:120] for query in queries]


def test_the_answer_day_that_passed_is_owned_up_to(screen: Screen, benali: Family) -> None:
    request = booked(benali, [THURSDAY])
    seen = screen.at(paris(2026, 11, 17, 9)).go(at(request))
    assert "Elle devait venir vendredi 13 novembre : appelez-nous" in seen
    assert "au plus tard" not in seen


def test_the_instant_of_the_send_is_told_on_the_towns_clock(settings: Settings, benali: Family) -> None:
    request = booked(benali, [THURSDAY], at=AT)
    assert "envoyée aujourd’hui, 8 h 52, par Nadia Benali" in Screen(settings, benali.user).go(at(request))
