"""Agents tied to a site: the pupils of a school, and whoever a centre receives from elsewhere; nobody else."""

from datetime import timedelta

import pytest
from django.test import Client

from marelle.activities.models import Activity, Site
from marelle.families.models import Residence
from marelle.families.permissions import children_for, households_for
from tests import offer
from tests.offer import AT
from tests.security.world import agent_of

pytestmark = pytest.mark.django_db


def centre_of(who: offer.Family, service: str) -> Site:
    """Where the family's children are enrolled in this service, which is not their school."""
    site = Activity.objects.get(enrolments__child=who.children[0], service__slug=service).site
    assert site not in [child.school for child in who.children]
    return site


def test_a_centre_s_agent_sees_the_children_that_it_receives_and_no_others() -> None:
    offer.cadours()
    here, elsewhere = offer.family(), offer.family("Moreau", [("Léo", "CP")], first_name="Julien")
    offer.ask(here, "mercredi")
    user = agent_of(centre_of(here, "mercredi"))
    client = Client()
    client.force_login(user)
    assert list(children_for(user.agent_role, at=AT).order_by("id")) == here.children
    assert list(households_for(user.agent_role, at=AT)) == [here.household]
    assert client.get(f"/agents/familles/{here.household.pk}/").status_code == 200
    assert client.get(f"/agents/familles/{elsewhere.household.pk}/").status_code == 404
    assert "Benali" in client.get("/agents/familles/").text


def test_it_does_not_when_the_request_is_refused_or_the_year_over() -> None:
    offer.cadours()
    malika = offer.agent("Malika Roux")
    refused, past = offer.family(), offer.family("Moreau", [("Léo", "CP")], first_name="Julien")
    offer.refuse(offer.ask(refused, "mercredi"), "Complet.", by=malika)
    offer.enrolled(past, "mercredi", by=malika)
    role = agent_of(centre_of(past, "mercredi")).agent_role
    assert list(households_for(role, at=AT)) == [past.household]
    a_year_later = AT + timedelta(days=365)
    assert not households_for(role, at=a_year_later).exists()
    assert not children_for(role, at=a_year_later).exists()


def test_the_other_home_of_a_child_stays_out_of_the_centre_s_sight() -> None:
    offer.cadours()
    one, other = offer.family(), offer.family("Roche", [], first_name="Paul")
    Residence.objects.create(household=other.household, child=one.children[0])
    offer.ask(one, "mercredi")
    role = agent_of(centre_of(one, "mercredi")).agent_role
    assert list(households_for(role, at=AT)) == [one.household]
