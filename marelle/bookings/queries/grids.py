"""Laying days out as a month: what the families' and the agents' grids share (docs/decisions/0009)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from marelle.bookings.models import Enrolment
from marelle.bookings.queries.cells import closed_mark
from marelle.bookings.queries.days import Days, DayState
from marelle.foundation.components.grid import Column, Day, Grid, Menu, Tile, Week
from marelle.foundation.sentences import day_words, short_span_words


def states_by_day(
    days: Days, *, service_id: int, enrolments: Sequence[Enrolment], dates: Iterable[date]
) -> dict[date, list[DayState]]:
    """The states of a service on these dates; of a day, in the order of the enrolments, then of the units."""
    units = days.units.get(service_id, [])
    asked = list(dates)
    found: dict[date, list[DayState]] = {}
    for enrolment in enrolments:
        for unit in units:
            for day in asked:
                state = days.states.get((enrolment.child_id, unit.id, day))
                if state is not None and state.enrolment.id == enrolment.id:
                    found.setdefault(day, []).append(state)
    return found


def week_label(monday: date) -> str:
    return _("S%(number)d") % {"number": monday.isocalendar().week}


def month_grid(
    by_day: Mapping[date, Sequence[DayState]],
    mondays: Iterable[date],
    *,
    days: Days,
    caption: str,
    tile: Callable[[DayState], Tile],
    several_units: bool,
    seen: Callable[[Sequence[DayState]], str] | None = None,
    column: Callable[[int], Menu] | None = None,
    row: Callable[[date], Menu] | None = None,
) -> Grid:
    """Weeks × the weekdays that are open in them, each cell with the tiles of all the children. Read only without
    `seen`, which packs what a row of boxes showed. `column` and `row`: the menus of a weekday, of a week."""
    weekdays = sorted({day.weekday() for day in by_day})
    weeks = []
    for monday in mondays:
        dates = [monday + timedelta(days=weekday) for weekday in weekdays]
        states = [state for day in dates for state in by_day.get(day, ())]
        span = short_span_words(dates[0], dates[-1]) if dates else ""
        if not states:
            weeks.append(Week(label=week_label(monday), span=span, closed=closed_mark(monday, days.calendar)))
            continue
        weeks.append(
            Week(
                label=week_label(monday),
                span=span,
                days=tuple(_cell(day, by_day.get(day, ()), days=days, tile=tile) for day in dates),
                seen=seen(states) if seen is not None else None,
                menu=row(monday) if row is not None and any(day >= days.today for day in dates) else None,
            )
        )
    names = [str(WEEKDAYS[weekday]).capitalize() for weekday in weekdays]
    return Grid(
        caption=caption,
        columns=tuple(
            Column(
                name=name,
                short=f"{name[:3]}." if len(names) > 4 else "",
                menu=column(weekday) if column is not None else None,
            )
            for weekday, name in zip(weekdays, names, strict=True)
        ),
        weeks=tuple(weeks),
        several_units=several_units,
        reading=seen is None,
    )


def _cell(day: date, states: Sequence[DayState], *, days: Days, tile: Callable[[DayState], Tile]) -> Day:
    return Day(
        date=day.isoformat(),
        number=str(day.day),
        title=day_words(day),
        today=day == days.today,
        tiles=tuple(tile(state) for state in states),
        closed=None if states else closed_mark(day, days.calendar),
    )
