"""The shortcuts of the planning without JavaScript: what they add, what they leave alone, what they say, their undo."""

import re
from collections import Counter
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay, Unit
from marelle.bookings.models import BasketLine, Booking, Enrolment
from marelle.foundation.models import AuditLine
from tests import guides
from tests.offer import Family, agent, booked, cadours, choose, enrolled, family, paris, send
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

MONTH = "/planning/cantine/?mois=2026-11"
CANTEEN = "/planning/cantine/"


@pytest.fixture
def home() -> Family:
    cadours()
    who = family()
    enrolled(who, by=agent())
    return who


@pytest.fixture
def valmontier() -> Family:
    return guides.valmontier()


def press(
    screen: Screen, path: str, do: str, *, tick: tuple[str, ...] = (), untick: tuple[str, ...] = (), **more: str
) -> str:
    """Open the page, change some boxes, press the button of that value, as a browser without scripts does."""
    screen.go(path)
    form = screen.markup.partition('id="planning"')[2].partition("</form>")[0]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        if name != "csrfmiddlewaretoken":
            fields.setdefault(name, []).append(value)
    boxes = re.findall(r'<input type="checkbox" id="t-[^"]+" name="want" value="([^"]+)"( checked)?', form)
    fields["want"] = [key for key, on in boxes if on and key not in untick] + list(tick)
    return screen.post(path.partition("?")[0], fields | {"do": do} | more)


def basket() -> Counter[str]:
    return Counter(f"{line.act} {line.date:%m-%d}" for line in BasketLine.objects.all())


@pytest.mark.row("C4")
def test_all_mondays_shown_are_added_and_taken_back_without_touching_the_rest(settings: Settings, home: Family) -> None:
    booked(home, [date(2026, 11, 16)])
    screen = Screen(settings, home.user)
    ines = home.children[0].pk
    unit = Unit.objects.get(service__slug="cantine").pk
    text = press(screen, MONTH, "on:shown:d0", tick=(f"{ines}.{unit}.2026-11-19",))
    assert "2 lundis ajoutés pour Inès et Tom." in text
    assert basket() == {"book 11-23": 2, "book 11-30": 2, "book 11-19": 1}, (
        "what is recorded is left, and ticks are kept"
    )
    token = re.search(r'value="(back:\w+)"', screen.markup)
    assert token
    text = press(screen, MONTH, token[1])
    assert "Annulé : 4 choix remis comme avant." in text
    assert basket() == {"book 11-19": 1}, "only the shortcut is undone"
    assert "Il n’y a plus rien à annuler." in press(screen, MONTH, token[1])


@pytest.mark.row("C4")
def test_what_is_full_is_told_with_its_reason_and_a_booking_shortcut_never_cancels(
    settings: Settings, home: Family
) -> None:
    OpeningDay.objects.filter(date=date(2026, 11, 23)).update(capacity=0, ceiling=0)
    booked(home, [date(2026, 11, 16)])
    choose(home, [date(2026, 11, 16)], wanted=False)
    text = press(Screen(settings, home.user), MONTH, "on:shown:d0")
    assert "1 lundi ajouté pour Inès et Tom. 2 ignorés : lundi 23 novembre (complet)." in text
    assert basket() == {"cancel 11-16": 2, "book 11-30": 2}, "what the family chose to cancel stays its choice"
    assert Booking.objects.filter(state="pending").count() == 2


@pytest.mark.row("C4", "B2")
def test_a_week_and_everything_and_their_contrary(settings: Settings, home: Family) -> None:
    screen = Screen(settings, home.user)
    text = press(screen, MONTH, "on:2026-11-16")
    assert "4 jours ajoutés pour Inès et Tom." in text
    assert basket() == {f"book 11-{day}": 2 for day in (16, 17, 19, 20)}
    assert "2 jours annulés" not in press(screen, MONTH, "on:shown")
    assert len(basket()) > 8
    press(screen, MONTH, "off:shown")
    assert basket() == {}
    assert "Rien à annuler ici." in press(screen, MONTH, "off:shown")


@pytest.mark.row("C4")
def test_the_mondays_of_the_whole_period_go_beyond_the_page(settings: Settings, home: Family) -> None:
    press(Screen(settings, home.user), MONTH, "on:period:d0")
    days = sorted({line.date for line in BasketLine.objects.all()})
    assert {day.weekday() for day in days} == {0}
    assert days[0] == date(2026, 11, 16) and days[-1] > date(2027, 6, 20)


@pytest.mark.row("C11")
def test_a_units_column_books_for_one_child_what_is_shown_or_the_period(settings: Settings, valmontier: Family) -> None:
    screen = Screen(settings, valmontier.user)
    evening = Unit.objects.get(service__slug="periscolaire", slug="soir").pk
    tom = valmontier.children[1].pk
    week = "/planning/periscolaire/?vue=semaine&semaine=2026-11-16"
    text = press(screen, week, f"on:shown:c{tom}:u{evening}")
    assert "4 jours ajoutés, soir pour Tom." in text
    assert {(line.child_id, line.unit_id) for line in BasketLine.objects.all()} == {(tom, evening)}
    press(screen, week, f"on:period:c{tom}:u{evening}")
    assert BasketLine.objects.count() > 100
    press(screen, week, f"off:period:c{tom}:u{evening}")
    assert BasketLine.objects.count() == 0


@pytest.mark.row("C11", "D7")
def test_weekdays_chosen_apply_to_the_week_the_period_or_from_one_date_to_another(
    settings: Settings, valmontier: Family
) -> None:
    screen = Screen(settings, valmontier.user)
    evening = Unit.objects.get(service__slug="periscolaire", slug="soir").pk
    ines = valmontier.children[0].pk
    page = "/planning/periscolaire/periode/"
    chosen = {"vue": "semaine", "semaine": "2026-11-16", "enfants": ines, "day": [f"{evening}.1", f"{evening}.3"]}
    text = screen.post(page, chosen | {"span": "shown"})
    assert "2 jours ajoutés, soir pour Inès." in text and screen.place == "/planning/periscolaire/"
    assert basket() == {"book 11-17": 1, "book 11-19": 1}
    BasketLine.objects.all().delete()
    text = screen.post(page, chosen | {"span": "dates", "du": "2026-12-01", "au": "2026-12-31", "day": f"{evening}.1"})
    assert basket() == {"book 12-01": 1, "book 12-08": 1, "book 12-15": 1}
    assert "3 mardis ajoutés" in text
    text = screen.post(page, chosen | {"span": "dates", "du": "2026-12-31", "au": "2026-12-01"})
    assert screen.status == 422 and "La date de fin doit venir après celle du début." in text


@pytest.mark.parametrize("bad", [{"enfants": "999999"}, {"day": "x.y"}, {"day": "999999.1"}, {"enfants": "1e9"}])
def test_a_forged_selection_is_a_404(settings: Settings, valmontier: Family, bad: dict[str, str]) -> None:
    evening = Unit.objects.get(service__slug="periscolaire", slug="soir").pk
    good = {"enfants": valmontier.children[0].pk, "day": f"{evening}.1", "span": "period"}
    screen = Screen(settings, valmontier.user)
    screen.post("/planning/periscolaire/periode/", good | bad)
    assert screen.status == 404 and BasketLine.objects.count() == 0


@pytest.mark.row("C5")
def test_usual_days_fill_the_year_for_both_children_and_may_be_kept(settings: Settings, home: Family) -> None:
    screen = Screen(settings, home.user)
    unit = Unit.objects.get(service__slug="cantine").pk
    assert (
        screen.go("/planning/cantine/semaine-type/?mois=2026-11").count("lundi")
        and screen.markup.count(" checked") == 9
    )
    days = [f"{child.pk}.{unit}.{weekday}" for child in home.children for weekday in (0, 3)]
    text = screen.post("/planning/cantine/semaine-type/", {"mois": "2026-11", "span": "year", "day": days, "keep": "1"})
    assert "Jours habituels gardés." in text
    found = {line.date.weekday() for line in BasketLine.objects.all()}
    assert found == {0, 3} and BasketLine.objects.count() > 100
    assert {tuple(usual) for usual in Enrolment.objects.values_list("usual_weekdays", flat=True)} == {(0, 3)}
    kept = AuditLine.objects.filter(action="enrolment.usual_days")
    assert kept.count() == 2 and "lundi et jeudi" in kept[0].text
    assert 'value="back:' in screen.markup, "the whole act can be undone"


def test_another_service_s_undo_and_another_family_s_are_nothing(settings: Settings, home: Family) -> None:
    screen = Screen(settings, home.user)
    press(screen, MONTH, "on:shown:d0")
    other = Screen(settings, family("Moreau", first_name="Julien").user)
    assert other.client.post(CANTEEN, {"do": "back:0000", "mois": "2026-11"}).status_code == 404
    before = basket()
    assert "Il n’y a plus rien à annuler." in press(screen, MONTH, "back:0000")
    assert basket() == before


def test_an_order_that_is_not_one_changes_nothing(settings: Settings, home: Family) -> None:
    screen = Screen(settings, home.user)
    for do in (
        "on:",
        "on:shown:d",
        "on:x",
        "on:shown:z1",
        "off:2026-13-40",
        "on:shown:d0:c-1",
        "pick:x",
        "go:semaine=9",
    ):
        press(screen, MONTH, do)
        assert screen.status == 200, do
    assert basket() == {}


# ── the views ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.row("C9")
def test_a_service_with_several_units_opens_on_a_week_and_moves_keeping_ticks(
    settings: Settings, valmontier: Family
) -> None:
    screen = Screen(settings, valmontier.user)
    text = screen.go("/planning/periscolaire/")
    assert "9–13 nov." in text and 'class="grid grid--week"' in screen.markup
    evening = Unit.objects.get(service__slug="periscolaire", slug="soir").pk
    key = f"{valmontier.children[0].pk}.{evening}.2026-11-13"
    text = press(screen, "/planning/periscolaire/", "go:semaine=2026-11-16", tick=(key,))
    assert "16–20 nov." in text and basket() == {"book 11-13": 1}
    text = press(screen, screen.path, "go", vers="semaine=2026-12-14")
    assert "14–18 déc." in text
    assert "4–8 jan." in press(screen, screen.path, "go:semaine=2027-01-04")
    before = re.search(r'value="go:(semaine=[\d-]+)"', screen.markup)
    assert before and before[1] == "semaine=2026-12-14", "weeks without school are passed over"
    press(screen, screen.path, "go:vue=mois")
    assert "Janvier 2027" in press(screen, screen.path, "save")
    press(screen, screen.path, "go:vue=periode")
    assert screen.path.endswith("vue=periode&periode=2026-2027"), screen.path


@pytest.mark.row("C9")
def test_the_establishment_then_the_period_come_first(settings: Settings, valmontier: Family) -> None:
    screen = Screen(settings, valmontier.user)
    text = screen.go("/planning/vacances/")
    assert (
        screen.place == "/planning/vacances/lieu/" and "Quel établissement ?" in text and "Quelle période" not in text
    )
    text = screen.go("/planning/vacances/lieu/?lieu=accueil-des-rives")
    assert "Vacances de Noël du samedi 19 décembre" in text and "ouvre le samedi 30 janvier 2027" in text
    link = re.search(r'class="choice" href="([^"]*noel[^"]*)"', screen.markup)
    assert link
    text = screen.go(link[1].replace("&amp;", "&"))
    assert "Accueil de loisirs des Rives, Vacances de Noël Changer" in text and "21–25 déc." in text
    journee = Unit.objects.get(service__slug="vacances", slug="journee").pk
    press(screen, screen.path, f"on:period:u{journee}")
    lines = BasketLine.objects.select_related("enrolment__activity__site")
    assert {line.enrolment.activity.site.slug for line in lines} == {"accueil-des-rives"}
    assert {line.date.month for line in lines} == {12}, "only the chosen period, only its open days"


@pytest.mark.row("D7", "C9")
def test_a_year_of_two_children_is_drawn_with_as_many_queries_as_a_month(settings: Settings, home: Family) -> None:
    booked(home, [date(2026, 11, 12), date(2027, 1, 7)], by=agent())
    screen = Screen(settings, home.user, at=paris(2026, 11, 24, 9))
    path = "/planning/cantine/?vue=periode&periode=annee"
    screen.go(path)
    with CaptureQueriesContext(connection) as queries:
        text = screen.go(path)
    assert screen.markup.count('name="want"') > 190
    assert "Semaine passée : 2 repas." in text, "past weeks are folded"
    with CaptureQueriesContext(connection) as month:
        screen.go("/planning/cantine/?mois=2026-12")
    assert len(queries) - len(month) <= 1, "the service's periods are the one thing more"
    assert screen.markup.count('name="seen"') < 8


@pytest.mark.parametrize("children", [1, 3])
def test_a_week_costs_the_same_for_one_child_and_for_three(settings: Settings, children: int) -> None:
    cadours()
    who = family("Grand", (("Ana", "CE2"), ("Bo", "CE1"), ("Zoé", "CP"))[:children])
    enrolled(who, by=agent())
    screen = Screen(settings, who.user)
    path = "/planning/cantine/?vue=semaine&semaine=2026-11-16"
    screen.go(path)
    with CaptureQueriesContext(connection) as queries:
        screen.go(path)
    assert len(queries) <= 13, [query["sql"][:90] for query in queries]


# ── the day ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.row("B2", "D5")
def test_a_day_says_its_limit_places_history_and_whom_to_write_to(settings: Settings, home: Family) -> None:
    number = booked(home, [date(2026, 11, 19)], children=home.children[:1]).number
    screen = Screen(settings, home.user)
    screen.go(MONTH)
    assert 'href="/planning/cantine/jour/2026-11-19/?mois=2026-11"' in screen.markup
    text = screen.go("/planning/cantine/jour/2026-11-19/?mois=2026-11")
    assert "Jeudi 19 novembre" in text and "Modifiable jusqu’au mercredi 18 novembre, 9 h" in text
    assert f"Inès : réservation en cours, demande n° {number}" in text and "Rien pour Tom ce jour-là." in text
    assert "mairie-cadours.example" in text
    unit = Unit.objects.get(service__slug="cantine").pk
    ines, tom = (child.pk for child in home.children)
    seen = screen.field("seen")
    screen.post("/planning/cantine/jour/2026-11-19/", {
        "mois": "2026-11", "seen": seen, "do": "save",
        "want": [f"{ines}.{unit}.2026-11-19", f"{tom}.{unit}.2026-11-19"],
    })  # fmt: skip
    assert screen.path == "/planning/cantine/?mois=2026-11" and basket() == {"book 11-19": 1}
    assert "Tom : à ajouter, pas encore envoyé" in screen.go("/planning/cantine/jour/2026-11-19/")


def test_a_day_whose_cancellation_waits_is_neither_booked_nor_too_late(settings: Settings, home: Family) -> None:
    booked(home, [date(2026, 11, 23)], by=User.objects.get(agent_role__isnull=False))
    send(home, choose(home, [date(2026, 11, 23)], wanted=False))
    text = Screen(settings, home.user).go("/planning/cantine/jour/2026-11-23/")
    assert "Annulation envoyée : elle attend sa réponse." in text
    assert "Déjà réservé" not in text and "Trop tard ?" not in text


def test_a_day_that_is_no_day_is_a_404_and_a_locked_one_says_since_when(settings: Settings, home: Family) -> None:
    screen = Screen(settings, home.user)
    for day in ("2026-13-01", "demain", "1999-01-01", "20261119"):
        screen.go(f"/planning/cantine/jour/{day}/")
        assert screen.status == 404, day
    text = screen.go("/planning/cantine/jour/2026-11-10/")
    assert "le délai était lundi 9 novembre, 9 h" in text and "Trop tard ?" in text
    assert "Rien n’est ouvert" in screen.go("/planning/cantine/jour/2026-11-11/")


def test_the_month_on_paper_says_when_it_was_printed(settings: Settings, home: Family) -> None:
    assert "imprimé le mardi 10 novembre 2026, 8 h 52" in Screen(settings, home.user).go(MONTH)
