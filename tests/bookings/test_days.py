"""What a day is where households, schools and years meet."""

from datetime import date

import pytest
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay, SchoolYear, Site
from marelle.activities.queries import municipality
from marelle.bookings.models import BasketLine, Booking
from marelle.bookings.queries.days import load_days
from marelle.bookings.services.answers import DaysBegun, withdraw_request
from marelle.bookings.services.baskets import add_days
from marelle.rules.decisions import Reason, Refused
from tests.offer import (
    AT,
    Family,
    accept,
    agent,
    ask,
    booked,
    cadours,
    choose,
    enrolled,
    enrolments,
    family,
    paris,
    refuse,
    send,
)
from tests.portal.visit import Screen
from tests.security.world import other_home

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
#: Monday, when the canteen is open.
AT_TABLE = paris(2026, 11, 16, 12, 30)


@pytest.fixture
def malika() -> User:
    cadours()
    return agent()


@pytest.fixture
def benali(malika: User) -> Family:
    who = family(children=[("Inès", "CE2")])
    enrolled(who, by=malika)
    return who


def taken(day: date) -> dict[str, int]:
    rows = OpeningDay.objects.filter(date=day, unit__service__slug="cantine", taken__gt=0)
    return dict(rows.values_list("group__activity__site__slug", "taken"))


def day_of(who: Family, day: date, *, at=AT):  # type: ignore[no-untyped-def]
    days = load_days(town=municipality(), enrolments=enrolments(who), at=at, dates=[day])
    (state,) = days.states.values()
    return state


@pytest.mark.row("A3")
def test_why_one_home_was_refused_is_not_the_other_home_s_business(benali: Family, malika: User) -> None:
    lopez = other_home(benali)
    enrolled(lopez, by=malika)
    refuse(booked(benali, [MONDAY]), "Le dossier est incomplet", by=malika)

    assert day_of(lopez, MONDAY).refusal is None
    refusal = day_of(benali, MONDAY).refusal
    assert refusal is not None and refusal.reason == "Le dossier est incomplet"


def test_a_day_that_waits_is_not_taken_back_once_it_has_begun(benali: Family) -> None:
    """A meal eaten while the agent had not answered is a meal eaten."""
    request = booked(benali, [MONDAY, TUESDAY])
    key = choose(benali, [MONDAY, TUESDAY], wanted=False)

    verdict = day_of(benali, MONDAY, at=AT_TABLE).may_remove()
    assert isinstance(verdict, Refused) and verdict.reason == Reason.PAST_LIMIT
    sending = send(benali, key, at=AT_TABLE)
    assert [unsent.line.date for unsent in sending.unsent] == [MONDAY]
    assert dict(Booking.objects.values_list("date", "state")) == {MONDAY: "pending", TUESDAY: "withdrawn"}
    with pytest.raises(DaysBegun):
        withdraw_request(request_id=request.pk, by=benali.user, at=AT_TABLE)
    assert taken(MONDAY) == {"ecole-elementaire": 1}


def test_withdrawing_a_request_leaves_the_days_that_have_begun(benali: Family) -> None:
    request = booked(benali, [MONDAY, TUESDAY])
    withdraw_request(request_id=request.pk, by=benali.user, at=AT_TABLE)

    assert dict(request.lines.values_list("date", "state")) == {MONDAY: "pending", TUESDAY: "withdrawn"}
    request.refresh_from_db()
    assert request.state == "sent"


def test_who_changed_schools_gives_a_place_back_where_it_was_taken(benali: Family, malika: User) -> None:
    booked(benali, [MONDAY])
    (ines,) = benali.children
    ines.school, ines.level = Site.objects.get(slug="ecole-maternelle"), "GS"
    ines.save()
    accept(ask(benali, children=[ines]), by=malika)
    assert taken(MONDAY) == {"ecole-elementaire": 1}

    sending = send(benali, choose(benali, [MONDAY], wanted=False))
    assert sending.request is not None and sending.unsent == ()
    assert taken(MONDAY) == {}


def test_a_child_who_left_the_household_is_gone_from_its_pages(settings: Settings, benali: Family) -> None:
    key = choose(benali, [MONDAY])
    benali.household.residences.all().delete()
    screen = Screen(settings, benali.user)

    assert "Aucun changement" in screen.go("/planning/verifier/")
    assert screen.status == 200
    screen.go("/planning/cantine/")
    assert screen.status == 200 and 'name="want"' not in screen.markup
    screen.go("/")
    assert screen.status == 200
    assert send(benali, key).request is None and not Booking.objects.exists()


def test_a_typical_week_takes_the_place_of_a_cancellation_of_what_is_no_more(benali: Family, malika: User) -> None:
    request = booked(benali, [MONDAY])
    choose(benali, [MONDAY], wanted=False)
    withdraw_request(request_id=request.pk, by=benali.user, at=AT)
    add_days(user=benali.user, household=benali.household, states=[day_of(benali, MONDAY)], at=AT)

    assert list(BasketLine.objects.values_list("act", "was")) == [("book", "free")]


def test_the_week_between_two_school_years_shows_each_day_under_its_own(
    settings: Settings, benali: Family, malika: User
) -> None:
    """31 August and 1 September 2027 are in one week of the grid; the typical week asks for one year only."""
    this, following = SchoolYear.objects.get(label="2026-2027"), SchoolYear.objects.filter(label="2027-2028").first()
    if following is None:
        following = SchoolYear.objects.create(label="2027-2028", first_day=date(2027, 9, 1), last_day=date(2028, 8, 31))
    (enrolment,) = enrolments(benali)
    type(enrolment).objects.create(
        child=enrolment.child, household=enrolment.household, activity=enrolment.activity, group=enrolment.group,
        school_year=following, state="accepted", line=enrolment.line, changed_at=AT, usual_weekdays=[0],
    )  # fmt: skip
    assert this.last_day < following.first_day
    screen = Screen(settings, benali.user)
    for month in ("2027-08", "2027-09", "2026-11"):
        screen.go(f"/planning/cantine/?mois={month}")
        assert screen.status == 200
    screen.go("/planning/cantine/semaine-type/?mois=2027-09")
    assert "2027-2028" in screen.markup and "2026-2027" not in screen.markup
    boxes = [piece.partition('"')[0] for piece in screen.markup.split('name="day" value="')[1:]]
    assert len(boxes) == len(set(boxes)) > 0
    screen.go("/planning/cantine/semaine-type/?mois=2026-11")
    assert "2026-2027" in screen.markup and "2027-2028" not in screen.markup
    unit = boxes[0].split(".")[1]
    screen.post(
        "/planning/cantine/semaine-type/",
        {"mois": "2026-11", "span": "year", "day": f"{benali.children[0].pk}.{unit}.0"},
    )
    assert BasketLine.objects.exists()
    assert not BasketLine.objects.filter(date__gte=following.first_day).exists()
