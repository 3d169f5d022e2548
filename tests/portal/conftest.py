"""Who most tests of the family's pages begin with: Cadours and its agent, a family, and its screen. A file whose family
is another says so."""

import pytest
from pytest_django import Settings

from marelle.accounts.models import User
from tests.offer import Family, agent, cadours, family
from tests.portal.visit import Screen


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    return family()


@pytest.fixture
def screen(settings: Settings, benali: Family) -> Screen:
    return Screen(settings, benali.user)
