"""Families registered twice, at the agents': shown two by two, told apart, or made one."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client

from marelle.accounts.models import User
from marelle.families.doubles import merging
from marelle.families.models import Child, Guardian, Household, HouseholdMerge
from tests.offer import Family, enrolled, family
from tests.people import queries
from tests.plumbing.races import Outcome
from tests.portal.visit import plain

pytestmark = [pytest.mark.django_db, pytest.mark.row("S3")]

LIST = "/agents/familles/doublons/"


@pytest.fixture
def twins(malika: User) -> tuple[Family, Family]:
    """The Benali, registered again at the counter: no account, another address, one child more."""
    first = family("Benali", [("Inès", "CE2")])
    again = family("Benali", [("Inès", "CE2"), ("Tom", "GS")])
    Child.objects.filter(pk=again.children[0].pk).update(birth_date=first.children[0].birth_date)
    Guardian.objects.filter(pk=again.guardian.pk).update(user=None, email="")
    Household.objects.filter(pk=again.household.pk).update(address="12 rue Neuve")
    return first, again


def page(twins: tuple[Family, Family]) -> str:
    return f"{LIST}{twins[0].household.pk}/{twins[1].household.pk}/"


def test_those_that_look_alike_are_compared_and_made_one(
    desk: Client, twins: tuple[Family, Family], malika: User
) -> None:
    first, again = twins
    enrolled(again, by=malika)
    seen = plain(desk.get(LIST).text)
    assert "Même enfant Inès Benali" in seen and "Même téléphone Nadia Benali" in seen
    seen = plain(desk.get(page(twins)).text)
    assert "12 rue du Marché, 31480 Cadours" in seen and "12 rue Neuve, 31480 Cadours" in seen
    assert "Inscriptions 2" in seen and "ne s’annule pas" in seen
    form = {"c-address": "autre", f"enfant-{again.children[1].pk}": "0", "do": "merge"}
    refused = desk.post(page(twins), form)
    assert refused.status_code == 422 and "Cochez la case" in plain(refused.text)
    assert 'value="autre" checked' in refused.text
    done = plain(desk.post(page(twins), form | {"sure": "1"}, follow=True).text)
    assert "Les deux familles n’en font plus qu’une : Benali." in done
    household = Household.objects.get()
    assert household.address == "12 rue Neuve" and household.pk == first.household.pk
    assert [child.first_name for child in household.children.order_by("birth_date")] == ["Inès", "Tom"]
    assert household.guardians.get().user == first.user
    assert "est réunie avec celle-ci" in done
    assert "Aucune famille en double" in plain(desk.get(LIST).text)
    for address in (page(twins), f"{LIST}{again.household.pk}/{household.pk}/"):
        twice = desk.post(address, form | {"sure": "1"}, follow=True)
        assert twice.redirect_chain == [(f"/agents/familles/{household.pk}/", 302)]
        assert "Ces deux familles n’en font déjà plus qu’une : Benali." in plain(twice.text)
    assert "est réunie avec celle-ci" in plain(desk.get(page(twins), follow=True).text), "the page gone back to, too"
    assert HouseholdMerge.objects.count() == 1


def test_the_other_one_may_stay(desk: Client, twins: tuple[Family, Family]) -> None:
    first, again = twins
    swapped = f"{LIST}{again.household.pk}/{first.household.pk}/"
    assert swapped in desk.get(page(twins)).text
    desk.post(swapped, {"do": "merge", "sure": "1"})
    household = Household.objects.get()
    assert household.pk == again.household.pk
    assert household.guardians.get().user == first.user, "the account follows its adult"


def test_those_that_are_not_the_same_are_told_apart(desk: Client, twins: tuple[Family, Family]) -> None:
    seen = plain(desk.post(page(twins), {"do": "distinct"}, follow=True).text)
    assert "ne sont plus montrées ensemble" in seen and "Aucune famille en double" in seen
    assert Household.objects.count() == 2


def test_two_adults_with_an_account_each_are_not_taken_for_one(desk: Client, malika: User) -> None:
    one, two = family("Benali", [("Inès", "CE2")]), family("Benali", [("Léa", "CP")])
    address = f"{LIST}{one.household.pk}/{two.household.pk}/"
    form = {"do": "merge", "sure": "1", f"adulte-{two.guardian.pk}": str(one.guardian.pk)}
    refused = desk.post(address, form)
    assert refused.status_code == 422 and "a un compte dans chaque famille" in plain(refused.text)
    assert Household.objects.count() == 2
    desk.post(address, {"do": "merge", "sure": "1"})
    assert Household.objects.get().guardians.count() == 2


@pytest.mark.parametrize("said", ["x", "-1", "999999", "1²", ""])
def test_nonsense_in_the_form_takes_nobody_for_nobody(desk: Client, twins: tuple[Family, Family], said: str) -> None:
    again = twins[1]
    desk.post(page(twins), {"do": "merge", "sure": "1", f"enfant-{again.children[0].pk}": said})
    assert Household.objects.get().children.count() == 3


def test_a_household_is_not_its_own_double(desk: Client, twins: tuple[Family, Family]) -> None:
    pk = twins[0].household.pk
    assert desk.get(f"{LIST}{pk}/{pk}/").status_code == 404
    assert desk.get(f"{LIST}{pk}/999999/").status_code == 404


def test_comparing_costs_the_same_for_one_child_and_for_eight(desk: Client, malika: User) -> None:
    costs = set()
    for name, count in (("Petit", 1), ("Grand", 8)):
        one = family(name, [(f"{'ABCDEFGH'[i]}nna", "CE2") for i in range(count)])
        two = family(name, [(f"{'ABCDEFGH'[i]}nna", "CE2") for i in range(count)], first_name="Zoé")
        address = f"{LIST}{one.household.pk}/{two.household.pk}/"
        desk.get(address)
        costs.add(queries(lambda address=address: desk.get(address)))  # type: ignore[misc]
    assert len(costs) == 1


def test_a_family_merged_on_leads_to_where_it_went(desk: Client, twins: tuple[Family, Family]) -> None:
    first, _again = twins
    third = family("Benali", [("Ana", "CP")], first_name="Zoé")
    desk.post(page(twins), {"do": "merge", "sure": "1"})
    desk.post(f"{LIST}{third.household.pk}/{first.household.pk}/", {"do": "merge", "sure": "1"})
    twice = desk.post(page(twins), {"do": "merge", "sure": "1"})
    assert twice["Location"] == f"/agents/familles/{third.household.pk}/"
    assert desk.post(f"{LIST}{third.household.pk}/999999/", {"do": "merge", "sure": "1"}).status_code == 404


def _merge_at_once(race: Any, malika: User) -> list[Outcome]:
    """Four pairs of families, each merged by two agents at once, one of them the other way round."""
    ways = []
    for name in ("Benali", "Moreau", "Petit", "Roux"):
        one, two = (family(name, [("Inès", "CE2"), (f"Tom{n}", "GS")], first_name=f"Zoé{n}") for n in range(2))
        ways += [(one.household.pk, two.household.pk), (two.household.pk, one.household.pk)]

    def merge(way: tuple[int, int]) -> str:
        client = Client()
        client.force_login(malika)
        kept, gone = way
        answer = client.post(f"{LIST}{kept}/{gone}/", {"do": "merge", "sure": "1"})
        assert answer.status_code == 302, answer.status_code
        return answer["Location"]

    outcomes: list[Outcome] = race(merge, ways, at_once=8)
    return outcomes


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_agents_who_merge_the_same_families_at_once_merge_them_once(race: Any, malika: User) -> None:
    outcomes = _merge_at_once(race, malika)
    assert [outcome.error for outcome in outcomes] == [None] * 8
    assert HouseholdMerge.objects.count() == 4 and Household.objects.count() == 4
    assert {home.guardians.count() for home in Household.objects.all()} == {2}
    assert {home.children.count() for home in Household.objects.all()} == {4}
    stay = {f"/agents/familles/{pk}/" for pk in Household.objects.values_list("pk", flat=True)}
    assert {outcome.answer for outcome in outcomes} == stay, "both agents are led to the family that stays"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_run_into_each_other(race: Any, malika: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(ids: Sequence[int]) -> list[Household]:
        return list(Household.objects.filter(pk__in=ids).order_by("pk"))

    monkeypatch.setattr(merging, "lock_homes", careless)
    assert any(outcome.error is not None for outcome in _merge_at_once(race, malika))
