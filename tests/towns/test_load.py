"""Loading a town's file: what it creates, changes, archives and never touches."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marelle.activities.models import Activity, Group, Municipality, OpeningDay, SchoolYear, Service, Site, Unit
from marelle.activities.queries import municipality, rules_of, years_to_enrol
from marelle.bookings.models import Booking, Enrolment
from marelle.bookings.queries.days import load_days
from marelle.bookings.services.baskets import Shown, basket_of, fill_basket
from marelle.foundation.models import AuditLine
from marelle.rules.calendars import BeyondCalendar
from marelle.townfile import Town, read_text
from marelle.townfile.town import Unit as SaidUnit
from marelle.townfile.town import Year
from marelle.towns.services import load_town
from tests.offer import AT, PARIS, accept, agent, booked, cadours, choose, enrolled, enrolments, family, paris, send
from tests.towns.files import (
    NAMES,
    closed_on,
    file_of,
    miscounted,
    with_capacity,
    with_service,
    with_units,
    without_service,
)

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
WEDNESDAY = date(2026, 11, 18)
PAST = date(2026, 11, 3)


def elementary(day: date) -> OpeningDay:
    return OpeningDay.objects.get(date=day, unit__service__slug="cantine", group__slug="elementaire")


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_a_town_loads_once_and_for_all(name: str) -> None:
    town = file_of(name)
    first = load_town(town, at=AT)
    assert not first.is_empty
    assert set(Service.objects.values_list("slug", flat=True)) == {service.slug for service in town.services}
    assert OpeningDay.objects.filter(date__gt=AT.date()).exists()

    again = load_town(town, at=AT + timedelta(days=1))

    assert again.is_empty
    assert AuditLine.objects.filter(action="town.loaded").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_what_was_loaded_is_exported_whole(name: str) -> None:
    town = file_of(name)
    load_town(town, at=AT)

    exported = read_text(Municipality.objects.get().document)

    assert exported == town
    assert load_town(exported, at=AT).is_empty


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_a_town_becomes_another_and_comes_back(name: str) -> None:
    before = file_of()
    load_town(before, at=AT)
    kept = set(OpeningDay.objects.values_list("unit__slug", "group__slug", "date", "capacity", "ceiling"))

    load_town(file_of(name), at=AT)
    load_town(before, at=AT)

    live = {"archived_at": None}
    assert set(Service.objects.filter(**live).values_list("slug", flat=True)) == {s.slug for s in before.services}
    assert set(Site.objects.filter(**live).values_list("slug", flat=True)) == {s.slug for s in before.sites}
    today = AT.astimezone(PARIS).date()
    now = OpeningDay.objects.filter(date__gte=today)
    assert set(now.values_list("unit__slug", "group__slug", "date", "capacity", "ceiling")) == {
        row for row in kept if row[2] >= today
    }


@pytest.mark.django_db
def test_what_disappears_is_archived_and_comes_back_with_its_families() -> None:
    cadours()
    who, malika = family(), agent()
    enrolled(who, by=malika)
    booked(who, [MONDAY], by=malika)
    service = Service.objects.get(slug="cantine")

    report = load_town(without_service(file_of(), "cantine"), at=AT)

    service.refresh_from_db()
    assert service.archived_at == AT
    assert report.archived["Service"] == 1
    assert not Unit.objects.filter(service=service, archived_at=None).exists()
    assert not Activity.objects.filter(service=service, archived_at=None).exists()
    assert not Group.objects.filter(activity__service=service, archived_at=None).exists()
    assert Booking.objects.filter(state="booked").count() == 2
    assert enrolments(who) == []
    assert (report.kept_days, report.kept_bookings) == (2, 2)
    assert set(
        OpeningDay.objects.filter(unit__service=service, date__gte=AT.date()).values_list("date", flat=True)
    ) == {MONDAY}

    load_town(file_of(), at=AT)

    service.refresh_from_db()
    assert service.archived_at is None
    assert {enrolment.activity.service_id for enrolment in enrolments(who)} == {service.pk}
    assert (elementary(MONDAY).capacity, elementary(MONDAY).taken) == (110, 1)
    assert (elementary(TUESDAY).capacity, elementary(TUESDAY).taken) == (110, 0)
    assert load_town(file_of(), at=AT).is_empty


@pytest.mark.django_db
def test_a_school_year_that_disappears_is_offered_no_more() -> None:
    cadours()
    town = file_of()
    shorter = replace(town, years=tuple(year for year in town.years if year.slug != "2027-2028"))

    def offered() -> list[str]:
        now, later = years_to_enrol(today=AT.date(), at=AT)
        return [year.label for year in (*now, *later)]

    assert offered() == ["2026-2027", "2027-2028"]
    report = load_town(shorter, at=AT)
    assert report.archived["SchoolYear"] == 1
    assert offered() == ["2026-2027"]
    assert not OpeningDay.objects.filter(date__gte=date(2027, 9, 1)).exists()
    load_town(town, at=AT)
    assert offered() == ["2026-2027", "2027-2028"]
    assert SchoolYear.objects.count() == 3


@pytest.mark.django_db
def test_a_day_that_closes_stands_as_long_as_a_child_is_expected() -> None:
    cadours()
    who, malika = family(), agent()
    other = family("Petit", [("Jade", "CE1")])
    for one in (who, other):
        enrolled(one, by=malika)
    booked(who, [MONDAY], by=malika, children=who.children[:1])
    key = choose(other, [MONDAY])

    report = load_town(closed_on(file_of(), MONDAY, TUESDAY), at=AT)

    assert (report.kept_days, report.kept_bookings) == (1, 1)
    assert set(OpeningDay.objects.filter(date=MONDAY).values_list("group__slug", "taken")) == {("elementaire", 1)}
    assert not OpeningDay.objects.filter(date=TUESDAY).exists()
    assert Booking.objects.get().state == "booked"
    late = send(other, key)
    assert late.request is None
    assert [str(unsent.refusal.reason) for unsent in late.unsent] == ["full"]
    again = load_town(closed_on(file_of(), MONDAY, TUESDAY), at=AT)
    assert again.is_empty
    assert again.kept_days == 1

    load_town(file_of(), at=AT)
    assert (elementary(MONDAY).capacity, elementary(MONDAY).ceiling, elementary(MONDAY).taken) == (110, 114, 1)
    assert send(other, choose(other, [MONDAY])).request is not None
    assert miscounted() == {}


@pytest.mark.django_db
def test_a_day_that_waits_without_holding_a_place_stands_too() -> None:
    town = with_service(file_of(), "cantine", pending_holds_place=False)
    load_town(town, at=AT)
    who, malika = family(), agent()
    enrolled(who, by=malika)
    booked(who, [MONDAY], children=who.children[:1])
    assert elementary(MONDAY).taken == 0

    report = load_town(closed_on(town, MONDAY), at=AT)

    assert (report.kept_days, report.kept_bookings) == (1, 1)
    assert (elementary(MONDAY).capacity, elementary(MONDAY).ceiling) == (0, 0)


@pytest.mark.django_db
def test_the_past_never_changes() -> None:
    cadours()
    past = set(OpeningDay.objects.filter(date__lt=AT.date()).values_list("id", "date", "capacity", "ceiling", "taken"))
    assert any(row[1] == PAST for row in past)

    changed = with_capacity(closed_on(file_of(), PAST, MONDAY), "cantine", "elementaire", 10)
    opened = with_service(changed, "cantine", open=replace(changed.service("cantine").open, also=(date(2026, 11, 4),)))
    load_town(opened, at=AT)

    now = set(OpeningDay.objects.filter(date__lt=AT.date()).values_list("id", "date", "capacity", "ceiling", "taken"))
    assert now == past
    assert not OpeningDay.objects.filter(date=MONDAY).exists()
    assert elementary(TUESDAY).capacity == 10


@pytest.mark.django_db
def test_today_is_the_towns_not_utcs() -> None:
    """At 00:30 on the 17th in Cadours it is still the 16th in UTC: the 16th is past."""
    at = paris(2026, 11, 17, 0, 30)
    cadours(at)
    load_town(with_capacity(file_of(), "cantine", "elementaire", 10), at=at)
    assert (elementary(MONDAY).capacity, elementary(TUESDAY).capacity) == (110, 10)


@pytest.mark.django_db
def test_a_capacity_that_falls_breaks_no_promise() -> None:
    cadours()
    malika = agent()
    families = [family(f"Foyer{n}", [("Alix", "CE2")]) for n in range(3)]
    for who in families:
        enrolled(who, by=malika)
        booked(who, [MONDAY], by=malika)

    load_town(with_capacity(file_of(), "cantine", "elementaire", 1), at=AT)

    assert (elementary(MONDAY).capacity, elementary(MONDAY).ceiling, elementary(MONDAY).taken) == (1, 3, 3)
    assert (elementary(TUESDAY).capacity, elementary(TUESDAY).ceiling) == (1, 1)
    assert Booking.objects.filter(state="booked", holds_place=True).count() == 3
    load_town(with_capacity(file_of(), "cantine", "elementaire", None), at=AT)
    assert (elementary(MONDAY).capacity, elementary(MONDAY).ceiling, elementary(MONDAY).taken) == (None, None, 3)


@pytest.mark.django_db
def test_a_unit_composed_of_others_has_its_places_counted_again() -> None:
    def units(*parts: str) -> Callable[[tuple[SaidUnit, ...]], Any]:
        return lambda said: (
            *said,
            SaidUnit(slug="gouter", name="Goûter"),
            SaidUnit(slug="tout", name="Tout", parts=parts),
        )

    first = with_units(file_of(), "mercredi", units("apres-midi"))
    load_town(first, at=AT)
    who, malika = family(), agent()
    enrolled(who, "mercredi", by=malika)
    day = WEDNESDAY + timedelta(days=7)
    wanted = {"Inès": {"tout"}, "Tom": {"apres-midi", "gouter"}}  # nobody has a unit beside one that holds it
    days = load_days(town=municipality(), enrolments=enrolments(who, "mercredi"), at=AT, dates=[day])
    shown = {
        key: Shown(was=state.was, ticked=True)
        for key, state in days.states.items()
        if state.unit.slug in wanted[state.enrolment.child.first_name]
    }
    fill_basket(user=who.user, household=who.household, days=days, shown=shown, at=AT)
    sending = send(who, basket_of(user=who.user, household=who.household, at=AT).send_key)
    assert sending.request is not None and not sending.unsent
    accept(sending.request, by=malika)
    assert miscounted() == {}

    for parts in (("apres-midi", "gouter"), ("gouter",), ("apres-midi",)):
        load_town(with_units(file_of(), "mercredi", units(*parts)), at=AT)
        assert miscounted() == {}
        assert Booking.objects.filter(state="booked").count() == 3
    taken = OpeningDay.objects.filter(date=day, taken__gt=0).order_by("unit__slug", "group__slug")
    assert list(taken.values_list("unit__slug", "taken")) == [("apres-midi", 1), ("apres-midi", 1), ("gouter", 1)]


@pytest.mark.django_db
def test_a_school_year_past_the_calendars_data_changes_nothing() -> None:
    cadours()
    town = replace(file_of(), years=(Year(slug="2026-2027"), Year(slug="2031-2032")))

    with pytest.raises(BeyondCalendar):
        load_town(town, at=AT)

    assert load_town(file_of(), at=AT).is_empty


@pytest.mark.django_db
def test_rules_read_while_the_town_loads_are_not_taken_for_the_file_before() -> None:
    first, second = (with_capacity(file_of(), "cantine", "elementaire", places) for places in (17, 18))
    load_town(first, at=AT)
    stale = municipality()
    load_town(second, at=AT)

    assert rules_of(stale) == second
    load_town(first, at=AT)
    assert rules_of(municipality()) == first


@pytest.mark.django_db
def test_a_load_costs_as_many_queries_for_three_years_as_for_one() -> None:
    def cost(town: Town) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            load_town(town, at=paris(2025, 9, 1))
        return len(queries)

    def grown(town: Town) -> Town:
        """Every day to come changes, some open, some close."""
        town = with_capacity(town, "cantine", "elementaire", 50)
        closed = closed_on(town, date(2026, 3, 16), date(2026, 3, 17))
        open = replace(closed.service("tap").open, weekdays=(1, 4))
        return with_service(closed, "tap", open=open)

    three = file_of()
    one = replace(three, years=three.years[:1])
    costs = {}
    for years, town in ((1, one), (3, three)):
        OpeningDay.objects.all().delete()
        Municipality.objects.all().delete()
        costs[years] = (cost(town), cost(town), cost(grown(town)))
    # the first of all creates every row, once
    assert costs[1][1:] == costs[3][1:]
    assert costs[3][0] <= 30
    assert costs[3][2] <= 30


# ── races ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.race
def test_families_who_send_while_the_town_loads_lose_no_place(race) -> None:  # type: ignore[no-untyped-def]
    """Files that close days, lower and raise capacities come in between sends: everyone who is told yes has a place,
    everyone who is told no keeps the choice, and nobody meets an error."""
    cadours()
    malika = agent()
    week = [date(2026, 11, day) for day in (16, 17, 19, 20, 23, 24)]
    families = []
    for number in range(60):
        who = family(f"Foyer{number}", children=[("Alix", "CE2")])
        enrolled(who, by=malika)
        families.append((who, choose(who, week[number % 3 : number % 3 + 4])))
    files = [
        with_capacity(file_of(), "cantine", "elementaire", 12),
        closed_on(file_of(), *week[2:4]),
        with_units(file_of(), "cantine", lambda units: (*units, SaidUnit(slug="panier", name="Panier-repas"))),
        without_service(with_capacity(file_of(), "cantine", "elementaire", 30), "tap"),
    ]
    contenders: list[Any] = list(families)
    for place, town in enumerate([*files, *files, *files]):
        contenders.insert(5 * place, town)

    def act(contender: Any) -> Any:
        if isinstance(contender, Town):
            return load_town(contender, at=AT)
        who, key = contender
        return send(who, key, at=AT)

    outcomes = race(act, contenders, at_once=16)

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert miscounted() == {}
    sent = [outcome.answer for outcome in outcomes if not isinstance(outcome.contender, Town)]
    booked_days = Booking.objects.filter(holds_place=True).count()
    assert booked_days == sum(answer.request.lines.count() for answer in sent if answer.request)
    assert booked_days + sum(len(answer.unsent) for answer in sent) == 60 * 4
    assert booked_days > 0
    for day in OpeningDay.objects.filter(date__in=week, taken__gt=0):
        assert day.ceiling is None or day.taken <= day.ceiling
    load_town(file_of(), at=AT)
    assert miscounted() == {}
    assert load_town(file_of(), at=AT).is_empty
    assert Enrolment.objects.filter(state="accepted").count() == 60


@pytest.mark.race
def test_two_loads_at_once_come_one_after_the_other(race) -> None:  # type: ignore[no-untyped-def]
    cadours()
    files = [closed_on(file_of(), MONDAY), with_capacity(file_of(), "cantine", "elementaire", 12)]

    outcomes = race(lambda town: load_town(town, at=AT), files * 4, at_once=8)

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    last = read_text(Municipality.objects.get().document)
    assert load_town(last, at=AT).is_empty
