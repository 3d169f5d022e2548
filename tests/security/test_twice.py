"""A double click, a page kept open, the back button, two windows: what is asked is done once, and nothing is lost."""

from datetime import date

import pytest
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.bookings.models import BasketLine, Booking
from marelle.families.models import Child, Guardian, Household
from marelle.families.services import (
    Address,
    AddressInUse,
    ChildAlreadyKnown,
    NewChild,
    NewGuardian,
    register_household,
)
from marelle.foundation.audit import PORTAL
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.requests.models import FamilyRequest
from tests.offer import AT, Family, activity_for, agent, cadours, choose, enrolled, family
from tests.portal.visit import Screen
from tests.security.world import World, world

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY, THURSDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 19)


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    who = family(children=[("Inès", "CE2")])
    enrolled(who, by=malika)
    return who


def deeds() -> tuple[int, int, int]:
    return FamilyRequest.objects.count(), AuditLine.objects.count(), OutboxMail.objects.count()


def check_form(screen: Screen) -> dict[str, str]:
    screen.go("/planning/verifier/")
    return {name: screen.field(name) for name in ("send_key", "shown")}


@pytest.mark.row("A7")
def test_what_came_after_the_check_was_shown_is_not_sent_with_it(settings: Settings, benali: Family) -> None:
    choose(benali, [MONDAY])
    screen = Screen(settings, benali.user)
    checked = check_form(screen)
    choose(benali, [THURSDAY])  # in another window
    screen.post("/planning/envoyer/", checked)

    assert list(Booking.objects.values_list("date", flat=True)) == [MONDAY]
    assert list(BasketLine.objects.values_list("date", flat=True)) == [THURSDAY]


def test_a_send_replayed_from_the_back_button_shows_its_request_again(settings: Settings, benali: Family) -> None:
    choose(benali, [MONDAY])
    screen = Screen(settings, benali.user)
    checked = check_form(screen)
    screen.post("/planning/envoyer/", checked)
    first, done = screen.place, deeds()
    choose(benali, [THURSDAY])
    screen.post("/planning/envoyer/", checked)

    assert screen.place == first and deeds() == done
    assert list(BasketLine.objects.values_list("date", flat=True)) == [THURSDAY]


def test_a_choice_taken_out_in_another_window_is_not_sent(settings: Settings, benali: Family) -> None:
    choose(benali, [MONDAY, TUESDAY])
    screen = Screen(settings, benali.user)
    checked = check_form(screen)
    BasketLine.objects.get(date=MONDAY).delete()
    screen.post("/planning/envoyer/", checked)

    assert list(Booking.objects.values_list("date", flat=True)) == [TUESDAY]


def test_an_enrolment_page_reloaded_and_sent_again_asks_nothing_twice(
    settings: Settings, benali: Family, malika: User
) -> None:
    screen = Screen(settings, benali.user)
    box = f"{benali.children[0].pk}.{activity_for(benali.children[0], 'garderie').pk}"

    first, check = "/demarches/inscription/", "/demarches/inscription/verifier/"
    screen.post(first, {"want": [box], "do": "continuer"})
    form = {"send_key": screen.field("send_key"), "terms": ["reglement@2026"], "do": "envoyer"}
    screen.post(check, form)
    done = deeds()
    screen.post(check, form)
    assert screen.status == 200 and deeds() == done
    screen.post(first, {"want": [box], "do": "continuer"})
    assert screen.status == 422 and deeds() == done


def test_the_key_of_another_household_is_nobodys_fault(settings: Settings, benali: Family, malika: User) -> None:
    """A guardian of two homes keeps one page open and changes home in another window."""
    other = Household.objects.create(name="Second", created_at=AT)
    other.guardianships.create(guardian=benali.guardian)
    other.residences.create(child=benali.children[0])
    screen = Screen(settings, benali.user)
    box = f"{benali.children[0].pk}.{activity_for(benali.children[0], 'garderie').pk}"
    numbers = set()
    for household in (benali.household, other):
        screen.post("/famille/foyer/", {"household": household.pk})
        screen.post("/demarches/inscription/", {"want": [box], "do": "continuer"})
        form = {"send_key": screen.field("send_key"), "terms": ["reglement@2026"], "do": "envoyer"}
        screen.post("/demarches/inscription/verifier/", form)
        assert screen.status == 200, household
        numbers.add(screen.place)
    assert len(numbers) == 2


def test_an_invitation_clicked_twice_leaves_once(settings: Settings) -> None:
    there: World = world(settings)
    household = register_household(
        name="Martin", address=Address(), children=[], by=PORTAL, at=AT,
        guardians=[NewGuardian(first_name="Zoé", last_name="Martin", email="z@x.example")],
    )  # fmt: skip
    guardian = household.guardians.get()
    client = there.client("agent")
    url = f"/agents/familles/{household.pk}/"
    page = client.get(url).text
    shown = page.partition('name="after" value="')[2].partition('"')[0]
    before = deeds()
    for _click in range(2):
        client.post(f"{url}inviter/{guardian.pk}/", {"after": shown})
    assert (deeds()[1] - before[1], deeds()[2] - before[2]) == (1, 1)
    page = client.get(url).text
    again = page.partition('name="after" value="')[2].partition('"')[0]
    client.post(f"{url}inviter/{guardian.pk}/", {"after": again})
    assert deeds()[2] - before[2] == 2


def test_a_family_whose_invitation_cannot_leave_is_not_half_registered(settings: Settings) -> None:
    """An address that opens another guardian's door, under an older one in their file."""
    there: World = world(settings)
    Guardian.objects.filter(pk=there.benali.guardian.pk).update(email="nouvelle@famille.example")
    before = Household.objects.count()
    answer = there.client("agent").post(
        "/agents/familles/nouvelle/",
        {
            "name": "Durand", "invite": "on", "guardians": "1", "children": "1",
            "guardian-0-first_name": "Ana", "guardian-0-last_name": "Durand", "guardian-0-email": there.benali.email,
            "child-0-first_name": "Lou", "child-0-last_name": "Durand", "child-0-birth_date": "12 03 2019",
        },
    )  # fmt: skip
    assert answer.status_code == 200 and "est déjà utilisée par Nadia Benali" in answer.text
    assert Household.objects.count() == before
    assert not Child.objects.filter(first_name="Lou").exists()


@pytest.mark.race
def test_a_family_registered_twice_at_once_is_registered_once(race) -> None:  # type: ignore[no-untyped-def]
    cadours()

    def register(_contender: int) -> Household:
        return register_household(
            name="Durand", address=Address(), by=PORTAL, at=AT,
            guardians=[NewGuardian(first_name="Ana", last_name="Durand", email="ana@famille.example")],
            children=[NewChild(first_name="Lou", last_name="Durand", birth_date=date(2019, 3, 12))],
        )  # fmt: skip

    outcomes = race(register, range(8), at_once=8)
    assert sum(outcome.error is None for outcome in outcomes) == 1
    assert {type(outcome.error) for outcome in outcomes if outcome.error} <= {AddressInUse, ChildAlreadyKnown}
    assert (Household.objects.count(), Child.objects.count(), Guardian.objects.count()) == (1, 1, 1)
