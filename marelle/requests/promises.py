"""By when a family is to have an answer."""

from datetime import date, timedelta

from marelle.activities.models import Municipality
from marelle.activities.queries import calendar_of
from marelle.requests.models import FamilyRequest
from marelle.rules.calendars import BeyondCalendar

ONE_DAY = timedelta(days=1)


def answer_day(request: FamilyRequest, *, town: Municipality) -> date | None:
    """The day by which the town promised an answer, in working days from the day of the send: those of the request's
    topic when it has its own, else the town's. None when the calendar does not reach that far."""
    calendar = calendar_of(town)
    day = request.sent_at.astimezone(town.tz).date()
    left = request.answer_days or town.answer_working_days
    try:
        while left:
            day += ONE_DAY
            left -= calendar.is_working_day(day)
        return day
    except BeyondCalendar:
        return None
