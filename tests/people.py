"""A bare town and the people of its portal, made through the services: for tests that need no offer."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marelle.accounts.models import AgentRole, User
from marelle.accounts.services import activate, register_agent
from marelle.activities.models import Municipality, Site
from marelle.families.models import Guardian, Household
from marelle.families.services import Address, NewChild, NewGuardian, register_household
from marelle.foundation.audit import PORTAL

AT = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
PASSWORD = "cerceau marelle ballon corde"


def town() -> Municipality:
    return Municipality.objects.create(
        id=1,
        slug="cadours",
        name="Mairie de Cadours",
        short_name="Cadours",
        department_name="Service scolaire",
        phone="05 00 00 00 01",
        email="scolaire@cadours.example",
        opening_hours="du lundi au vendredi, de 9 h à 12 h",
    )


def school(slug: str = "ecole", name: str = "École des Tilleuls") -> Site:
    return Site.objects.create(slug=slug, name=name, kind=Site.Kind.SCHOOL, levels=["CP", "CE1", "CE2"])


def family(name: str = "Benali", *, email: str = "nadia@example.org", site: Site | None = None) -> Household:
    return register_household(
        name=name,
        address=Address(street="4 rue Haute", postcode="31480", city="Cadours"),
        guardians=[NewGuardian(first_name="Nadia", last_name=name, email=email, phone="06 00 00 00 01")],
        children=[
            NewChild(first_name="Inès", last_name=name, birth_date=date(2018, 3, 12), school=site, level="CE1"),
        ],
        by=PORTAL,
        at=AT,
    )


def agent(
    *,
    email: str = "malika@cadours.example",
    kind: AgentRole.Kind = AgentRole.Kind.OFFICE,
    sites: tuple[Site, ...] = (),
) -> User:
    user = register_agent(
        name="Malika Roux", email=email, kind=kind, by=PORTAL, at=AT, job_title="Service scolaire", sites=sites
    )
    activate(user=user, password=PASSWORD, at=AT)
    return user


def guardian_with_account(household: Household) -> Guardian:
    """The household's first adult, who has chosen PASSWORD."""
    guardian = household.guardians.first()
    assert guardian is not None
    user = User.objects.create_user(email=guardian.email, name=str(guardian), is_active=False)
    guardian.user = user
    guardian.save()
    activate(user=user, password=PASSWORD, at=AT)
    return guardian


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def queries(act: Callable[[], object]) -> int:
    """How many queries it takes."""
    with CaptureQueriesContext(connection) as taken:
        act()
    return len(taken)
