"""What agents see of a child's health, of who may fetch them, and of who is forbidden."""

import uuid
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from pytest_django import Settings

from marelle.accounts.models import AgentRole
from marelle.activities.models import Site
from marelle.families.circle.authorised import Said, authorise
from marelle.families.circle.contacts import save_contact
from marelle.families.health.content import HealthContent
from marelle.families.health.files import save_health
from marelle.families.models import AuthorisedPerson, Child, ForbiddenPerson, HealthReading
from tests.offer import AT, Family, agent, booked, cadours, enrolled, family, permitted
from tests.people import queries, signed_in
from tests.portal.visit import plain
from tests.security.world import agent_of, other_home

pytestmark = [pytest.mark.django_db, pytest.mark.row("E5")]


@pytest.fixture
def who() -> Family:
    cadours()
    found = family()
    save_health(
        child=found.children[0], household=found.household, content=HealthContent(allergies="Arachide", plan="Asthme"),
        has_plan=True, plan_until=date(2027, 8, 31), version=0, by=found.user, at=AT,
    )  # fmt: skip
    return found


def nurse() -> Client:
    """An agent who reads health files."""
    user = agent()
    AgentRole.objects.filter(user=user).update(reads_health=True)
    return signed_in(user)


def place(who: Family, tail: str = "sante/") -> str:
    return f"/agents/familles/{who.household.pk}/enfants/{who.children[0].pk}/{tail}"


def test_a_file_is_opened_for_a_reason_which_the_family_reads(who: Family) -> None:
    client = nurse()
    page = plain(client.get(f"/agents/familles/{who.household.pk}/").text)
    assert "PAI jusqu’au mardi 31 août 2027" in page and "Fiche santé à remplir" in page
    assert "Arachide" not in page and "Asthme" not in page
    assert "Arachide" not in client.get(place(who)).text and not HealthReading.objects.exists()
    assert client.post(place(who)).status_code == 422
    opened = client.post(place(who), {"why": "emergency"})
    assert "Arachide" in opened.text and "no-store" in opened["Cache-Control"]
    assert (HealthReading.objects.get().reader_label, HealthReading.objects.get().why) == ("Malika Roux", "emergency")
    read = signed_in(who.user).get(f"/famille/enfants/{who.children[0].pk}/sante/lectures/").text
    assert "Malika Roux" in read and "Urgence" in read


def test_an_agent_without_the_right_is_refused_and_sees_no_mark(who: Family) -> None:
    client = signed_in(agent())
    for tail in ("sante/", "interdits/"):
        assert client.get(place(who, tail)).status_code == 403
        assert client.post(place(who, tail), {"why": "day"}).status_code == 403
    page = client.get(f"/agents/familles/{who.household.pk}/").text
    for words in ("PAI", "Voir la fiche santé", "Fiche santé à"):
        assert words not in plain(page)
    assert not HealthReading.objects.exists()


def test_an_agent_of_another_site_finds_nothing(who: Family) -> None:
    sami = agent_of(Site.objects.create(slug="loin", name="École du Loin", kind=Site.Kind.SCHOOL))
    AgentRole.objects.filter(user=sami).update(reads_health=True)
    assert signed_in(sami).post(place(who), {"why": "day"}).status_code == 404


def test_who_is_forbidden_is_said_to_few_and_never_to_families(who: Family) -> None:
    client = nurse()
    client.get(place(who, "interdits/"))
    key = str(uuid.uuid4())
    assert client.post(place(who, "interdits/"), {"key": key, "name": "Marc Zorn"}).status_code == 422
    for _click in range(2):
        client.post(place(who, "interdits/"), {"key": key, "name": "Marc Zorn", "note": "Jugement du 3 mai 2026"})
    page = f"/agents/familles/{who.household.pk}/"
    assert "1 personne interdite" in plain(client.get(page).text) and "Zorn" not in client.get(page).text
    opened = client.post(place(who), {"why": "day"}).text
    assert "Marc Zorn" in opened and "Jugement du 3 mai 2026" in opened
    family_client = signed_in(who.user)
    for path in (f"/famille/enfants/{who.children[0].pk}/", "/famille/historique/", "/famille/"):
        seen = family_client.get(path).text
        assert "Zorn" not in seen and "interdi" not in seen.lower()
    assert (
        "personnes interdites" not in family_client.get(f"/famille/enfants/{who.children[0].pk}/sante/lectures/").text
    )
    client.post(place(who, f"interdits/{ForbiddenPerson.objects.get().pk}/lever/"))
    assert "interdite" not in client.get(page).text


def test_the_identity_document_is_seen_once(who: Family) -> None:
    authorise(
        id=uuid.uuid4(), household=who.household, by=who.user, at=AT,
        said=Said(name="Karim Haddad", link="voisin", phone="06 00 00 00 04", children=who.children),
    )  # fmt: skip
    client = signed_in(agent())
    person = AuthorisedPerson.objects.get()
    page = client.post(f"/agents/familles/{who.household.pk}/personnes/{person.pk}/identite/", follow=True)
    assert "Identité vérifiée le" in plain(page.text)
    assert "Identité vérifiée" in signed_in(who.user).get(f"/famille/enfants/{who.children[0].pk}/").text


def test_agents_read_what_both_homes_answer(who: Family) -> None:
    elsewhere = other_home(who)
    permitted(who)
    permitted(elsewhere, allowed=False)
    page = plain(signed_in(agent()).get(f"/agents/familles/{who.household.pk}/").text)
    assert "Photos dans le journal de l’école Benali : oui, Lopez : non Non" in page


def test_as_many_queries_for_eight_children_as_for_one() -> None:
    cadours()
    homes = [family("Un", [("Seul", "CE2")]), family("Huit", [(f"Enfant{n}", "CE2") for n in range(8)])]
    client = nurse()
    counts = []
    for home in homes:
        permitted(home)
        for n in range(len(home.children)):
            authorise(
                id=uuid.uuid4(), household=home.household, by=home.user, at=AT,
                said=Said(name=f"P{n}", link="voisin", phone="06 00 00 00 04", children=home.children),
            )  # fmt: skip
            save_contact(
                id=uuid.uuid4(), household=home.household, children=home.children, name=f"C{n}", link="voisin",
                phone="06 00 00 00 04", by=home.user, at=AT,
            )  # fmt: skip
        path = f"/agents/familles/{home.household.pk}/"
        client.get(path)
        counts.append(queries(lambda path=path: client.get(path)))  # type: ignore[misc]
    assert counts[0] == counts[1]


def test_the_day_counts_diets_for_all_and_names_who_has_a_plan_for_few(who: Family, settings: Settings) -> None:
    settings.CLOCK = (AT, datetime.now(UTC))
    malika = agent("Awa Cros")
    enrolled(who, by=malika)
    booked(who, [date(2026, 11, 12)], by=malika)
    Child.objects.filter(pk=who.children[0].pk).update(diet="sans-porc")
    seen = plain(nurse().get("/agents/?jour=2026-11-12").text)
    assert "École élémentaire de Cadours Sans porc 1" in seen
    assert "PAI présents Inès Benali" in seen and "Asthme" not in seen
    seen = plain(signed_in(malika).get("/agents/?jour=2026-11-12").text)
    assert "Sans porc 1" in seen and "PAI" not in seen
