"""Windows, exceptions and refusals of limits: what the tables of real deadlines do not show."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from marelle.rules.calendars import BeyondCalendar, Closure, Period, SchoolCalendar
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.limits import InvalidLimit, Limits, limit_from_plain, may_book, may_cancel, moment, opening

CALENDAR = SchoolCalendar.for_zone(
    "C",
    closures=[Closure(name="Pont", first_day=date(2027, 5, 7), last_day=date(2027, 5, 7))],
    terms=[Period(name="T1", slug="t1", first_day=date(2026, 9, 1), last_day=date(2026, 12, 18))],
)
MONDAY = date(2026, 11, 23)
START = time(12)


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return CALENDAR.instant(day, time(hour, minute))


def until(plain: object, day: date = MONDAY) -> datetime | None:
    return moment(limit_from_plain(plain), day=day, starts_at=START, calendar=CALENDAR)


def book(plain: object, when: datetime, day: date = MONDAY) -> Decision:
    limit = limit_from_plain(plain)
    return may_book(Limits(book=limit, cancel=limit), day=day, at=when, starts_at=START, calendar=CALENDAR)


WINDOW = {
    "opens": {"days": 42},
    "closes": {"days": 21},
    "reopens": {"days": 14, "at": "08:00"},
    "then": {"days": 2, "at": "12:00"},
}


def test_a_window_opens_closes_and_opens_again_for_what_is_left() -> None:
    opens, closes = at(date(2026, 10, 12)), at(date(2026, 11, 3))
    reopens, ends = at(date(2026, 11, 9), 8), at(date(2026, 11, 21), 12)
    second = timedelta(seconds=1)
    assert book(WINDOW, opens - second) == Refused(Reason.NOT_OPEN_YET, {"opens": opens, "until": closes})
    assert book(WINDOW, opens) == Allowed(until=closes)
    assert book(WINDOW, closes) == Refused(Reason.NOT_OPEN_YET, {"opens": reopens, "until": ends})
    assert book(WINDOW, reopens) == Allowed(until=ends)
    assert book(WINDOW, ends) == Refused(Reason.PAST_LIMIT, {"since": ends})
    assert until(WINDOW) == ends
    assert opening(limit_from_plain(WINDOW), day=MONDAY, starts_at=START, calendar=CALENDAR) == opens


def test_an_offset_follows_a_window_at_once_when_nothing_is_said() -> None:
    plain = {"opens": {"on": "2026-10-01"}, "closes": {"on": "2026-10-20"}, "then": {"days": 1, "at": "09:00"}}
    assert book(plain, at(date(2026, 10, 10))) == Allowed(until=at(date(2026, 11, 22), 9))
    # the window outlasts the offset: a day inside it stays open until the window closes, never after its start
    late = date(2026, 10, 20)
    assert until(plain, late) == at(late, 12)


def test_a_limit_that_is_no_window_was_always_open() -> None:
    limit = limit_from_plain({"days": 1})
    assert opening(limit, day=MONDAY, starts_at=START, calendar=CALENDAR) is None


def test_cancelling_has_its_own_limit() -> None:
    limits = Limits(book=limit_from_plain({"days": 7}), cancel=limit_from_plain({"never": True}))
    when = at(date(2026, 11, 1))
    asked = {"day": MONDAY, "at": when, "starts_at": START, "calendar": CALENDAR}
    assert may_book(limits, **asked) == Allowed(until=at(date(2026, 11, 17)))  # type: ignore[arg-type]
    assert may_cancel(limits, **asked) == Refused(Reason.NOT_ON_LINE)  # type: ignore[arg-type]


def test_a_limit_on_a_closed_day_moves_only_when_told() -> None:
    ascension = date(2027, 5, 6)
    day = date(2027, 5, 10)
    plain = {"previous_week": "thursday", "at": "09:00"}
    assert until(plain, day) == at(ascension, 9)
    assert until({**plain, "on_closed_day": "stay"}, day) == at(ascension, 9)
    assert until({**plain, "on_closed_day": "earlier"}, day) == at(date(2027, 5, 5), 9)
    # Friday is the town's closure, then the week-end: the unit has begun before the next working day's limit
    assert until({**plain, "on_closed_day": "later"}, day) == at(day, 9)
    assert until({"days": 3, "at": "09:00", "on_closed_day": "earlier"}, day) == at(date(2027, 5, 5), 9)


def test_the_eve_of_a_monday_is_a_sunday_and_no_closed_day() -> None:
    assert until({"days": 1, "at": "09:00", "on_closed_day": "earlier"}) == at(date(2026, 11, 22), 9)


def test_any_public_holiday_may_change_its_whole_week() -> None:
    plain = {"days": 1, "at": "09:00", "holiday_week": {"any": {"previous_week": "friday", "at": "12:00"}}}
    assert until(plain, date(2026, 11, 13)) == at(date(2026, 11, 6), 12)
    assert until(plain, date(2026, 11, 20)) == at(date(2026, 11, 19), 9)


def test_the_day_of_return_comes_first() -> None:
    plain = {"days": 1, "return_day": {"school_days": 1, "at": "11:00"}, "holiday_week": {"any": {"days": 9}}}
    assert until(plain, date(2026, 11, 2)) == at(date(2026, 10, 16), 11)
    assert until(plain, date(2026, 11, 3)) == at(date(2026, 11, 3))


def test_a_term_has_its_own_limit() -> None:
    assert until({"before_term": {"clear_days": 15}}) == at(date(2026, 8, 17))
    assert until({"by_period": {"t1": "2026-08-20"}, "at": "12:00"}) == at(date(2026, 8, 20), 12)
    outside = date(2027, 1, 11)
    assert book({"before_term": {"days": 1}}, at(MONDAY), outside) == Refused(Reason.OUTSIDE_PERIOD)
    assert book({"before_holidays": {"days": 1}}, at(MONDAY)) == Refused(Reason.OUTSIDE_PERIOD)


def test_a_weekday_left_out_is_never_open() -> None:
    assert book({"by_weekday": {"tuesday": "monday 11:00"}}, at(date(2026, 9, 1))) == Refused(Reason.NOT_ON_LINE)


def test_a_limit_is_held_back_to_the_start() -> None:
    assert until({"same_day": "18:00"}) == at(MONDAY, 12)
    assert until({"until_start": True}) == at(MONDAY, 12)
    whole_day = moment(limit_from_plain({"same_day": "18:00"}), day=MONDAY, starts_at=None, calendar=CALENDAR)
    assert whole_day == at(MONDAY, 18)


def test_a_limit_past_the_calendar_is_refused() -> None:
    with pytest.raises(BeyondCalendar):
        until({"days": 1}, date(2028, 9, 1))


def test_instants_are_aware_and_utc() -> None:
    found = until({"days": 1, "at": "09:00"})
    assert found == datetime(2026, 11, 22, 8, tzinfo=UTC) and found.tzinfo is UTC


@pytest.mark.parametrize(
    ("plain", "keys"),
    [
        ({}, [""]),
        (3, [""]),
        ("vendredi 11:00", [""]),
        ("friday 25:00", [""]),
        ({"days": -1}, ["days"]),
        ({"days": True}, ["days"]),
        ({"days": 1, "at": "9h", "on_closed_day": "before", "jour": 1}, ["at", "on_closed_day", "jour"]),
        ({"days": 1, "hours": 2}, [""]),
        ({"hours": 2, "at": "09:00"}, ["at"]),
        ({"by_weekday": {"lundi": "friday 11:00"}}, ["by_weekday.lundi"]),
        ({"by_weekday": {"tuesday": {"days": "x"}}}, ["by_weekday.tuesday.days"]),
        ({"never": False}, ["never"]),
        ({"on": "2026-02-30"}, ["on"]),
        ({"by_period": {}}, ["by_period"]),
        ({"then": {"days": 1}}, [""]),
        ({"opens": {"days": 1}, "reopens": {"days": 1}}, ["reopens"]),
        ({"opens": {"days": 1}, "closes": {"opens": {"days": 2}}}, ["closes"]),
        ({"same_day": "24:00"}, ["same_day"]),
    ],
)
def test_a_wrong_plain_form_names_every_fault(plain: object, keys: list[str]) -> None:
    with pytest.raises(InvalidLimit) as caught:
        limit_from_plain(plain)
    assert [fault.key for fault in caught.value.faults] == keys
    assert all(fault.found and fault.expected for fault in caught.value.faults)
