"""The children × weekdays of one week, and what closes within a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from marelle.activities.models import Service
from marelle.bookings.labels import ABSENT_LOOK, BOOKING_LOOKS
from marelle.bookings.queries.cells import closed_as
from marelle.bookings.queries.days import Days, DayState
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words, list_words, weekday_words
from marelle.portal.children import HouseholdChild
from marelle.portal.home.glance import Glance
from marelle.portal.moments import ONE_DAY, near_moment_words
from marelle.rules.calendars import BeyondCalendar, SchoolCalendar
from marelle.rules.decisions import Allowed
from marelle.rules.lifecycles import BookingState

SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One booked unit in the week: the service's icon and word, the state's word and look."""

    icon: str
    word: str
    state: str
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekCell:
    """`none`: why nothing stands there, in words; `mark`: the same in little room ("Férié", "–")."""

    today: bool
    slots: tuple[Slot, ...] = ()
    none: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekHead:
    short: str
    number: str
    words: str
    today: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRow:
    child: HouseholdChild
    about: str
    cells: tuple[WeekCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekStrip:
    """The children × weekdays of one week. `is_present`: it is the week of today, else the next one with something."""

    title: str
    caption: str
    heads: tuple[WeekHead, ...]
    rows: tuple[WeekRow, ...]
    is_present: bool
    pending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """ "Cantine de", "jeudi 12", "aujourd’hui, 9 h"."""

    service: str
    days: str
    until: str


def week(glance: Glance) -> WeekStrip | None:
    """This week; when nothing is left open in it, the next one that has something. None when four weeks hold
    nothing."""
    days, today = glance.days, glance.today
    present = today - timedelta(days=today.weekday())
    open_days = {state.day for state in days.states.values() if state.places or state.booking}
    if any(today <= day < present + timedelta(days=7) for day in open_days):
        monday = present
    else:
        coming = [day for day in open_days if day > today]
        if not coming:
            return None
        monday = min(coming) - timedelta(days=min(coming).weekday())
    dates = [monday + ONE_DAY * n for n in range(7)]
    dates = [day for day in dates if day.weekday() < 5 or day in open_days]
    by_cell: dict[tuple[int, date], list[DayState]] = {}
    for state in days.states.values():
        if state.booking is not None and monday <= state.day <= dates[-1]:
            by_cell.setdefault((state.enrolment.child_id, state.day), []).append(state)
    rows = tuple(
        WeekRow(
            child=one,
            about=one.child.level or one.child.class_name,
            cells=tuple(
                _cell(by_cell.get((one.id, day), ()), day, days=days, today=today, calendar=glance.calendar)
                for day in dates
            ),
        )
        for one in glance.children
    )
    return WeekStrip(
        title=_("Cette semaine") if monday == present else _("Semaine du %(day)s") % {"day": day_words(monday)},
        caption=_("Présences prévues du %(first)s au %(last)s")
        % {"first": day_words(dates[0]), "last": day_words(dates[-1])},
        heads=tuple(
            WeekHead(
                short=f"{weekday_words(day.weekday())[:3]}.",
                number=str(day.day),
                words=day_words(day),
                today=day == today,
            )
            for day in dates
        ),
        rows=rows,
        is_present=monday == present,
        pending=any("wait" in slot.css for row in rows for cell in row.cells for slot in cell.slots),
    )


def _cell(states: Sequence[DayState], day: date, *, days: Days, today: date, calendar: SchoolCalendar) -> WeekCell:
    if states:
        ordered = sorted(states, key=lambda s: (s.enrolment.activity.service.position, s.unit.position, s.unit.pk))
        return WeekCell(today=day == today, slots=tuple(_slot(state, days=days, past=day < today) for state in ordered))
    try:
        holiday = calendar.public_holiday(day)
        period = calendar.holiday_period(day)
    except BeyondCalendar:
        holiday, period = None, None
    if holiday:
        return WeekCell(today=day == today, none=_("Férié : %(name)s") % {"name": holiday}, mark=_("Férié"))
    if period is not None:
        return WeekCell(today=day == today, none=period.name, mark="–")
    return WeekCell(today=day == today, none=_("Rien de réservé"), mark="–")


_SLOT_CSS = {"ok": "slot--ok", "wait": "slot--wait", "off": "slot--past", "stop": "slot--stop", "queue": "slot--queue"}


def _slot(state: DayState, *, days: Days, past: bool) -> Slot:
    assert state.booking is not None
    service = state.enrolment.activity.service
    booking = BookingState(state.booking.state)
    absent = state.booking.absence_id is not None and booking == BookingState.BOOKED
    look: Look = ABSENT_LOOK if absent else BOOKING_LOOKS[booking]
    several = len(days.units.get(service.pk, ())) > 1
    settled = booking == BookingState.BOOKED and not absent
    return Slot(
        icon=service.icon if settled else look.icon,
        word=state.unit.name if several else service.short_name,
        state=str(closed_as(state.closure).word if state.closure is not None else look.word),
        css="slot--absent" if absent else "slot--past" if past and settled else _SLOT_CSS.get(look.css, "slot--ok"),
    )


def deadlines(glance: Glance) -> tuple[Deadline, ...]:
    """What can still be changed for less than a day, soonest first."""
    at = glance.at
    closing: dict[tuple[datetime, int], set[date]] = {}
    services: dict[int, Service] = {}
    for state in glance.days.states.values():
        verdict = state.may_add() if state.booking is None else state.may_remove()
        if isinstance(verdict, Allowed) and verdict.until is not None and at < verdict.until <= at + SOON:
            service = state.enrolment.activity.service
            services[service.pk] = service
            closing.setdefault((verdict.until, service.pk), set()).add(state.day)
    found = []
    for (until, service_id), dates in sorted(closing.items(), key=lambda pair: pair[0][0])[:2]:
        ordered = sorted(dates)
        if len(ordered) > 3:
            words = _("%(first)s à %(last)s") % {"first": day_words(ordered[0]), "last": day_words(ordered[-1])}
        else:
            words = list_words(day_words(day) for day in ordered)
        found.append(
            Deadline(
                service=services[service_id].short_name,
                days=words,
                until=near_moment_words(until, at=at, town=glance.town),
            )
        )
    return tuple(found)
