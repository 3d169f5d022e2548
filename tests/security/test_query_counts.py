"""A page asks the database as much for a family of eight children as for a family of one."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.permissions import PROVED
from tests import offer, pages

pytestmark = pytest.mark.django_db

NAMES = ("Inès", "Tom", "Lou", "Adam", "Zoé", "Noé", "Eva", "Gabin")


@pytest.fixture
def families(settings: Settings) -> tuple[dict[str, object], dict[str, object], dict[str, Client]]:
    """The addresses of a family of one child and of a family of eight, and who reads them."""
    settings.CLOCK = (offer.AT, datetime.now(UTC))
    malika = pages.town()
    one = offer.family("Seul", [("Inès", "CE2")])
    eight = offer.family("Grand", [(name, "CE2") for name in NAMES])
    facts = [pages.life_of(who, malika) for who in (one, eight)]
    newcomer = offer.family("Moreau", [("Léo", "CP")], first_name="Julien")
    beside = {**pages.around(malika), "newcomer": newcomer.household.pk}
    readers = {}
    for name, user in (("one", one.user), ("eight", eight.user), ("agent", malika)):
        readers[name] = Client()
        readers[name].force_login(user)
        session = readers[name].session
        session[PROVED] = datetime.now(UTC).timestamp()  # a password given a moment ago
        session.save()
    return {**facts[0], **beside}, {**facts[1], **beside}, readers


def asked(client: Client, path: str) -> list[str]:
    """The statements of a page, once a visit has read what is remembered from one to the next."""
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return [query["sql"] for query in queries]


def apart(first: list[str], second: list[str]) -> str:
    return f"{len(first)} for one child, {len(second)} for eight"


def test_each_page_of_a_family_asks_as_much_for_eight_children_as_for_one(families) -> None:  # type: ignore[no-untyped-def]
    one, eight, readers = families
    different = {}
    for path in pages.FAMILY:
        first, second = asked(readers["one"], path.format(**one)), asked(readers["eight"], path.format(**eight))
        if len(first) != len(second):
            different[path] = apart(first, second)
    assert different == {}


def test_each_page_of_an_agent_asks_as_much_for_eight_children_as_for_one(families) -> None:  # type: ignore[no-untyped-def]
    one, eight, readers = families
    different = {}
    for path in pages.AGENT:
        if path.format(**one) == path.format(**eight):
            continue  # no family's page
        first, second = asked(readers["agent"], path.format(**one)), asked(readers["agent"], path.format(**eight))
        if len(first) != len(second):
            different[path] = apart(first, second)
    assert different == {}
