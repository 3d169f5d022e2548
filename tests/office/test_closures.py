"""The agents' pages of trips, strikes and closures: announce, read, undo."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marelle.accounts.models import User
from marelle.activities.models import Site
from marelle.bookings.models import Booking, Closure
from tests.offer import Family, booked, enrolled, family
from tests.office.conftest import Page
from tests.security.world import agent_of
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 16)
STRIKE = {"kind": "strike", "whom": "commune", "first_day": "2026-11-16", "last_day": "", "words": "Grève nationale."}
NEW = "/agents/fermetures/nouvelle/"


def key(markup: str) -> str:
    found = re.search(r'name="cle" value="([^"]+)"', markup)
    assert found is not None
    return found[1]


def announce(desk: Client, **fields: str) -> Closure:
    asked = STRIKE | fields
    desk.post(NEW, asked | {"cle": key(desk.get(NEW, asked).text)})
    return Closure.objects.latest("id")


def test_an_agent_sees_whom_it_concerns_before_anything_leaves(benali: Family, malika: User, desk: Client) -> None:
    booked(benali, [MONDAY], by=malika)
    booked(benali, [date(2026, 11, 17)])
    preview = plain_spaces(desk.get(NEW, STRIKE | {"last_day": "2026-11-17"}).text)
    assert "4 journées annulées" in preview and "2 enfants" in preview and "1 famille prévenue" in preview
    assert "2 demandes en attente" in preview and "Inès" in preview and "Tom" in preview
    assert not Closure.objects.exists() and not Booking.objects.filter(state="closed").exists()


def test_it_is_announced_once_and_undone_once(benali: Family, malika: User, desk: Client) -> None:
    booked(benali, [MONDAY], by=malika)
    sent = STRIKE | {"cle": key(desk.get(NEW, STRIKE).text)}
    assert "2 réservations annulées" in plain_spaces(desk.post(NEW, sent, follow=True).text)
    assert "rien n’a été fait deux fois" in desk.post(NEW, sent, follow=True).text
    closure = Closure.objects.get()
    listed = plain_spaces(desk.get(reverse("office:closures")).text)
    assert "Grève, le lundi 16 novembre" in listed and "Toute la commune" in listed

    undo = reverse("office:undo_closure", args=[closure.pk])
    assert "2 journées reviennent" in plain_spaces(desk.get(undo).text)
    assert "La fermeture est annulée" in desk.post(undo, follow=True).text
    assert "déjà annulée" in desk.post(undo, follow=True).text
    assert set(Booking.objects.values_list("state", flat=True)) == {"booked"}
    assert "Annuler cette fermeture" not in desk.get(reverse("office:closure", args=[closure.pk])).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"whom": ""}, "Ce champ est obligatoire"),
        ({"first_day": "2026-11-09"}, "Ce jour est passé."),
        ({"last_day": "2026-11-13"}, "Le dernier jour vient avant le premier."),
        ({"last_day": "2027-05-13"}, "Deux mois au plus à la fois."),
        ({"first_day": "2026-11-15"}, "Rien n’est ouvert ces jours-là."),
        ({"kind": "party"}, "Sélectionnez un choix valide"),
    ],
)
def test_what_is_badly_filled_is_told_and_kept(desk: Client, fields: dict[str, str], said: str) -> None:
    page = desk.get(NEW, STRIKE | fields).text
    assert said in page and "Grève nationale." in page


def test_the_lists_find_page_and_part_what_is_past(desk: Client, benali: Family, page: Page) -> None:
    assert "Aucune fermeture à venir" in page("closures")
    announce(desk)
    assert "Grève nationale." in page("closures", q="nationale")
    assert "Aucune fermeture ne correspond" in page("closures", q="piscine")
    assert "Aucune fermeture passée" in page("closures", voir="passees")


def test_an_agent_of_a_site_closes_its_site_only(benali: Family, desk: Client) -> None:
    town_wide = announce(desk)
    elsewhere = announce(desk, whom=f"site-{Site.objects.get(slug='ecole-elementaire').pk}", kind="closure")
    nursery = Site.objects.get(slug="ecole-maternelle")
    own = Client()
    own.force_login(agent_of(nursery))

    assert "Sélectionnez un choix valide" in own.get(NEW, STRIKE).text
    listed = own.get(reverse("office:closures")).text
    assert "Toute la commune" in listed and "École élémentaire" not in listed
    assert own.get(reverse("office:closure", args=[elsewhere.pk])).status_code == 404
    assert "Annuler cette fermeture" not in own.get(reverse("office:closure", args=[town_wide.pk])).text
    for closure in (town_wide, elsewhere):
        assert own.post(reverse("office:undo_closure", args=[closure.pk])).status_code == 404
    mine = announce(own, whom=f"site-{nursery.pk}", kind="other")
    assert "La fermeture est annulée" in own.post(reverse("office:undo_closure", args=[mine.pk]), follow=True).text


def test_a_page_costs_the_same_for_one_child_and_for_thirty(malika: User, desk: Client) -> None:
    costs = []
    for n in (1, 14):
        for at in range(n):
            who = family(f"F{n}{at}", [("Ana", "CE2"), ("Bob", "GS")])
            enrolled(who, by=malika)
            booked(who, [MONDAY], by=malika)
        with CaptureQueriesContext(connection) as preview:
            desk.get(NEW, STRIKE)
        closure = announce(desk)
        measured = [len(preview)]
        for name, args in (("closures", []), ("closure", [closure.pk]), ("undo_closure", [closure.pk])):
            desk.get(reverse(f"office:{name}", args=args))
            with CaptureQueriesContext(connection) as cost:
                desk.get(reverse(f"office:{name}", args=args))
            measured.append(len(cost))
        desk.post(reverse("office:undo_closure", args=[closure.pk]))
        costs.append(measured)
    assert costs[0][1:] == costs[1][1:], costs
    assert costs[1][0] <= costs[0][0], costs  # the rules were read by the first
    assert max(costs[1]) <= 16, costs


def test_an_agent_without_a_right_there_is_not_found(benali: Family, client: Client) -> None:
    client.force_login(benali.user)
    assert client.get(NEW).status_code == 404
