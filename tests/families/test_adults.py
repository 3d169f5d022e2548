"""Another adult of the home, whom a first one invites."""

import re

import pytest
from django.test import Client

from marelle.accounts.models import User
from marelle.families.models import AdultInvitation, Guardian, Guardianship, Household
from marelle.foundation.models import AuditLine, OutboxMail
from tests import offer
from tests.accounts.test_door import post_all, sign_in
from tests.people import queries

pytestmark = [pytest.mark.django_db, pytest.mark.row("C1")]

FORM = {"first_name": "Sam", "last_name": "Benali", "email": "Sam@famille.example"}
NEW_PASSWORD = "un cheval mange des cerises"


@pytest.fixture
def home() -> offer.Family:
    offer.cadours()
    return offer.family(email="nadia@famille.example")


@pytest.fixture
def nadia(home: offer.Family) -> Client:
    client = Client()
    sign_in(client, home.user.email, offer.PASSWORD)
    return client


def link(mailoutbox) -> str:  # type: ignore[no-untyped-def]
    return re.search(r"http://\S+?(/famille/rejoindre/\S+)", str(post_all(mailoutbox)[-1].body))[1]


def test_an_invited_adult_chooses_a_password_and_is_of_the_home(home: offer.Family, nadia: Client, mailoutbox) -> None:  # type: ignore[no-untyped-def]
    assert nadia.post("/famille/inviter/", FORM)["Location"] == "/famille/"
    assert "sam@famille.example" in nadia.get("/famille/").text
    path = link(mailoutbox)
    for _scanner in range(2):
        assert "Rejoindre le foyer Benali" in Client().get(path).text
    assert home.household.guardians.count() == 1
    sam = Client()
    assert sam.post(path)["Location"] == "/connexion/choisir-mon-mot-de-passe/"
    assert sam.post("/connexion/choisir-mon-mot-de-passe/", {"password": NEW_PASSWORD})["Location"] == "/"
    user = User.objects.get(email="sam@famille.example")
    assert user.is_active and user.guardian.households.get() == home.household
    assert Client().get(path).status_code == Client().post(path).status_code == 410
    history = nadia.get("/famille/historique/").text
    assert "est invité à rejoindre le foyer" in history and "rejoint le foyer, à l’invitation de" in history


def test_who_has_an_account_comes_with_it_to_a_second_home(home: offer.Family, nadia: Client, mailoutbox) -> None:  # type: ignore[no-untyped-def]
    julien = offer.family("Moreau", first_name="Julien", email="julien@famille.example")
    nadia.post("/famille/inviter/", FORM | {"email": "julien@famille.example"})
    path = link(mailoutbox)
    client = Client()
    assert client.get(path)["Location"].startswith("/connexion/?next=")
    sign_in(client, "julien@famille.example", offer.PASSWORD)
    assert client.get(path).status_code == 200
    assert client.post(path)["Location"] == "/"
    homes = Household.objects.filter(guardians__user=julien.user)
    assert {one.pk for one in homes} == {home.household.pk, julien.household.pk}
    assert Guardian.objects.filter(email="julien@famille.example").count() == 1


def test_somebody_else_does_not_use_the_invitation(home: offer.Family, nadia: Client, mailoutbox) -> None:  # type: ignore[no-untyped-def]
    stranger = offer.family("Moreau", first_name="Julien", email="julien@famille.example")
    nadia.post("/famille/inviter/", FORM)
    path = link(mailoutbox)
    client = Client()
    client.force_login(stranger.user)
    assert client.get(path).status_code == client.post(path).status_code == 403
    assert home.household.guardians.count() == 1


def test_the_adult_whom_the_services_knew_without_an_address_is_that_one(  # type: ignore[no-untyped-def]
    home: offer.Family, nadia: Client, mailoutbox
) -> None:
    known = Guardian.objects.create(first_name="Sam", last_name="BENALI")
    home.household.guardians.add(known)
    nadia.post("/famille/inviter/", FORM)
    Client().post(link(mailoutbox))
    known.refresh_from_db()
    assert known.email == "sam@famille.example" and known.user is not None
    assert home.household.guardians.count() == 2


def test_an_invitation_under_an_adult_s_name_does_not_open_their_other_home(  # type: ignore[no-untyped-def]
    home: offer.Family, nadia: Client, mailoutbox
) -> None:
    sam = Guardian.objects.create(first_name="Sam", last_name="Benali")
    apart = offer.family("Moreau", first_name="Julien", email="julien@famille.example").household
    for household in (home.household, apart):
        Guardianship.objects.create(household=household, guardian=sam, position=5)
    nadia.post("/famille/inviter/", FORM | {"email": "nadia.bis@famille.example"})
    assert Client().post(link(mailoutbox))["Location"] == "/connexion/choisir-mon-mot-de-passe/"
    user = User.objects.get(email="nadia.bis@famille.example")
    assert user.guardian != sam and user.guardian.households.get() == home.household


def test_who_has_the_address_cannot_be_read_in_the_answer(home: offer.Family, nadia: Client) -> None:
    offer.family("Moreau", first_name="Julien", email="julien@famille.example")
    seen, counts = set(), set()
    for address in ("julien@famille.example", "libre@famille.example"):
        counts.add(queries(lambda address=address: nadia.post("/famille/inviter/", FORM | {"email": address})))
        page = nadia.get("/famille/").text.replace(address, "…")
        AdultInvitation.objects.all().delete()
        seen.add(re.sub(r'value="\w{64}"|[0-9a-f-]{36}', "", page))
    assert len(seen) == len(counts) == 1
    assert OutboxMail.objects.filter(kind="families/adult_invitation").count() == 2


def test_an_invitation_is_cancelled_by_its_home_alone(home: offer.Family, nadia: Client, mailoutbox) -> None:  # type: ignore[no-untyped-def]
    stranger = offer.family("Moreau", first_name="Julien", email="julien@famille.example")
    nadia.post("/famille/inviter/", FORM)
    path = link(mailoutbox)
    invitation = AdultInvitation.objects.get()
    other = Client()
    other.force_login(stranger.user)
    assert other.post(f"/famille/inviter/{invitation.pk}/annuler/").status_code == 404
    assert nadia.post(f"/famille/inviter/{invitation.pk}/annuler/")["Location"] == "/famille/"
    assert Client().get(path).status_code == 410
    assert AuditLine.objects.filter(action="adult.not_invited").count() == 1


def test_five_wait_at_most_and_one_again_is_the_same(home: offer.Family, nadia: Client) -> None:
    for n in range(5):
        nadia.post("/famille/inviter/", FORM | {"email": f"sam{n}@famille.example"})
    nadia.post("/famille/inviter/", FORM | {"email": "sam4@famille.example"})
    page = nadia.post("/famille/inviter/", FORM | {"email": "sam5@famille.example"})
    assert page.status_code == 422 and "Cinq invitations attendent déjà." in page.text
    assert AdultInvitation.objects.count() == 5


@pytest.mark.parametrize("gone", FORM)
def test_what_is_missing_is_said(home: offer.Family, nadia: Client, gone: str) -> None:
    page = nadia.post("/famille/inviter/", FORM | {gone: ""})
    assert page.status_code == 422 and "Indiquez son" in page.text
