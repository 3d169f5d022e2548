"""The agents' queue: what is asked, what the rules say of it, and what an answer does."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from marelle.accounts.models import User
from marelle.bookings.models import Booking, Enrolment
from marelle.foundation.models import OutboxMail
from marelle.requests.models import FamilyRequest
from tests.offer import AT, PASSWORD, Family, accept, agent, ask, booked, cadours, choose, enrolled, family, paris, send

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY, THURSDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 19), date(2026, 11, 20)
WEEK = [MONDAY, TUESDAY, THURSDAY, FRIDAY]


@pytest.fixture(autouse=True)
def at_the_desk(settings: object) -> None:
    """The portal's clock stands at AT for every request of these tests."""
    settings.CLOCK = (AT, datetime.now(UTC))  # type: ignore[attr-defined]


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def desk(malika: User, client: Client) -> Client:
    client.force_login(malika)
    return client


@pytest.fixture
def benali(malika: User) -> Family:
    who = family(at=AT - timedelta(days=20))
    enrolled(who, by=malika, at=AT - timedelta(days=19))
    return who


def page(desk: Client, name: str = "queue", *args: object, **query: str) -> str:
    return desk.get(reverse(f"office:{name}", args=args), query).content.decode()


def test_smoke(desk: Client, benali: Family) -> None:
    request = booked(benali, WEEK)
    html = page(desk)
    assert "Famille Benali" in html
    html = page(desk, "request", request.number)
    assert "Inès" in html
    html = page(desk, "home")
    assert "Famille Benali" in html
    other = ask(family("Zidane", [("Zoé", "CP")]))
    assert "Zoé" in page(desk, "request", other.number)
