"""A family's month at the agents': every open day, its check, its reason, and what the family reads of it."""

import re
import uuid
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marelle.accounts.models import AgentRole, User
from marelle.activities.models import OpeningDay, Site
from marelle.bookings.models import Booking
from marelle.requests.models import FamilyRequest
from tests.offer import AT, Family, agent, booked, enrolled, family, paris
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

TODAY, THURSDAY, MONDAY = date(2026, 11, 10), date(2026, 11, 12), date(2026, 11, 16)


def path(who: Family, rest: str = "") -> str:
    return f"/agents/familles/{who.household.pk}/planning/cantine/{rest}"


def boxes(text: str) -> dict[str, bool]:
    """The grid's boxes by value, and whether each is ticked."""
    found = re.findall(r'<input type="checkbox"[^>]*>', text)
    return {re.search(r'value="([^"]+)"', one)[1]: " checked" in one for one in found}  # type: ignore[index]


def form(text: str) -> dict[str, list[str]]:
    """What the month's form would post as it stands."""
    fields: dict[str, list[str]] = {"seen": re.findall(r'name="seen" value="([^"]*)"', text)}
    fields["want"] = [key for key, ticked in boxes(text).items() if ticked]
    for name in ("mois", "garde"):
        fields[name] = re.findall(rf'name="{name}" value="([^"]*)"', text)[:1]
    return fields


def key(who: Family, day: date, text: str, name: str = "Inès") -> str:
    child = next(child for child in who.children if child.first_name == name)
    return next(box for box in boxes(text) if box.startswith(f"{child.pk}.") and box.endswith(day.isoformat()))


def toggled(who: Family, text: str, *days: date) -> dict[str, Any]:
    fields = form(text)
    for day in days:
        box = key(who, day, text)
        fields["want"] = (
            [one for one in fields["want"] if one != box] if box in fields["want"] else [*fields["want"], box]
        )
    return fields


def check(desk: Client, who: Family, *days: date) -> str:
    text = desk.get(path(who), {"mois": "2026-11"}).text
    answer = desk.post(path(who), toggled(who, text, *days) | {"do": "check"})
    assert answer.status_code == 200
    return plain_spaces(answer.text)


def send(desk: Client, who: Family, checked: str, **more: str) -> Any:
    hidden = dict(re.findall(r'type="hidden" name="(garde|send_key|mois)" value="([^"]*)"', checked))
    return desk.post(path(who, "enregistrer/"), hidden | more)


@pytest.mark.row("D10", "S3")
def test_past_its_limit_a_day_is_booked_with_a_reason_that_the_family_reads(desk: Client, benali: Family) -> None:
    checked = check(desk, benali, TODAY, MONDAY)
    assert "Ajouter mardi 10 novembre" in checked and "Après la limite du lundi 9 novembre, 9 h" in checked
    refused = send(desk, benali, checked)
    assert refused.status_code == 422 and "Dites pourquoi vous passez outre" in refused.text
    assert not Booking.objects.exists()

    done = send(desk, benali, plain_spaces(refused.text), modele="appel", motif="Mamie est malade")
    assert done.status_code == 302 and done.url == path(benali, "?mois=2026-11")
    request = FamilyRequest.objects.get(by_agent=True)
    assert set(Booking.objects.values_list("date", "state", "booked_late")) == {
        (TODAY, "booked", True),
        (MONDAY, "booked", False),
    }
    home = Client()
    home.force_login(benali.user)
    sheet = plain_spaces(home.get(f"/planning/cantine/jour/{TODAY}/").text)
    assert "Réservé par le service, après la limite." in sheet
    assert "réservation faite par Malika Roux (après la limite)" in sheet
    assert "À la demande de la famille, par téléphone. Mamie est malade" in sheet
    assert "faite par le service" in plain_spaces(home.get("/demarches/").text)
    assert "Faite par le service" in plain_spaces(home.get(f"/demandes/{request.number}/").text)


@pytest.mark.row("D10", "S3")
@pytest.mark.parametrize(("billed", "due", "words"), [("oui", 100, "reste facturé"), ("non", 0, "non facturé")])
def test_a_day_cancelled_late_is_billed_or_not_as_the_agent_chooses(
    desk: Client, benali: Family, malika: User, billed: str, due: int, words: str
) -> None:
    booked(benali, [TODAY], by=malika, at=paris(2026, 11, 2, 10))
    checked = check(desk, benali, TODAY)
    assert "Annulé, reste facturé (règle de la commune : 100 %)" in checked
    send(desk, benali, checked, modele="justificatif", facture=billed)
    assert Booking.objects.get(state="cancelled").still_due == due
    home = Client()
    home.force_login(benali.user)
    assert f"après la limite, {words}" in plain_spaces(home.get(f"/planning/cantine/jour/{TODAY}/").text)


def test_choices_are_kept_from_month_to_month_and_nothing_is_written(desk: Client, benali: Family) -> None:
    text = desk.get(path(benali), {"mois": "2026-11"}).text
    december = desk.post(path(benali), toggled(benali, text, MONDAY) | {"do": "go:2026-12"}).text
    assert "1 changement sur un autre mois" in december
    checked = plain_spaces(desk.post(path(benali), toggled(benali, december, date(2026, 12, 7)) | {"do": "check"}).text)
    assert "Ajouter lundi 16 novembre" in checked and "Ajouter lundi 7 décembre" in checked
    again = desk.post(
        path(benali), {"garde": re.findall(r'name="garde" value="([^"]*)"', checked)[0], "do": "go:2026-11"}
    )
    assert boxes(again.text)[key(benali, MONDAY, again.text)]
    assert not Booking.objects.exists()


def test_a_full_day_says_by_how_many_it_is_exceeded_and_stops_at_its_margin(desk: Client, benali: Family) -> None:
    days = OpeningDay.objects.filter(unit__service__slug="cantine")
    days.filter(date=MONDAY).update(capacity=0, ceiling=1)
    days.filter(date=THURSDAY).update(capacity=0, ceiling=0)
    text = desk.get(path(benali), {"mois": "2026-11"}).text
    assert "dépasse de 1" in plain_spaces(text)
    assert not [box for box in boxes(text) if box.endswith(str(THURSDAY))]
    assert "Complet : dépasse de 1" in check(desk, benali, MONDAY)


def test_a_day_asked_leads_to_its_request_and_a_closed_one_has_no_box(desk: Client, benali: Family) -> None:
    number = booked(benali, [MONDAY]).number
    text = desk.get(path(benali), {"mois": "2026-11"}).text
    assert f'href="/agents/demandes/{number}/"' in text
    assert not [box for box in boxes(text) if box.endswith((str(MONDAY), "2026-11-11"))]


def test_the_same_form_twice_makes_one_request(desk: Client, benali: Family) -> None:
    checked = check(desk, benali, TODAY)
    for _ in range(2):
        assert send(desk, benali, checked, modele="appel").status_code == 302
    assert FamilyRequest.objects.filter(by_agent=True).count() == 1 == Booking.objects.count()


@pytest.mark.row("S3")
def test_an_agent_of_another_site_finds_nothing_and_a_director_may_not(benali: Family) -> None:
    nursery = Site.objects.get(slug="ecole-maternelle")
    other = family("Moreau", [("Léo", "CE2")])
    limited, director = agent("Karim Haddad"), agent("Lina Petit")
    limited.agent_role.sites.add(nursery)
    AgentRole.objects.filter(user=director).update(kind=AgentRole.Kind.SITE)
    desk = Client()
    desk.force_login(limited)
    text = desk.get(path(benali), {"mois": "2026-11"}).text
    children = {int(box.split(".")[0]) for box in boxes(text)}
    assert children == {child.pk for child in benali.children if child.first_name == "Tom"}
    assert desk.get(path(other)).status_code == 404
    ines = next(child.pk for child in benali.children if child.first_name == "Inès")
    unit = next(iter(boxes(text))).split(".")[1]
    forged = {"garde": f"{ines}.{unit}.{MONDAY}=book=free", "send_key": str(uuid.uuid4())}
    assert desk.post(path(benali, "enregistrer/"), forged).status_code == 404
    desk.force_login(director)
    assert desk.get(path(benali)).status_code == 403


@pytest.mark.parametrize(
    "garde", ["x", "1.2.3=book=free", "1.2.2026-11-16=eat=free", "a.b.c=d", "1.2.2026-11-16=book=free"]
)
def test_a_form_that_is_not_ours_is_a_404(desk: Client, benali: Family, garde: str) -> None:
    sent = {"garde": garde, "send_key": str(uuid.uuid4()), "do": "check"}
    assert desk.post(path(benali), sent).status_code == 404
    assert desk.post(path(benali, "enregistrer/"), sent).status_code == 404


@pytest.mark.parametrize("children", [1, 6])
def test_a_month_asks_as_much_for_one_child_as_for_six(desk: Client, malika: User, children: int) -> None:
    who = family("Grand", [(name, "CE2") for name in ("Ana", "Bo", "Chloé", "Dan", "Eva", "Flo")[:children]])
    enrolled(who, by=malika, at=paris(2026, 9, 1, 10))
    booked(who, [MONDAY], by=malika, at=AT)
    booked(who, [THURSDAY], at=AT)
    desk.get(path(who))
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(path(who), {"mois": "2026-11"}).status_code == 200
    assert len(queries) == 17, [query["sql"][:90] for query in queries]


def press(desk: Client, who: Family, text: str, order: str) -> str:
    return plain_spaces(desk.post(path(who), form(text) | {"do": order}).text)


def chosen(text: str) -> set[str]:
    """The boxes ticked on the page, by child and day."""
    return {key.partition(".")[0] + " " + key.rpartition(".")[2] for key, ticked in boxes(text).items() if ticked}


@pytest.mark.row("D10", "C4")
def test_a_shortcut_ticks_every_monday_to_come_is_told_and_taken_back(desk: Client, benali: Family) -> None:
    text = desk.get(path(benali), {"mois": "2026-11"}).text
    ines, tom = (child.pk for child in benali.children)
    told = press(desk, benali, text, "on:shown:d0")
    assert "6 jours ajoutés." in told
    mondays = {f"2026-11-{day}" for day in (16, 23, 30)}
    assert chosen(told) == {f"{child} {day}" for child in (ines, tom) for day in mondays}, "the past ones stay"
    assert not Booking.objects.exists()

    back = desk.post(path(benali), form(told) | {"do": "back", "avant": ""}).text
    assert chosen(back) == set()

    checked = desk.post(path(benali), form(told) | {"do": "check"}).text
    assert plain_spaces(checked).count("Ajouter lundi") == 6


@pytest.mark.row("D10", "C4")
def test_a_shortcut_for_one_child_over_the_period_says_what_it_leaves(desk: Client, benali: Family) -> None:
    place = OpeningDay.objects.get(date=MONDAY, unit__service__slug="cantine", group__slug="elementaire")
    OpeningDay.objects.filter(pk=place.pk).update(capacity=0, ceiling=0)
    text = desk.get(path(benali), {"mois": "2026-11"}).text
    told = press(desk, benali, text, f"on:period:d0:c{benali.children[0].pk}")
    assert "1 laissé de côté : lundi 16 novembre, Inès (complet" in told
    kept = re.findall(r'name="garde" value="([^"]*)"', told)[0].split()
    assert len(kept) > 10 and all(one.startswith(f"{benali.children[0].pk}.") for one in kept), "other months are kept"

    gone = press(desk, benali, told, "off:shown")
    assert chosen(gone) == set() and "2 jours annulés." in gone
    assert re.findall(r'name="garde" value="([^"]*)"', gone)[0].split() == kept


@pytest.mark.row("D10", "C4")
def test_a_week_is_cancelled_in_one_press(desk: Client, benali: Family, malika: User) -> None:
    booked(benali, [MONDAY, date(2026, 11, 17)], by=malika)
    text = desk.get(path(benali), {"mois": "2026-11"}).text
    told = press(desk, benali, text, "off:2026-11-16")
    assert "4 jours annulés." in told and chosen(told) == set()
