"""Ticks posted after the session has ended: they wait at the door for whoever ticked them, and for nobody else."""

import html
import re
from datetime import date, timedelta

import pytest
from pytest_django import Settings

from marelle.accounts.models import Session
from marelle.bookings.models import BasketLine
from tests.offer import AT, PASSWORD, Family, agent, booked, cadours, enrolled, enrolments, family
from tests.portal.visit import Screen

pytestmark = [pytest.mark.django_db, pytest.mark.row("D6")]

MONDAY = date(2026, 11, 16)
NOVEMBER = "/planning/cantine/?mois=2026-11"
SAID = "Vos derniers choix sont retrouvés. Ils sont gardés, rien n’est encore envoyé."


@pytest.fixture
def benali() -> Family:
    cadours()
    who = family()
    enrolled(who, by=agent())
    return who


def form(screen: Screen, who: Family, *days: date, path: str = NOVEMBER) -> dict[str, object]:
    """What the open planning posts when these days of the first child are ticked."""
    screen.go(path)
    child, unit = who.children[0].pk, enrolments(who)[0].activity.service.units.get().pk
    return {
        "mois": "2026-11",
        "seal": screen.field("seal"),
        "seen": re.findall(r'name="seen" value="([^"]*)"', screen.markup),
        "want": [f"{child}.{unit}.{day.isoformat()}" for day in days],
    }


def sign_in(screen: Screen, who: Family) -> str:
    """From the door where the screen stands; the page that comes after it."""
    on = html.unescape(found[1]) if (found := re.search(r'name="next" value="([^"]*)"', screen.markup)) else ""
    screen.post("/connexion/", {"email": who.email, "next": on})
    return screen.post("/connexion/mot-de-passe/", {"password": PASSWORD, "next": on})


@pytest.mark.parametrize("do", ["check", "keep", "save", "go:mois=2026-12"])
def test_ticks_of_an_ended_session_are_found_again(settings: Settings, benali: Family, do: str) -> None:
    screen = Screen(settings, benali.user)
    posted = form(screen, benali, MONDAY)
    Session.objects.all().delete()

    seen = screen.post("/planning/cantine/", posted | {"do": do})
    assert screen.place == "/connexion/"
    assert "Par sécurité, votre session est fermée. Vos choix sont gardés." in seen
    assert BasketLine.objects.count() == 0  # nobody is known yet

    seen = sign_in(screen, benali)
    assert screen.path == NOVEMBER
    assert SAID in seen
    line = BasketLine.objects.get()
    assert (line.child, line.date, line.basket.user) == (benali.children[0], MONDAY, benali.user)
    assert SAID not in screen.go(NOVEMBER)


def test_ticks_of_a_page_left_open_after_signing_out_in_another_tab(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    posted = form(screen, benali, MONDAY)
    screen.post("/deconnexion/")
    screen.post("/planning/cantine/", posted)
    assert SAID in sign_in(screen, benali)
    assert BasketLine.objects.get().date == MONDAY


def test_the_sheet_of_a_day_keeps_its_ticks_too(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    path = "/planning/cantine/jour/2026-11-16/"
    posted = form(screen, benali, MONDAY, path=path)
    Session.objects.all().delete()
    screen.post(path, posted)
    assert SAID in sign_in(screen, benali)
    assert screen.place == path
    assert BasketLine.objects.get().date == MONDAY


def test_nobody_else_sees_or_keeps_them(settings: Settings, benali: Family) -> None:
    other = family("Moreau", [("Léo", "CP")])
    enrolled(other, by=agent())
    screen = Screen(settings, benali.user)
    posted = form(screen, benali, MONDAY)
    Session.objects.all().delete()
    screen.post("/planning/cantine/", posted)

    seen = sign_in(screen, other)
    assert SAID not in seen and "Inès" not in seen
    assert BasketLine.objects.count() == 0
    screen.post("/deconnexion/")
    assert SAID not in sign_in(screen, benali)  # gone, once somebody else came in
    assert BasketLine.objects.count() == 0


def test_a_seal_of_another_making_keeps_nothing(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    posted = form(screen, benali, MONDAY)
    Session.objects.all().delete()
    for seal in ("", "nonsense", str(posted["seal"])[:-1] + "x"):
        screen.post("/planning/cantine/", posted | {"seal": seal})
        assert screen.place == "/connexion/"
    assert SAID not in sign_in(screen, benali)
    assert BasketLine.objects.count() == 0


def test_a_household_left_meanwhile_gets_nothing(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    posted = form(screen, benali, MONDAY)
    Session.objects.all().delete()
    screen.post("/planning/cantine/", posted)
    other = family("Moreau", [("Léo", "CP")])
    benali.guardian.user = None
    benali.guardian.save(update_fields=["user"])
    other.guardian.user = benali.user
    other.guardian.save(update_fields=["user"])
    assert SAID not in sign_in(screen, benali)
    assert BasketLine.objects.count() == 0


def test_after_two_hours_they_are_forgotten(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    posted = form(screen, benali, MONDAY)
    Session.objects.all().delete()
    screen.post("/planning/cantine/", posted)
    screen.at(AT + timedelta(hours=2, minutes=1))
    assert SAID not in sign_in(screen, benali)
    assert BasketLine.objects.count() == 0


def test_what_changed_meanwhile_is_told(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    posted = form(screen, benali, MONDAY, MONDAY + timedelta(days=1))
    Session.objects.all().delete()
    screen.post("/planning/cantine/", posted)
    booked(benali, [MONDAY], children=benali.children[:1])
    BasketLine.objects.all().delete()
    sign_in(screen, benali)
    assert [line.date for line in BasketLine.objects.all()] == [MONDAY + timedelta(days=1)]


def test_two_pages_left_open_are_both_kept(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    november, later = (
        form(screen, benali, MONDAY),
        form(screen, benali, date(2026, 12, 14), path="/planning/cantine/?mois=2026-12"),
    )
    Session.objects.all().delete()
    screen.post("/planning/cantine/", november)
    screen.post("/planning/cantine/", later | {"mois": "2026-12"})
    assert SAID in sign_in(screen, benali)
    assert sorted(line.date for line in BasketLine.objects.all()) == [MONDAY, date(2026, 12, 14)]
