"""Families with their sessions, for clients that come in signed in. Called in a process of its own (`running`)."""

from datetime import date
from typing import Any

from django.conf import settings
from django.test import Client

from marelle.accounts.models import User
from marelle.activities.models import OpeningDay
from marelle.bookings.models import Booking
from marelle.families.models import Child
from marelle.townfile import read_text
from marelle.towns.services import load_town
from tests import offer

BOOKED, PENDING = 8, 2

#: The centre, open all week, with half-days, a meal, and all that is made of them.
UNITS = """
[services.mercredi.units.matin]
name = "Matin"
starts_at = "08:00"
ends_at = "12:00"

[services.mercredi.units.repas]
name = "Repas"
starts_at = "12:00"
ends_at = "13:30"
meal = true

[services.mercredi.units.matin-repas]
name = "Matin et repas"
starts_at = "08:00"
ends_at = "13:30"
meal = true
parts = ["matin", "repas"]

[services.mercredi.units.repas-apres-midi]
name = "Repas et après-midi"
starts_at = "12:00"
ends_at = "18:30"
meal = true
parts = ["repas", "apres-midi"]

[services.mercredi.units.journee]
name = "Journée"
starts_at = "08:00"
ends_at = "18:30"
meal = true
parts = ["matin", "repas", "apres-midi"]

[services.mercredi.groups.moins-de-6-ans]"""
WEDNESDAYS = 'on = "school_weeks", weekdays = ["wednesday"]'
ALL_WEEK = 'on = "school_weeks", weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"]'


def prepare(families: int, large: int, first: str, month_last: str) -> dict[str, Any]:
    """Families of two children in two schools, enrolled at the canteen of Cadours from `first` (ISO) on: ten days of
    that month reserved for each child, two of them still without an answer.

    Each is told by `household` (id), `session` (the cookie's value), `children` and `unit` (ids), and `free`: the days
    after `month_last` that nobody asked for, in order. Beside them, `large` families of three children at the centre,
    whose days have six units: `household` and `session`.
    """
    text = (offer.TOWNS / "cadours.toml").read_text(encoding="utf-8")
    text = text.replace("\n[services.mercredi.groups.moins-de-6-ans]", UNITS).replace(WEDNESDAYS, ALL_WEEK)
    load_town(read_text(text), at=offer.AT)
    malika = offer.agent()
    return {
        "families": [
            _one(f"Benali {number}", malika, date.fromisoformat(first), date.fromisoformat(month_last))
            for number in range(families)
        ],
        "large": [_large(f"Diallo {number}", malika) for number in range(large)],
    }


def grow(bookings: int, first: str, last: str) -> None:
    """So many days reserved by other families at the same canteen, in [first, last]: rows, written at once."""
    patterns = list(Booking.objects.filter(unit__service__slug="cantine").order_by("id")[:2])
    dates = sorted(
        set(
            OpeningDay.objects.filter(
                group=patterns[0].group_id, date__range=(date.fromisoformat(first), date.fromisoformat(last))
            ).values_list("date", flat=True)
        )
    )
    like = Child.objects.get(pk=patterns[0].child_id)
    children = Child.objects.bulk_create(
        Child(
            first_name=f"Noa{n}", last_name="Voisin", birth_date=like.birth_date, school=like.school, level=like.level
        )
        for n in range(-(-bookings // len(dates)))
    )
    rows = []
    for number in range(bookings):
        row = Booking.objects.model(**{f.attname: getattr(patterns[number % len(patterns)], f.attname) for f in FIELDS})
        row.child, row.date, row.state = children[number // len(dates)], dates[number % len(dates)], "booked"
        rows.append(row)
    Booking.objects.bulk_create(rows, batch_size=1000)


FIELDS = [field for field in Booking._meta.concrete_fields if not field.primary_key]


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
    return {
        "household": family.household.pk,
        "session": _session(family),
        "children": [child.pk for child in family.children],
        "unit": offer.service().units.get().pk,
        "free": [day.isoformat() for day in days if day > month_last],
    }


def _large(name: str, malika: User) -> dict[str, Any]:
    family = offer.family(name, [("Awa", "CE2"), ("Issa", "CP"), ("Sira", "GS")])
    offer.enrolled(family, by=malika)
    offer.enrolled(family, "mercredi", by=malika)
    return {"household": family.household.pk, "session": _session(family)}


def _session(family: offer.Family) -> str:
    client = Client()
    client.force_login(family.user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
