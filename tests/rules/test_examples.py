"""Every deadline of real regulations, as tables that a town's agent can read (examples/*.txt)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.limits import Limit, Limits, limit_from_plain, limit_to_plain, may_book, moment

TABLES = sorted((Path(__file__).parent / "examples").glob("*.txt"))
WEEKDAYS = ("lun", "mar", "mer", "jeu", "ven", "sam", "dim")
LINE = re.compile(
    r"(?P<weekday>\w{3}) (?P<day>\S{10})\s+→\s+"
    r"(?:(?P<none>aucune)|(?P<on>\w{3}) (?P<limit>\S{10}) (?P<clock>\d\d:\d\d)(?: (?P<offset>[+-]\d\d:\d\d))?)(?:\s.*)?"
)


@dataclass(frozen=True)
class Example:
    table: str
    calendar: SchoolCalendar
    limit: Limit
    starts_at: time
    day: date
    until: datetime | None
    offset: str | None


def examples(path: Path) -> list[Example]:
    keys: dict[str, str] = {}
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        row = LINE.fullmatch(line)
        if row is None:
            key, value = line.split("=", 1)
            keys[key.strip()] = value.strip()
            continue
        day = date.fromisoformat(row["day"])
        assert WEEKDAYS[day.weekday()] == row["weekday"], line
        until = None
        if row["none"] is None:
            on = date.fromisoformat(row["limit"])
            assert WEEKDAYS[on.weekday()] == row["on"], line
            hours, minutes = map(int, row["clock"].split(":"))
            until = datetime.combine(on, time(0)) + timedelta(hours=hours, minutes=minutes)
        found.append(
            Example(
                table=path.stem,
                calendar=SchoolCalendar.for_zone(keys["zone"]),
                limit=limit_from_plain(tomllib.loads(f"limite = {keys['limite']}")["limite"]),
                starts_at=time.fromisoformat(keys["début"]),
                day=day,
                until=until,
                offset=row["offset"],
            )
        )
    return found


EXAMPLES = [example for path in TABLES for example in examples(path)]


ROWS = {"A": "A8", "D": "D9", "R": "B6"}


@pytest.mark.parametrize(
    "example",
    [pytest.param(e, marks=pytest.mark.row(ROWS[e.table[0]]), id=f"{e.table}-{e.day}") for e in EXAMPLES],
)
def test_the_limit_is_what_the_regulation_says(example: Example) -> None:
    until = moment(example.limit, day=example.day, starts_at=example.starts_at, calendar=example.calendar)
    if example.until is None:
        assert until is None
        return
    assert until is not None
    local = example.calendar.local(until)
    # "24:00" on a summer-time night is still the wall clock's midnight
    assert local.replace(tzinfo=None) == example.until
    if example.offset is not None:
        assert local.isoformat()[-6:] == example.offset


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.until], ids=lambda e: f"{e.table}-{e.day}")
def test_a_day_is_open_until_its_limit_and_not_at_it(example: Example) -> None:
    limits = Limits(book=example.limit, cancel=example.limit)
    until = moment(example.limit, day=example.day, starts_at=example.starts_at, calendar=example.calendar)
    assert until is not None

    def asked(at: datetime) -> object:
        return may_book(limits, day=example.day, at=at, starts_at=example.starts_at, calendar=example.calendar)

    assert asked(until - timedelta(seconds=1)) == Allowed(until=until)
    assert asked(until) == Refused(Reason.PAST_LIMIT, {"since": until})
    assert until.tzinfo is UTC


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_shows_what_usually_goes_wrong(path: Path) -> None:
    rows = examples(path)
    assert len({row.day for row in rows}) >= 5
    days = [row.day for row in rows]
    limits = [row.until.date() for row in rows if row.until]
    assert any(day.weekday() == 0 for day in (*days, *limits)), "no Monday"
    calendar = rows[0].calendar
    near = [day - timedelta(days=n) for day in days for n in range(8)]
    assert any(calendar.public_holiday(day) for day in near), "no public holiday near"
    assert any(row.calendar.is_return_day(row.day - timedelta(days=n)) for row in rows for n in range(3)), "no return"
    assert any(
        calendar.local(calendar.instant(day, time(0))).utcoffset()
        != calendar.local(calendar.instant(day - timedelta(days=7), time(0))).utcoffset()
        for day in days
    ), "no change of clocks"


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_limit_survives_its_plain_form(path: Path) -> None:
    limit = examples(path)[0].limit
    assert limit_from_plain(limit_to_plain(limit)) == limit
