"""What holds for every limit and every day, whatever the town."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from hypothesis import assume, example, given
from hypothesis import strategies as st

from marelle.rules.calendars import Closure, Count, SchoolCalendar
from marelle.rules.decisions import Allowed
from marelle.rules.limits import (
    ANY_WEEKDAY,
    Adapted,
    BeforePeriod,
    ByPeriod,
    ByWeekday,
    Hours,
    LastWeekday,
    Limit,
    Limits,
    Moment,
    Never,
    Offset,
    OnDate,
    PeriodKind,
    PreviousWeek,
    SameDay,
    Shift,
    UntilStart,
    Window,
    limit_from_plain,
    limit_to_plain,
    may_book,
    moment,
    open_spans,
)

CALENDARS = [
    SchoolCalendar.for_zone("A", public_holidays="alsace-moselle"),
    SchoolCalendar.for_zone(
        "B", closures=[Closure(name="Pont", first_day=date(2026, 5, 15), last_day=date(2026, 5, 15))]
    ),
    SchoolCalendar.for_zone("C"),
    SchoolCalendar.for_zone("C", public_holidays="la-reunion", tz="Indian/Reunion"),
    SchoolCalendar.for_zone("C", public_holidays="saint-pierre-et-miquelon", tz="America/Miquelon"),
]
calendars = st.sampled_from(CALENDARS)
#: Clock changes, their eves and morrows, leap days, public holidays, and the rest of three school years.
EDGES = [
    date(2026, 3, 29),
    date(2026, 3, 30),
    date(2026, 10, 25),
    date(2026, 10, 26),
    date(2028, 2, 29),
    date(2024, 2, 29),
]
days = st.one_of(st.sampled_from(EDGES), st.dates(date(2024, 9, 2), date(2028, 8, 31)))
clocks = st.one_of(
    st.sampled_from([time(0), time(2, 30), time(3), time(23, 59)]),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
ends = st.none() | clocks
weekdays = st.integers(0, 6)
small = st.integers(0, 40)

counted = st.one_of(
    st.builds(Offset, count=st.sampled_from(Count), n=small, at=ends),
    st.builds(Hours, n=st.integers(0, 400), working=st.booleans()),
    st.builds(SameDay, at=clocks),
    st.builds(UntilStart),
)
weekly = st.one_of(
    st.builds(LastWeekday, weekday=weekdays, at=ends),
    st.builds(PreviousWeek, weekday=weekdays, at=ends, weeks=st.integers(1, 4)),
)
simple = st.one_of(counted, weekly, st.builds(OnDate, day=days, at=ends), st.builds(Never))


def by_weekday(inner: st.SearchStrategy[Moment]) -> st.SearchStrategy[tuple[tuple[int, Moment], ...]]:
    return st.dictionaries(weekdays, inner, min_size=1).map(lambda found: tuple(sorted(found.items())))


rich = st.one_of(
    simple,
    st.builds(ByWeekday, limits=by_weekday(simple)),
    st.builds(BeforePeriod, limit=simple, kind=st.sampled_from(PeriodKind)),
    st.builds(ByPeriod, dates=st.just((("toussaint-2026", date(2026, 9, 25)),)), at=ends),
)
adapted = st.builds(
    Adapted,
    limit=rich,
    shift=st.sampled_from(Shift),
    holiday_week=by_weekday(simple) | st.just(()) | simple.map(lambda limit: ((ANY_WEEKDAY, limit),)),
    return_day=st.none() | simple,
)
moments = rich | adapted
windows = st.builds(
    Window, opens=moments, closes=st.none() | moments, then=st.none() | moments, reopens=st.none()
).filter(lambda window: window.opens is not None)
limits = moments | windows


@given(limit=limits, day=days, starts_at=st.none() | clocks, calendar=calendars)
def test_a_limit_is_never_after_its_units_start(
    limit: Limit, day: date, starts_at: time | None, calendar: SchoolCalendar
) -> None:
    start = calendar.instant(day, starts_at)
    until = moment(limit, day=day, starts_at=starts_at, calendar=calendar)
    assert until is None or until <= start


@given(limit=counted | weekly, day=days, gap=st.integers(1, 40), starts_at=clocks, calendar=calendars)
@example(limit=SameDay(at=time(2, 30)), day=date(2026, 3, 28), gap=1, starts_at=time(3), calendar=CALENDARS[2])
def test_a_later_day_never_closes_earlier(
    limit: Moment, day: date, gap: int, starts_at: time, calendar: SchoolCalendar
) -> None:
    later = day + timedelta(days=gap)
    assume(later <= calendar.covered_until)
    first = moment(limit, day=day, starts_at=starts_at, calendar=calendar)
    second = moment(limit, day=later, starts_at=starts_at, calendar=calendar)
    assert first is not None and second is not None
    assert first <= second


@given(day=days, n=st.integers(0, 60), calendar=calendars)
def test_working_days_agree_with_counting_them_one_by_one(day: date, n: int, calendar: SchoolCalendar) -> None:
    reached = calendar.back(Count.WORKING_DAYS, n, day)
    between = [reached + timedelta(days=k) for k in range((day - reached).days)]
    working = [one for one in between if one.weekday() < 5 and calendar.public_holiday(one) is None]
    assert len(working) == n
    assert n == 0 or working[0] == reached


@given(day=days, hours=st.integers(0, 200), starts_at=clocks, calendar=calendars)
def test_working_hours_agree_with_counting_minutes(
    day: date, hours: int, starts_at: time, calendar: SchoolCalendar
) -> None:
    mark = Hours(n=hours, working=True).mark(day, starts_at, calendar)
    assert mark is not None and mark[1] is not None
    reached, start = datetime.combine(*mark), datetime.combine(day, starts_at)
    assert reached <= start
    counted = timedelta()
    at = reached
    while at < start:
        midnight = datetime.combine(at.date() + timedelta(days=1), time(0))
        if calendar.is_working_day(at.date()):
            counted += min(midnight, start) - at
        at = midnight
    assert counted == timedelta(hours=hours)


@given(limit=limits)
def test_the_plain_form_says_the_same_limit(limit: Limit) -> None:
    plain = limit_to_plain(limit)
    again = limit_from_plain(plain)
    assert limit_to_plain(again) == plain or isinstance(limit, Window)
    assert limit_from_plain(limit_to_plain(again)) == again


@given(limit=limits, day=days, starts_at=clocks, calendar=calendars, minutes=st.integers(-60_000, 5_000))
def test_open_exactly_inside_the_spans(
    limit: Limit, day: date, starts_at: time, calendar: SchoolCalendar, minutes: int
) -> None:
    at = calendar.instant(day, starts_at) + timedelta(minutes=minutes)
    spans = open_spans(limit, day=day, starts_at=starts_at, calendar=calendar)
    inside = any((opens is None or opens <= at) and at < closes for opens, closes in spans)
    answer = may_book(Limits(book=limit, cancel=limit), day=day, at=at, starts_at=starts_at, calendar=calendar)
    assert isinstance(answer, Allowed) == inside
    for opens, closes in spans:
        assert opens is None or opens < closes


@given(limit=moments, day=days, calendar=calendars)
def test_a_shifted_limit_never_falls_on_a_closed_day_for_its_shift(
    limit: Moment, day: date, calendar: SchoolCalendar
) -> None:
    for shift in Shift:
        plain = limit.mark(day, time(12), calendar)
        moved = Adapted(limit=limit, shift=shift).mark(day, time(12), calendar)
        if plain is None or moved is None:
            assert plain is None and moved is None
        elif calendar.is_shut(plain[0]):
            assert not calendar.is_shut(moved[0]) and moved[0].weekday() < 5
            assert (moved[0] < plain[0]) == (shift is Shift.EARLIER)
        else:
            assert moved == plain
