"""Asking for the right to use services, for all the children in one send."""

import re
import uuid
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import SchoolYear
from marelle.bookings.models import Enrolment, EnrolmentDraft
from marelle.documents.models import TermsAcceptance
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import FamilyRequest
from tests.offer import AT, Family, accept, activity_for, ask, booked, enrolled, family, paris, refuse
from tests.portal.visit import Screen
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

PAGE = "/demarches/inscription/"


def box(who: Family, position: int, service: str = "cantine") -> str:
    child = who.children[position]
    return f"{child.pk}.{activity_for(child, service).pk}"


CHECK = "/demarches/inscription/verifier/"


def tick(screen: Screen, *want: str, **days: object) -> str:
    """Tick on the page of services, and go on: the next page's text."""
    return screen.post(PAGE, {"annee": screen.field("annee"), "want": list(want), "do": "continuer", **days})


def sent(screen: Screen, **more: object) -> dict[str, object]:
    """What the last page sends, its regulations accepted."""
    terms = re.findall(r'name="terms" value="([^"]*)"', screen.markup)
    return {
        "send_key": screen.field("send_key"), "annee": screen.field("annee"), "terms": terms, "do": "envoyer", **more,
    }  # fmt: skip


def ask_for(screen: Screen, *want: str, **days: object) -> str:
    """The whole way, from the page of services to the numbered request."""
    tick(screen, *want, **days)
    assert screen.place == CHECK, screen.path
    return screen.post(CHECK, sent(screen))


@pytest.mark.row("A2")
def test_each_child_is_offered_the_services_of_its_own_school(screen: Screen, benali: Family) -> None:
    seen = screen.go(PAGE)
    assert "École élémentaire de Cadours et École maternelle de Cadours" in seen
    offered = set(screen.markup.split('name="want" value="')[1:])
    keys = {piece.partition('"')[0] for piece in offered}
    assert {box(benali, 0), box(benali, 1), box(benali, 0, "tap"), box(benali, 1, "mercredi")} <= keys
    foreign = f"{benali.children[1].pk}.{activity_for(benali.children[0], 'tap').pk}"
    assert foreign not in keys  # Tom is in the nursery school, the TAP is not given there


@pytest.mark.row("A2", "A9")
def test_one_send_asks_for_all_the_children(screen: Screen, benali: Family) -> None:
    screen.go(PAGE)
    first, second = box(benali, 0), box(benali, 1)
    seen = tick(screen, first, second, **{f"days-{first}": ["0", "3"], f"days-{second}": ["1"]})
    assert "Vérifiez vos inscriptions" in seen and "Restauration scolaire (lundi et jeudi)." in seen
    seen = screen.post(CHECK, sent(screen))

    request = FamilyRequest.objects.get()
    assert screen.place == f"/demandes/{request.number}/"
    assert "Merci, c’est enregistré" in seen and request.number in seen
    assert [e.usual_weekdays for e in Enrolment.objects.order_by("child__birth_date")] == [[0, 3], [1]]
    assert OutboxMail.objects.filter(kind="bookings/enrolments_sent").count() == 1
    assert AuditLine.objects.filter(action="enrolment.asked", household_id=benali.household.pk).count() == 1


@pytest.mark.row("A3")
def test_what_waits_stands_under_a_question_mark_and_the_answer_changes_it(
    screen: Screen, benali: Family, malika: User
) -> None:
    request = ask(benali, children=benali.children[:1])
    seen = screen.go(PAGE)
    assert "Inès, CE2, Restauration scolaire, En attente" in seen
    assert f"Demande n° {request.number}" in seen
    assert "#i-circle-question-mark" in screen.markup.partition("<main")[2]

    accept(request, by=malika)
    seen = screen.go(PAGE)
    assert "Inès, CE2, Restauration scolaire, Acceptée" in seen


@pytest.mark.row("A4")
def test_an_accepted_service_leads_to_its_days(screen: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    assert "Il reste à réserver les jours : Restauration scolaire, Inès" in screen.go(PAGE)
    booked(benali, [date(2026, 11, 16)], children=benali.children[:1])
    seen = screen.go(PAGE)
    assert "Voir ses jours : Restauration scolaire, Inès" in seen
    assert "Il reste à réserver les jours : Restauration scolaire, Tom" in seen


@pytest.mark.row("A6")
def test_the_garderie_says_that_no_day_is_reserved(screen: Screen, benali: Family, malika: User) -> None:
    assert "Inscription seule : facturée à la présence, aucun jour à réserver." in screen.go(PAGE)
    key = box(benali, 0, "garderie")
    assert f"days-{key}" not in screen.markup
    accept(ask(benali, "garderie", usual=()), by=malika)
    assert "Il reste à réserver" not in screen.go(PAGE)


@pytest.mark.row("A2")
def test_in_august_the_year_about_to_begin_is_offered_first(screen: Screen) -> None:
    screen.at(paris(2027, 8, 10, 10))
    assert "Quels services en 2027-2028 ?" in screen.go(PAGE)
    assert "?annee=2026-2027" in screen.markup


@pytest.mark.row("A3")
def test_a_refused_enrolment_tells_why_and_can_be_asked_again(screen: Screen, benali: Family, malika: User) -> None:
    refuse(ask(benali, children=benali.children[:1]), "Il manque l’attestation.", by=malika)
    seen = screen.go(PAGE)
    assert "Refusée" in seen and "Il manque l’attestation. Cochez pour redemander." in seen

    ask_for(screen, box(benali, 0))
    assert [e.state for e in Enrolment.objects.order_by("id")] == ["refused", "submitted"]
    assert "Il manque l’attestation." not in screen.go(PAGE)


def test_nothing_ticked_is_told(screen: Screen, benali: Family) -> None:
    screen.go(PAGE)
    seen = tick(screen)
    assert screen.status == 422
    assert "Il y a un problème" in seen and "Cochez au moins un service pour un enfant." in seen
    assert "<title>Erreur : " in plain_spaces(screen.markup)
    assert not FamilyRequest.objects.exists() and not EnrolmentDraft.objects.exists()


def test_a_message_too_long_keeps_what_was_said(screen: Screen, benali: Family) -> None:
    screen.go(PAGE)
    key = box(benali, 0)
    tick(screen, key, **{f"days-{key}": ["3"]})
    seen = screen.post(CHECK, sent(screen, message="é" * 1001))
    assert screen.status == 422 and "Le message est trop long : 1000 caractères au plus." in seen
    assert "é" * 1000 in seen and "Restauration scolaire (jeudi)." in seen
    assert not FamilyRequest.objects.exists()


def test_the_same_send_twice_makes_one_request(screen: Screen, benali: Family) -> None:
    screen.go(PAGE)
    tick(screen, box(benali, 0))
    form = sent(screen)
    screen.post(CHECK, form)
    first = screen.path
    screen.post(CHECK, form)
    assert screen.path == first
    assert FamilyRequest.objects.count() == 1 and not EnrolmentDraft.objects.exists()


def test_what_another_window_asked_meanwhile_is_told_not_asked_twice(screen: Screen, benali: Family) -> None:
    screen.go(PAGE)
    ask(benali, children=benali.children[:1])
    seen = tick(screen, box(benali, 0))
    assert screen.status == 422 and "Restauration scolaire pour Inès : en attente" in seen
    assert FamilyRequest.objects.count() == 1


def test_a_box_that_is_not_the_familys_asks_for_nothing(screen: Screen, benali: Family, malika: User) -> None:
    other = family("Durand", (("Léo", "CP"),), first_name="Paul")
    screen.go(PAGE)
    seen = tick(screen, box(other, 0), "x.y", "999999.1")
    assert "Cochez au moins un service pour un enfant." in seen
    assert not FamilyRequest.objects.exists()


def test_what_was_begun_is_there_on_another_device_and_can_be_dropped(
    settings: Settings, screen: Screen, benali: Family
) -> None:
    screen.go(PAGE)
    key = box(benali, 1)
    tick(screen, key, **{f"days-{key}": ["1"]})
    other = Screen(settings, benali.user)
    assert "Inscription 2026-2027 commencée" in other.go("/demarches/")
    assert "Reprendre mon inscription" in other.go("/")
    other.go(PAGE)
    assert f'value="{key}" checked' in other.markup and f'name="days-{key}" value="1" checked' in other.markup
    assert "Abandonner l’inscription 2026-2027 ?" in other.go("/demarches/inscription/abandonner/?annee=2026-2027")
    assert EnrolmentDraft.objects.exists()
    seen = other.post("/demarches/inscription/abandonner/", {"annee": "2026-2027"})
    assert "L’inscription commencée est abandonnée." in seen and not EnrolmentDraft.objects.exists()
    screen.post(CHECK, {"send_key": str(uuid.uuid4()), "annee": "2026-2027", "do": "envoyer"})
    assert screen.place == PAGE + "services/" and not FamilyRequest.objects.exists()


def test_finishing_later_keeps_what_was_said(screen: Screen, benali: Family) -> None:
    screen.go(PAGE)
    seen = screen.post(PAGE, {"annee": screen.field("annee"), "want": [box(benali, 0)], "do": "plus-tard"})
    assert screen.place == "/demarches/" and "Votre inscription est gardée." in seen
    assert not FamilyRequest.objects.exists()


def test_a_step_without_anything_to_ask_leads_back(screen: Screen, benali: Family) -> None:
    for step in ("precisions", "pieces", "reglement", "verifier", "enfants"):
        screen.go(f"{PAGE}{step}/")
        assert screen.place == f"{PAGE}services/", step
    screen.go(f"{PAGE}autre/")
    assert screen.status == 404


def test_the_regulation_is_accepted_where_it_is_sent(screen: Screen, benali: Family) -> None:
    """Cadours asks for nothing else: choosing, then accepting and sending."""
    screen.go(PAGE)
    seen = tick(screen, box(benali, 0))
    assert "J’ai lu et j’accepte : Règlement des services périscolaires" in seen
    seen = screen.post(CHECK, sent(screen, terms=[]))
    assert screen.status == 422 and "Lisez et acceptez : Règlement des services périscolaires." in seen
    seen = screen.post(CHECK, sent(screen, terms=["reglement@1999"]))
    assert screen.status == 422
    screen.post(CHECK, sent(screen))
    assert TermsAcceptance.objects.get().version == "2026"
    screen.go(PAGE)
    assert "J’ai lu et j’accepte" not in tick(screen, box(benali, 1))


@pytest.mark.parametrize("broken", [{"send_key": "not-a-key"}, {"annee": "1999-2000"}])
def test_a_form_that_is_not_ours_is_not_found(screen: Screen, benali: Family, broken: dict[str, str]) -> None:
    screen.go(PAGE)
    tick(screen, box(benali, 0))
    screen.post(CHECK, sent(screen) | broken)
    assert screen.status == 404


def test_two_open_years_are_chosen_between(screen: Screen, benali: Family, malika: User) -> None:
    enrolled(benali, by=malika)
    screen.at(paris(2027, 6, 1, 10))
    seen = screen.go(PAGE)
    assert "Quels services en 2026-2027 ?" in seen and "?annee=2027-2028" in screen.markup
    seen = screen.go(f"{PAGE}?annee=2027-2028")
    assert "Quels services en 2027-2028 ?" in seen
    assert "Acceptée" not in seen
    ask_for(screen, box(benali, 0))
    assert Enrolment.objects.order_by("id").last().school_year.label == "2027-2028"  # type: ignore[union-attr]


def test_a_year_that_is_not_open_yet_says_when(screen: Screen, benali: Family) -> None:
    assert "2027-2028 : ouvre lundi 17 mai 2027, 8 h" in screen.go(PAGE)
    screen.go(f"{PAGE}?annee=2027-2028")
    assert screen.status == 404
    SchoolYear.objects.update(enrolment_opens_at=paris(2028, 1, 1))
    assert "Les inscriptions 2026-2027 ouvrent" in screen.go(PAGE)


def test_a_household_without_children_is_told_whom_to_write_to(settings: Settings, malika: User) -> None:
    assert "Aucun enfant dans votre foyer" in Screen(settings, family("Seule", ()).user).go(PAGE)


QUERIES = 15


@pytest.mark.parametrize("count", [1, 12])
def test_queries_do_not_grow_with_the_children(settings: Settings, malika: User, count: int) -> None:
    who = family("Grand", [(f"{'ABCDEFGHIJKL'[i]}nna", "CE2") for i in range(count)])
    enrolled(who, by=malika)
    ask(who, "garderie", usual=())
    screen = Screen(settings, who.user)
    screen.go(PAGE)
    with CaptureQueriesContext(connection) as queries:
        screen.go(PAGE)
    assert len(queries) == QUERIES, [query["sql"][:120] for query in queries]


def test_an_unsafe_message_is_shown_as_text(screen: Screen, benali: Family) -> None:
    screen.go(PAGE)
    tick(screen, box(benali, 0))
    screen.post(CHECK, sent(screen, message="<script>\x00alert(1)</script>"))
    assert "<script>alert" not in screen.markup and "&lt;script&gt;alert" in screen.markup


def test_agents_and_strangers_have_no_enrolment_page(settings: Settings, malika: User) -> None:
    agent_screen = Screen(settings, malika)
    agent_screen.go(PAGE)
    assert agent_screen.status == 404
    stranger = Screen(settings, None, at=AT)
    stranger.go(PAGE)
    assert stranger.place == "/connexion/"
