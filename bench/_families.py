"""Families with their sessions, for clients that come in signed in. Called in a process of its own (`running`)."""

from datetime import date
from typing import Any

from django.conf import settings
from django.test import Client

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay
from tests import offer

BOOKED, PENDING = 8, 2


def prepare(families: int, first: str, month_last: str) -> dict[str, Any]:
    """Families of two children in two schools, enrolled at the canteen of Cadours from `first` (ISO) on: ten days of
    that month reserved for each child, two of them still without an answer.

    Each is told by `household` (id), `session` (the cookie's value), `children` and `unit` (ids), and `free`: the days
    after `month_last` that nobody asked for, in order.
    """
    offer.cadours()
    malika = offer.agent()
    return {
        "families": [
            _one(f"Benali {number}", malika, date.fromisoformat(first), date.fromisoformat(month_last))
            for number in range(families)
        ]
    }


def _one(name: str, malika: User, first: date, month_last: date) -> dict[str, Any]:
    family = offer.family(name)
    enrolments = offer.enrolled(family, by=malika)
    days = sorted(
        set.intersection(
            *(
                set(OpeningDay.objects.filter(group=enrolment.group_id, date__gte=first).values_list("date", flat=True))
                for enrolment in enrolments
            )
        )
    )
    offer.booked(family, days[:BOOKED], by=malika)
    offer.booked(family, days[BOOKED : BOOKED + PENDING])
    client = Client()
    client.force_login(family.user)
    return {
        "household": family.household.pk,
        "session": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "children": [child.pk for child in family.children],
        "unit": offer.service().units.get().pk,
        "free": [day.isoformat() for day in days if day > month_last],
    }
