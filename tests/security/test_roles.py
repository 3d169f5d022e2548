"""The same addresses for everybody else: each role of agent, the other adult of the home, and a family that still waits
for its account. Where they get something else than the person they are most like, it is said here."""

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from marelle.accounts.models import AgentRole, User
from marelle.accounts.services import activate, register_agent
from marelle.activities.models import Site
from marelle.families.joining.newcomers import found_household
from marelle.families.models import Guardian, Guardianship
from marelle.families.services import Address, NewGuardian, invite_guardian
from marelle.foundation.audit import PORTAL
from tests.offer import AT, PASSWORD
from tests.security.test_matrix import PEOPLE, TABLE, Line, answered, known_in
from tests.security.world import World, world

pytestmark = pytest.mark.django_db

Kind = AgentRole.Kind

LIKE = {
    "second guardian": "family",
    "administrator": "agent",
    "director": "agent",
    "director elsewhere": "agent elsewhere",
    "agent without health": "agent",
}
#: What only the office's agents and administrators do: who directs a site is told so (403), wherever they direct.
OF_THE_DESK = frozenset(
    f"office:{name}"
    for name in (
        "new_family", "invitations", "invitation_round", "imports", "import", "import_columns", "import_keep",
        "import_decide", "import_refusals", "duplicates", "merge", "correct_family", "note_call", "attach_child",
        "add_adult", "end_place",
        "audiences", "family_plannings", "family_planning", "record_for_family", "invite", "openings", "mails", "mail",
        "see_family",
    )
)  # fmt: skip
#: What is only for those who may read health.
OF_HEALTH = frozenset({"office:child_health", "office:forbid", "office:lift_forbidden"})
OWN = {
    # Who shares a home has no choice of the other's to be asked about when leaving.
    ("second guardian", "post", "accounts:sign_out"): "/connexion/",
    # The pages of a family speak of health in passing: who may not read it has none to see.
    ("agent without health", "post", "office:see_family"): 404,
}
#: Where a family goes that still waits for its account, and what it may use meanwhile.
WAITS_AT = "/mon-dossier/"
OPEN_TO_NEWCOMERS = frozenset(
    {
        "portal:help", "portal:town_file", "portal:terms", "portal:legal", "portal:privacy", "portal:accessibility",
        "portal:arrival", "portal:new_account",
    }
)  # fmt: skip
#: Its own request's page and messages, its own papers: those of another family are not there.
OF_ITS_OWN = frozenset({"portal:request", "portal:say", "portal:read_thread", "portal:message_file"})


def said(who: str, line: Line) -> int | str:
    """What the table says of the person most alike, but for what is said above."""
    if who.startswith("director") and line.name in OF_THE_DESK:
        return 403
    if who == "agent without health" and line.name in OF_HEALTH:
        return 403
    return OWN.get((who, line.method, line.name), line.expect[PEOPLE.index(LIKE[who])])


def agent(name: str, kind: Kind, *, site: str = "", reads_health: bool = True) -> User:
    user = register_agent(
        name=name,
        email=f"{name.split()[0].lower()}@mairie.example",
        kind=kind,
        by=PORTAL,
        at=AT,
        sites=Site.objects.filter(slug=site) if site else (),
    )
    activate(user=user, password=PASSWORD, at=AT)
    AgentRole.objects.filter(user=user).update(reads_health=reads_health)
    return user


def people(at: World) -> dict[str, User]:
    other = Guardian.objects.create(first_name="Samir", last_name="Benali", email="samir.benali@famille.example")
    Guardianship.objects.create(household=at.benali.household, guardian=other, position=1)
    invite_guardian(guardian=other, by=PORTAL, at=AT)
    other.refresh_from_db()
    assert other.user is not None
    activate(user=other.user, password=PASSWORD, at=AT)
    return {
        "second guardian": other.user,
        "administrator": agent("Aline Roche", Kind.ADMINISTRATOR),
        "director": agent("Dora Blanc", Kind.SITE, site="ecole-elementaire"),
        "director elsewhere": agent("Denis Noir", Kind.SITE, site="ecole-maternelle"),
        "agent without health": agent("Nora Gris", Kind.OFFICE, reads_health=False),
    }


def newcomer() -> User:
    return found_household(
        guardian=NewGuardian(first_name="Noé", last_name="Neuf", email="noe.neuf@famille.example"),
        address=Address(city="Cadours"),
        children=[],
        password=PASSWORD,
        at=AT,
    )


def signed_in(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def seen(session: str, line: Line, at: World, expected: int | str) -> int | str:
    """What whoever holds this session gets, and nothing of it stays."""
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    with transaction.atomic():
        got = answered(client, line, at, expected)
        transaction.set_rollback(True)
    return got


def test_each_role_and_the_other_adult_get_what_is_said(settings: Settings) -> None:
    at = world(settings)
    known = known_in(at)
    faults = []
    for who, user in people(at).items():
        session = signed_in(user)
        for line in TABLE:
            told = said(who, line)
            expected = told.format(**known) if isinstance(told, str) else told
            got = seen(session, line, at, expected)
            if got != expected:
                faults.append(f"{line.method} {line.name}, {who}: {got} rather than {expected}")
    assert faults == []


def test_a_family_that_waits_for_its_account_sees_its_dossier_only(settings: Settings) -> None:
    at = world(settings)
    session = signed_in(newcomer())
    faults = []
    for line in TABLE:
        space = line.name.partition(":")[0]
        if space == "portal" and line.name not in OPEN_TO_NEWCOMERS:
            expected: int | str = 404 if line.name in OF_ITS_OWN else WAITS_AT
        elif space in ("office", "documents"):
            expected = 404
        else:
            continue
        got = seen(session, line, at, expected)
        if got != expected:
            faults.append(f"{line.method} {line.name}: {got} rather than {expected}")
    assert faults == []
