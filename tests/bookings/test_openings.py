"""A period's opening: the instant that is a family's own, and the e-mail that tells of it, exactly once."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.activities.models import Period
from marelle.activities.queries import municipality
from marelle.bookings.models import Enrolment
from marelle.bookings.queries.days import load_days
from marelle.bookings.queries.openings import own_opening
from marelle.families.models import Household
from marelle.families.services import set_audiences
from marelle.foundation.audit import PORTAL
from marelle.foundation.models import AuditLine
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.eligibility import Audience
from tests.guides import valmontier
from tests.offer import AT, paris
from tests.portal.visit import Screen
from tests.spaces import plain_spaces

pytestmark = [pytest.mark.django_db, pytest.mark.row("A5")]

SECOND = timedelta(seconds=1)
# Guide C: the holidays of winter 2027 open eight weeks ahead, nine to who lives in the town.
RESIDENTS, EVERYBODY = paris(2026, 12, 5), paris(2026, 12, 12)
WINTER_DAY = date(2027, 2, 15)


def winter() -> Period:
    return Period.objects.get(service__slug="vacances", slug="hiver-2027")


def away(household: Household) -> None:
    set_audiences(household=household, audiences=[], by=PORTAL, at=AT)
    household.refresh_from_db()


def book_verdict(household: Household, at) -> object:  # type: ignore[no-untyped-def]
    """What the rules answer a family that looks at a day of the winter holidays."""
    mine = list(
        Enrolment.objects.filter(household=household, activity__service__slug="vacances").select_related(
            "activity__service", "school_year"
        )
    )
    days = load_days(town=municipality(), enrolments=mine, at=at, dates=[WINTER_DAY])
    (verdict,) = {repr(state.book): state.book for state in days.states.values()}.values()
    return verdict


def opens_at(verdict: object) -> object:
    assert isinstance(verdict, Refused) and verdict.reason == Reason.NOT_OPEN_YET
    return verdict.facts["opens"]


def test_who_lives_in_the_town_starts_a_week_earlier(settings: Settings) -> None:
    who = valmontier()
    assert own_opening(winter(), who.household.audiences) == RESIDENTS
    assert opens_at(book_verdict(who.household, RESIDENTS - SECOND)) == RESIDENTS
    assert isinstance(book_verdict(who.household, RESIDENTS), Allowed)
    seen = Screen(settings, who.user).go("/planning/vacances/lieu/?lieu=accueil-du-parc")
    assert "ouvre le samedi 5 décembre, 0 h" in seen

    away(who.household)
    assert own_opening(winter(), who.household.audiences) == EVERYBODY
    for at in (AT, EVERYBODY - SECOND):
        assert opens_at(book_verdict(who.household, at)) == EVERYBODY
    assert isinstance(book_verdict(who.household, EVERYBODY), Allowed)
    seen = Screen(settings, who.user).go("/planning/vacances/lieu/?lieu=accueil-du-parc")
    assert "ouvre le samedi 12 décembre, 0 h" in seen


def test_a_priority_counts_only_where_the_period_gives_it() -> None:
    who = valmontier()
    set_audiences(household=who.household, audiences=[Audience.SIBLINGS], by=PORTAL, at=AT)
    who.household.refresh_from_db()
    assert who.household.audiences == {Audience.SIBLINGS}
    assert own_opening(winter(), who.household.audiences) == EVERYBODY


def test_setting_priorities_twice_writes_once() -> None:
    who = valmontier()
    for changed in (True, False):
        done = set_audiences(household=who.household, audiences=[Audience.SIBLINGS], by=PORTAL, at=AT)
        assert done is changed
    line = AuditLine.objects.get(action="household.audiences")
    assert plain_spaces(line.text) == "Priorités aux ouvertures : Frère ou sœur déjà dans le service."
    assert line.household_id == who.household.pk


def test_an_own_opening_costs_the_days_no_more_than_one_query() -> None:
    """One for the households when they are not at hand, however many days; none when they are."""
    who = valmontier()
    book_verdict(who.household, AT)  # the offer and the rules are read once per process
    mine = list(
        Enrolment.objects.filter(household=who.household, activity__service__slug="vacances").select_related(
            "activity__service", "school_year"
        )
    )
    counts = []
    for days in (0, 0, 14):
        with CaptureQueriesContext(connection) as queries:
            load_days(
                town=municipality(), enrolments=mine, at=AT, first=WINTER_DAY, last=WINTER_DAY + timedelta(days=days)
            )
        counts.append(len(queries))
    assert counts == [4, 3, 3]
