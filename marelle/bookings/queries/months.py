"""The months that a planning shows, and those that it can, for families and agents alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Max, Min, Q
from django.utils.dates import MONTHS

from marelle.activities.models import OpeningDay
from marelle.bookings.models import Enrolment


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the school calendar. `first` and `last`: the whole weeks that show it."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> "Month | None":
        """ "2026-11"; None for anything else, and for what no school calendar will ever hold."""
        try:
            day = date.fromisoformat(f"{text}-01") if len(text) == 7 else None
        except ValueError:
            return None
        return cls.of(day) if day is not None and 1900 < day.year < 3000 else None

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def shifted(self, months: int) -> "Month":
        year, index = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, index + 1)

    @property
    def words(self) -> str:
        return f"{MONTHS[self.number]} {self.year}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return self.shifted(1).first_day - timedelta(days=1)

    @property
    def first(self) -> date:
        return self.first_day - timedelta(days=self.first_day.weekday())

    @property
    def last(self) -> date:
        return self.last_day + timedelta(days=6 - self.last_day.weekday())


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """The first and last day opened for some groups, and the first from today on (None: none is left)."""

    first: date | None
    last: date | None
    next: date | None

    def default_month(self, today: date) -> Month:
        """The month of the next open day: in August, September's; after the last one, its month."""
        return Month.of(self.next or self.last or today)

    def shows(self, month: Month) -> bool:
        return bool(self.first and self.last and month.last_day >= self.first and month.first_day <= self.last)


def open_span(*, enrolments: Iterable[Enrolment], today: date) -> OpenSpan:
    days = OpeningDay.objects.filter(group__in={enrolment.group_id for enrolment in enrolments})
    found = days.aggregate(first=Min("date"), last=Max("date"), next=Min("date", filter=Q(date__gte=today)))
    return OpenSpan(**found)
