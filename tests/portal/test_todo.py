"""In which order the home page says what is to do."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import cast

from marelle.portal.home.glance import Glance
from marelle.portal.home.todo import Todo, what_to_do

NOW = datetime(2026, 11, 10, 8, tzinfo=UTC)


class At:
    at = NOW


def thing(title: str, until: datetime | None = None) -> Todo:
    return Todo(title=title, text="", icon="clock", until=until)


def bookings(glance: Glance) -> Iterable[Todo]:
    yield thing("Réserver")
    yield thing("Une place à prendre", NOW + timedelta(days=2))


def documents(glance: Glance) -> Iterable[Todo]:
    yield thing("Un papier dans un mois", NOW + timedelta(days=30))
    yield thing("Un papier demain", NOW + timedelta(days=1))


def test_what_ends_soon_comes_first_and_the_rest_keeps_the_providers_order() -> None:
    found = what_to_do(cast(Glance, At()), (bookings, documents))
    assert [todo.title for todo in found] == [
        "Un papier demain",
        "Une place à prendre",
        "Réserver",
        "Un papier dans un mois",
    ]


def test_nothing_to_do() -> None:
    assert what_to_do(cast(Glance, At()), ()) == ()
