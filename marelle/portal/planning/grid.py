"""The family's month: what `foundation/parts/_grid.html` draws, made from the days' states and the basket."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.activities.models import Municipality, Service, Unit
from marelle.activities.queries import calendar_of
from marelle.bookings.labels import CellState
from marelle.bookings.models import BasketLine, Enrolment
from marelle.bookings.queries.cells import cell_state, closed_mark, is_editable, tile_key
from marelle.bookings.queries.combinations import reach, rules_for
from marelle.bookings.queries.days import Days, DayState, load_days
from marelle.bookings.queries.grids import states_by_day, week_label
from marelle.bookings.queries.menus import column_menu, row_menu, unit_menu
from marelle.foundation.components.grid import Column, ColumnGroup, Day, Grid, Kid, Mark, Tile, Week
from marelle.foundation.sentences import (
    day_words,
    list_words,
    moment_words,
    sentence,
    short_span_words,
    span_words,
    time_words,
)
from marelle.portal.planning.clashes import RuleClash, rule_clashes
from marelle.portal.planning.stretches import Stretch, View
from marelle.portal.planning.waiting import join_mark, may_join, waiting_mark
from marelle.requests.models import Act
from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed
from marelle.rules.lifecycles import BookingState

FEW_PLACES = 5
SOON = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a day to come, or several in a row, cannot be changed or was refused: one sentence for all the children and
    days it holds for. `anchors`: the days' own, for the tiles that lead here."""

    anchors: tuple[str, ...]
    day: str
    names: str
    text: str
    locked: bool


@dataclass(frozen=True, slots=True)
class PlanningPage:
    grid: Grid
    days: Days
    stretch: Stretch
    has_open_days: bool
    remarks: tuple[Remark, ...]
    clashes: tuple[RuleClash, ...] = ()

    @property
    def locked(self) -> bool:
        return any(remark.locked for remark in self.remarks)

    @property
    def legend(self) -> list[CellState]:
        tiles = (tile for week in self.grid.weeks for day in week.days for tile in day.tiles)
        shown = {tile.state for tile in tiles}
        found = [state for state in shown if isinstance(state, CellState)]
        if any(state.css == CellState.QUEUED.css for state in shown):
            found.append(CellState.QUEUED)
        return CellState.legend_of(found)


def planning_page(
    *,
    town: Municipality,
    service: Service,
    enrolments: Sequence[Enrolment],
    kids: Mapping[int, Kid],
    basket: Iterable[BasketLine],
    stretch: Stretch,
    at: datetime,
    unfolded: bool = False,
) -> PlanningPage:
    """A stretch of one service for all the children enrolled in it. `unfolded`: draw past weeks in full.

    Raises BeyondCalendar for a month that the school calendar does not cover.
    """
    known = {enrolment.pk for enrolment in enrolments}
    lines = [line for line in basket if line.enrolment_id in known]
    beyond = {line.date for line in lines} | reach(town, ((line.enrolment, line.date) for line in lines))
    days = load_days(
        town=town,
        enrolments=enrolments,
        at=at,
        first=stretch.first,
        last=stretch.last,
        dates={day for day in beyond if not stretch.first <= day <= stretch.last} if rules_for(town, service) else (),
        lines=lines,
        glance=True,
    )
    clashes = rule_clashes(lines, days, town=town, kids=kids) if rules_for(town, service) else ()
    marked = {clash.key for clash in clashes}
    days = replace(
        days, states={key: state for key, state in days.states.items() if stretch.first <= key[2] <= stretch.last}
    )
    changes = {(line.child_id, line.unit_id, line.date): line.act for line in lines}
    units = days.units.get(service.id, [])
    by_day = states_by_day(days, service_id=service.id, enrolments=enrolments, dates=_span(stretch.first, stretch.last))

    calendar = calendar_of(town)
    if stretch.view == View.WEEK:
        grid = _week_grid(
            by_day, enrolments, changes=changes, marked=marked, kids=kids, town=town, days=days, calendar=calendar,
            service=service, stretch=stretch,
        )  # fmt: skip
        return PlanningPage(
            grid=grid,
            days=days,
            stretch=stretch,
            has_open_days=bool(by_day),
            clashes=clashes,
            remarks=tuple(_remarks(by_day, days, town=town, kids=kids)),
        )
    open_weekdays = sorted({day.weekday() for day in by_day})
    weeks = []
    for monday in _span(stretch.first, stretch.last, step=7):
        dates = [monday + timedelta(days=weekday) for weekday in open_weekdays]
        weeks.append(
            _week(
                monday,
                dates,
                by_day,
                changes=changes,
                marked=marked,
                kids=kids,
                town=town,
                days=days,
                calendar=calendar,
                service=service,
                several_units=len(units) > 1,
                stretch=stretch,
                unfolded=unfolded,
            )
        )
    caption = _(
        "%(service)s, %(month)s. Une ligne par semaine, une colonne par jour. Une case cochée est un jour voulu. "
        "Les flèches du clavier passent d’une case à l’autre."
    ) % {"service": service.name, "month": stretch.words}
    grid = Grid(
        caption=caption,
        columns=tuple(
            Column(
                name=str(WEEKDAYS[weekday]).capitalize(),
                short=f"{str(WEEKDAYS[weekday]).capitalize()[:3]}." if len(open_weekdays) > 4 else "",
                menu=column_menu(weekday, kids, enrolments, units, whole=stretch.view == View.PERIOD),
            )
            for weekday in open_weekdays
        ),
        weeks=tuple(weeks),
        several_units=len(units) > 1,
    )
    return PlanningPage(
        grid=grid,
        days=days,
        stretch=stretch,
        has_open_days=bool(by_day),
        clashes=clashes,
        # A year has too many locked days to tell one by one: each leads to its own page.
        remarks=() if stretch.view == View.PERIOD else tuple(_remarks(by_day, days, town=town, kids=kids)),
    )


EXPLAINED = (CellState.LATE, CellState.LOCKED, CellState.NOT_OPEN, CellState.FULL)


def _is_explained(state: DayState, look: CellState) -> bool:
    return look in EXPLAINED or state.closure is not None


def _anchor(day: date) -> str:
    return f"jour-{day.isoformat()}"


def _remarks(
    by_day: Mapping[date, list[DayState]], days: Days, *, town: Municipality, kids: Mapping[int, Kid]
) -> Iterable[Remark]:
    found: list[tuple[tuple[str, str, bool], list[date]]] = []  # days that follow each other and share what is said
    for day in sorted(by_day):
        if day < days.today:
            continue
        said: dict[tuple[str, bool], list[str]] = {}
        for state in by_day[day]:
            look = cell_state(state, today=days.today)
            kid = kids.get(state.enrolment.child_id)
            if _is_explained(state, look) and not may_join(state, today=days.today):
                text, locked = why_locked(state, town=town), True
            elif look is CellState.REFUSED and state.refusal is not None:
                text, locked = _("Refusé : %(reason)s") % {"reason": state.refusal.reason.rstrip(".")}, False
            else:
                continue
            names = said.setdefault((text, locked), [])
            if kid is not None and kid.name not in names:
                names.append(kid.name)
        for (text, locked), names in said.items():
            key = list_words(names), text, locked
            if found and found[-1][0] == key:
                found[-1][1].append(day)
            else:
                found.append((key, [day]))
    told: set[date] = set()
    for (who, text, locked), same in found:
        words = day_words(same[0]) if len(same) == 1 else span_words(same[0], same[-1])
        yield Remark(
            anchors=tuple(_anchor(day) for day in same if day not in told),
            day=words[:1].upper() + words[1:],
            names=who,
            text=text,
            locked=locked,
        )
        told.update(same)


def awaited_words(state: DayState) -> str:
    """What a day waits for that is neither free nor simply booked; empty for every other day."""
    match state.booking.state if state.booking is not None else None:
        case BookingState.CANCELLING:
            return _("Annulation envoyée : elle attend sa réponse")
        case BookingState.QUEUED:
            return _("En liste d’attente")
        case BookingState.OFFERED:
            return _("Une place est proposée : elle attend votre réponse")
    return ""


def why_locked(state: DayState, *, town: Municipality) -> str:
    """Why the family cannot change this day on line, since when or until when."""
    if state.closure is not None:
        return state.closure.told.rstrip(".")
    if words := awaited_words(state):
        return words
    refusal = state.may_remove() if state.booking is not None else state.may_add()
    return sentence(refusal, town.tz)


def _week(
    monday: date,
    dates: Sequence[date],
    by_day: Mapping[date, list[DayState]],
    *,
    changes: Mapping[tuple[int, int, date], str],
    marked: Collection[str],
    kids: Mapping[int, Kid],
    town: Municipality,
    days: Days,
    calendar: SchoolCalendar,
    service: Service,
    several_units: bool,
    stretch: Stretch,
    unfolded: bool,
) -> Week:
    label = week_label(monday)
    friday = monday + timedelta(days=max((day.weekday() for day in dates), default=4))
    span = short_span_words(dates[0] if dates else monday, friday)
    states = [state for day in dates for state in by_day.get(day, ())]
    if not states:
        return Week(label=label, span=span, closed=closed_mark(monday, calendar))
    past = friday < days.today and not unfolded
    if past:
        return Week(
            label=label,
            span=span,
            past=True,
            summary=_past_summary(states, service),
            href=f"{reverse('portal:planning', args=[service.slug])}?{stretch.query}&tout=1",
            link=_("la semaine %(number)d") % {"number": monday.isocalendar().week},
        )
    cells = tuple(
        _day(
            day,
            by_day.get(day, []),
            changes=changes,
            marked=marked,
            kids=kids,
            town=town,
            days=days,
            calendar=calendar,
            service=service,
            stretch=stretch,
            several_units=several_units,
        )
        for day in dates
    )
    editable = any(tile.editable for cell in cells for tile in cell.tiles)
    return Week(label=label, span=span, days=cells, menu=row_menu(monday, days.units[service.id]) if editable else None)


def _day(
    day: date,
    states: Sequence[DayState],
    *,
    changes: Mapping[tuple[int, int, date], str],
    marked: Collection[str],
    kids: Mapping[int, Kid],
    town: Municipality,
    days: Days,
    calendar: SchoolCalendar,
    service: Service,
    stretch: Stretch,
    several_units: bool,
) -> Day:
    words = day_words(day)
    sheet = day_address(service, day, stretch)
    tiles = []
    soonest: datetime | None = None
    for state in states:
        look = cell_state(state, today=days.today)
        joins = may_join(state, today=days.today)
        editable = joins or is_editable(state, today=days.today)
        waits = waiting_mark(state)
        change = changes.get(state.key)
        ticked = state.is_wanted if change is None else change == Act.BOOK
        verdict = state.book if state.booking is None else state.cancel
        if editable and isinstance(verdict, Allowed) and verdict.until is not None and verdict.until - days.at <= SOON:
            soonest = verdict.until if soonest is None else min(soonest, verdict.until)
        note, why = "", ""
        if editable and state.booking is None and state.left is not None and state.left <= FEW_PLACES:
            note = ngettext("%(n)d place", "%(n)d places", state.left) % {"n": state.left}
        if joins:
            note = _("%(n)d en attente") % {"n": state.ahead} if state.ahead else ""
        href = ""
        if state.booking is not None and look in (CellState.QUEUED, CellState.OFFERED):
            href = reverse("portal:place", args=[state.booking.pk])
        if not editable and _is_explained(state, look) and day >= days.today:
            why = why_locked(state, town=town)
        key = tile_key(state)
        described = [f"due-{day.isoformat()}"] if soonest is not None and editable else []
        described += [f"regle-{key}"] if key in marked else []
        tiles.append(
            Tile(
                key=key,
                day=words,
                kid=kids.get(state.enrolment.child_id),
                unit=state.unit.name if several_units else "",
                state=waits or look,
                ticked=ticked,
                base=state.is_wanted,
                editable=editable,
                note=note,
                why=why,
                href=href or ("" if not why else sheet if stretch.view == View.PERIOD else f"#{_anchor(day)}"),
                ask=join_mark() if joins else None,
                alone=look is CellState.REFUSED or joins,
                described_by=" ".join(described),
                clash=key in marked,
            )
        )
    due, due_words = "", ""
    if soonest is not None:
        due = time_words(soonest.astimezone(town.tz).time())
        due_words = _("Modifiable jusqu’au %(moment)s") % {"moment": moment_words(soonest, town.tz)}
    closed = None
    if not tiles:
        closed = closed_mark(day, calendar)
    return Day(
        date=day.isoformat(),
        number=str(day.day),
        title=words,
        href=sheet if tiles else "",
        today=day == days.today,
        due=due,
        due_words=due_words,
        aside=_("Aujourd’hui") if day == days.today else "",
        tiles=tuple(tiles),
        closed=closed,
    )


def day_address(service: Service, day: date, stretch: Stretch) -> str:
    """The page of one day; it leads back to the stretch."""
    return f"{_sheet(service.slug, day)}?{stretch.query}"


@lru_cache(maxsize=1024)  # a planning leads to each of its days, and an address is looked up by trying them all
def _sheet(service: str, day: date) -> str:
    return reverse("portal:day", args=[service, day.isoformat()])


def _week_grid(
    by_day: Mapping[date, list[DayState]],
    enrolments: Sequence[Enrolment],
    *,
    changes: Mapping[tuple[int, int, date], str],
    marked: Collection[str],
    kids: Mapping[int, Kid],
    town: Municipality,
    days: Days,
    calendar: SchoolCalendar,
    service: Service,
    stretch: Stretch,
) -> Grid:
    """Days × (child × unit). Units that nobody can have that week have no column."""
    met = {(state.enrolment.child_id, state.unit.id) for states in by_day.values() for state in states}
    pairs = []
    for child in dict.fromkeys(enrolment.child_id for enrolment in enrolments):
        kid = kids.get(child)
        if kid is not None:
            pairs.append((kid, [unit for unit in days.units.get(service.id, []) if (child, unit.id) in met]))
    pairs = [(kid, units) for kid, units in pairs if units]
    columns = [
        Column(name=unit.name, icon=unit_icon(unit), menu=unit_menu(kid, unit), starts=rank > 0 and at == 0, group=rank)
        for rank, (kid, units) in enumerate(pairs)
        for at, unit in enumerate(units)
    ]
    weeks = []
    for day in _days_drawn(by_day, stretch, calendar):
        label = _("1er") if day.day == 1 else str(day.day)
        span = str(WEEKDAYS[day.weekday()]).capitalize()
        if day not in by_day:
            holiday = closed_mark(day, calendar)
            weeks.append(Week(label=label, span=span, today=day == days.today, closed=holiday))
            continue
        full = _day(
            day, by_day[day], changes=changes, marked=marked, kids=kids, town=town, days=days, calendar=calendar,
            service=service, stretch=stretch, several_units=True,
        )  # fmt: skip
        tiles = {tile.key: tile for tile in full.tiles}
        cells = []
        for column_rank, (kid, units) in enumerate(pairs):
            for at, unit in enumerate(units):
                tile = tiles.get(f"{kid.key}.{unit.id}.{day.isoformat()}")
                cells.append(
                    Day(
                        tiles=(tile,) if tile else (),
                        closed=None if tile else Mark(str(CellState.CLOSED.word), CellState.CLOSED.icon),
                        today=full.today,
                        starts=column_rank > 0 and at == 0,
                        group=column_rank,
                    )
                )
        weeks.append(
            Week(
                label=label, span=span, today=full.today, days=tuple(cells), href=full.href, link=full.title,
                due=full.due, due_words=full.due_words, date=full.date,
            )
        )  # fmt: skip
    named = list_words(dict.fromkeys(column.name.lower() for column in columns))
    caption = _(
        "%(service)s, semaine du %(first)s. Une ligne par jour. Pour chaque enfant : %(units)s. Une case cochée est "
        "voulue. Les flèches du clavier passent d’une case à l’autre."
    ) % {"service": service.name, "first": day_words(stretch.first_day), "units": named}
    return Grid(
        caption=caption,
        columns=tuple(columns),
        weeks=tuple(weeks) if columns else (),
        groups=tuple(ColumnGroup(kid=kid, span=len(units)) for kid, units in pairs),
        picked=min(stretch.child, max(len(pairs) - 1, 0)),
    )


def _days_drawn(by_day: Mapping[date, list[DayState]], stretch: Stretch, calendar: SchoolCalendar) -> list[date]:
    """The open days, those shut between them, and public holidays of a week that has several open days."""
    if not by_day:
        return []
    first, last = min(by_day), max(by_day)
    days = []
    for day in _span(stretch.first, stretch.last):
        holiday = len(by_day) > 1 and day.weekday() < 5 and calendar.public_holiday(day) is not None
        if first <= day <= last or holiday:
            days.append(day)
    return days


def unit_icon(unit: Unit) -> str:
    """The unit as a phone shows it: a morning, an evening, a meal, a whole day."""
    if unit.component_ids != (unit.id,):
        return "sun"
    if unit.starts_at is None or unit.ends_at is None:
        return "utensils" if unit.with_meal else "clock"
    if unit.ends_at.hour - unit.starts_at.hour >= 6:
        return "sun"
    if unit.ends_at.hour <= 12:
        return "sunrise"
    return "utensils" if unit.with_meal and unit.starts_at.hour < 14 else "sunset"


def _past_summary(states: Sequence[DayState], service: Service) -> str:
    count = sum(state.booking is not None and state.booking.state == BookingState.BOOKED for state in states)
    if not count:
        return _("Semaine passée : rien de réservé.")
    noun = service.unit_noun if count == 1 else service.unit_noun_plural
    return _("Semaine passée : %(count)d %(noun)s.") % {"count": count, "noun": noun}


def _span(first: date, last: date, step: int = 1) -> Iterable[date]:
    for ordinal in range(first.toordinal(), last.toordinal() + 1, step):
        yield date.fromordinal(ordinal)
