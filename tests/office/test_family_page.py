"""A family's page at the agents': everything on one page, corrections that count at once, calls, second homes."""

import re
import uuid
from datetime import date, timedelta
from html import unescape

import pytest
from django.test import Client

from marelle.accounts.models import User
from marelle.activities.models import Site
from marelle.families.models import Child, Guardian, Guardianship, Household
from marelle.families.services import record_quotient
from marelle.foundation.models import AuditLine, OutboxMail
from tests.offer import AT, Family, family
from tests.people import queries
from tests.portal.visit import plain
from tests.security.world import agent_of, moved, other_home

pytestmark = [pytest.mark.django_db, pytest.mark.row("S3")]


def url(who: Family, rest: str = "") -> str:
    return f"/agents/familles/{who.household.pk}/{rest}"


def read(desk: Client, who: Family, **query: str) -> str:
    response = desk.get(url(who), query)
    assert response.status_code == 200
    return plain(response.text)


def sent(desk: Client, path: str, **fields: str) -> str:
    """Open a form, change some fields, send it; the text of the page one comes to."""
    markup = desk.get(path).text
    form = {
        name: unescape(value)
        for name, value in re.findall(r'<input[^>]* name="(\w+)"(?:[^>]* value="([^"]*)")?', markup)
    }
    form |= {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', markup)}
    form |= dict(re.findall(r'<select name="(\w+)".*?<option value="(\w+)"', markup, re.S))
    return plain(desk.post(path, form | fields, follow=True).text)


def test_everything_is_on_one_page(desk: Client, benali: Family, malika: User) -> None:
    Guardian.objects.filter(pk=benali.guardian.pk).update(other_phone="05 61 00 00 99")
    Guardianship.objects.update(link="mère")
    Child.objects.filter(pk=benali.children[0].pk).update(diet="sans-porc")
    record_quotient(
        household=benali.household, value=620, source="caf", first_day=date(2026, 1, 1), last_day=date(2027, 1, 31),
        by=malika.actor(as_agent=True), at=AT,
    )  # fmt: skip
    request = moved(benali)
    seen = read(desk, benali)
    for words in (
        "Nadia Benali mère 06 00 00 00 01 05 61 00 00 99",
        "Quotient familial (QF) 620",
        "1 changement demandé attend votre réponse.",
        "Inès Benali 8 ans CE2, École élémentaire de Cadours",
        "Régime : Sans porc",
        "12 rue du Marché, 31480 Cadours",
        f"Demande n° {request.number}",
        "Famille Benali enregistrée.",
    ):
        assert words in seen, words
    assert "À renouveler" not in seen


def test_an_agent_corrects_the_home_with_a_reason_that_the_family_reads(
    desk: Client, benali: Family, malika: User
) -> None:
    path = url(benali, "corriger/?quoi=foyer")
    seen = sent(desk, path, address="12 rue Neuve")
    assert "Indiquez le motif : la famille le lit." in seen and Household.objects.get().address != "12 rue Neuve"
    seen = sent(desk, path, address="12 rue Neuve", reason="Justificatif vu au guichet.")
    assert "Dossier corrigé" in seen and "12 rue Neuve, 31480 Cadours" in seen
    mail = OutboxMail.objects.get(kind="requests/answered", to_address=benali.email)
    assert mail.context["lines"][0]["reason"] == "Justificatif vu au guichet."
    line = AuditLine.objects.get(action="corrections.made")
    assert (line.actor_label, line.by_agent) == ("Malika Roux", True)


def test_an_agent_corrects_an_adult_a_child_and_adds_a_quotient(desk: Client, benali: Family) -> None:
    child = benali.children[0]
    why = "Appel de la famille."
    sent(desk, url(benali, f"corriger/?quoi=adulte-{benali.guardian.pk}"), phone="06 11 22 33 44", reason=why)
    sent(desk, url(benali, f"corriger/?quoi=enfant-{child.pk}"), birth_date="13 03 2018", reason=why)
    seen = sent(desk, url(benali, "corriger/?quoi=quotient"), value="480", first_day="01 11 2026", reason=why)
    assert Guardian.objects.get(pk=benali.guardian.pk).phone == "06 11 22 33 44"
    assert Child.objects.get(pk=child.pk).birth_date == date(2018, 3, 13)
    assert "480" in seen and "CAF, à compter du dimanche 1er novembre 2026" in seen


def test_what_the_family_asked_is_said_before_the_agent_corrects(desk: Client, benali: Family) -> None:
    request = moved(benali)
    seen = plain(desk.get(url(benali, "corriger/?quoi=foyer")).text)
    assert "La famille a demandé « 12 rue Neuve, 31480 Cadours » (Adresse)" in seen
    assert f"répondre à la demande n° {request.number}" in seen


@pytest.mark.parametrize("what", ["", "x", "adulte-", "adulte-0", "enfant-999999999", "enfant-x", "adulte-1²"])
def test_what_is_not_there_is_not_corrected(desk: Client, benali: Family, what: str) -> None:
    assert desk.get(url(benali, f"corriger/?quoi={what}")).status_code == 404


def test_a_call_is_noted_for_the_agents_and_once(desk: Client, benali: Family) -> None:
    form = {"who": "Nadia Benali", "words": "demande si Samira peut venir jeudi. Oui.", "send_key": str(uuid.uuid4())}
    for _twice in range(2):
        assert desk.post(url(benali, "appel/"), form).status_code == 302
    seen = read(desk, benali)
    assert seen.count("Appel de Nadia Benali : demande si Samira peut venir jeudi. Oui.") == 1
    assert "Samira" in read(desk, benali, voir="appels") and "enregistrée" not in read(desk, benali, voir="appels")
    refused = desk.post(url(benali, "appel/"), form | {"words": "", "send_key": str(uuid.uuid4())})
    assert refused.status_code == 422 and "Nadia Benali" in refused.text
    home = Client()
    home.force_login(benali.user)
    assert "Samira" not in home.get("/famille/historique/").text


def test_a_known_child_gets_a_second_home(desk: Client, benali: Family) -> None:
    paul = family("Lopez", (), first_name="Paul")
    page = plain(desk.get(url(paul, "enfant/"), {"q": "ines"}).text)
    assert "Inès Benali" in page and "foyer Benali" in page
    ines = benali.children[0]
    done = desk.post(url(paul, "enfant/"), {"child": ines.pk}, follow=True)
    assert "Inès vit aussi chez les Lopez." in plain(done.text)
    assert "Deux foyers : aussi chez Benali" in read(desk, paul)
    assert "Deux foyers : aussi chez Lopez" in read(desk, benali)
    assert desk.post(url(paul, "enfant/"), {"child": ines.pk}).status_code == 404, "already there"
    assert ines.households.count() == 2
    assert "Aucun enfant ne correspond" in plain(desk.get(url(paul, "enfant/"), {"q": "zzz"}).text)


def test_an_agent_of_a_site_sees_its_pupils_and_both_their_homes(benali: Family, malika: User) -> None:
    """Inès goes to the elementary school, Tom to the nursery one."""
    paul = other_home(benali)
    elsewhere = family("Moreau", [("Léo", "GS")], first_name="Julien")
    desk = Client()
    desk.force_login(agent_of(Site.objects.get(slug="ecole-elementaire")))
    for home in (benali, paul):
        seen = read(desk, home)
        assert "Inès Benali 8 ans" in seen and "Tom Benali" not in seen
        assert "1 autre enfant, dans une école qui n’est pas la vôtre." in seen
    assert desk.get(url(elsewhere)).status_code == 404
    assert desk.get(url(benali, f"corriger/?quoi=enfant-{benali.children[1].pk}")).status_code == 404


def test_a_site_s_director_reads_and_writes_nothing(benali: Family, malika: User) -> None:
    from marelle.accounts.models import AgentRole

    user = agent_of(Site.objects.get(slug="ecole-elementaire"))
    AgentRole.objects.filter(user=user).update(kind=AgentRole.Kind.SITE)
    desk = Client()
    desk.force_login(user)
    seen = read(desk, benali)
    assert "Corriger" not in seen and "Noter un appel" not in seen
    for rest in ("corriger/?quoi=foyer", "appel/", "enfant/"):
        assert desk.get(url(benali, rest)).status_code == 403


@pytest.mark.parametrize("count", [1, 8])
def test_the_page_asks_the_same_for_one_child_and_for_eight(desk: Client, malika: User, count: int) -> None:
    from tests.offer import enrolled

    who = family("Grand", [(f"{'ABCDEFGH'[i]}nna", "CE2") for i in range(count)], at=AT - timedelta(days=20))
    enrolled(who, by=malika, at=AT - timedelta(days=19))
    other_home(who)
    moved(who)
    read(desk, who)
    assert queries(lambda: read(desk, who)) == 32
