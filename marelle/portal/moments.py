"""Instants told from where the reader stands: "aujourd’hui, 9 h", "hier, 18 h 20"."""

from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.foundation.sentences import day_words, moment_words, time_words

ONE_DAY = timedelta(days=1)


def near_day_words(day: date, *, today: date) -> str:
    """ "aujourd’hui", "demain", "hier", else "lundi 23 novembre", with the year when it is another one."""
    near = {today: _("aujourd’hui"), today + ONE_DAY: _("demain"), today - ONE_DAY: _("hier")}
    return near.get(day) or day_words(day, year=day.year != today.year)


def near_moment_words(moment: datetime, *, at: datetime, town: Municipality) -> str:
    """ "aujourd’hui, 9 h", "hier, 18 h 20", "vendredi 20 novembre, minuit": `moment` told at the instant `at`."""
    local, today = moment.astimezone(town.tz), at.astimezone(town.tz).date()
    if local.time() == time(0):  # midnight ends the day before
        return moment_words(moment, town.tz)
    return _("%(day)s, %(time)s") % {
        "day": near_day_words(local.date(), today=today),
        "time": time_words(local.time()),
    }


def opening_words(moment: datetime, *, at: datetime, town: Municipality) -> str:
    """When something opens: "mardi 4 mai, 8 h", with the year when it is another one than that of `at`."""
    local, now = moment.astimezone(town.tz), at.astimezone(town.tz)
    return moment_words(moment, town.tz, opens=True, year=local.year != now.year)
