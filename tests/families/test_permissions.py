import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from marelle.families.models import Guardianship, Household
from marelle.families.permissions import guardian_required, household_of, landing
from tests.people import agent, family, guardian_with_account, signed_in, town

pytestmark = pytest.mark.django_db


@guardian_required
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.household.name)  # type: ignore[attr-defined]


def asked_by(user: object) -> HttpRequest:
    request = RequestFactory().get("/planning/")
    request.user, request.session = user, SessionStore()  # type: ignore[assignment]
    return request


def two_homes() -> tuple[Client, Household, Household]:
    town()
    first, second = family("Benali"), family("Roche", email="autre@example.org")
    guardian = guardian_with_account(first)
    Guardianship.objects.create(household=second, guardian=guardian)
    assert guardian.user is not None
    return signed_in(guardian.user), first, second


def test_a_guardian_gets_their_household_a_stranger_the_door_an_agent_nothing() -> None:
    guardian = guardian_with_account(family())
    assert page(asked_by(guardian.user)).content == b"Benali"
    assert page(asked_by(AnonymousUser()))["Location"] == "/connexion/?next=%2Fplanning%2F"
    with pytest.raises(Http404):
        page(asked_by(agent()))


def test_the_switcher_goes_to_one_s_own_households_only() -> None:
    client, first, second = two_homes()
    stranger = family("Petit", email="petit@example.org")
    shown = client.get("/famille/foyer/").text
    assert "Famille Benali" in shown and "Famille Roche" in shown and "Petit" not in shown
    assert client.post("/famille/foyer/", {"household": second.pk})["Location"] == "/"
    user = first.guardians.get().user
    assert user is not None
    assert household_of(user, client.session) == second
    for other in (str(stranger.pk), "999", "x", ""):
        assert client.post("/famille/foyer/", {"household": other}).status_code == 404
    assert household_of(user, client.session) == second


def test_a_household_left_behind_is_not_shown_any_more() -> None:
    client, first, second = two_homes()
    client.post("/famille/foyer/", {"household": second.pk})
    Guardianship.objects.filter(household=second, guardian__email="nadia@example.org").delete()
    user = first.guardians.get().user
    assert user is not None
    assert household_of(user, client.session) == first


def test_families_land_at_home_and_agents_at_their_desk() -> None:
    guardian = guardian_with_account(family())
    assert landing(guardian.user) == "/"  # type: ignore[arg-type]
    malika = agent()
    assert landing(malika) == "/agents/"
    own = family("Roux", email="malika@example.org").guardians.get()
    own.user = malika
    own.save()
    assert landing(malika) == "/"
