"""What the pages say of choices that are not sent: on leaving, at home, at the check, on another device."""

from datetime import date, timedelta

import pytest
from pytest_django import Settings

from marelle.bookings.models import BasketLine
from marelle.bookings.services.reminders import tick
from tests.offer import AT, Family, agent, booked, cadours, choose, enrolled, family, paris
from tests.portal.visit import Screen

pytestmark = [pytest.mark.django_db, pytest.mark.row("D6")]

THURSDAY, MONDAY, DECEMBER = date(2026, 11, 12), date(2026, 11, 16), date(2026, 12, 14)


@pytest.fixture
def benali() -> Family:
    cadours()
    who = family()
    enrolled(who, by=agent())
    return who


def test_signing_out_without_javascript_asks_what_becomes_of_the_choices(settings: Settings, benali: Family) -> None:
    choose(benali, [MONDAY, DECEMBER])
    screen = Screen(settings, benali.user)
    seen = screen.post("/deconnexion/")
    assert screen.place == "/deconnexion/"
    assert "Vos 4 changements ne sont pas envoyés." in seen
    assert screen.go("/").startswith("Mardi 10 novembre")  # still in

    screen.post("/deconnexion/", {"choix": "garder"})
    assert screen.place == "/connexion/"
    assert BasketLine.objects.count() == 4
    screen.go("/")
    assert screen.place == "/connexion/"


def test_choices_that_are_erased_on_leaving_are_gone(settings: Settings, benali: Family) -> None:
    choose(benali, [MONDAY])
    other = family("Moreau", [("Léo", "CP")])
    enrolled(other, by=agent())
    choose(other, [MONDAY])
    screen = Screen(settings, benali.user)
    screen.post("/deconnexion/", {"choix": "effacer"})
    assert screen.place == "/connexion/"
    assert list(BasketLine.objects.values_list("basket__user", flat=True)) == [other.user.pk]


def test_who_has_nothing_to_send_just_leaves(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    screen.post("/deconnexion/")
    assert screen.place == "/connexion/"


def test_an_empty_basket_says_so(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    assert "Aucun changement. Cochez des jours pour réserver." in screen.go("/planning/verifier/")
    assert "Aucun changement. Cochez des jours pour réserver." in screen.go("/planning/cantine/?mois=2026-11")


def test_home_says_the_first_limit(settings: Settings, benali: Family) -> None:
    choose(benali, [MONDAY, DECEMBER])
    assert "4 changements ne sont pas envoyés Premier délai : dimanche 15 novembre, 9 h" in Screen(
        settings, benali.user
    ).go("/")


def test_a_limit_within_three_days_stands_out_at_the_check(settings: Settings, benali: Family) -> None:
    choose(benali, [THURSDAY, DECEMBER], children=benali.children[:1])
    screen = Screen(settings, benali.user)
    screen.go("/planning/verifier/")
    assert screen.markup.count('class="due"') == 1
    screen.at(AT + timedelta(days=31)).go("/planning/verifier/")
    assert screen.markup.count('class="due"') == 1


def test_taking_a_line_out_says_which_and_comes_back_to_its_place(settings: Settings, benali: Family) -> None:
    choose(benali, [MONDAY, DECEMBER], children=benali.children[:1])
    first, second = BasketLine.objects.order_by("date")
    screen = Screen(settings, benali.user)
    seen = screen.post(f"/planning/retirer/{first.pk}/")
    assert screen.path == f"/planning/verifier/#ligne-{second.pk}"
    assert f'id="ligne-{second.pk}" tabindex="-1"' in screen.markup
    assert "Retiré de votre demande : Inès, lundi 16 novembre." in seen
    screen.post(f"/planning/retirer/{second.pk}/")
    assert screen.path == "/planning/verifier/"


def test_a_day_gone_by_is_told_at_the_check_and_in_the_history(settings: Settings, benali: Family) -> None:
    choose(benali, [THURSDAY], children=benali.children[:1])
    screen = Screen(settings, benali.user, at=paris(2026, 11, 12, 10))
    assert "Inès, ajouter jeudi 12 novembre : Trop tard" in screen.go("/planning/verifier/")
    at = paris(2026, 11, 13, 7, 30)
    tick(at=at)
    said = "Choix jamais envoyés, retirés car leur jour est passé : Inès jeudi 12 novembre (Cantine)."
    assert said in screen.at(at).go("/planning/verifier/")
    assert said in screen.go("/famille/historique/")
    assert said not in screen.at(at + timedelta(days=8)).go("/planning/verifier/")


def test_two_devices_share_one_basket_and_a_day_taken_meanwhile_is_told(settings: Settings, benali: Family) -> None:
    phone, laptop = Screen(settings, benali.user), Screen(settings, benali.user)
    child = benali.children[0].pk
    laptop.go("/planning/cantine/?mois=2026-11")
    unit = laptop.markup.partition(f'value="{child}.')[2].partition(".")[0]
    key = f"{child}.{unit}.2026-11-16"
    phone.post("/planning/cantine/", {"mois": "2026-11", "seen": f"{key}=free", "want": key})
    assert "Ajouter lundi 16 novembre" in laptop.go("/planning/verifier/")

    # Meanwhile the day is sent from elsewhere; what an old page says of it is told, and changes nothing.
    BasketLine.objects.all().delete()
    booked(benali, [MONDAY], children=benali.children[:1])
    seen = laptop.post("/planning/cantine/", {"mois": "2026-11", "seen": f"{key}=free", "do": "check"})
    assert "Lundi 16 novembre, Inès" not in seen  # it stood unticked, and free: nothing was asked
    again = date(2026, 11, 17)
    other = f"{child}.{unit}.2026-11-17"
    booked(benali, [again], children=benali.children[:1])
    seen = laptop.post("/planning/cantine/", {"mois": "2026-11", "seen": f"{other}=booked", "do": "save"})
    assert "Mardi 17 novembre, Inès" in seen
    assert BasketLine.objects.count() == 0


def test_a_refused_tick_is_told_once_however_often_it_is_posted(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    child = benali.children[0].pk
    screen.go("/planning/cantine/?mois=2026-11")
    unit = screen.markup.partition(f'value="{child}.')[2].partition(".")[0]
    key = f"{child}.{unit}.2026-11-12"
    late = {"mois": "2026-11", "seen": f"{key}=free", "want": key}
    screen.at(paris(2026, 11, 12, 7))
    for do in ("keep", "look", "keep"):
        screen.client.post("/planning/cantine/", late | {"do": do})
    seen = screen.post("/planning/cantine/", late | {"do": "save"})
    assert seen.count("Jeudi 12 novembre, Inès : Trop tard") == 1


def test_what_a_device_sends_a_second_time_does_not_come_back(settings: Settings, benali: Family) -> None:
    screen = Screen(settings, benali.user)
    child = benali.children[0].pk
    screen.go("/planning/cantine/?mois=2026-11")
    unit = screen.markup.partition(f'value="{child}.')[2].partition(".")[0]
    key = f"{child}.{unit}.2026-11-16"
    left = {"mois": "2026-11", "seen": f"{key}=free", "want": key, "number": "mi5b-x7", "do": "keep"}
    screen.client.post("/planning/cantine/", left)  # as the page closed: it never heard the answer
    assert BasketLine.objects.count() == 1
    screen.post("/planning/cantine/", {"mois": "2026-11", "do": "undo"})  # on another device
    assert BasketLine.objects.count() == 0

    screen.client.post("/planning/cantine/", left | {"do": "keep:device"})
    assert BasketLine.objects.count() == 0
    screen.client.post("/planning/cantine/", left | {"number": "mi5b-x8"})
    assert BasketLine.objects.count() == 1, "the same choice made again is another posting"


def test_asking_what_does_not_go_together_sends_no_box(settings: Settings, benali: Family) -> None:
    choose(benali, [MONDAY])
    screen = Screen(settings, benali.user)
    screen.client.post("/planning/cantine/", {"mois": "2026-11", "do": "look"})
    assert BasketLine.objects.count() == 2
