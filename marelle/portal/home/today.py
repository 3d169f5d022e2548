"""Today in a sentence: who is expected where, or why nobody is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from marelle.activities.models import Service
from marelle.bookings.queries.days import Days, DayState
from marelle.foundation.sentences import list_words, midsentence
from marelle.portal.children import HouseholdChild
from marelle.portal.home.glance import Glance
from marelle.portal.moments import near_day_words
from marelle.rules.calendars import BeyondCalendar
from marelle.rules.lifecycles import BookingState

EXPECTED = (BookingState.BOOKED, BookingState.CANCELLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """A service and who goes there that day, in words."""

    service: str
    names: str


def attendances_today(glance: Glance) -> tuple[Attendance, ...]:
    return _attendances(glance.days, glance.today, glance.children)


def is_expected(state: DayState) -> bool:
    booking = state.booking
    return booking is not None and booking.state in EXPECTED and booking.absence_id is None


def _attendances(days: Days, day: date, children: Sequence[HouseholdChild]) -> tuple[Attendance, ...]:
    """Who is expected where on that day, in the services' order."""
    names = {one.id: one.name for one in children}
    found: dict[int, dict[int, str]] = {}
    services: dict[int, Service] = {}
    for state in days.states.values():
        if state.day == day and is_expected(state):
            service = state.enrolment.activity.service
            services[service.pk] = service
            child_id = state.enrolment.child_id
            if child_id in names:
                found.setdefault(service.pk, {})[child_id] = names[child_id]
    return tuple(
        Attendance(
            service=midsentence(service.name),
            names=list_words(found[service.pk][child_id] for child_id in names if child_id in found[service.pk]),
        )
        for service in sorted(services.values(), key=lambda service: (service.position, service.pk))
        if service.pk in found
    )


def no_attendance(glance: Glance) -> str:
    """Why nobody is expected today, then the next day when somebody is."""
    days, today, calendar = glance.days, glance.today, glance.calendar
    try:
        holiday = calendar.public_holiday(today)
        period = calendar.holiday_period(today)
    except BeyondCalendar:
        holiday, period = None, None
    if holiday:
        why = _("Aujourd’hui est férié (%(name)s).") % {"name": holiday}
    elif period is not None:
        why = _("C’est le temps des vacances (%(name)s).") % {"name": midsentence(period.name)}
    elif today.weekday() >= 5:
        why = _("C’est le week-end.")
    else:
        why = _("Rien n’est réservé aujourd’hui.")
    booked = [s.day for s in days.states.values() if s.day > today and is_expected(s)]
    if not booked:
        return why
    following = min(booked)
    what = "\N{NARROW NO-BREAK SPACE}; ".join(
        _("%(service)s pour %(names)s") % {"service": attendance.service, "names": attendance.names}
        for attendance in _attendances(days, following, glance.children)
    )
    return _("%(why)s Prochain jour : %(day)s, %(what)s.") % {
        "why": why,
        "day": near_day_words(following, today=today),
        "what": what,
    }
