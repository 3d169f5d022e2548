"""Each town of the demo lives: the code knows none of them."""

import pytest
from django.test import Client

from marelle import townfile
from marelle.accounts.models import User
from marelle.activities.models import BookingMode, Service, Validation
from marelle.activities.queries import municipality
from marelle.bookings.models import Booking, Enrolment
from marelle.demo import accounts
from marelle.demo.history import places_astray, prepare
from marelle.requests.models import FamilyRequest
from marelle.rules.lifecycles import BookingState, EnrolmentState, RequestState
from tests.offer import TOWNS, paris

pytestmark = pytest.mark.django_db

NAMES = sorted(path.stem for path in TOWNS.glob("*.toml"))
#: The Monday of the story: two minutes before Cadours's limit.
MONDAY = paris(2026, 11, 23, 8, 58)


def signed_in(email: str) -> Client:
    browser = Client()
    browser.force_login(User.objects.get(email=email))
    return browser


@pytest.mark.parametrize("name", NAMES)
def test_a_town_lives_and_every_page_of_it_opens(name: str, settings: object) -> None:
    settings.CLOCK = (MONDAY, MONDAY)  # type: ignore[attr-defined]
    played = prepare(townfile.read(TOWNS / f"{name}.toml"), at=MONDAY, families=6)

    assert played.families == 6
    assert list(places_astray()) == []
    assert FamilyRequest.objects.filter(state=RequestState.ANSWERED).exists()
    assert Enrolment.objects.filter(state=EnrolmentState.ACCEPTED).exists()
    mine = Booking.objects.filter(household__guardians__email=accounts.NADIA, date__gte=MONDAY.date())
    assert mine.filter(state=BookingState.BOOKED).exists()
    # where a choice counts at once, nobody waits for an answer to it
    at_once = Service.objects.filter(validation_book=Validation.IMMEDIATE, validation_cancel=Validation.IMMEDIATE)
    asked = Service.objects.filter(booking_mode=BookingMode.DAYS).exclude(pk__in=at_once)
    # elsewhere only enrolments wait, and six families may have nothing left to enrol in
    assert played.waiting >= 1 or not asked.exists()
    waits = (BookingState.PENDING, BookingState.CANCELLING)
    assert not Booking.objects.filter(unit__service__in=at_once, state__in=waits).exists()

    family = signed_in(accounts.NADIA)
    for service in Service.objects.all():
        page = family.get(f"/planning/{service.slug}/")
        assert page.status_code in (200, 302), service
    for path in ("/", "/planning/", "/demarches/", "/demarches/inscription/", "/famille/", "/aide/"):
        page = family.get(path, follow=True)
        assert page.status_code == 200, path
        assert municipality().short_name in page.content.decode(), path
        assert name == "cadours" or "Cadours" not in page.content.decode(), path
    agent = signed_in(accounts.agent_address("Malika Roux", municipality()))
    for path in ("/agents/", "/agents/demandes/", "/agents/familles/", "/agents/e-mails/"):
        assert agent.get(path, follow=True).status_code == 200, path
