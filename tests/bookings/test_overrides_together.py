"""What an agent books for a family beside the town's rules of combination."""

import uuid
from datetime import date

import pytest

from marelle.accounts.models import User
from marelle.activities.models import Unit
from marelle.activities.queries import municipality
from marelle.bookings.models import Booking
from marelle.bookings.services.overrides import Change, Done, book_for_family
from marelle.requests.models import Act
from marelle.requests.services import ReasonMissing
from marelle.rules.decisions import Reason
from tests import guides
from tests.offer import AT, Family

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 11, 25)


@pytest.fixture
def benali() -> Family:
    return guides.valmontier()


def act(who: Family, acts: dict[str, tuple[Act, str]], *, reason: str = "") -> Done:
    return book_for_family(
        town=municipality(),
        household=who.household,
        changes=[
            Change(who.children[0].pk, Unit.objects.get(service__slug="mercredi", slug=slug).pk, WEDNESDAY, what, was)
            for slug, (what, was) in acts.items()
        ],
        reason=reason,
        by=User.objects.get(email="malika@valmontier.example"),
        send_key=uuid.uuid4(),
        at=AT,
    )


BOOK = (Act.BOOK, "free")


def booked(who: Family) -> set[str]:
    found = Booking.objects.filter(household=who.household, unit__service__slug="mercredi", state="booked")
    return set(found.values_list("unit__slug", flat=True))


def test_a_meal_alone_needs_a_reason_and_is_then_booked(benali: Family) -> None:
    with pytest.raises(ReasonMissing):
        act(benali, {"repas": BOOK})
    assert act(benali, {"repas": BOOK}, reason="Sortie le matin avec la famille").undone == ()
    assert booked(benali) == {"repas"}
    assert act(benali, {"matin": BOOK}).undone == (), "nothing is broken any more: no reason to give"


def test_two_units_that_exclude_each_other_are_never_both_booked(benali: Family) -> None:
    act(benali, {"matin": BOOK})
    done = act(benali, {"journee": BOOK}, reason="Demande de la famille")
    assert [one.refusal.reason for one in done.undone] == [Reason.EXCLUDES_UNIT]
    assert booked(benali) == {"matin"}
    swap = act(benali, {"matin": (Act.CANCEL, "booked"), "journee": BOOK})
    assert swap.undone == () and booked(benali) == {"journee"}, "an agent's cancellation waits for nobody"
