"""The demo's days and chances: the town's clock, its working days, and dice that fall the same way every time."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from marelle.activities.models import Municipality
from marelle.activities.queries import calendar_of
from marelle.rules.calendars import SchoolCalendar

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Almanac:
    """One town's, for one seed."""

    town: Municipality
    seed: str
    tz: ZoneInfo = field(init=False)
    calendar: SchoolCalendar = field(init=False)

    def __post_init__(self) -> None:
        self.tz = self.town.tz
        self.calendar = calendar_of(self.town)

    def local(self, at: datetime) -> date:
        """The town's day."""
        return at.astimezone(self.tz).date()

    def instant(self, day: date, hour: int, minute: float) -> datetime:
        """That hour on the town's clock, and so many minutes, in UTC."""
        midnight = datetime.combine(day, time(hour), tzinfo=self.tz).astimezone(UTC)
        return midnight + timedelta(minutes=minute)

    def is_working(self, day: date) -> bool:
        """Whether the town's office is open."""
        return self.calendar.is_working_day(day) and self.calendar.closure(day) is None

    def working_day(self, day: date, *, after: int = 0) -> date:
        """The first working day from `day` on, or the n-th after that one."""
        while not self.is_working(day):
            day += ONE_DAY
        for _n in range(after):
            day += ONE_DAY
            while not self.is_working(day):
                day += ONE_DAY
        return day

    def dice(self, *what: object) -> Random:
        """Chances that depend on the seed and on these words alone."""
        return Random("/".join(map(str, (self.seed, *what))))


def end_of_month(day: date) -> date:
    return (day.replace(day=1) + 32 * ONE_DAY).replace(day=1) - ONE_DAY
