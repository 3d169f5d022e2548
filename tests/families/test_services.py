from datetime import date

import pytest
from django.core.mail import EmailMessage

from marelle.accounts.models import User
from marelle.families.labels import InvitationState
from marelle.families.models import Child, Guardian, Household
from marelle.families.queries import history, invitation_state, matching
from marelle.families.services import (
    Address,
    AddressInUse,
    AlreadyIn,
    ChildAlreadyKnown,
    NewChild,
    NewGuardian,
    NoAddress,
    invite_guardian,
    register_household,
)
from marelle.families.spelling import plain
from marelle.foundation import postman
from marelle.foundation.audit import PORTAL
from marelle.foundation.models import OutboxMail
from tests.foundation.test_postman import soon
from tests.people import AT, agent, family, guardian_with_account, town

pytestmark = pytest.mark.django_db

INES = NewChild(first_name="Inès", last_name="Benali", birth_date=date(2018, 3, 12))


def another_home(*children: NewChild | Child, email: str = "julien@example.org") -> Household:
    return register_household(
        name="Moreau",
        address=Address(),
        guardians=[NewGuardian(first_name="Julien", last_name="Moreau", email=email)],
        children=children,
        by=PORTAL,
        at=AT,
    )


def test_a_household_is_registered_with_its_people_and_a_line_of_history() -> None:
    household = register_household(
        name="Benali-Moreau",
        address=Address(street="4 rue Haute", postcode="31480", city="Cadours"),
        guardians=[
            NewGuardian(first_name="Nadia", last_name="Benali", email="Nadia@Example.org"),
            NewGuardian(first_name="Julien", last_name="Moreau"),
        ],
        children=[INES],
        by=PORTAL,
        at=AT,
    )
    assert [str(link.guardian) for link in household.guardianships.all()] == ["Nadia Benali", "Julien Moreau"]
    assert household.guardians.get(first_name="Nadia").email == "nadia@example.org"
    assert [str(child) for child in household.children.all()] == ["Inès Benali"]
    assert [line.text for line in history(household)] == ["Famille Benali-Moreau enregistrée."]
    assert not User.objects.exists() and not OutboxMail.objects.exists()


def test_an_address_opens_one_door() -> None:
    family()
    with pytest.raises(AddressInUse) as refused:
        another_home(email="NADIA@example.org")
    assert refused.value.holders == {"nadia@example.org": "Nadia Benali"}
    assert Household.objects.count() == 1


def test_a_couple_s_shared_address_is_refused() -> None:
    with pytest.raises(AddressInUse):
        register_household(
            name="Moreau",
            address=Address(),
            guardians=[
                NewGuardian(first_name="Julien", last_name="Moreau", email="nous@example.org"),
                NewGuardian(first_name="Zoé", last_name="Moreau", email="nous@example.org"),
            ],
            children=[],
            by=PORTAL,
            at=AT,
        )
    assert not Household.objects.exists()


@pytest.mark.parametrize("first_name", ["Inès", "INES", " inès "])
def test_a_child_is_known_once_and_may_have_two_homes(first_name: str) -> None:
    family()
    with pytest.raises(ChildAlreadyKnown) as known:
        another_home(NewChild(first_name=first_name, last_name="Benali", birth_date=date(2018, 3, 12)))
    another_home(known.value.child)
    assert Child.objects.count() == 1
    assert sorted(home.name for home in Child.objects.get().households.all()) == ["Benali", "Moreau"]


def test_namesakes_born_another_day_are_two_children() -> None:
    family()
    another_home(NewChild(first_name="Inès", last_name="Benali", birth_date=date(2018, 3, 13)))
    assert Child.objects.count() == 2


@pytest.mark.parametrize(
    ("words", "found"),
    [("benali", 1), ("INES", 2), ("inès ben", 1), ("nadia@exam", 1), ("benali tom", 0), ("", 2), ("oeuf", 1)],
)
def test_families_are_found_without_accents_by_any_of_their_names(words: str, found: int) -> None:
    family()
    family("Œufs", email="oeufs@example.org")
    assert matching(Household.objects.all(), words).count() == found
    assert plain(" Inès  BENALI ") == "ines benali"


@pytest.mark.row("B1")
def test_an_invitation_makes_the_user_at_once_and_may_go_again(mailoutbox: list[EmailMessage]) -> None:
    town()
    household = family()
    guardian = household.guardians.get()
    assert invitation_state(guardian) is InvitationState.NOT_INVITED
    for times in (1, 2):
        invite_guardian(guardian=guardian, by=PORTAL, at=AT)
        user = User.objects.get()
        assert (user.email, user.is_active, user.invitations, user.invited_at) == (
            "nadia@example.org",
            False,
            times,
            AT,
        )
    guardian.refresh_from_db()
    assert guardian.user == user and not user.has_usable_password()
    assert invitation_state(guardian) is InvitationState.INVITED
    assert [line.text for line in history(household)][:2] == [
        "Invitation renvoyée à Nadia Benali, nadia@example.org.",
        "Invitation envoyée à Nadia Benali, nadia@example.org.",
    ]
    while postman.send_next(now=soon()):
        pass
    first, second = mailoutbox
    assert first.subject == "Mairie de Cadours : votre espace famille"
    assert "Mairie de Cadours vous ouvre un espace pour Inès" in first.body
    assert "/connexion/lien/" in first.body and "mot de passe" in first.body
    assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]


def test_no_invitation_without_an_address_nor_to_who_is_in() -> None:
    household = family(email="")
    with pytest.raises(NoAddress):
        invite_guardian(guardian=household.guardians.get(), by=PORTAL, at=AT)
    guardian = guardian_with_account(family("Moreau", email="julien@example.org"))
    with pytest.raises(AlreadyIn):
        invite_guardian(guardian=guardian, by=PORTAL, at=AT)
    assert invitation_state(guardian) is InvitationState.ACTIVE
    assert not OutboxMail.objects.exists()


def test_an_agent_who_is_a_parent_too_keeps_their_password(mailoutbox: list[EmailMessage]) -> None:
    town()
    malika = agent(email="malika@cadours.example")
    guardian = family("Roux", email="malika@cadours.example").guardians.get()
    invite_guardian(guardian=guardian, by=PORTAL, at=AT)
    guardian.refresh_from_db()
    assert guardian.user == malika
    while postman.send_next(now=soon()):
        pass
    assert "/connexion/lien/" not in mailoutbox[0].body
    assert "avec votre adresse et votre mot de passe habituels" in mailoutbox[0].body


def test_the_history_holds_what_adults_do_with_their_accounts_and_nothing_of_others() -> None:
    household, other = family(), family("Moreau", email="julien@example.org")
    guardian_with_account(household)
    assert [line.action for line in history(household)] == ["account.activated", "household.registered"]
    assert [line.action for line in history(other)] == ["household.registered"]
    assert Guardian.objects.count() == 2
