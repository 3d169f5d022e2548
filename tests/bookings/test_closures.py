"""Trips, strikes and closures: days cancelled in one act, told, and brought back as they were."""

import uuid
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marelle.accounts.models import User
from marelle.activities.models import Group, OpeningDay, Service, Site, Unit
from marelle.activities.queries import municipality
from marelle.bookings.models import Booking, ClosedBooking, Closure
from marelle.bookings.queries.cells import cell_state
from marelle.bookings.queries.closures import Reach
from marelle.bookings.queries.days import DayState, component_places, load_days
from marelle.bookings.services import closures
from marelle.bookings.services.answers import answer_request
from marelle.bookings.services.closures import Closed, DaysBegun, NothingToClose, close_days, reopen_days
from marelle.bookings.services.waiting import tick
from marelle.families.models import Guardianship
from marelle.families.places import add_adult
from marelle.families.services import NewGuardian
from marelle.foundation.models import AuditLine, OutboxMail
from marelle.foundation.postman import compose
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.requests.services import AlreadyAnswered, Verdict
from marelle.rules.decisions import Reason, Refused
from tests.offer import (
    AT,
    Family,
    agent,
    booked,
    cadours,
    choose,
    enrolled,
    enrolments,
    family,
    paris,
    send,
)
from tests.spaces import plain_spaces

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
LATER = AT + timedelta(hours=1)
TOWN = Reach()


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    who = family()
    enrolled(who, by=malika)
    return who


def close(
    by: User,
    reach: Reach = TOWN,
    days: tuple[date, ...] = (MONDAY,),
    *,
    kind: str = "strike",
    words: str = "Les agents sont en grève.",
    at: datetime = AT,
    key: uuid.UUID | None = None,
) -> Closed:
    return close_days(kind=kind, reach=reach, days=days, words=words, key=key or uuid.uuid4(), by=by, at=at)


def everything() -> dict[str, object]:
    """All that a closure touches and its undoing must give back, but the history."""
    return {
        "bookings": list(
            Booking.objects.order_by("id").values_list("id", "state", "holds_place", "waits_until", "reason", "line")
        ),
        "lines": list(
            RequestLine.objects.order_by("id").values_list("id", "state", "reason", "answered_at", "answered_by_label")
        ),
        "requests": list(FamilyRequest.objects.order_by("id").values_list("id", "state", "answered_at")),
        "taken": list(OpeningDay.objects.filter(taken__gt=0).order_by("id").values_list("id", "taken")),
    }


def taken_is_the_rows() -> bool:
    held = Booking.objects.filter(holds_place=True)
    counted = Counter(id for places in component_places(held).values() for id in places)
    return counted == dict(OpeningDay.objects.filter(taken__gt=0).values_list("id", "taken"))


def states(day: date = MONDAY) -> list[str]:
    return list(Booking.objects.filter(date=day).order_by("id").values_list("state", flat=True))


def day_of(who: Family, day: date = MONDAY, service: str = "cantine", at: datetime = AT) -> DayState:
    found = load_days(town=municipality(), enrolments=enrolments(who, service), at=at, dates=[day])
    return next(iter(found.states.values()))


def test_a_strike_cancels_the_day_and_undoing_it_brings_everything_back(benali: Family, malika: User) -> None:
    booked(benali, [MONDAY], by=malika)
    pending = booked(benali, [TUESDAY])
    before = everything()

    closed = close(malika, days=(MONDAY, TUESDAY))
    assert closed.bookings == 4 and states() == ["closed", "closed"]
    assert not OpeningDay.objects.filter(taken__gt=0).exists() and taken_is_the_rows()
    pending.refresh_from_db()
    assert pending.state == "answered"
    assert set(pending.lines.values_list("state", "reason")) == {
        ("refused", "Grève\N{NO-BREAK SPACE}: Les agents sont en grève.")
    }
    with pytest.raises(AlreadyAnswered):
        verdicts = {line: Verdict(accept=True) for line in pending.lines.values_list("id", flat=True)}
        answer_request(request_id=pending.pk, verdicts=verdicts, by=malika, at=LATER)

    undone = reopen_days(closure_id=closed.closure.pk, by=malika, at=LATER)
    assert (undone.back, undone.lost) == (4, 0)
    assert everything() == before


def test_each_family_is_told_once_of_the_closing_and_once_of_the_undoing(benali: Family, malika: User) -> None:
    booked(benali, [MONDAY, TUESDAY], by=malika)
    uncle = NewGuardian(first_name="Sami", last_name="Benali", email="sami@famille.example")
    place = add_adult(
        household=benali.household, adult=uncle, link="oncle", is_legal=False, by=malika.actor(), at=AT
    )  # fmt: skip
    Guardianship.objects.filter(pk=place.pk).update(gets_mail=False)
    closed = close(malika, days=(MONDAY, TUESDAY))
    reopen_days(closure_id=closed.closure.pk, by=malika, at=LATER)

    first = compose(OutboxMail.objects.get(kind="bookings/days_closed"))
    told = plain_spaces(str(first.body))
    assert benali.email in first.to[0] and "Les agents sont en grève." in told
    assert "Inès" in told and "Tom" in told and "lundi 16 novembre" in told and "mardi 17 novembre" in told
    assert "pas facturée" in told
    second = compose(OutboxMail.objects.get(kind="bookings/days_reopened"))
    assert "Réservé" in str(second.body) and "comme avant" in str(second.body)
    history = AuditLine.objects.filter(household_id=benali.household.pk, action__startswith="closure.")
    assert [line.action for line in history.order_by("id")] == ["closure.days_closed", "closure.days_reopened"]
    assert AuditLine.objects.filter(action__in=["closure.made", "closure.undone"]).count() == 2


def test_a_closed_day_is_not_booked_and_says_why(benali: Family, malika: User) -> None:
    key = choose(benali, [MONDAY])
    close(malika, kind="outing", words="")
    day = day_of(benali)
    assert cell_state(day, today=AT.date()).word == "Sortie scolaire"
    verdict = day.may_add()
    assert isinstance(verdict, Refused) and verdict.reason == Reason.CLOSED

    sending = send(benali, key)
    assert sending.request is None
    assert {one.refusal.reason for one in sending.unsent} == {Reason.CLOSED}
    assert not Booking.objects.filter(date=MONDAY).exists()


def test_a_class_away_blocks_only_its_children(benali: Family, malika: User) -> None:
    ines, tom = benali.children
    ines.class_name = "CE2 A"
    ines.save()
    booked(benali, [MONDAY], by=malika)
    close(malika, Reach(site_id=ines.school_id, class_name="CE2 A"), kind="outing")

    assert Booking.objects.get(child=ines, date=MONDAY).state == "closed"
    assert Booking.objects.get(child=tom, date=MONDAY).state == "booked"
    assert taken_is_the_rows()


@pytest.mark.parametrize("by", ["site", "service", "group", "unit"])
def test_a_closure_reaches_what_it_names(benali: Family, malika: User, by: str) -> None:
    enrolled(benali, "mercredi", by=malika)
    booked(benali, [MONDAY], by=malika)
    booked(benali, [WEDNESDAY], "mercredi", by=malika)
    centre = Group.objects.filter(activity__service__slug="mercredi").first()
    assert centre is not None
    reach = {
        "site": Reach(site_id=Site.objects.get(slug="ecole-elementaire").pk),
        "service": Reach(service_id=Service.objects.get(slug="cantine").pk),
        "group": Reach(group_id=enrolments(benali)[0].group_id),
        "unit": Reach(unit_ids=tuple(Unit.objects.filter(service__slug="cantine").values_list("id", flat=True))),
    }[by]
    close(malika, reach, (MONDAY, WEDNESDAY))
    assert set(states(WEDNESDAY)) == {"booked"}
    assert states().count("closed") == (1 if by in ("site", "group") else 2)


def test_a_repeated_closure_and_a_repeated_undoing_do_nothing(benali: Family, malika: User) -> None:
    booked(benali, [MONDAY], by=malika)
    key = uuid.uuid4()
    first = close(malika, key=key)
    assert close(malika, key=key).repeated
    assert close(agent("Paul Vidal")).closure == first.closure  # a colleague, at the same time
    assert Closure.objects.count() == 1 and OutboxMail.objects.filter(kind="bookings/days_closed").count() == 1

    reopen_days(closure_id=first.closure.pk, by=malika, at=LATER)
    assert reopen_days(closure_id=first.closure.pk, by=malika, at=LATER).repeated
    assert OutboxMail.objects.filter(kind="bookings/days_reopened").count() == 1


def test_a_place_taken_meanwhile_is_told(malika: User) -> None:
    """A class is away; another child takes the place that it left; the trip is called off."""
    first, second = family("Un", [("Lou", "CE2")]), family("Deux", [("Max", "CE2")])
    for who in (first, second):
        enrolled(who, "mercredi", by=malika)
    OpeningDay.objects.filter(unit__service__slug="mercredi", date=WEDNESDAY).update(capacity=1, ceiling=1)
    first.children[0].class_name = "CE2 A"
    first.children[0].save()
    booked(first, [WEDNESDAY], "mercredi", by=malika)
    closed = close(malika, Reach(site_id=first.children[0].school_id, class_name="CE2 A"), (WEDNESDAY,), kind="outing")
    booked(second, [WEDNESDAY], "mercredi", by=malika)

    undone = reopen_days(closure_id=closed.closure.pk, by=malika, at=LATER)
    assert (undone.back, undone.lost) == (0, 1)
    assert states(WEDNESDAY) == ["cancelled", "booked"] and taken_is_the_rows()
    told = compose(OutboxMail.objects.get(kind="bookings/days_reopened"))
    assert "plus de place" in str(told.body)


def test_waiting_lists_of_a_closed_day_are_still_and_come_back(malika: User) -> None:
    who = [family(name, [(f"Léo{name}", "CE2")]) for name in ("Un", "Deux", "Trois")]
    for one in who:
        enrolled(one, "mercredi", by=malika)
    rows = OpeningDay.objects.filter(unit__service__slug="mercredi", date=WEDNESDAY)
    rows.update(capacity=1, ceiling=1)
    for one in who:
        send(one, choose(one, [WEDNESDAY], "mercredi"))
    rows.update(capacity=2, ceiling=2)
    assert tick(at=AT) == 1
    assert Counter(states(WEDNESDAY)) == {"pending": 1, "offered": 1, "queued": 1}
    before = everything()

    closed = close(malika, days=(WEDNESDAY,))
    rows.update(capacity=9, ceiling=9)
    assert tick(at=LATER) == 0 and set(states(WEDNESDAY)) == {"closed"}
    rows.update(capacity=2, ceiling=2)
    assert "proposée est retirée" in str(compose(OutboxMail.objects.filter(kind="bookings/days_closed")[1]).body)

    reopen_days(closure_id=closed.closure.pk, by=malika, at=LATER)
    assert everything() == before


def test_an_offer_that_ran_out_meanwhile_goes_back_to_its_list(malika: User) -> None:
    who = [family(name, [(f"Léo{name}", "CE2")]) for name in ("Un", "Deux")]
    for one in who:
        enrolled(one, "mercredi", by=malika)
    rows = OpeningDay.objects.filter(unit__service__slug="mercredi", date=WEDNESDAY)
    rows.update(capacity=1, ceiling=1)
    for one in who:
        send(one, choose(one, [WEDNESDAY], "mercredi"))
    rows.update(capacity=2, ceiling=2)
    tick(at=AT)
    closed = close(malika, days=(WEDNESDAY,))
    reopen_days(closure_id=closed.closure.pk, by=malika, at=AT + timedelta(hours=30))
    assert sorted(states(WEDNESDAY)) == ["pending", "queued"] and taken_is_the_rows()
    tick(at=AT + timedelta(hours=30))
    assert sorted(states(WEDNESDAY)) == ["offered", "pending"]


def test_a_day_closed_twice_stays_closed_until_both_are_undone(benali: Family, malika: User) -> None:
    booked(benali, [MONDAY], by=malika)
    before = everything()
    narrow = close(malika, Reach(service_id=Service.objects.get(slug="cantine").pk), kind="closure")
    wide = close(malika)
    assert wide.bookings == 0
    reopen_days(closure_id=narrow.closure.pk, by=malika, at=LATER)
    assert set(states()) == {"closed"}
    assert not OutboxMail.objects.filter(kind="bookings/days_reopened").exists()
    reopen_days(closure_id=wide.closure.pk, by=malika, at=LATER)
    assert everything() == before


def test_days_past_are_not_closed_and_days_begun_not_reopened(benali: Family, malika: User) -> None:
    booked(benali, [MONDAY, TUESDAY], by=malika)
    with pytest.raises(NothingToClose):
        close(malika, days=(date(2026, 11, 9),))
    closed = close(malika, days=(MONDAY, TUESDAY))
    undone = reopen_days(closure_id=closed.closure.pk, by=malika, at=paris(2026, 11, 16, 19))
    assert undone.back == 2
    assert set(states(MONDAY)) == {"closed"} and set(states(TUESDAY)) == {"booked"}
    assert day_of(benali, MONDAY, at=paris(2026, 11, 17, 7)).closure == closed.closure

    late = close(malika, days=(TUESDAY,), kind="other", at=paris(2026, 11, 16, 20))
    with pytest.raises(DaysBegun):
        reopen_days(closure_id=late.closure.pk, by=malika, at=paris(2026, 11, 17, 19))


def test_a_cancellation_that_waits_is_granted_then_asked_again(benali: Family, malika: User) -> None:
    Service.objects.filter(slug="cantine").update(validation_cancel="asked")
    booked(benali, [MONDAY], by=malika)
    sending = send(benali, choose(benali, [MONDAY], wanted=False))
    assert sending.request is not None and set(states()) == {"cancelling"}
    before = everything()
    closed = close(malika)
    assert set(sending.request.lines.values_list("state", flat=True)) == {"accepted"}
    reopen_days(closure_id=closed.closure.pk, by=malika, at=LATER)
    assert everything() == before


def test_as_many_statements_for_one_family_as_for_many(malika: User) -> None:
    counts = []
    for n in (1, 12):
        for at in range(n):
            who = family(f"F{n}{at}", [("Ana", "CE2"), ("Bob", "GS")])
            enrolled(who, by=malika)
            booked(who, [MONDAY], by=malika if at % 2 else None)
        with CaptureQueriesContext(connection) as closing:
            closed = close(malika)
        with CaptureQueriesContext(connection) as undoing:
            reopen_days(closure_id=closed.closure.pk, by=malika, at=LATER)
        counts.append((len(closing), len(undoing)))
    (one_closing, one_undoing), (many_closing, many_undoing) = counts
    assert many_closing == one_closing
    assert many_undoing <= one_undoing + 2  # one more statement for each state met, whatever the number of days
    assert many_closing < 40 and many_undoing < 40


# ── any order ───────────────────────────────────────────────────────────────────────────────────────────────────────

ACTS = st.lists(
    st.tuples(st.sampled_from(["close", "undo", "book", "cancel", "answer"]), st.integers(0, 3), st.integers(0, 2)),
    min_size=3,
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_the_order_the_places_are_the_rows(malika: User, acts: list[tuple[str, int, int]]) -> None:
    from django.db import transaction

    with transaction.atomic():
        _play(malika, acts)
        transaction.set_rollback(True)


def _play(malika: User, acts: list[tuple[str, int, int]]) -> None:
    who = family()
    enrolled(who, by=malika)
    days = [MONDAY, TUESDAY, date(2026, 11, 19)]
    group = enrolments(who)[0].group_id
    reaches = [TOWN, Reach(service_id=enrolments(who)[0].activity.service_id), Reach(group_id=group), TOWN]
    for act, which, day in acts:
        match act:
            case "close":
                close(malika, reaches[which], (days[day],), kind=["strike", "closure", "outing", "other"][which])
            case "undo":
                standing = Closure.objects.filter(undone_at=None).order_by("id")
                if standing:
                    reopen_days(closure_id=standing[which % len(standing)].pk, by=malika, at=AT)
            case "answer":
                for request in FamilyRequest.objects.filter(state="sent", household=who.household):
                    lines = request.lines.filter(state="pending").values_list("id", flat=True)
                    verdicts = {line: Verdict(accept=True) for line in lines}
                    answer_request(request_id=request.pk, verdicts=verdicts, by=malika, at=AT)
            case _:
                send(who, choose(who, [days[day]], wanted=act == "book"))
        assert taken_is_the_rows()
        _nothing_stands_on_a_closed_day()
    for closure in Closure.objects.filter(undone_at=None):
        reopen_days(closure_id=closure.pk, by=malika, at=AT)
    assert taken_is_the_rows()
    assert not Booking.objects.filter(state="closed").exists()
    assert not ClosedBooking.objects.filter(after="").exists()
    for request in FamilyRequest.objects.filter(household=who.household):
        waits = request.lines.filter(state="pending").exists()
        assert waits == (request.state == "sent")


def _nothing_stands_on_a_closed_day() -> None:
    for closure in Closure.objects.filter(undone_at=None):
        assert not Reach.of(closure).bookings(list(closure.days.values_list("date", flat=True))).exists()


# ── races ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _close_against_sends(race) -> int:  # type: ignore[no-untyped-def]
    """Families send as an agent closes the day; how many bookings survive on it."""
    cadours()
    malika = agent()
    families = []
    for n in range(24):
        who = family(f"F{n}", [("Ana", "CE2")])
        enrolled(who, by=malika)
        families.append((who, choose(who, [MONDAY])))

    def act(contender: tuple[Family, uuid.UUID] | None) -> None:
        if contender is None:
            close(malika)
        else:
            send(contender[0], contender[1])

    outcomes = race(act, [*families[:12], None, *families[12:]], at_once=25)
    assert not [outcome.error for outcome in outcomes if outcome.error], outcomes
    assert taken_is_the_rows()
    return Booking.objects.filter(date=MONDAY).exclude(state="closed").count()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_no_booking_survives_a_closure_made_as_families_send(race) -> None:  # type: ignore[no-untyped-def]
    assert _close_against_sends(race) == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_some_would(race, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(closures, "lock_children", lambda concerned: None)
    assert _close_against_sends(race) > 0
