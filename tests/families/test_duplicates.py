"""Which households may be one and the same family."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marelle.families.doubles.duplicates import Sign, alike, near_duplicates, same_phone
from marelle.families.models import Household, Residence
from marelle.families.services import Address, NewChild, NewGuardian, register_household
from marelle.foundation.audit import PORTAL
from tests.people import AT, queries, town

INES = NewChild(first_name="Inès", last_name="Benali", birth_date=date(2018, 3, 12))


def home(
    name: str = "Benali",
    *,
    first: str = "Nadia",
    phone: str = "",
    street: str = "4 rue Haute",
    child: NewChild = INES,
) -> Household:
    return register_household(
        name=name,
        address=Address(street=street, postcode="31480", city="Cadours"),
        guardians=[NewGuardian(first_name=first, last_name=name, phone=phone)],
        children=[child],
        by=PORTAL,
        at=AT,
        awaits=True,
    )


def other(name: str = "Moreau", **more: str) -> Household:
    child = NewChild(first_name="Léo", last_name=name, birth_date=date(2019, 5, 1))
    return home(
        name, first=more.pop("first", "Julien"), child=child, street=more.pop("street", "9 allée Basse"), **more
    )


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("06 12 34 56 78", "+33 6 12 34 56 78", True),
        ("06.12.34.56.78", "0033612345678", True),
        ("+33 (0)6 12 34 56 78", "0612345678", True),
        ("06 12 34 56 78", "06 12 34 56 79", False),
        ("", "", False),
        ("12 34", "12 34", False),
    ],
)
def test_a_number_is_one_however_it_is_written(one: str, two: str, same: bool) -> None:
    assert same_phone(one, two) is same


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("Nadia Benali", "BENALI Nadia", True),
        ("Nadia Benali", "Nadja Benalli", True),
        ("Hélène Le Gall", "helene le gall", True),
        ("Nadia Benali", "Julien Moreau", False),
        ("Nadia Benali", "Karim Benali", False),
    ],
)
def test_names_are_alike_but_for_a_slip(one: str, two: str, same: bool) -> None:
    assert alike(one, two) is same


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_goes_both_ways(one: str, two: str) -> None:
    assert alike(one, one)
    assert same_phone(one, two) == same_phone(two, one)


@pytest.mark.django_db
class TestHouseholds:
    @pytest.fixture(autouse=True)
    def _town(self) -> None:
        town()

    def test_the_same_child_the_same_number_and_a_near_name_at_one_address(self) -> None:
        first = home(phone="06 12 34 56 78")
        second = home("Benalli", first="Nadja", phone="+33612345678", street="4, r. Haute")
        (likeness,) = near_duplicates(second)
        assert likeness.household == first
        assert likeness.signs == {
            Sign.CHILD: ["Inès Benali"],
            Sign.PHONE: ["Nadia Benali"],
            Sign.ADULT: ["Nadia Benali"],
        }
        assert [one.household for one in near_duplicates(first)] == [second]

    def test_strangers_are_not_alike(self) -> None:
        home(phone="06 12 34 56 78")
        assert near_duplicates(other(phone="06 12 34 56 79")) == []

    def test_neighbours_of_one_building_are_not_alike(self) -> None:
        home()
        assert near_duplicates(other(street="4 rue Haute")) == []

    def test_a_child_of_two_homes_is_no_sign(self) -> None:
        first, second = home(), other()
        Residence.objects.create(household=second, child=first.children.get())
        assert near_duplicates(second) == []

    def test_those_with_most_signs_come_first(self) -> None:
        by_phone = other(phone="0612345678")
        twin = home(phone="0612345678")
        found = near_duplicates(home(phone="06 12 34 56 78"))
        assert [one.household for one in found] == [twin, by_phone]

    def test_it_costs_the_same_whatever_is_found(self) -> None:
        home()
        asked = home()
        one = queries(lambda: near_duplicates(asked))
        for _twin in range(5):
            home()
        assert len(near_duplicates(asked)) == 6
        assert queries(lambda: near_duplicates(asked)) == one
