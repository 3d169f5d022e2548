"""How far the demo's clock can go. No database and no Django: the launcher asks this before anything runs.

A town's calendar ends some day. Past it (and before it begins) the demo does not fail: its clock starts at the nearest
instant that still has a living town around it, and the banner says which.
"""

from datetime import UTC, date, datetime, time, timedelta

from marelle.townfile import Town

#: The history that the demo tells before its clock starts.
BEFORE = timedelta(days=75)
#: What must remain to be reserved after it.
AFTER = timedelta(days=21)
OPENS = time(8, 30)


def covered(town: Town, at: datetime) -> datetime:
    """`at`, or the nearest instant that the calendar of the town's school years lets live: a school day, 8:30 on the
    town's clock. Aware, in UTC."""
    calendar = town.school_calendar()
    said = {year.slug for year in town.years}
    years = [year for year in calendar.school_years() if year.label in said]
    today = calendar.local(at).date()
    last_day = min(years[-1].last_day, calendar.covered_until)
    last_school_day = max(calendar.school_days(last_day - timedelta(days=120), last_day))
    latest = _school_day(town, last_school_day - AFTER)
    if today > latest:
        return calendar.instant(latest, OPENS).astimezone(UTC)
    if today < years[0].first_day:
        return calendar.instant(_school_day(town, years[0].first_day + BEFORE), OPENS).astimezone(UTC)
    return at.astimezone(UTC)


def _school_day(town: Town, day: date) -> date:
    """That day, or the last school day before it."""
    return town.school_calendar().school_days(day - timedelta(days=30), day)[-1]
