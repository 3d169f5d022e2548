"""Reading the queue: in which order, with what the rules say, for whom."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marelle.accounts.models import AgentRole, User
from marelle.activities.models import OpeningDay, Service, Site
from marelle.foundation.models import AuditLine
from marelle.requests.models import FamilyRequest
from tests.offer import AT, Family, accept, agent, ask, booked, choose, enrolled, family, paris, refuse, reread, send
from tests.office.conftest import Page

pytestmark = pytest.mark.django_db

THURSDAY, FRIDAY = date(2026, 11, 12), date(2026, 11, 13)
NEXT_WEEK = [date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 19), date(2026, 11, 20)]
BEFORE = AT - timedelta(days=1)


def families(html: str) -> list[str]:
    """The families of the list, in order."""
    return re.findall(r"<strong>Famille ([^<]+)</strong>", html.partition('id="detail"')[0])


def tag_of(html: str, name: str) -> str:
    row = html.partition(f"<strong>Famille {name}</strong>")[2]
    found = re.search(r'class="tag tag--\w+">(?:<svg.*?</svg>)?([^<]+)<', row)
    assert found
    return found[1].strip()


def home(name: str, level: str = "CE1", *, by: User, service: str = "cantine") -> Family:
    who = family(name, [("Léo", level)], at=AT - timedelta(days=20))
    enrolled(who, service, by=by, at=AT - timedelta(days=19))
    return who


@contextmanager
def counted() -> Iterator[list[int]]:
    found: list[int] = []
    with CaptureQueriesContext(
        connection,
    ) as queries:
        yield found
    found.append(len(queries))


@pytest.mark.row("A7")
def test_what_presses_comes_first(malika: User, page: Page) -> None:
    """Today's day first, then by the first day asked for, an enrolment by the day its answer was promised for."""
    booked(home("Roux", by=malika), NEXT_WEEK, at=AT - timedelta(days=3))
    booked(home("Petit", by=malika), [FRIDAY], at=AT - timedelta(hours=1))
    booked(home("Oliveira", by=malika), [AT.date()], at=AT - timedelta(days=2))
    ask(family("Nguyen", [("Maël", "MS")]), at=AT - timedelta(hours=3))

    assert families(page()) == ["Oliveira", "Nguyen", "Petit", "Roux"]


@pytest.mark.row("A7")
def test_of_two_requests_for_the_same_day_the_older_comes_first(malika: User, page: Page) -> None:
    booked(home("Roux", by=malika), [FRIDAY], at=AT - timedelta(hours=1))
    booked(home("Petit", by=malika), [FRIDAY], at=AT - timedelta(hours=2))

    assert families(page()) == ["Petit", "Roux"]


@pytest.mark.row("A7")
def test_a_row_says_what_is_asked_and_that_it_is_in_time(benali: Family, page: Page) -> None:
    booked(benali, NEXT_WEEK, at=AT - timedelta(minutes=8))
    html = page()

    assert "Inès, Tom" in html and "Cantine : 8 ajouts" in html and "8 min" in html and "lundi 16 novembre" in html
    assert tag_of(html, "Benali") == "Dans les délais"


@pytest.mark.row("A7", "A9")
def test_a_pending_day_about_to_begin_says_so(benali: Family, page: Page) -> None:
    booked(benali, [AT.date()], at=AT - timedelta(days=2))

    assert tag_of(page(), "Benali") == "Commence aujourd’hui"


@pytest.mark.row("A9")
def test_a_day_asked_in_time_stays_to_answer_after_its_limit(
    malika: User, page: Page, clock: Callable[[datetime], None]
) -> None:
    who = home("Martin", by=malika, service="mercredi")
    number = booked(who, [date(2026, 11, 18)], "mercredi").number
    clock(paris(2026, 11, 16, 19, 5))

    assert tag_of(page(), "Martin") == "Délai passé depuis 2 h"
    html = page("request", number)
    assert "Envoyée à temps, avant le lundi 16 novembre, 17 h" in html
    assert "Le règlement propose : <strong>accepter.</strong>" in html


@pytest.mark.row("A7")
def test_a_full_day_says_so_when_its_place_is_not_held_yet(malika: User, page: Page) -> None:
    Service.objects.filter(slug="mercredi").update(pending_holds_place=False)
    reread()
    who = home("Martin", by=malika, service="mercredi")
    number = booked(who, [date(2026, 11, 18)], "mercredi").number
    for day in OpeningDay.objects.filter(date=date(2026, 11, 18), unit__service__slug="mercredi"):
        OpeningDay.objects.filter(id=day.pk).update(taken=day.ceiling)

    assert tag_of(page(), "Martin") == "Complet"
    html = page("request", number)
    assert "Plus de place" in html and "24 <" in html and "<strong>25</strong> sur 24" in html


@pytest.mark.row("A3")
def test_an_enrolment_says_whether_the_child_meets_the_conditions(malika: User, page: Page) -> None:
    fine, doubtful = family("Nguyen", [("Maël", "MS")]), family("Petit", [("Chloé", "GS")])
    ask(fine)
    number = ask(doubtful).number
    chloe = doubtful.children[0]
    chloe.school, chloe.level = Site.objects.get(slug="ecole-elementaire"), "CP"
    chloe.save()

    html = page()
    assert tag_of(html, "Nguyen") == "Conditions remplies" and "Inscription : Cantine" in html
    assert tag_of(html, "Petit") == "À vérifier"
    assert "Ouvert aux enfants de" in page("request", number)


@pytest.mark.row("A7")
def test_piles_filters_and_search(benali: Family, malika: User, page: Page) -> None:
    accepted = booked(benali, [FRIDAY], at=BEFORE)
    accept(accepted, by=malika)
    booked(benali, NEXT_WEEK, children=benali.children[:1])
    ask(family("Nguyen", [("Maël", "MS")]))
    wednesday = home("Ferré", by=malika, service="mercredi")
    booked(wednesday, [date(2026, 11, 18)], "mercredi")

    html = page()
    assert re.findall(r'class="chip"[^>]*>([^<]+) <b>(\d+)</b>', html) == [
        ("À traiter", "3"), ("Réservations", "2"), ("Inscriptions", "1"), ("Répondues", "3"),
    ]  # fmt: skip
    assert families(page(voir="inscriptions")) == ["Nguyen"]
    assert families(page(service="mercredi")) == ["Ferré"]
    assert families(page(site="ecole-elementaire")) == ["Benali"]
    assert families(page(q="ferre")) == families(page(q="Ferré leo")) == ["Ferré"]
    assert families(page(q="maël")) == ["Nguyen"]
    assert families(page(voir="repondues", q=accepted.number)) == ["Benali"]
    assert families(page(voir="repondues"))[0] == "Benali"
    assert families(page(q="Ferr\x00é")) == ["Ferré"]
    nothing = page(q="personne")
    assert "Aucune demande trouvée" in nothing and families(nothing) == []


@pytest.mark.row("A7")
def test_an_empty_queue_says_that_nothing_waits(page: Page) -> None:
    assert "Toutes les demandes des familles ont leur réponse." in page()


@pytest.mark.row("A7")
def test_the_queue_is_paged_and_keeps_its_filters(malika: User, page: Page) -> None:
    for n in range(21):
        ask(family(f"Foyer {n}", [("Léa", "CP")]))
    first = page(service="cantine")
    assert "Page 1 sur 2" in first and "service=cantine" in first
    assert len(families(first)) == 20 and len(families(page(page="2", service="cantine"))) == 1


@pytest.mark.row("A7")
def test_an_opened_request_shows_the_grid_before_and_after_and_what_accepting_does(
    benali: Family, malika: User, page: Page
) -> None:
    booked(benali, [FRIDAY], by=malika, at=BEFORE)
    send(benali, choose(benali, [FRIDAY], wanted=False))
    send(benali, choose(benali, [date(2026, 11, 16)]))
    cancelling, adding = FamilyRequest.objects.order_by("-id")[:2][::-1]

    html = page("request", cancelling.number)
    grid = html.partition('<table class="grid')[2].partition("</table>")[0]
    assert grid.count("À annuler") == 2 and "checkbox" not in grid
    assert "Cantine, vendredi 13 novembre" in html
    assert re.search(r"1 <span.*?</span><span.*?</span> <strong>0</strong> sur 62", html)
    assert page("request", cancelling.number, vue="avant").count("tile--remove") == 0
    assert "avant la demande" in page("request", cancelling.number, vue="avant")
    after = page("request", adding.number, vue="apres").partition('<table class="grid')[2].partition("</table>")[0]
    assert after.count("Réservé") == 2  # Inès and Tom on the Monday asked for
    assert "S47" in after and "S46" not in after
    assert page("request", adding.number).count("À ajouter") == 2


@pytest.mark.row("A7")
def test_a_request_of_many_days_lists_its_first_effects_only(benali: Family, page: Page) -> None:
    html = page("request", booked(benali, [*NEXT_WEEK, date(2026, 11, 23), date(2026, 11, 24)]).number)

    assert "et 6 autres" in html and "Voir les 12 lignes" in html
    assert "<small>Maternelle</small>" in html and "<small>Élémentaire</small>" in html


@pytest.mark.row("A7")
def test_reading_writes_nothing(benali: Family, page: Page) -> None:
    number = booked(benali, NEXT_WEEK).number
    lines, before = AuditLine.objects.count(), FamilyRequest.objects.values().get(id=int(number[5:]))

    page("request", number)
    page()
    page("home")

    assert AuditLine.objects.count() == lines
    assert FamilyRequest.objects.values().get(id=int(number[5:])) == before


@pytest.mark.row("A7")
def test_the_other_agents_see_who_is_looking_at_it(
    benali: Family, desk: Client, malika: User, clock: Callable[[datetime], None]
) -> None:
    number = booked(benali, NEXT_WEEK).number
    desk.post(reverse("office:hold", args=[number]))
    bruno = Client()
    bruno.force_login(agent("Bruno Petit"))

    clock(AT + timedelta(minutes=3, seconds=20))
    address = reverse("office:request", args=[number])
    assert "Ouvert par Malika Roux, il y a 3 minutes" in bruno.get(address).text
    bruno.post(reverse("office:hold", args=[number]))
    assert FamilyRequest.objects.get(id=int(number[5:])).opened_by == malika, "who opened it first keeps it"
    assert "ouverte par vous" in desk.get(address).content.decode()

    clock(AT + timedelta(minutes=45))
    assert "Ouvert par" not in bruno.get(address).content.decode()
    bruno.post(reverse("office:hold", args=[number]))
    assert FamilyRequest.objects.get(id=int(number[5:])).opened_by_label == "Bruno Petit"


@pytest.mark.row("S1")
def test_families_and_strangers_find_nothing(benali: Family, client: Client) -> None:
    number = booked(benali, NEXT_WEEK).number
    addresses = [
        reverse("office:home"),
        reverse("office:queue"),
        reverse("office:keys"),
        reverse("office:request", args=[number]),
    ]
    posts = [*addresses[2:], reverse("office:hold", args=[number]), reverse("office:accept_several")]
    stranger = Client()
    assert {stranger.get(address).status_code for address in addresses} == {302}
    assert {stranger.post(address).status_code for address in posts} == {302}
    stranger.force_login(benali.user)
    assert {stranger.get(address).status_code for address in addresses} == {404}
    assert {stranger.post(address, {"do": "accepter"}).status_code for address in posts} == {404}
    assert FamilyRequest.objects.get(id=int(number[5:])).state == "sent"


@pytest.mark.parametrize("number", ["2026-999999", "2025-000001", "2026", "2026-1", "abc", "2026-00000１"])
def test_a_number_that_is_not_one_is_not_found(desk: Client, number: str) -> None:
    assert desk.get(reverse("office:request", args=[number])).status_code == 404


@pytest.mark.row("S1")
def test_an_agent_of_one_site_sees_and_answers_for_that_site_only(benali: Family, malika: User) -> None:
    role = AgentRole.objects.get(user=malika)
    role.sites.add(Site.objects.get(slug="ecole-maternelle"))
    both = booked(benali, NEXT_WEEK)
    elsewhere = booked(home("Roux", by=malika), NEXT_WEEK)
    desk = Client()
    desk.force_login(malika)

    assert families(desk.get(reverse("office:queue")).content.decode()) == ["Benali"]
    assert desk.get(reverse("office:request", args=[elsewhere.number])).status_code == 404
    desk.post(
        reverse("office:request", args=[both.number]),
        {"do": "accepter", "lues": " ".join(str(line.pk) for line in both.lines.filter(child__first_name="Tom"))},
    )
    assert set(both.lines.values_list("child__first_name", "state")) == {("Tom", "accepted"), ("Inès", "pending")}


@pytest.mark.row("S1")
def test_a_page_costs_the_same_for_one_line_and_for_many(benali: Family, malika: User, desk: Client) -> None:
    small = booked(benali, [FRIDAY], children=benali.children[:1])
    booked(home("Ferré", by=malika), [FRIDAY])
    costs = []
    for number in (small.number, ""):
        if not number:
            for name in ("Roux", "Petit", "Martin", "Diallo"):
                booked(home(name, by=malika), NEXT_WEEK)
            large = family("Traoré", [(f"Enfant {n}", "CP") for n in range(6)], at=AT - timedelta(days=20))
            enrolled(large, by=malika, at=AT - timedelta(days=19))
            number = booked(large, [*NEXT_WEEK, date(2026, 11, 23)]).number
            assert large.household.requests.latest("id").lines.count() == 30
        for address in (reverse("office:queue"), reverse("office:request", args=[number]), reverse("office:home")):
            desk.get(address)  # the town's rules are read once per process
            with counted() as cost:
                desk.get(address)
            costs += cost

    assert costs[:3] == costs[3:]
    assert costs[:3] == [25, 27, 25]  # the day counts its meals too


@pytest.mark.row("A7")
def test_the_answered_requests_are_read_only(benali: Family, malika: User, page: Page) -> None:
    request = booked(benali, [FRIDAY])
    refuse(request, "Sortie scolaire ce jour-là.", by=malika)
    html = page("request", request.number)

    assert "Refusée" in html and "Sortie scolaire ce jour-là." in html and "par Malika Roux, le" in html
    assert 'id="reponse"' not in html and 'name="lues"' not in html


@pytest.mark.row("A4")
def test_the_family_page_tells_enrolments_and_links_the_last_requests(benali: Family, malika: User, page: Page) -> None:
    request = booked(benali, [FRIDAY])
    asked = ask(benali, "mercredi", children=benali.children[:1])
    refuse(asked, "Il n’y a plus de place.", by=malika)
    html = page("family", benali.household.pk)

    assert html.count("Acceptée") >= 2 and "Il n’y a plus de place." in html
    assert reverse("office:request", args=[request.number]) in html


def test_the_keys_can_be_turned_off(desk: Client) -> None:
    assert 'data-keys="on"' in desk.get(reverse("office:queue")).content.decode()
    desk.post(reverse("office:keys"), {})
    assert 'data-keys="on"' not in desk.get(reverse("office:queue")).content.decode()
    desk.post(reverse("office:keys"), {"actifs": "1"})
    assert 'data-keys="on"' in desk.get(reverse("office:queue")).content.decode()
