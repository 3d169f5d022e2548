"""A child who will not come, too late to cancel: announced, confirmed, taken back; and the silence of the town."""

import uuid
from datetime import date, datetime

import pytest

from marelle.activities.models import OpeningDay
from marelle.activities.queries import municipality
from marelle.bookings.models import Absence, Booking
from marelle.bookings.queries.absences import Key
from marelle.bookings.services.absences import (
    Announcement,
    NothingToTakeBack,
    UnknownCause,
    announce_absence,
    take_back_absence,
)
from marelle.families.models import Child
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.foundation.postman import compose
from marelle.rules.decisions import Reason
from marelle.rules.lifecycles import LineState, RequestState
from tests import guides
from tests.offer import Family, agent, booked, family, paris
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

# Rieux-la-Forge's canteen: a proof within 48 h of the meal (12 h) frees a "dispense"; a limit in working hours.
MONDAY, TUESDAY, FAR = date(2026, 11, 16), date(2026, 11, 17), date(2026, 12, 10)
BEFORE = paris(2026, 11, 2, 9)
LATE = paris(2026, 11, 16, 8)  # Monday at eight: the meals of Monday and Tuesday can be cancelled no more
NOON = paris(2026, 11, 16, 12)


@pytest.fixture
def benali() -> Family:
    who = guides.alsh(at=BEFORE)
    malika = agent(at=BEFORE)
    booked(who, [MONDAY, TUESDAY, FAR], "restauration", by=malika, at=BEFORE)
    OutboxMail.objects.all().delete()
    return who


def keys(*days: date) -> list[Key]:
    found = Booking.objects.filter(date__in=days, unit__service__slug="restauration")
    return [(booking.child_id, booking.unit_id, booking.date) for booking in found]


def announce(
    who: Family,
    *days: date,
    cause: str = "dispense",
    note: str = "Fièvre depuis hier",
    key: uuid.UUID | None = None,
    at: datetime = LATE,
) -> Announcement:
    return announce_absence(
        town=municipality(),
        user=who.user,
        household=who.household,
        keys=keys(*days),
        cause=cause,
        note=note,
        send_key=key or uuid.uuid4(),
        at=at,
    )


def mail(kind: str) -> tuple[str, str]:
    found = OutboxMail.objects.get(kind=f"bookings/{kind}")
    message = compose(found)
    return plain_spaces(message.subject), plain_spaces(str(message.body))


def refusals(announcement: Announcement) -> list[Reason]:
    return [unmet.refusal.reason for unmet in announcement.unmet]


def test_the_day_stays_booked_and_held_and_says_that_the_child_will_not_come(benali: Family) -> None:
    taken = list(OpeningDay.objects.order_by("id").values_list("taken", flat=True))
    request = announce(benali, MONDAY).request
    assert request is not None
    assert (request.kind, request.state, request.message) == ("absence", RequestState.ANSWERED, "Fièvre depuis hier")
    booking = Booking.objects.get(date=MONDAY)
    assert booking.state == "booked" and booking.holds_place
    assert booking.absence is not None
    assert booking.absence.cause == "dispense"
    assert (booking.absence.announced_at, booking.absence.announced_by_label) == (LATE, str(benali.user))
    assert (booking.absence.still_due, booking.absence.proven) == (100, 0)
    assert booking.absence.proof_until == paris(2026, 11, 18, 12)
    assert list(OpeningDay.objects.order_by("id").values_list("taken", flat=True)) == taken


def test_the_e_mail_says_what_it_costs_and_nothing_of_the_reason(benali: Family) -> None:
    announce(benali, MONDAY)
    subject, text = mail("absence_announced")
    assert "Absence signalée pour Inès" in subject
    assert "Lundi 16 novembre" in text
    assert "ne sera pas facturée si vous remettez un justificatif avant le mercredi 18 novembre, 12 h" in text
    line = AuditLine.objects.get(action="absence.announced")
    assert line.household_id == benali.household.pk
    for said in (subject, text, line.text, str(line.facts), str(OutboxMail.objects.get().context)):
        assert "ispense" not in said and "Fièvre" not in said


def test_without_an_accepted_cause_the_day_is_billed(benali: Family) -> None:
    announce(benali, MONDAY, cause="")
    assert "Cette journée sera facturée." in mail("absence_announced")[1]
    assert Absence.objects.get().proof_until is None


def test_a_school_that_is_closed_costs_nothing(benali: Family) -> None:
    announce(benali, MONDAY, cause="ecole-fermee")
    assert "Cette journée ne sera pas facturée." in mail("absence_announced")[1]


def test_the_same_key_announces_once(benali: Family) -> None:
    key = uuid.uuid4()
    first, again = announce(benali, MONDAY, key=key), announce(benali, MONDAY, key=key)
    assert again.repeated and again.request == first.request
    assert Absence.objects.count() == 1 == OutboxMail.objects.count()
    assert refusals(announce(benali, MONDAY)) == [Reason.ALREADY_ANNOUNCED]


def test_what_can_still_be_cancelled_or_has_begun_is_refused_and_the_rest_recorded(benali: Family) -> None:
    outcome = announce(benali, MONDAY, FAR)
    assert outcome.request is not None and outcome.request.lines.count() == 1
    assert refusals(outcome) == [Reason.STILL_CANCELLABLE]
    assert refusals(announce(benali, TUESDAY, at=paris(2026, 11, 17, 12))) == [Reason.HAS_BEGUN]
    assert announce(benali, TUESDAY, at=paris(2026, 11, 17, 11, 59)).request is not None


def test_another_familys_child_and_an_unknown_cause_are_refused(benali: Family) -> None:
    stranger = family("Moreau", [], email="julien@famille.example", at=BEFORE)
    with pytest.raises(Child.DoesNotExist):
        announce(stranger, MONDAY)
    with pytest.raises(UnknownCause):
        announce(benali, MONDAY, cause="rien")
    assert not Absence.objects.exists()


def test_the_family_takes_it_back_until_the_meal_begins(benali: Family) -> None:
    request = announce(benali, MONDAY, TUESDAY).request
    assert request is not None
    lines = list(request.lines.order_by("date"))
    OutboxMail.objects.all().delete()

    def take_back(at: datetime) -> int:
        return len(
            take_back_absence(
                town=municipality(),
                request_id=request.pk,
                line_ids=[line.pk for line in lines],
                user=benali.user,
                at=at,
            )
        )

    assert take_back(NOON) == 1  # Monday has begun: only Tuesday
    assert Booking.objects.get(date=MONDAY).absence is not None
    assert Booking.objects.get(date=TUESDAY).absence is None
    assert "Mardi 17 novembre" in mail("absence_taken_back")[1]
    with pytest.raises(NothingToTakeBack):
        take_back(NOON)
    request.refresh_from_db()
    assert request.state == RequestState.ANSWERED
    assert set(request.lines.values_list("state", flat=True)) == {LineState.ACCEPTED, LineState.WITHDRAWN}
    # and the child may be announced absent anew
    assert announce(benali, TUESDAY, at=NOON).request is not None


def test_taking_everything_back_withdraws_the_request(benali: Family) -> None:
    request = announce(benali, MONDAY).request
    assert request is not None
    lines = request.lines.values_list("id", flat=True)
    take_back_absence(town=municipality(), request_id=request.pk, line_ids=lines, user=benali.user, at=LATE)
    request.refresh_from_db()
    assert request.state == RequestState.WITHDRAWN
    assert AuditLine.objects.filter(action="absence.taken_back").count() == 1


def test_a_wait_for_an_answer_is_withdrawn_not_announced(benali: Family) -> None:
    booked(benali, [date(2026, 12, 8)], "restauration", at=BEFORE)
    Booking.objects.filter(date=date(2026, 12, 8)).update(state="pending")
    at = paris(2026, 12, 8, 8)
    assert refusals(announce(benali, date(2026, 12, 8), at=at)) == [Reason.CHANGED_MEANWHILE]
