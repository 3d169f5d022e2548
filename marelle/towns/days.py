"""Opening days by the thousand: one statement for all that is opened, one for what changes, one for what closes,
whatever the number of years. `taken` is not theirs to write (`marelle.bookings.services.places`)."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

_POSTGRESQL = {
    "open": """
        INSERT INTO activities_openingday (unit_id, group_id, date, capacity, ceiling, taken)
        SELECT (day->>0)::bigint, (day->>1)::bigint, (day->>2)::date, (day->>3)::int, (day->>4)::int, 0
        FROM jsonb_array_elements(%s::jsonb) AS day
    """,
    "change": """
        UPDATE activities_openingday SET capacity = (said->>1)::int, ceiling = (said->>2)::int
        FROM jsonb_array_elements(%s::jsonb) AS said WHERE id = (said->>0)::bigint
    """,
    "close": """
        DELETE FROM activities_openingday
        WHERE taken = 0 AND id IN (SELECT said::bigint FROM jsonb_array_elements_text(%s::jsonb) AS said)
    """,
}
_SQLITE = {
    "open": """
        INSERT INTO activities_openingday (unit_id, group_id, date, capacity, ceiling, taken)
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
               json_extract(value, '$[3]'), json_extract(value, '$[4]'), 0
        FROM json_each(%s)
    """,
    "change": """
        UPDATE activities_openingday
        SET capacity = json_extract(said.value, '$[1]'), ceiling = json_extract(said.value, '$[2]')
        FROM json_each(%s) AS said WHERE activities_openingday.id = json_extract(said.value, '$[0]')
    """,
    "close": "DELETE FROM activities_openingday WHERE taken = 0 AND id IN (SELECT value FROM json_each(%s))",
}


@dataclass(frozen=True, slots=True)
class NewDay:
    unit: int
    group: int
    date: date
    capacity: int | None
    ceiling: int | None


@dataclass(frozen=True, slots=True)
class OtherPlaces:
    """What a day that stays may hold from now on."""

    day: int
    capacity: int | None
    ceiling: int | None


def open_days(days: Collection[NewDay]) -> None:
    """Open days that are not open yet, with nothing taken."""
    _all("open", [[day.unit, day.group, day.date.isoformat(), day.capacity, day.ceiling] for day in days])


def change_places(days: Collection[OtherPlaces]) -> None:
    """Say anew what these days, locked by the caller, may hold."""
    _all("change", [[day.day, day.capacity, day.ceiling] for day in days])


def close_days(days: Collection[int]) -> None:
    """Close these days, locked by the caller, by their ids; one on which a place is taken stays."""
    _all("close", list(days))


def _all(what: str, rows: Sequence[object]) -> None:
    if not rows:
        return
    statements = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
    with connection.cursor() as cursor:
        cursor.execute(statements[what], [json.dumps(rows)])
