"""A child who leaves the class that a trip takes away, and one who comes to it."""

import uuid
from datetime import date, timedelta

import pytest

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay
from marelle.bookings.models import Booking, Closure
from marelle.bookings.queries.closures import Reach
from marelle.bookings.services.closures import close_days, reopen_days
from marelle.bookings.services.moves import tick
from marelle.foundation.models import AuditLine, OutboxMail
from tests.bookings.test_closures import everything, states, taken_is_the_rows
from tests.offer import AT, Family, agent, booked, cadours, enrolled, family, paris

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 16)
LATER = AT + timedelta(hours=1)
CLASS, OTHER = "CE2 de Mme Roy", "CE2 de M. Petit"


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    """Inès in the class that leaves, her meal of Monday booked; Tom elsewhere, his too."""
    who = family()
    enrolled(who, by=malika)
    move(who, CLASS)
    booked(who, [MONDAY], by=malika)
    return who


def move(who: Family, class_name: str) -> None:
    ines = who.children[0]
    ines.class_name = class_name
    ines.save(update_fields=["class_name"])


def outing(who: Family, by: User) -> Closure:
    reach = Reach(site_id=who.children[0].school_id, class_name=CLASS)
    closed = close_days(kind="outing", reach=reach, days=[MONDAY], words="", key=uuid.uuid4(), by=by, at=AT)
    return closed.closure


def told() -> list[str]:
    return list(OutboxMail.objects.order_by("created_at").values_list("kind", flat=True))


def test_who_leaves_the_class_has_the_day_back_and_is_told(benali: Family, malika: User) -> None:
    before = everything()
    outing(benali, malika)
    assert states(MONDAY) == ["closed", "booked"]
    assert tick(at=LATER) == 0
    OutboxMail.objects.all().delete()

    move(benali, OTHER)
    assert tick(at=LATER) == 1
    assert everything() == before and taken_is_the_rows()
    assert told() == ["bookings/days_reopened"]
    assert "rouvert pour Inès" in AuditLine.objects.filter(action="closure.days_reopened").get().text
    assert tick(at=LATER) == 0


def test_who_comes_to_the_class_has_the_day_closed_and_is_told(benali: Family, malika: User) -> None:
    move(benali, OTHER)
    closure = outing(benali, malika)
    assert states(MONDAY) == ["booked", "booked"]
    before = everything()
    OutboxMail.objects.all().delete()

    move(benali, CLASS)
    assert tick(at=LATER) == 1
    assert states(MONDAY) == ["closed", "booked"] and taken_is_the_rows()
    assert told() == ["bookings/days_closed"]
    assert tick(at=LATER) == 0
    reopen_days(closure_id=closure.pk, by=malika, at=LATER)
    assert everything() == before
    assert tick(at=LATER) == 0, "what is undone follows nobody"


def test_to_and_fro_the_day_is_closed_again(benali: Family, malika: User) -> None:
    outing(benali, malika)
    for class_name, state in ((OTHER, "booked"), (CLASS, "closed"), (OTHER, "booked")):
        move(benali, class_name)
        assert tick(at=LATER) == 1
        assert states(MONDAY) == [state, "booked"] and taken_is_the_rows()


def test_without_a_place_left_the_day_is_cancelled_and_said(benali: Family, malika: User) -> None:
    outing(benali, malika)
    place = Booking.objects.get(child=benali.children[0])
    OpeningDay.objects.filter(date=MONDAY, group=place.group_id).update(capacity=0, ceiling=0)
    move(benali, OTHER)
    assert tick(at=LATER) == 1
    place.refresh_from_db()
    assert (place.state, place.reason) == ("cancelled", "La journée a rouvert, mais il n’y a plus de place.")
    assert taken_is_the_rows()


def test_a_day_that_another_closure_closes_too_stays_closed(benali: Family, malika: User) -> None:
    outing(benali, malika)
    close_days(kind="strike", reach=Reach(), days=[MONDAY], words="", key=uuid.uuid4(), by=malika, at=AT)
    move(benali, OTHER)
    tick(at=LATER)
    assert states(MONDAY) == ["closed", "closed"]
    assert tick(at=LATER) == 0


def test_a_day_that_has_begun_stays_as_it_is(benali: Family, malika: User) -> None:
    outing(benali, malika)
    move(benali, OTHER)
    assert tick(at=paris(2026, 11, 16, 12, 30)) == 0
    assert states(MONDAY) == ["closed", "booked"]
