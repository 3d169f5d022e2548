"""The agents' day: who is expected where, what waits, what is left, and why nothing is open."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay
from marelle.activities.queries import calendar_of, municipality
from marelle.bookings.queries.counts import expected_on
from marelle.foundation.models import MailState, OutboxMail
from tests.offer import AT, Family, absent, accept, ask, booked, choose, enrolled, family, paris, send
from tests.office.conftest import Page
from tests.security.world import moved

pytestmark = pytest.mark.django_db

TODAY, FRIDAY, WEDNESDAY = date(2026, 11, 10), date(2026, 11, 13), date(2026, 11, 18)
EARLIER = AT - timedelta(days=5)


def figures(html: str) -> dict[str, str]:
    found = re.findall(r'class="kpi__label">.*?</svg>([^<]+)</span><strong>(\d+)</strong>', html)
    return {label.strip(): number for label, number in found}


def headcount(html: str) -> list[list[str]]:
    """The rows of the table of expected children, as text."""
    table = html.partition('<table class="eff')[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.S)
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.S)]
        for row in rows
    ]


@pytest.mark.row("S1", "A7")
def test_expected_children_by_site_count_those_who_still_wait_for_an_answer(
    benali: Family, malika: User, page: Page
) -> None:
    """Inès and Tom are booked; Léo waits: he is expected all the same, and said to be unanswered."""
    booked(benali, [TODAY], by=malika, at=EARLIER)
    roux = family("Roux", [("Léo", "CE1")], at=AT - timedelta(days=20))
    enrolled(roux, by=malika, at=AT - timedelta(days=19))
    booked(roux, [TODAY], at=EARLIER)

    html = page("home")
    assert figures(html) == {
        "Repas ce midi": "3", "Autres accueils": "0", "Demandes": "1", "E-mails non envoyés": "0",
    }  # fmt: skip
    assert headcount(html) == [
        ["Site", "Cantine", "Sans réponse"],
        ["École maternelle de Cadours", "1", "0"],
        ["École élémentaire de Cadours", "2", "1"],
        ["Total", "3", "1"],
    ]


@pytest.mark.row("A9")
def test_a_cancellation_that_waits_keeps_its_meal_and_an_answered_one_does_not(
    benali: Family, malika: User, page: Page
) -> None:
    booked(benali, [FRIDAY], by=malika, at=EARLIER)
    send(benali, choose(benali, [FRIDAY], wanted=False))
    assert figures(page("home", jour="2026-11-13"))["Repas"] == "2"

    request = benali.household.requests.latest("id")
    accept(request, by=malika)
    assert figures(page("home", jour="2026-11-13"))["Repas"] == "0"


def test_a_correction_is_opened_to_be_answered(benali: Family, page: Page) -> None:
    number = moved(benali).number
    html = page("home")
    assert reverse("office:request", args=[number]) + "#detail" in html
    assert 'value="accepter"' not in html


@pytest.mark.row("A7")
def test_a_wednesday_counts_the_centre_apart_from_meals(malika: User, page: Page) -> None:
    who = family("Martin", [("Zoé", "CE1"), ("Hugo", "PS")], at=AT - timedelta(days=20))
    enrolled(who, "mercredi", by=malika, at=AT - timedelta(days=19))
    booked(who, [WEDNESDAY], "mercredi", by=malika)

    html = page("home", jour="2026-11-18")
    assert figures(html)["Repas"] == "0" and figures(html)["Autres accueils"] == "2"
    assert ["Centre de loisirs de Cadours", "2", "0"] in headcount(html)


@pytest.mark.parametrize(
    ("day", "why", "following"),
    [
        ("2026-11-11", "C’est un jour férié (11 novembre).", "jeudi 12 novembre"),
        ("2026-11-14", "C’est le week-end.", "lundi 16 novembre"),
    ],
)
@pytest.mark.row("S1")
def test_a_closed_day_says_why_and_leads_to_the_next_open_one(page: Page, day: str, why: str, following: str) -> None:
    html = page("home", jour=day)
    assert why in html and f"Prochain jour d’accueil : {following}" in html
    assert '<table class="eff' not in html


@pytest.mark.row("S1")
def test_today_closed_is_said_of_today(page: Page, clock: Callable[[datetime], None]) -> None:
    clock(paris(2026, 11, 11, 8))
    html = page("home")
    assert "Pas d’accueil aujourd’hui" in html and "férié : 11 novembre" in html


@pytest.mark.row("S1")
def test_days_are_turned_within_the_school_calendar(desk: Client, page: Page) -> None:
    html = page("home")
    assert "?jour=2026-11-09" in html and "?jour=2026-11-11" in html and "Revenir à aujourd’hui" not in html
    assert "Revenir à aujourd’hui" in page("home", jour="2026-11-12")
    for nonsense in ("2099-01-01", "1900-01-01", "demain", "2026-02-30"):
        assert desk.get(reverse("office:home"), {"jour": nonsense}).status_code == 404


@pytest.mark.row("S1")
def test_the_first_and_last_day_of_the_calendar_do_not_lead_further(page: Page) -> None:
    calendar = calendar_of(municipality())
    assert 'rel="next"' not in page("home", jour=calendar.covered_until.isoformat())
    assert 'rel="prev"' not in page("home", jour=calendar.covered_from.isoformat())


@pytest.mark.row("S1")
def test_a_clock_beyond_the_calendar_still_shows_the_day(page: Page, clock: Callable[[datetime], None]) -> None:
    clock(paris(2040, 3, 5, 9))
    html = page("home")
    assert "Le calendrier scolaire s" in html and 'rel="next"' not in html and 'rel="prev"' not in html


@pytest.mark.row("S1")
def test_e_mails_that_could_not_leave_are_shown(benali: Family, page: Page) -> None:
    OutboxMail.objects.filter(id=OutboxMail.objects.values("id")[:1]).update(state=MailState.FAILED)
    html = page("home")
    assert figures(html)["E-mails non envoyés"] == "1" and reverse("office:mails") in html


@pytest.mark.row("A7")
def test_a_request_is_accepted_from_the_page_of_the_day(benali: Family, desk: Client, page: Page) -> None:
    request = booked(benali, [FRIDAY])
    found = re.search(r'name="lues" value="([\d ]+)"', page("home"))
    assert found
    response = desk.post(
        reverse("office:request", args=[request.number]), {"do": "accepter", "lues": found[1], "retour": "jour"}
    )

    assert response["Location"] == reverse("office:home")
    assert f"n° {request.number} : demande acceptée" in page("home")
    assert set(request.lines.values_list("state", flat=True)) == {"accepted"}


@pytest.mark.row("A7")
def test_the_first_five_requests_are_shown_with_the_oldest_age(malika: User, page: Page) -> None:
    for n in range(6):
        ask(family(f"Foyer {n}", [("Léa", "CP")]), at=AT - timedelta(hours=n + 1))
    html = page("home")

    assert html.count('class="req"') == 5 and "Voir les 6" in html and "La plus ancienne : 6 heures" in html


@pytest.mark.row("A7")
def test_places_left_are_those_of_the_next_open_days(malika: User, page: Page) -> None:
    day = OpeningDay.objects.filter(date=WEDNESDAY, unit__service__slug="mercredi", ceiling=24).get()
    OpeningDay.objects.filter(id=day.pk).update(taken=24)
    other = OpeningDay.objects.filter(date=date(2026, 11, 25), unit__service__slug="mercredi", ceiling=24).get()
    OpeningDay.objects.filter(id=other.pk).update(taken=21)

    html = page("home")
    table = next(part for part in html.split('<table class="capa">')[1:] if "Centre de loisirs" in part)
    assert "mer. 18 nov." in table and "mer. 25 nov." in table
    assert '<td class="is-full"><b>Complet</b>24 sur 24</td>' in table
    assert '<td class="is-low"><b>3 places</b>21 sur 24</td>' in table


@pytest.mark.row("S1")
def test_a_site_named_limits_what_is_counted(benali: Family, malika: User) -> None:
    booked(benali, [TODAY], by=malika, at=EARLIER)
    everything = expected_on(TODAY)
    assert [(entry.site.slug, entry.children) for entry in everything] == [
        ("ecole-maternelle", 1), ("ecole-elementaire", 1),
    ]  # fmt: skip
    one = expected_on(TODAY, sites=[everything[0].site.pk])
    assert [entry.site.slug for entry in one] == ["ecole-maternelle"]


def test_who_was_announced_absent_is_named_and_not_counted(benali: Family, malika: User, page: Page) -> None:
    """Inès will not come; Tom's day has no answer: Tom is expected, and both are named."""
    booked(benali, [TODAY], by=malika, at=EARLIER, children=benali.children[:1])
    booked(benali, [TODAY], at=EARLIER, children=benali.children[1:])
    absent(benali, TODAY, note="Rendez-vous", children=benali.children[:1], at=AT)
    html = page("home")
    assert figures(html)["Repas ce midi"] == "1"
    assert ["École élémentaire de Cadours", "0 1 absence", "0", "1"] in headcount(html)
    assert ["Total", "1", "1", "1"] in headcount(html)
    named = html.partition('id="t-named"')[2].partition("</ul>")[0]
    assert "Inès Benali" in named and "Absence signalée" in named and "signalée le mardi 10 novembre, 8 h 52" in named
    assert "Tom Benali" in named and "Demande sans réponse" in named
    assert "Rendez-vous" not in html


def test_an_absence_shows_on_its_request_in_the_queue_and_on_the_familys_page(
    benali: Family, malika: User, page: Page
) -> None:
    booked(benali, [TODAY], by=malika, at=EARLIER)
    request = absent(benali, TODAY, cause="greve", note="Les deux restent à la maison", at=AT)
    html = page("request", request.number)
    assert "Absence signalée" in html and "signalée en ligne" in html
    assert "Grève ou école fermée : rien n’est dû." in html and "Les deux restent à la maison" in html
    assert "Cantine : 2 absences" in page("queue", voir="repondues")
    shown = page("family", benali.household.pk)
    assert "Absences signalées" in shown and "Cantine, mardi 10 novembre" in shown


def test_naming_the_absent_costs_no_query_for_each(benali: Family, malika: User, desk: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            desk.get(reverse("office:home"))
        return len(seen)

    booked(benali, [TODAY], by=malika, at=EARLIER)
    absent(benali, TODAY, children=benali.children[:1], at=AT)
    count()
    one = count()
    absent(benali, TODAY, children=benali.children[1:], at=AT)
    assert count() == one
