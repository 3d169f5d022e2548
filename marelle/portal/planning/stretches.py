"""What a planning shows: a month, a week, or a whole period; the same stretch in an address, a form and words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.activities.models import OpeningDay, Period
from marelle.activities.queries import rules_of
from marelle.bookings.queries.months import Month, open_span
from marelle.foundation.sentences import day_words, short_span_words
from marelle.portal.planning.place import Place
from marelle.townfile.town import ServiceKind

#: The whole school year, beside the names of the service's periods.
YEAR = "annee"
A_WEEK = timedelta(days=7)


class View(StrEnum):
    """How days are laid out. The value stands in the address."""

    WEEK = "semaine"
    MONTH = "mois"
    PERIOD = "periode"

    @property
    def word(self) -> str | Promise:
        return {View.WEEK: gettext_lazy("Semaine"), View.MONTH: gettext_lazy("Mois")}.get(self, gettext_lazy("Période"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """`first` to `last`: the whole weeks drawn. `first_day` to `last_day`: what `words` name, and what the shortcuts on
    "displayed days" act on. `key`: the month, the week's Monday, or the period's slug. `site`, `season`: the slugs of
    the place and the period chosen first, if any; `child`: the rank of the child that a phone shows of a wide week."""

    view: View
    key: str
    first: date
    last: date
    first_day: date
    last_day: date
    words: str
    site: str = ""
    season: str = ""
    child: int = 0

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The parameters that lead back here."""
        found = [(str(self.view), self.key)]
        if self.view != View.MONTH:
            found.insert(0, ("vue", str(self.view)))
        if self.season and self.view != View.PERIOD:
            found.append(("periode", self.season))
        if self.site:
            found.append(("lieu", self.site))
        return found

    @property
    def query(self) -> str:
        return urlencode(self.fields + ([("enfant", str(self.child))] if self.child else []))

    @property
    def month(self) -> Month:
        return Month.of(self.first_day)

    @property
    def whole_words(self) -> tuple[str, str]:
        """What the "Tout" menu says of it: to reserve, to cancel."""
        if self.view == View.MONTH:
            return _("Réserver tout le mois"), _("Tout annuler ce mois-ci")
        if self.view == View.WEEK:
            return _("Réserver toute la semaine"), _("Tout annuler cette semaine")
        return _("Réserver toute la période"), _("Tout annuler sur la période")


class Stretches:
    """The stretches of a service, for one family on one day. Each list is read once, and only when somebody asks."""

    def __init__(self, place: Place, *, today: date) -> None:
        self.place, self.today = place, today

    @cached_property
    def first(self) -> date:
        return min(enrolment.school_year.first_day for enrolment in self.place.enrolments)

    @cached_property
    def last(self) -> date:
        return max(enrolment.school_year.last_day for enrolment in self.place.enrolments)

    @cached_property
    def year_words(self) -> str:
        labels = sorted({enrolment.school_year.label for enrolment in self.place.enrolments})
        return _("Année scolaire %(year)s") % {"year": labels[-1]}

    @cached_property
    def periods(self) -> list[Period]:
        """The service's periods within the enrolments' school years, in order."""
        found = Period.objects.filter(service=self.place.service, archived_at=None)
        return list(found.filter(last_day__gte=self.first, first_day__lte=self.last).order_by("first_day"))

    @cached_property
    def weeks(self) -> list[date]:
        """The Mondays of the weeks in which something is open to these children."""
        groups = {enrolment.group_id for enrolment in self.place.enrolments}
        days = OpeningDay.objects.filter(group__in=groups, date__range=(self.first, self.last))
        return sorted({monday_of(day) for day in days.order_by().values_list("date", flat=True).distinct()})

    @property
    def default_view(self) -> View:
        """A week for services with several units a day, else a month."""
        return View.WEEK if units_count(self.place) > 1 else View.MONTH

    def asked(self, source: Mapping[str, str], *, fallback: bool = True) -> Stretch | None:
        """The stretch that an address or a form names; without a name, or with one that says nothing, the default of
        its view (None unless `fallback`)."""
        said = source.get("vue", "")
        named = View.MONTH if source.get("mois") else View.WEEK if source.get("semaine") else None
        view = view_of(said) or named or self.default_view
        season, site, child = source.get("periode", ""), self.place.site, source.get("enfant", "")
        if season and all(period.slug != season for period in self.periods) and season != YEAR:
            season = ""
        rank = int(child) if child.isdecimal() and len(child) < 3 else 0
        match view:
            case View.MONTH:
                month = Month.parse(source.get("mois", ""))
                if month is None and not fallback:
                    return None
                return self.month(month or self._next_month(season), season=season)
            case View.WEEK:
                monday = _monday(source.get("semaine", ""))
                if monday is None and not fallback:
                    return None
                found = self.week(monday or self._next_week(season), season=season)
            case View.PERIOD:
                if not season and not fallback:
                    return None
                found = self.period(season or self._next_period())
        return replace(found, site=site, child=rank)

    def month(self, month: Month, *, season: str = "") -> Stretch:
        return Stretch(
            view=View.MONTH, key=str(month), first=month.first, last=month.last, first_day=month.first_day,
            last_day=month.last_day, words=month.words, site=self.place.site, season=season if season != YEAR else "",
        )  # fmt: skip

    def week(self, monday: date, *, season: str = "") -> Stretch:
        friday = monday + timedelta(days=4)
        return Stretch(
            view=View.WEEK, key=monday.isoformat(), first=monday, last=monday + timedelta(days=6), first_day=monday,
            last_day=monday + timedelta(days=6), words=short_span_words(monday, friday), site=self.place.site,
            season=season,
        )  # fmt: skip

    def period(self, slug: str) -> Stretch:
        """A period of the service, or the school year."""
        period = next((period for period in self.periods if period.slug == slug), None)
        first, last = (period.first_day, period.last_day) if period else (self.first, self.last)
        return Stretch(
            view=View.PERIOD, key=period.slug if period else YEAR, first=monday_of(first),
            last=monday_of(last) + timedelta(days=6), first_day=first, last_day=last,
            words=period.name if period else self.year_words, site=self.place.site,
            season=period.slug if period else YEAR,
        )  # fmt: skip

    def around(self, stretch: Stretch) -> tuple[Stretch | None, Stretch | None]:
        """The stretch before and the one after, as far as the school year goes."""
        if stretch.view == View.MONTH:
            before, after = stretch.month.shifted(-1), stretch.month.shifted(1)
            return (
                self.month(before, season=stretch.season) if before.last_day >= self.first else None,
                self.month(after, season=stretch.season) if after.first_day <= self.last else None,
            )
        if stretch.view == View.WEEK:
            weeks = self.listed_weeks(stretch)
            earlier = [monday for monday in weeks if monday < stretch.first]
            later = [monday for monday in weeks if monday > stretch.first]
            return (
                self.week(earlier[-1], season=stretch.season) if earlier else None,
                self.week(later[0], season=stretch.season) if later else None,
            )
        slugs = [period.slug for period in self.periods]
        at = slugs.index(stretch.key) if stretch.key in slugs else -1
        return (
            self.period(slugs[at - 1]) if at > 0 else None,
            self.period(slugs[at + 1]) if 0 <= at < len(slugs) - 1 else None,
        )

    def current(self, stretch: Stretch) -> Stretch | None:
        """The same view on today, when the school year holds it and it is not shown already."""
        if not self.first <= self.today <= self.last or stretch.first_day <= self.today <= stretch.last_day:
            return None
        if stretch.view == View.MONTH:
            return self.month(Month.of(self.today))
        if stretch.view == View.WEEK:
            return self.week(monday_of(self.today))
        holder = self.period_of(self.today)
        return self.period(holder.slug) if holder else None

    def seen_as(self, stretch: Stretch, view: View) -> Stretch:
        """The same time in another view."""
        day = max(stretch.first_day, min(self.today, stretch.last_day))
        season = "" if stretch.season == YEAR else stretch.season
        if view == View.MONTH:
            return self.month(Month.of(day), season=season)
        if view == View.WEEK:
            after = [monday for monday in self.weeks if monday + A_WEEK > day and monday <= stretch.last_day]
            return self.week(after[0] if after else monday_of(day), season=season)
        holder = self.period_of(day)
        return self.period(stretch.season or (holder.slug if holder else YEAR))

    def period_of(self, day: date) -> Period | None:
        return next((period for period in self.periods if period.first_day <= day <= period.last_day), None)

    def whole(self, stretch: Stretch) -> tuple[date, date, str]:
        """The period that the shortcuts on "the whole period" act on: the one chosen, else that of the days shown; its
        first and last day and its name."""
        if stretch.view == View.PERIOD:
            return stretch.first_day, stretch.last_day, stretch.words
        day = max(stretch.first_day, min(self.today, stretch.last_day))
        chosen = next((period for period in self.periods if period.slug == stretch.season), None)
        met = [p for p in self.periods if p.first_day <= stretch.last_day and p.last_day >= day]
        period = chosen or (met[0] if met else None)
        if period is None:
            return self.first, self.last, self.year_words
        return period.first_day, period.last_day, period.name

    def listed_weeks(self, stretch: Stretch) -> list[date]:
        """The weeks to choose from: those of the chosen period, else of the school year."""
        period = next((period for period in self.periods if period.slug == stretch.season), None)
        if period is None:
            return self.weeks
        return [m for m in self.weeks if m + A_WEEK > period.first_day and m <= period.last_day]

    def options(self, stretch: Stretch) -> list[tuple[str, str, bool]]:
        """The list to choose from: what a move there posts, its words, whether it is shown. Nothing for months."""
        if stretch.view == View.WEEK:
            return [(f"semaine={m}", _week_words(m), m == stretch.first) for m in self.listed_weeks(stretch)]
        if stretch.view == View.PERIOD:
            found = [(f"periode={p.slug}", p.name, p.slug == stretch.key) for p in self.periods]
            return [*found, (f"periode={YEAR}", self.year_words, stretch.key == YEAR)]
        return []

    def target(self, text: str, *, stretch: Stretch) -> Stretch:
        """Where a button sends: "mois=2026-12", "semaine=2026-11-16", "periode=noel", "vue=semaine"; here when it says
        nothing."""
        name, _cut, value = text.partition("=")
        view = view_of(value) if name == "vue" else None
        if view is not None:
            found: Stretch | None = self.seen_as(stretch, view)
        else:
            source = {"vue": name if view_of(name) else str(stretch.view), name: value}
            if name != "periode" and stretch.season:
                source["periode"] = stretch.season
            found = self.asked(source, fallback=False)
        found = found or stretch
        return replace(found, child=stretch.child)

    def _next_month(self, season: str) -> Month:
        period = next((period for period in self.periods if period.slug == season), None) if season else None
        if period is not None:
            return Month.of(max(period.first_day, min(self.today, period.last_day)))
        return open_span(enrolments=self.place.enrolments, today=self.today).default_month(self.today)

    def _next_week(self, season: str) -> date:
        period = next((period for period in self.periods if period.slug == season), None) if season else None
        listed = [
            monday
            for monday in self.weeks
            if period is None or (monday + A_WEEK > period.first_day and monday <= period.last_day)
        ]
        coming = [monday for monday in listed if monday + timedelta(days=4) >= self.today]
        return coming[0] if coming else listed[-1] if listed else monday_of(self.today)

    def _next_period(self) -> str:
        coming = [period for period in self.periods if period.last_day >= self.today]
        return coming[0].slug if coming else self.periods[-1].slug if self.periods else YEAR


def view_of(text: str) -> View | None:
    return next((view for view in View if view == text), None)


def units_count(place: Place) -> int:
    """How many units of the service a day has, as the town's document says."""
    try:
        return len(rules_of(place.town).service(place.service.slug).units)
    except KeyError:
        return 1


def is_by_holidays(place: Place) -> bool:
    """A centre whose periods are apart from each other: one chooses the holidays first."""
    try:
        return rules_of(place.town).service(place.service.slug).kind == ServiceKind.HOLIDAYS
    except KeyError:
        return False


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _monday(text: str) -> date | None:
    """The Monday of the week of "2026-11-16"; None for anything else, or a year nobody reserves."""
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return monday_of(day) if day is not None and 2000 <= day.year <= 2200 else None


def _week_words(monday: date) -> str:
    return _("S%(number)d, du %(day)s") % {"number": monday.isocalendar().week, "day": day_words(monday)}
