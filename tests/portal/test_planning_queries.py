"""What the planning and the check ask of the database: as much for eight children as for one."""

import re
import uuid
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marelle.accounts.models import User
from marelle.bookings.queries.closures import Reach
from marelle.bookings.services.closures import close_days
from tests.offer import Family, agent, booked, cadours, choose, enrolled, family, paris
from tests.portal.visit import Screen

pytestmark = pytest.mark.django_db

SUNDAY = paris(2026, 11, 1, 10)
NAMES = ("Ana", "Bo", "Chloé", "Dan", "Eva", "Flo", "Gus", "Hal")
LEVELS = ("CE2", "GS")  # two schools: two activities of one service

WHO = [
    ("accounts_session", "whose browser it is"),
    ("accounts_user", "the guardian"),
    ("families_household", "the guardian's households: the current one, and whether to offer another"),
]
DAYS = [
    ("activities_openingday", "the places of each day"),
    ("bookings_booking", "what is reserved, asked or refused"),
]
MONTH = [
    *WHO,
    ("activities_municipality", "the town: its clock, its rules, its name on the page"),
    ("bookings_enrolment", "the enrolments, with child; what the town offers is at hand"),
    ("bookings_basketline", "the choices not sent yet, of this month and of the others"),
    ("families_residence", "the badges of all the children, enrolled or not"),
    *DAYS,
]
#: Without a month in the address, one more finds that of the next open day.
NEXT_MONTH = [*MONTH[:5], ("activities_openingday", "the first open day from today on"), *MONTH[5:]]
WEEK = [
    *MONTH,
    ("activities_period", "the season that the week lies in"),
    ("activities_openingday", "the weeks that the list offers"),
]
YEAR = [*MONTH[:5], ("activities_period", "the periods to choose from"), *MONTH[5:]]
SHEET = [
    *MONTH[:6],
    *DAYS,
    MONTH[6],
    ("activities_openingday", "the open days around"),
    ("requests_requestline", "what was asked and answered for that day"),
    ("activities_municipality", "the town, for the page's frame"),
]
CHECK = [
    *WHO,
    ("activities_municipality", "the town"),
    ("bookings_basketline", "the choices, with basket, child, unit, enrolment, service and site"),
    *DAYS,
    ("families_residence", "the badges"),
    ("foundation_auditline", "the choices whose day went by, taken out lately"),
]


@pytest.fixture(params=[1, 8])
def grand(request: pytest.FixtureRequest) -> Family:
    """So many children at the canteen, each with days accepted, days asked, and choices of this month and the next."""
    cadours()
    malika: User = agent()
    children = [(name, LEVELS[rank % 2]) for rank, name in enumerate(NAMES[: request.param])]
    who = family("Grand", children)
    enrolled(who, by=malika, at=SUNDAY)
    booked(who, [date(2026, 11, 12), date(2026, 11, 13)], by=malika, at=SUNDAY)
    booked(who, [date(2026, 11, 16)], at=SUNDAY)
    choose(who, [date(2026, 11, 19), date(2026, 11, 20), date(2026, 12, 3), date(2026, 12, 4)])
    return who


def asked(screen: Screen, path: str) -> list[str]:
    """The table that each query of the page begins with; the rules and the offer are read by a visit before."""
    screen.go(path)
    with CaptureQueriesContext(connection) as queries:
        screen.go(path)
    assert screen.status == 200
    asked = [outer(query["sql"]) for query in queries]
    return [found[1] if (found := re.search(r' FROM "(\w+)"', sql)) else sql for sql in asked]


def outer(sql: str) -> str:
    """A statement without what stands between parentheses: its own tables, not those of the queries inside it."""
    while (shorter := re.sub(r"\([^()]*\)", "", sql)) != sql:
        sql = shorter
    return sql


def tables(wanted: list[tuple[str, str]]) -> list[str]:
    return [table for table, _purpose in wanted]


def test_a_month_of_the_planning_asks_nine_queries(settings: Settings, grand: Family) -> None:
    screen = Screen(settings, grand.user)
    assert asked(screen, "/planning/cantine/?mois=2026-11") == tables(MONTH)
    assert len(MONTH) == 9
    assert screen.markup.count("<label") > 10 * len(grand.children), "the month is not drawn"
    assert "décembre 2026" in screen.markup, "choices of another month are not told"


def test_the_planning_without_a_month_asks_one_more(settings: Settings, grand: Family) -> None:
    assert asked(Screen(settings, grand.user), "/planning/cantine/") == tables(NEXT_MONTH)


@pytest.mark.parametrize(
    ("path", "wanted", "labels"),
    [
        ("/planning/cantine/?vue=semaine&semaine=2026-11-16", WEEK, 4),
        ("/planning/cantine/?vue=periode&periode=annee", YEAR, 100),
        ("/planning/cantine/jour/2026-11-19/", SHEET, 1),
    ],
    ids=["week", "year", "day"],
)
def test_other_views_ask_as_much_for_eight_children_as_for_one(
    settings: Settings, grand: Family, path: str, wanted: list[tuple[str, str]], labels: int
) -> None:
    screen = Screen(settings, grand.user)
    assert asked(screen, path) == tables(wanted)
    assert screen.markup.count("<label") >= labels * len(grand.children)


def test_the_check_asks_nine_queries(settings: Settings, grand: Family) -> None:
    screen = Screen(settings, grand.user)
    assert asked(screen, "/planning/verifier/") == tables(CHECK)
    assert len(CHECK) == 9
    assert screen.markup.count('class="basketline"') == 4 * len(grand.children)


def test_closings_are_looked_for_only_where_one_may_stand(settings: Settings, grand: Family) -> None:
    friday = date(2026, 11, 20)
    by = User.objects.get(name="Malika Roux")
    close_days(kind="strike", reach=Reach(), days=[friday], words="", key=uuid.uuid4(), by=by, at=SUNDAY)
    screen = Screen(settings, grand.user)
    asks = asked(screen, "/planning/cantine/?mois=2026-11")
    assert [*asks[:8], *asks[9:]] == tables(MONTH) and asks[8] == "bookings_closureday"
    assert "Grève" in screen.markup
    assert "bookings_closureday" not in asked(screen, "/planning/cantine/?mois=2027-01")
