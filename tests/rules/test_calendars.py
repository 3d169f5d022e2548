"""Calendars: what each day is, where the data ends, and the town's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from marelle.rules.calendars import (
    PUBLIC_HOLIDAY_AREAS,
    BeyondCalendar,
    Closure,
    PublicHoliday,
    SchoolCalendar,
    UnknownZone,
    holidays_from_spans,
    official_holidays,
    public_holidays,
)

C = SchoolCalendar.for_zone("C")


@pytest.mark.parametrize(
    ("zone", "winter"),
    [
        ("A", (date(2027, 2, 13), date(2027, 2, 28))),
        ("B", (date(2027, 2, 20), date(2027, 3, 7))),
        ("C", (date(2027, 2, 6), date(2027, 2, 21))),
    ],
)
def test_each_zone_has_its_winter(zone: str, winter: tuple[date, date]) -> None:
    calendar = SchoolCalendar.for_zone(zone)
    year = calendar.school_year(date(2026, 11, 23))
    periods = {period.kind: period for period in calendar.holiday_periods(year)}
    assert list(periods) == ["toussaint", "noel", "hiver", "printemps", "ete"]
    assert (periods["hiver"].first_day, periods["hiver"].last_day) == winter
    assert periods["hiver"].slug == "hiver-2027"
    assert periods["toussaint"].name == "Vacances de la Toussaint"
    assert periods["hiver"].name == "Vacances d’hiver"


@pytest.mark.parametrize("apostrophe", ["'", "’"])
def test_either_apostrophe_names_the_same_holidays(apostrophe: str) -> None:
    spans = [(f"Vacances d{apostrophe}hiver", date(2027, 2, 6), date(2027, 2, 21))]
    (winter,) = holidays_from_spans("X", spans, covered_until=None).periods
    assert (winter.name, winter.slug, winter.kind) == ("Vacances d’hiver", "hiver-2027", "hiver")


def test_a_school_year_ends_with_its_summer() -> None:
    year = C.school_year(date(2027, 8, 31))
    assert (year.label, year.first_day, year.last_day) == ("2026-2027", date(2026, 9, 1), date(2027, 8, 31))
    assert C.school_year(date(2026, 8, 31)).label == "2025-2026"


def test_the_bridge_of_ascension_is_no_holiday_period_but_has_no_school() -> None:
    bridge = date(2027, 5, 7)
    assert C.holiday_period(bridge) is None
    assert not C.is_school_day(bridge)
    assert C.is_working_day(bridge)


def test_days_without_school() -> None:
    assert C.is_school_day(date(2026, 11, 23))
    assert not C.is_school_day(date(2026, 11, 25)), "a Wednesday"
    assert not C.is_school_day(date(2026, 10, 19)), "holidays"
    assert not C.is_school_day(date(2025, 11, 11)), "a public holiday"
    closed = SchoolCalendar.for_zone(
        "C", closures=[Closure(name="Grève", first_day=date(2026, 11, 23), last_day=date(2026, 11, 24))]
    )
    assert not closed.is_school_day(date(2026, 11, 24))
    assert closed.is_working_day(date(2026, 11, 24))


def test_the_day_of_return_is_the_first_school_day_after_holidays() -> None:
    assert C.is_return_day(date(2026, 11, 2))
    assert not C.is_return_day(date(2026, 11, 3))
    assert C.is_return_day(date(2026, 9, 1)), "la rentrée"
    assert not C.is_return_day(date(2027, 3, 30)), "after Easter Monday, not after holidays"
    shut = SchoolCalendar.for_zone(
        "C", closures=[Closure(name="Neige", first_day=date(2026, 11, 2), last_day=date(2026, 11, 2))]
    )
    assert shut.is_return_day(date(2026, 11, 3)), "closed on the Monday: the return is on Tuesday"


@pytest.mark.parametrize("ask", ["holiday_period", "is_school_day", "is_return_day", "school_year", "check"])
def test_nothing_is_answered_past_the_data(ask: str) -> None:
    with pytest.raises(BeyondCalendar, match=r"2028-09-01 is after 2028-08-31.*update the package") as caught:
        getattr(C, ask)(date(2028, 9, 1))
    assert caught.value.covered_until == date(2028, 8, 31)
    with pytest.raises(BeyondCalendar, match="before"):
        getattr(C, ask)(date(1980, 1, 1))


def test_every_area_has_its_public_holidays() -> None:
    own = {area: set(public_holidays(area, 2027).values()) for area in PUBLIC_HOLIDAY_AREAS}
    common = own["metropole"]
    assert all(common <= days for days in own.values())
    assert own["alsace-moselle"] - common == {"Vendredi saint", "2ème jour de Noël"}
    assert public_holidays("la-reunion", 2027)[date(2027, 12, 20)] == "Abolition de l’esclavage"
    assert public_holidays("martinique", 2027)[date(2027, 5, 22)] == "Abolition de l’esclavage"
    # Ascension and 1 May 2008 were one day
    assert public_holidays("metropole", 2008)[date(2008, 5, 1)] == "1er mai, Ascension"


def test_a_town_may_keep_a_feast_of_its_own() -> None:
    calendar = SchoolCalendar.for_zone(
        "C", own_public_holidays=[PublicHoliday(name="Fête de la citoyenneté", day=date(2026, 9, 24))]
    )
    assert calendar.public_holiday(date(2026, 9, 24)) == "Fête de la citoyenneté"
    assert not calendar.is_working_day(date(2026, 9, 24))


def test_unknown_names_are_refused_with_what_is_known() -> None:
    with pytest.raises(UnknownZone, match="known: A, B, C"):
        SchoolCalendar.for_zone("D")
    with pytest.raises(UnknownZone, match="metropole"):
        SchoolCalendar.for_zone("C", public_holidays="bretagne")


@pytest.mark.parametrize(
    ("day", "at", "utc"),
    [
        (date(2026, 11, 22), time(9), datetime(2026, 11, 22, 8, tzinfo=UTC)),
        (date(2026, 7, 1), time(9), datetime(2026, 7, 1, 7, tzinfo=UTC)),
        (date(2026, 11, 22), None, datetime(2026, 11, 22, 23, tzinfo=UTC)),
        # 02:30 happens twice: the first time
        (date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        # 02:30 does not happen: 03:30
        (date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_the_towns_clock(day: date, at: time | None, utc: datetime) -> None:
    assert C.instant(day, at) == utc


def test_a_town_overseas_has_its_own_clock() -> None:
    reunion = SchoolCalendar.for_zone("C", public_holidays="la-reunion", tz="Indian/Reunion")
    assert reunion.instant(date(2026, 7, 1), time(9)) == datetime(2026, 7, 1, 5, tzinfo=UTC)


OFFICIAL = """\
Description;Population;Date de début;Date de fin;Académies;Zones;annee_scolaire
Vacances d'Été;-;2026-07-03T22:00:00+00:00;2026-08-31T22:00:00+00:00;Corse;Corse;2025-2026
Vacances de la Toussaint;-;2026-10-16T22:00:00+00:00;2026-11-01T23:00:00+00:00;Corse;Corse;2026-2027
Vacances de Noël;-;2026-12-18T23:00:00+00:00;2027-01-03T23:00:00+00:00;Corse;Corse;2026-2027
Vacances d'Hiver;Élèves;2027-02-12T23:00:00+00:00;2027-02-28T23:00:00+00:00;Corse;Corse;2026-2027
Vacances d'Hiver;Enseignants;2027-02-12T23:00:00+00:00;2027-03-02T23:00:00+00:00;Corse;Corse;2026-2027
Pont de l'Ascension;-;2027-05-05T22:00:00+00:00;2027-05-09T22:00:00+00:00;Corse;Corse;2026-2027
Vacances d'Été;-;2027-07-02T22:00:00+00:00;2027-08-31T22:00:00+00:00;Corse;Corse;2026-2027
Vacances de la Toussaint;-;2026-10-09T20:00:00+00:00;2026-10-26T20:00:00+00:00;La Réunion;Réunion;2026-2027
Début des Vacances d'Été;-;2028-07-03T22:00:00+00:00;;Corse;Corse;2027-2028
"""


def test_the_official_file_serves_corsica() -> None:
    spans, covered_until = official_holidays(OFFICIAL, zone="Corse")
    calendar = SchoolCalendar.for_zone(
        "Corse", holidays=holidays_from_spans("Corse", spans, covered_until=covered_until)
    )
    winter = calendar.holiday_period(date(2027, 2, 20))
    assert winter is not None
    assert (winter.slug, winter.first_day, winter.last_day) == ("hiver-2027", date(2027, 2, 13), date(2027, 2, 28))
    assert calendar.holiday_period(date(2027, 5, 7)) is None
    assert not calendar.is_school_day(date(2027, 5, 7))
    assert calendar.school_year(date(2026, 11, 23)).label == "2026-2027"
    assert calendar.covered_until == date(2028, 7, 3)
    with pytest.raises(BeyondCalendar):
        calendar.is_school_day(date(2028, 7, 4))


def test_the_official_file_says_which_zones_it_has() -> None:
    with pytest.raises(UnknownZone, match="Corse, Réunion"):
        official_holidays(OFFICIAL, zone="Mayotte")
    with pytest.raises(ValueError, match="lacks the columns"):
        official_holidays("a;b\n1;2\n", zone="Corse")


def test_a_school_year_in_the_south_has_one_year() -> None:
    spans = [
        ("Vacances d'Été", date(2025, 12, 20), date(2026, 2, 15)),
        ("Vacances d'Hiver", date(2026, 6, 6), date(2026, 6, 21)),
        ("Vacances d'Été", date(2026, 12, 19), date(2027, 2, 14)),
    ]
    calendar = SchoolCalendar.for_zone(
        "Nouvelle Calédonie",
        public_holidays="nouvelle-caledonie",
        tz="Pacific/Noumea",
        holidays=holidays_from_spans("Nouvelle Calédonie", spans, covered_until=None),
    )
    assert calendar.school_year(date(2026, 5, 4)).label == "2026"
