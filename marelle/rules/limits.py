"""Until when a day may be booked or cancelled: the whole grammar of limits (docs/algorithms/limits.md).

A limit's plain form (`limit_from_plain`, `limit_to_plain`) is JSON-safe: it is what the database stores and what a
town's file says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from marelle.rules.calendars import MIDNIGHT, ONE_DAY, Count, SchoolCalendar
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.faults import Fault, shown
from marelle.rules.faults import Words as _

#: A day and a time of the town's clock; None as time is 24:00 of that day.
Mark = tuple[date, time | None]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """So many days of a kind before the day, at a time (None: 24:00 of the day reached)."""

    count: Count
    n: int
    at: time | None = None

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        return calendar.back(self.count, self.n, day), self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """So many hours before the unit's start on the town's clock; `working`: on a clock that runs on working days."""

    n: int
    working: bool = False

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        start = datetime.combine(day, starts_at if starts_at is not None else MIDNIGHT)
        if not self.working:
            reached = start - timedelta(hours=self.n)
            return reached.date(), reached.time()
        since_midnight = start - datetime.combine(day, MIDNIGHT)
        left = timedelta(hours=self.n)
        if calendar.is_working_day(day):
            if left <= since_midnight:
                return day, (start - left).time()
            left -= since_midnight
        elif not left:
            return day, start.time()
        whole, rest = divmod(left, ONE_DAY)
        if not rest:
            return calendar.back(Count.WORKING_DAYS, whole, day), MIDNIGHT
        reached_day = calendar.back(Count.WORKING_DAYS, whole + 1, day)
        return reached_day, (datetime.combine(reached_day, MIDNIGHT) + ONE_DAY - rest).time()


@dataclass(frozen=True, slots=True, kw_only=True)
class SameDay:
    """The day itself at a time."""

    at: time

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        return day, self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilStart:
    """Until the unit starts (24:00 of the day when it has no hours)."""

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        return day, starts_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """Not possible on line."""

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWeekday:
    """The last such weekday (0 Monday … 6 Sunday) strictly before the day."""

    weekday: int
    at: time | None = None

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        return day - ONE_DAY * ((day.weekday() - self.weekday - 1) % 7 + 1), self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousWeek:
    """That weekday of the ISO week that comes `weeks` before the day's."""

    weekday: int
    at: time | None = None
    weeks: int = 1

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        return day - ONE_DAY * (day.weekday() - self.weekday + 7 * self.weeks), self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class ByWeekday:
    """A limit of its own for each weekday of the day asked for; none for a weekday left out."""

    limits: tuple[tuple[int, Moment], ...]

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        weekday = day.weekday()
        for known, limit in self.limits:
            if known == weekday:
                return limit.mark(day, starts_at, calendar)
        return None


class PeriodKind(StrEnum):
    HOLIDAYS = "holidays"
    TERM = "term"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforePeriod:
    """The limit inside, counted from the first day of the period that holds the day; none outside any period."""

    limit: Moment
    kind: PeriodKind = PeriodKind.HOLIDAYS

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        period = calendar.holiday_period(day) if self.kind is PeriodKind.HOLIDAYS else calendar.term(day)
        return None if period is None else self.limit.mark(period.first_day, None, calendar)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPeriod:
    """A date for each term or holiday period, by slug; none for a period left out."""

    dates: tuple[tuple[str, date], ...]
    at: time | None = None

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        slugs = {period.slug for period in (calendar.term(day), calendar.holiday_period(day)) if period is not None}
        for slug, limit_day in self.dates:
            if slug in slugs:
                return limit_day, self.at
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDate:
    """A date, the same for every day."""

    day: date
    at: time | None = None

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        return self.day, self.at


class Shift(StrEnum):
    """What becomes of a mark on a public holiday or a closed day."""

    EARLIER = "earlier"
    LATER = "later"


ANY_WEEKDAY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A limit with its exceptions: the day of return, weeks with a public holiday, marks on closed days.

    `holiday_week` pairs the weekday that is shut (or `ANY_WEEKDAY`) with the limit for that whole week.
    """

    limit: Moment
    shift: Shift | None = None
    holiday_week: tuple[tuple[int, Moment], ...] = ()
    return_day: Moment | None = None

    def mark(self, day: date, starts_at: time | None, calendar: SchoolCalendar) -> Mark | None:
        if self.return_day is not None and calendar.is_return_day(day):
            return self.return_day.mark(day, starts_at, calendar)
        if self.holiday_week:
            monday = day - ONE_DAY * day.weekday()
            for weekday, limit in self.holiday_week:
                shut = range(7) if weekday == ANY_WEEKDAY else (weekday,)
                if any(calendar.is_shut(monday + ONE_DAY * n) for n in shut):
                    return limit.mark(day, starts_at, calendar)
        mark = self.limit.mark(day, starts_at, calendar)
        if mark is None or self.shift is None or not calendar.is_shut(mark[0]):
            return mark
        return calendar.nearest_working_day(mark[0], step=-1 if self.shift is Shift.EARLIER else 1), mark[1]


Moment = (
    Offset
    | Hours
    | SameDay
    | UntilStart
    | Never
    | LastWeekday
    | PreviousWeek
    | ByWeekday
    | BeforePeriod
    | ByPeriod
    | OnDate
    | Adapted
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Allowed from `opens` to `closes`, and again until `then`, from `reopens` (or at once)."""

    opens: Moment | None = None
    closes: Moment | None = None
    reopens: Moment | None = None
    then: Moment | None = None


Limit = Moment | Window


def from_midnight(limit: Moment) -> Moment:
    """The same limit read as an opening: a day without a time starts it at 00:00, instead of ending it at 24:00."""
    match limit:
        case Offset() | LastWeekday() | PreviousWeek() | ByPeriod() | OnDate():
            return limit if limit.at is not None else replace(limit, at=MIDNIGHT)
        case ByWeekday():
            return ByWeekday(limits=tuple((weekday, from_midnight(part)) for weekday, part in limit.limits))
        case BeforePeriod():
            return replace(limit, limit=from_midnight(limit.limit))
        case Adapted():
            return replace(
                limit,
                limit=from_midnight(limit.limit),
                holiday_week=tuple((weekday, from_midnight(part)) for weekday, part in limit.holiday_week),
                return_day=None if limit.return_day is None else from_midnight(limit.return_day),
            )
    return limit


@dataclass(frozen=True, slots=True)
class Limits:
    """The limit to book and the limit to cancel."""

    book: Limit
    cancel: Limit


#: From an opening (None: always was) to a closing, aware and UTC.
Span = tuple[datetime | None, datetime]


def moment(limit: Limit, *, day: date, starts_at: time | None, calendar: SchoolCalendar) -> datetime | None:
    """The instant (aware, UTC) at which the day closes, never after the unit's start; None when it is never open.

    Raises `BeyondCalendar` for a day that the calendar does not cover.
    """
    if isinstance(limit, Window):
        spans = open_spans(limit, day=day, starts_at=starts_at, calendar=calendar)
        return spans[-1][1] if spans else None
    calendar.check(day)
    mark = limit.mark(day, starts_at, calendar)
    if mark is None:
        return None
    closes = calendar.instant(mark[0], mark[1])
    start = calendar.instant(day, starts_at)
    return closes if closes < start else start


def opening(limit: Limit, *, day: date, starts_at: time | None, calendar: SchoolCalendar) -> datetime | None:
    """The instant (aware, UTC) at which a window opens; None for a limit that was always open."""
    spans = open_spans(limit, day=day, starts_at=starts_at, calendar=calendar)
    return spans[0][0] if spans else None


def open_spans(limit: Limit, *, day: date, starts_at: time | None, calendar: SchoolCalendar) -> tuple[Span, ...]:
    """Every span during which the day is open, in order and apart from each other."""
    if not isinstance(limit, Window):
        closes = moment(limit, day=day, starts_at=starts_at, calendar=calendar)
        return () if closes is None else ((None, closes),)
    calendar.check(day)

    def reach(part: Moment | None) -> datetime | None:
        mark = None if part is None else part.mark(day, starts_at, calendar)
        return None if mark is None else calendar.instant(*mark)

    start = calendar.instant(day, starts_at)
    opens, reopens = reach(limit.opens), reach(limit.reopens)
    closes = start if limit.closes is None else reach(limit.closes)
    spans: list[Span] = []
    if closes is not None and not (limit.opens is not None and opens is None):
        closes = min(closes, start)
        if opens is None or opens < closes:
            spans.append((opens, closes))
    if limit.then is not None:
        ends = reach(limit.then)
        begins = reopens if limit.reopens is not None else closes
        if ends is not None and begins is not None and begins < min(ends, start):
            if spans and begins <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], min(ends, start)))
            else:
                spans.append((begins, min(ends, start)))
    return tuple(spans)


def may_book(limits: Limits, *, day: date, at: datetime, starts_at: time | None, calendar: SchoolCalendar) -> Decision:
    """Whether the family may book the day at that instant (aware). Only time is looked at, not places nor rights."""
    return _decide(limits.book, day=day, at=at, starts_at=starts_at, calendar=calendar)


def may_cancel(
    limits: Limits, *, day: date, at: datetime, starts_at: time | None, calendar: SchoolCalendar
) -> Decision:
    """Whether the family may cancel the day at that instant (aware)."""
    return _decide(limits.cancel, day=day, at=at, starts_at=starts_at, calendar=calendar)


def _decide(limit: Limit, *, day: date, at: datetime, starts_at: time | None, calendar: SchoolCalendar) -> Decision:
    spans = open_spans(limit, day=day, starts_at=starts_at, calendar=calendar)
    if not spans:
        return Refused(Reason.OUTSIDE_PERIOD if _counts_from_a_period(limit) else Reason.NOT_ON_LINE)
    for opens, closes in spans:
        if at < closes:
            if opens is not None and at < opens:
                return Refused(Reason.NOT_OPEN_YET, {"opens": opens, "until": closes})
            return Allowed(until=closes)
    return Refused(Reason.PAST_LIMIT, {"since": spans[-1][1]})


def _counts_from_a_period(limit: Limit) -> bool:
    match limit:
        case BeforePeriod() | ByPeriod():
            return True
        case Adapted():
            return _counts_from_a_period(limit.limit)
        case Window():
            return any(part is not None and _counts_from_a_period(part) for part in (limit.opens, limit.closes))
    return False


# The plain form


class InvalidLimit(ValueError):
    """A plain form that says no limit; `faults` holds every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "; ".join(f"{'.'.join(f.path) or 'limit'}: found {f.found}, expected {f.expected}" for f in self.faults)
        )


_COUNTS = {count.value: count for count in Count}
_HOURS = {"hours": False, "working_hours": True}
_KINDS = (
    *_COUNTS,
    *_HOURS,
    "same_day",
    "until_start",
    "never",
    "last",
    "previous_week",
    "by_weekday",
    "before_holidays",
    "before_term",
    "by_period",
    "on",
)
_ADAPTATIONS = ("on_closed_day", "holiday_week", "return_day")
_WINDOW = ("opens", "closes", "reopens", "then")
_TAKES_AT = (*_COUNTS, "last", "previous_week", "by_period", "on")
_WEEKDAY_TIME = _('un jour et une heure, comme "friday 11:00"')
_LIMIT = _("une limite : une table avec %(kinds)s, ou bien opens et closes", kinds=", ".join(_KINDS))


def limit_from_plain(plain: object) -> Limit:
    """Read the plain form (of JSON or TOML: dates and times may be text or objects).

    Raises `InvalidLimit` with every fault.
    """
    reader = _Reader()
    limit = reader.limit(plain, ())
    if reader.faults or limit is None:
        raise InvalidLimit(reader.faults)
    return limit


class _Reader:
    """Reads a plain form and collects faults instead of stopping at the first."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, path: tuple[str, ...], found: object, expected: str) -> None:
        self.faults.append(Fault(path=path, found=shown(found), expected=expected))

    def limit(self, plain: object, path: tuple[str, ...]) -> Limit | None:
        if isinstance(plain, Mapping) and any(key in plain for key in _WINDOW):
            return self.window(plain, path)
        return self.moment(plain, path)

    def window(self, plain: Mapping[str, object], path: tuple[str, ...]) -> Window | None:
        before = len(self.faults)
        self.unknown(plain, path, _WINDOW)
        if "opens" not in plain and "closes" not in plain:
            self.fault(path, plain, _("opens, closes ou les deux, en plus de then"))
        if "reopens" in plain and "then" not in plain:
            self.fault((*path, "reopens"), plain["reopens"], _("then, une limite, à côté de reopens"))
        parts = {key: self.moment(plain[key], (*path, key)) for key in _WINDOW if key in plain}
        for key in ("opens", "reopens"):
            part = parts.get(key)
            if part is not None:
                parts[key] = from_midnight(part)
        return Window(**parts) if len(self.faults) == before else None

    def moment(self, plain: object, path: tuple[str, ...]) -> Moment | None:
        if isinstance(plain, str):
            return self.weekday_time(plain, path)
        if not isinstance(plain, Mapping):
            self.fault(path, plain, _LIMIT)
            return None
        kinds = [kind for kind in _KINDS if kind in plain]
        if len(kinds) != 1:
            self.fault(path, plain, _LIMIT if not kinds else _("une seule clé parmi %(keys)s", keys=", ".join(kinds)))
            return None
        before = len(self.faults)
        kind = kinds[0]
        limit = self.simple(kind, plain, path)
        shift, holiday_week, return_day = self.adaptations(plain, path)
        known = [kind, *_ADAPTATIONS]
        known += ["at"] if kind in _TAKES_AT else []
        known += ["weeks"] if kind == "previous_week" else []
        self.unknown(plain, path, known)
        if limit is None or len(self.faults) > before:
            return None
        if shift is None and not holiday_week and return_day is None:
            return limit
        return Adapted(limit=limit, shift=shift, holiday_week=holiday_week, return_day=return_day)

    def simple(self, kind: str, plain: Mapping[str, object], path: tuple[str, ...]) -> Moment | None:
        value, here = plain[kind], (*path, kind)
        at = self.time_of_day(plain["at"], (*path, "at")) if kind in _TAKES_AT and "at" in plain else None
        if kind in _COUNTS:
            n = self.number(value, here)
            return None if n is None else Offset(count=_COUNTS[kind], n=n, at=at)
        if kind in _HOURS:
            n = self.number(value, here)
            return None if n is None else Hours(n=n, working=_HOURS[kind])
        if kind == "same_day":
            if value == "24:00":
                self.fault(here, value, _('une heure de la journée, comme "09:00" ; ou bien until_start = true'))
                return None
            known = self.time_of_day(value, here)
            return None if known is None else SameDay(at=known)
        if kind in ("until_start", "never"):
            if value is not True:
                self.fault(here, value, _("true, ou pas de clé"))
                return None
            return Never() if kind == "never" else UntilStart()
        if kind in ("last", "previous_week"):
            weekday = self.weekday(value, here)
            weeks = self.number(plain.get("weeks", 1), (*path, "weeks"), least=1)
            if weekday is None or weeks is None:
                return None
            if kind == "last":
                return LastWeekday(weekday=weekday, at=at)
            return PreviousWeek(weekday=weekday, at=at, weeks=weeks)
        if kind == "by_weekday":
            limits = self.by_weekday(value, here, extra=())
            return None if limits is None else ByWeekday(limits=limits)
        if kind in ("before_holidays", "before_term"):
            inner = self.moment(value, here)
            period = PeriodKind.HOLIDAYS if kind == "before_holidays" else PeriodKind.TERM
            return None if inner is None else BeforePeriod(limit=inner, kind=period)
        if kind == "by_period":
            if not isinstance(value, Mapping) or not value:
                self.fault(here, value, _("une table : identifiant de la période = date"))
                return None
            dates = [(str(slug), self.calendar_day(text, (*here, str(slug)))) for slug, text in value.items()]
            return ByPeriod(dates=tuple((slug, known) for slug, known in dates if known is not None), at=at)
        day = self.calendar_day(value, here)
        return None if day is None else OnDate(day=day, at=at)

    def adaptations(
        self, plain: Mapping[str, object], path: tuple[str, ...]
    ) -> tuple[Shift | None, tuple[tuple[int, Moment], ...], Moment | None]:
        shift = None
        value = plain.get("on_closed_day", "stay")
        if value in ("earlier", "later"):
            shift = Shift(str(value))
        elif value != "stay":
            self.fault((*path, "on_closed_day"), value, _('"stay", "earlier" ou "later"'))
        holiday_week: tuple[tuple[int, Moment], ...] | None = ()
        if "holiday_week" in plain:
            holiday_week = self.by_weekday(plain["holiday_week"], (*path, "holiday_week"), extra=("any",))
        return_day = self.moment(plain["return_day"], (*path, "return_day")) if "return_day" in plain else None
        return shift, holiday_week or (), return_day

    def by_weekday(
        self, value: object, path: tuple[str, ...], *, extra: tuple[str, ...]
    ) -> tuple[tuple[int, Moment], ...] | None:
        names = (*WEEKDAYS, *extra)
        if not isinstance(value, Mapping) or not value:
            self.fault(path, value, _("une table dont les clés sont parmi %(keys)s", keys=", ".join(names)))
            return None
        self.unknown(value, path, names)
        limits = []
        for number, name in enumerate(names):
            if name in value:
                limit = self.moment(value[name], (*path, name))
                if limit is not None:
                    limits.append((number if number < 7 else ANY_WEEKDAY, limit))
        return tuple(limits)

    def weekday_time(self, text: str, path: tuple[str, ...]) -> LastWeekday | None:
        words = text.split()
        if len(words) != 2 or words[0] not in WEEKDAYS:
            self.fault(path, text, _WEEKDAY_TIME)
            return None
        before = len(self.faults)
        at = self.time_of_day(words[1], path)
        return LastWeekday(weekday=WEEKDAYS.index(words[0]), at=at) if len(self.faults) == before else None

    def weekday(self, value: object, path: tuple[str, ...]) -> int | None:
        if isinstance(value, str) and value in WEEKDAYS:
            return WEEKDAYS.index(value)
        self.fault(path, value, _("un jour parmi %(keys)s", keys=", ".join(WEEKDAYS)))
        return None

    def number(self, value: object, path: tuple[str, ...], *, least: int = 0) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= 1000:
            return value
        self.fault(path, value, _("un nombre entier de %(least)d à %(most)d", least=least, most=1000))
        return None

    def time_of_day(self, value: object, path: tuple[str, ...]) -> time | None:
        if isinstance(value, time) and value.tzinfo is None:
            return value.replace(second=0, microsecond=0)
        if isinstance(value, str):
            if value == "24:00":
                return None
            hours, colon, minutes = value.partition(":")
            digits = hours + minutes
            well_formed = colon and len(hours) == len(minutes) == 2 and digits.isascii() and digits.isdigit()
            if well_formed and int(hours) < 24 and int(minutes) < 60:
                return time(int(hours), int(minutes))
        self.fault(path, value, _('une heure, comme "09:00"'))
        return None

    def calendar_day(self, value: object, path: tuple[str, ...]) -> date | None:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        self.fault(path, value, _("une date, comme 2026-09-25"))
        return None

    def unknown(self, plain: Mapping[str, object], path: tuple[str, ...], known: Iterable[str]) -> None:
        known = tuple(known)
        for key in plain:
            if key not in known:
                self.fault((*path, str(key)), key, _("une clé parmi %(keys)s", keys=", ".join(known)))


def _clock(at: time) -> str:
    return at.strftime("%H:%M")


def limit_to_plain(limit: Limit) -> dict[str, object]:
    """Write the plain form; `limit_from_plain` reads back an equal limit."""
    if isinstance(limit, Window):
        parts = {key: getattr(limit, key) for key in _WINDOW}
        return {key: limit_to_plain(part) for key, part in parts.items() if part is not None}
    plain: dict[str, object] = {}
    match limit:
        case Offset():
            plain[limit.count.value] = limit.n
        case Hours():
            plain["working_hours" if limit.working else "hours"] = limit.n
        case SameDay():
            plain["same_day"] = _clock(limit.at)
        case UntilStart():
            plain["until_start"] = True
        case Never():
            plain["never"] = True
        case LastWeekday():
            plain["last"] = WEEKDAYS[limit.weekday]
        case PreviousWeek():
            plain["previous_week"] = WEEKDAYS[limit.weekday]
            if limit.weeks != 1:
                plain["weeks"] = limit.weeks
        case ByWeekday():
            plain["by_weekday"] = {WEEKDAYS[weekday]: limit_to_plain(part) for weekday, part in limit.limits}
        case BeforePeriod():
            plain[f"before_{limit.kind.value}"] = limit_to_plain(limit.limit)
        case ByPeriod():
            plain["by_period"] = {slug: day.isoformat() for slug, day in limit.dates}
        case OnDate():
            plain["on"] = limit.day.isoformat()
        case Adapted():
            plain.update(limit_to_plain(limit.limit))
            if limit.shift is not None:
                plain["on_closed_day"] = limit.shift.value
            if limit.holiday_week:
                plain["holiday_week"] = {
                    "any" if weekday == ANY_WEEKDAY else WEEKDAYS[weekday]: limit_to_plain(part)
                    for weekday, part in limit.holiday_week
                }
            if limit.return_day is not None:
                plain["return_day"] = limit_to_plain(limit.return_day)
    at = getattr(limit, "at", None)
    if at is not None and not isinstance(limit, SameDay):
        plain["at"] = _clock(at)
    return plain
