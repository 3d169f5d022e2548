"""The agents' desk in Cadours, its clock at AT unless a test moves it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from marelle.accounts.models import User
from tests.offer import AT, Family, agent, cadours, enrolled, family
from tests.spaces import plain_spaces

Page = Callable[..., str]


@pytest.fixture
def clock(settings: Settings) -> Callable[[datetime], None]:
    """`clock(instant)`: from now on the portal's clock starts there."""

    def move(to: datetime) -> None:
        settings.CLOCK = (to, datetime.now(UTC))

    return move


@pytest.fixture
def malika(db: None, clock: Callable[[datetime], None]) -> User:
    """An agent of Cadours, which is loaded."""
    clock(AT)
    cadours()
    return agent()


@pytest.fixture
def desk(malika: User, client: Client) -> Client:
    """Malika's browser."""
    client.force_login(malika)
    return client


@pytest.fixture
def benali(malika: User) -> Family:
    """Inès (CE2) and Tom (GS), enrolled to the canteen for some weeks."""
    who = family(at=AT - timedelta(days=20))
    enrolled(who, by=malika, at=AT - timedelta(days=19))
    return who


@pytest.fixture
def page(desk: Client) -> Page:
    """`page("request", number, voir="repondues") -> str`: the text of an agents' page, read without a script."""

    def read(name: str = "queue", *args: Any, **query: str) -> str:
        response = desk.get(reverse(f"office:{name}", args=args), query)
        assert response.status_code == 200, response.status_code
        return plain_spaces(response.text)

    return read
