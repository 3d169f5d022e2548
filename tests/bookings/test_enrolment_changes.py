"""Changing and ending an enrolment that was accepted, and what is begun and left."""

import uuid
from datetime import date, timedelta

import pytest
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.queries import municipality
from marelle.bookings.models import Enrolment, EnrolmentDraft
from marelle.bookings.services import drafts
from marelle.bookings.services.changes import ChangeWaiting, DaysAhead, NotAccepted, change_enrolment, end_enrolment
from marelle.bookings.services.drafts import keep_draft
from marelle.foundation.models import AuditLine, OutboxMail
from tests.offer import AT, Family, accept, agent, booked, cadours, enrolled, family, paris, refuse, school_year
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    return family(children=[("Inès", "CE2")])


@pytest.fixture
def canteen(benali: Family, malika: User) -> Enrolment:
    return enrolled(benali, by=malika)[0]


def end(who: Family, enrolment: Enrolment, key: uuid.UUID | None = None):  # type: ignore[no-untyped-def]
    return end_enrolment(town=municipality(), enrolment=enrolment, send_key=key or uuid.uuid4(), user=who.user, at=AT)


@pytest.mark.row("C8")
def test_the_end_of_an_asked_service_waits_for_an_agent(benali: Family, canteen: Enrolment, malika: User) -> None:
    key = uuid.uuid4()
    request = end(benali, canteen, key)
    assert end(benali, canteen, key) == request and request.state == "sent"
    canteen.refresh_from_db()
    assert canteen.state == "accepted"
    with pytest.raises(ChangeWaiting):
        end(benali, canteen)
    accept(request, by=malika)
    canteen.refresh_from_db()
    assert canteen.state == "ended"
    with pytest.raises(NotAccepted):
        end(benali, canteen)
    assert OutboxMail.objects.filter(kind="requests/answered").count() == 1


@pytest.mark.row("C8")
def test_a_refused_end_changes_nothing_and_can_be_asked_again(
    settings: Settings, benali: Family, canteen: Enrolment, malika: User
) -> None:
    request = end(benali, canteen)
    desk = Screen(settings, malika)
    assert "fin de l’inscription" in desk.go(f"/agents/demandes/{request.number}/")
    assert "Changement" in desk.go("/agents/demandes/")
    refuse(request, "Appelez-nous d’abord.", by=malika)
    canteen.refresh_from_db()
    assert canteen.state == "accepted"
    assert end(benali, canteen).pk != request.pk


def test_days_to_come_are_cancelled_first(benali: Family, canteen: Enrolment) -> None:
    booked(benali, [date(2026, 11, 16), date(2026, 11, 17)])
    with pytest.raises(DaysAhead) as fault:
        end(benali, canteen)
    assert fault.value.count == 2


@pytest.mark.row("C3")
def test_usual_days_alone_count_at_once_and_answers_are_asked(
    settings: Settings, benali: Family, canteen: Enrolment, malika: User
) -> None:
    def change(answers: dict[str, str], *days: int):  # type: ignore[no-untyped-def]
        return change_enrolment(
            town=municipality(), enrolment=canteen, answers=answers, weekdays=days, send_key=uuid.uuid4(),
            user=benali.user, at=AT,
        )  # fmt: skip

    done = change({}, 1)
    canteen.refresh_from_db()
    assert done.request is None and done.usual_days_kept and canteen.usual_weekdays == [1]
    done = change({"regime": "Sans porc"}, 1, 3)
    canteen.refresh_from_db()
    assert done.request is not None and canteen.answers == {}
    seen = Screen(settings, benali.user).go(f"/demandes/{done.request.number}/")
    assert "Cantine : réponses modifiées" in seen
    accept(done.request, by=malika)
    canteen.refresh_from_db()
    assert (canteen.answers, canteen.usual_weekdays) == ({"regime": "Sans porc"}, [1, 3])
    assert AuditLine.objects.filter(action="enrolment.change_asked").count() == 1


def test_what_is_begun_is_dropped_after_three_months_and_with_its_year(benali: Family) -> None:
    def begin(at=AT):  # type: ignore[no-untyped-def]
        keep_draft(user=benali.user, household=benali.household, school_year=school_year(), says={}, step="", at=at)

    begin()
    assert drafts.tick(at=AT + drafts.KEPT - timedelta(minutes=1)) == 0
    assert drafts.tick(at=AT + drafts.KEPT) == 1 and not EnrolmentDraft.objects.exists()
    begin(paris(2027, 8, 1))
    assert drafts.tick(at=paris(2027, 9, 15)) == 1
    assert AuditLine.objects.filter(action="enrolment.draft_dropped").count() == 2
