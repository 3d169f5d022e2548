"""An agent before a family's own pages: sees them, changes nothing, notes nothing, and is told of."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from marelle.accounts.models import AgentRole
from marelle.activities.models import Site
from marelle.communication.models import NewsPost
from marelle.families import seeing
from marelle.families.models import Child, Guardian, HealthReading, Residence
from marelle.foundation.models import AuditLine
from marelle.foundation.read_only import Written, read_only
from tests.offer import PASSWORD
from tests.security.test_matrix import READ, SENT, Line
from tests.security.world import World, agent_of, world
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("S3")]

BANNER = "Vous voyez l’espace de la famille Benali, comme Nadia Benali. Lecture seule."
#: Pages that say nothing of any family.
OF_NO_FAMILY = ("accessibility", "help", "help_topic", "legal", "privacy", "terms", "verify")
CLOSED = "Cette page ne s’ouvre pas d’ici"


@pytest.fixture
def there(settings: Settings) -> World:
    at = world(settings)
    AgentRole.objects.filter(user=at.malika).update(reads_health=True)
    return at


def plain(page: str) -> str:
    """What the whole page says."""
    return " ".join(re.sub(r"<[^>]+>", " ", plain_spaces(page)).split()).replace(" .", ".").replace(" ,", ",")


def see(at: World, client: Client):  # type: ignore[no-untyped-def]
    return client.post(f"/agents/familles/{at.benali.household.pk}/espace/", {"guardian": at.benali.guardian.pk})


@pytest.fixture
def eye(there: World) -> Client:
    """Malika's browser, in the space of the Benali."""
    client = there.client("agent")
    assert see(there, client)["Location"] == "/"
    return client


def everything() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the sessions."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.label != "accounts.Session":
            rows = model._base_manager.order_by("pk").values_list()
            found[model._meta.label] = [
                tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows
            ]
    return found


def of_families(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.name.startswith("portal:") or line.name == "families:switch"]


def test_the_agent_sees_what_the_family_sees_and_who_is_seen(there: World) -> None:
    desk = there.client("agent")
    page = desk.get(f"/agents/familles/{there.benali.household.pk}/")
    assert "Voir comme la famille" in plain(page.text)
    see(there, desk)
    home, own = plain(desk.get("/").text), plain(there.client("family").get("/").text)
    assert BANNER in home and BANNER not in own
    for child in there.benali.children:
        assert child.first_name in home
    assert "Me déconnecter" not in home, "it would be the agent's session"
    done = desk.post("/agents/familles/espace/quitter/", follow=True)
    assert "Vous avez quitté l’espace de la famille." in plain(done.text)
    assert desk.get("/famille/").status_code == 404
    told = [(line.action, line.by_agent) for line in AuditLine.objects.filter(action__startswith="household.seen")]
    assert sorted(told) == [("household.seen", True), ("household.seen_no_more", True)]
    history = plain(there.client("family").get("/famille/historique/").text)
    assert "Espace de la famille ouvert en lecture seule, comme le voit Nadia Benali" in history


def test_every_page_says_it_and_none_writes(there: World, eye: Client) -> None:
    """Each page that the family reads is shown, or says that it stays closed; all that is in the database stands."""
    before, shown, unmarked = everything(), [], []
    for line in of_families(READ):
        expected = line.expect[1]
        url = reverse(line.name, args=line.args(there)) + line.query
        answer = eye.get(url)
        page = answer.text if "text/html" in answer.get("Content-Type", "") else ""
        if answer.status_code == 403:
            assert CLOSED in plain(page) and BANNER in plain(page), url
        elif BANNER in plain(page):
            shown.append(line.name)
        elif "<main" in page and answer.status_code == 200:
            unmarked.append(line.name)
        if isinstance(expected, int) and expected == 200:
            assert answer.status_code in (200, 403), (url, answer.status_code)
    assert {"portal:home", "portal:family", "portal:documents", "portal:request", "portal:child"} <= set(shown)
    assert set(unmarked) <= {f"portal:{name}" for name in OF_NO_FAMILY}
    assert everything() == before


@pytest.mark.parametrize("line", of_families(SENT), ids=lambda line: line.name)
def test_nothing_is_sent_from_there(there: World, eye: Client, line: Line) -> None:
    before = everything()
    answer = eye.post(reverse(line.name, args=line.args(there)) + line.query, line.data(there))
    if line.expect[1] in ("/", 410) or line.name in ("portal:new_account",):
        assert answer.status_code in (302, 403, 410)
    else:
        assert answer.status_code == 403, answer.status_code
        assert "Rien n’est envoyé : vous regardez seulement" in plain(answer.text)
    assert everything() == before


def test_what_the_family_alone_opens_stays_closed_and_is_not_noted(there: World, eye: Client) -> None:
    child = there.benali.children[0].pk
    assert eye.post("/compte/preuve/", {"password": PASSWORD}).status_code == 302, "the agent's own"
    for path in (f"/famille/enfants/{child}/sante/", f"/famille/enfants/{child}/sante/modifier/"):
        answer = eye.get(path)
        assert answer.status_code == 403 and CLOSED in plain(answer.text)
    assert not HealthReading.objects.exists()


def test_it_ends_after_half_an_hour_and_with_the_right_to_it(
    there: World, eye: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert eye.get("/famille/").status_code == 200
    session = eye.session
    mark = session[seeing.MARK]
    session[seeing.MARK] = mark | {"since": (datetime.now(UTC) - timedelta(minutes=31)).timestamp()}
    session.save()
    over = eye.get("/famille/", follow=True)
    assert over.redirect_chain == [("/agents/", 302)]
    assert "est refermé : il reste ouvert 30 minutes au plus" in plain(over.text)
    assert eye.get("/famille/").status_code == 404
    see(there, eye)
    AgentRole.objects.filter(user=there.malika).update(reads_health=False)
    assert eye.get("/famille/").status_code == 302 and eye.get("/famille/").status_code == 404


def test_only_who_may(there: World) -> None:
    """The right to read health, the office or an administrator, every child of the home among the agent's schools."""
    role, household = AgentRole.objects.get(user=there.malika), there.benali.household
    desk = there.client("agent")
    address = f"/agents/familles/{household.pk}/"
    for kind in AgentRole.Kind:
        AgentRole.objects.filter(pk=role.pk).update(kind=kind)
        may = kind in (AgentRole.Kind.ADMINISTRATOR, AgentRole.Kind.OFFICE)
        assert see(there, desk).status_code == (302 if may else 403), kind
        assert ("Voir comme la famille" in plain(desk.get(address).text)) is may
    AgentRole.objects.filter(pk=role.pk).update(kind=AgentRole.Kind.OFFICE, reads_health=False)
    assert see(there, desk).status_code == 404 and "Voir comme la famille" not in plain(desk.get(address).text)
    school = there.benali.children[0].school
    assert isinstance(school, Site)
    elsewhere = Site.objects.filter(kind=Site.Kind.SCHOOL).exclude(pk=school.pk).first()
    tom = Child.objects.create(first_name="Tom", last_name="Benali", birth_date=date(2021, 5, 4), school=elsewhere)
    brother = Residence.objects.create(household=household, child=tom)
    near = agent_of(school, "Zoé Petit")
    AgentRole.objects.filter(user=near).update(reads_health=True)
    theirs = Client()
    theirs.force_login(near)
    assert theirs.get(address).status_code == 200 and see(there, theirs).status_code == 404
    brother.delete()
    assert see(there, theirs).status_code == 302


@pytest.mark.parametrize("said", ["", "x", "²", "999999"])
def test_somebody_of_that_home_with_an_account_is_seen_as(there: World, said: str) -> None:
    desk = there.client("agent")
    address = f"/agents/familles/{there.benali.household.pk}/espace/"
    assert desk.post(address, {"guardian": said}).status_code == 404
    assert desk.post(address, {"guardian": there.moreau.guardian.pk}).status_code == 404
    nobody = Guardian.objects.create(first_name="Sam", last_name="Benali")
    there.benali.household.guardians.add(nobody)
    assert desk.post(address, {"guardian": nobody.pk}).status_code == 404
    see(there, desk)
    see(there, desk)
    assert AuditLine.objects.filter(action="household.seen").count() == 1, "asked twice, opened once"


def test_the_agents_pages_stay_the_agents(there: World, eye: Client) -> None:
    assert "Malika Roux" in plain(eye.get("/agents/").text) and BANNER not in plain(eye.get("/agents/").text)
    answer = eye.get("/famille/")
    assert answer.wsgi_request.user == there.malika and answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE communication_newspost SET title = 'x'",
        "  delete from communication_newspost",
        "WITH gone AS (SELECT 1) DELETE FROM communication_newspost",
    ],
)
def test_in_a_read_only_stretch_no_statement_writes(sql: str) -> None:
    with pytest.raises(Written), transaction.atomic(), read_only(), connection.cursor() as cursor:
        cursor.execute(sql)
    with read_only():
        assert list(NewsPost.objects.filter(title="UPDATE nothing")) == []
