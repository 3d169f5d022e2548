"""Taking and giving back places: the only code that writes `OpeningDay.taken`.

Prose: docs/algorithms/places.md. One statement locks the rows in id order and changes those that have room, so two
families who ask for overlapping days can neither deadlock nor overbook; what did not fit is told to the caller, who
decides. The database's CHECK stands behind it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.db import connection
from django.db.models import Count

from marelle.activities.models import OpeningDay, Unit
from marelle.bookings.models import Booking

_POSTGRESQL = """
WITH wanted (id, n) AS (SELECT * FROM unnest(%s::bigint[], %s::int[])),
locked AS MATERIALIZED (
    SELECT day.id, wanted.n FROM activities_openingday AS day JOIN wanted ON wanted.id = day.id
    ORDER BY day.id FOR NO KEY UPDATE OF day
)
UPDATE activities_openingday AS day SET taken = day.taken + locked.n FROM locked
WHERE day.id = locked.id AND (day.ceiling IS NULL OR locked.n <= 0 OR day.taken + locked.n <= day.ceiling)
RETURNING day.id
"""

# SQLite has one writer at a time: the immediate transaction is the lock.
_SQLITE = """
UPDATE activities_openingday SET taken = taken + wanted.n
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS n FROM json_each(%s)) AS wanted
WHERE activities_openingday.id = wanted.id
  AND (ceiling IS NULL OR wanted.n <= 0 OR taken + wanted.n <= ceiling)
RETURNING activities_openingday.id
"""


def _change(net: Mapping[int, int]) -> set[int]:
    """Add `net[id]` to each opening day that has room for it; the ids that were changed."""
    assert connection.in_atomic_block, "places are taken in the transaction that writes their bookings"
    if not net:
        return set()
    ids = sorted(net)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL, [ids, [net[id] for id in ids]])
        else:
            cursor.execute(_SQLITE, [json.dumps([[id, net[id]] for id in ids])])
        return {row[0] for row in cursor.fetchall()}


def exchange(*, give_back: Iterable[Sequence[int]] = (), wanted: Sequence[Sequence[int]]) -> list[bool]:
    """Give back some places and take others, at once.

    Each element is the opening-day ids of one booking (one id, or its components'). Answers, for each of `wanted` in
    its order, whether it got all its places; one that lacks a single component takes none. What is given back may serve
    the same call. First come in the order of `wanted` when a day has fewer places left than are asked.
    """
    given = Counter(id for places in give_back for id in places)
    asked = Counter(id for places in wanted for id in places)
    net = {id: asked[id] - given[id] for id in asked.keys() | given.keys()}
    changed = _change(net)
    short = asked.keys() - changed
    if not short:
        return [True] * len(wanted)

    # Rare: some day is too full for all that is asked of it. Its row is locked already, so what it says now holds.
    room = {
        day.id: given[day.id] + (day.left if day.left is not None else asked[day.id])
        for day in OpeningDay.objects.filter(id__in=short).only("id", "ceiling", "taken")
    }
    answers = []
    refused: Counter[int] = Counter()
    for places in wanted:
        fits = all(room.get(id, 0) > 0 for id in places if id in short)
        answers.append(fits)
        if fits:
            for id in places:
                if id in short:
                    room[id] -= 1
        else:
            refused.update(places)
    rest = {id: asked[id] - refused[id] - given[id] for id in short}
    # In days that had room, what the refused bookings had taken goes back.
    rest |= {id: -n for id, n in refused.items() if id in changed}
    missed = {id for id, n in rest.items() if n} - _change({id: n for id, n in rest.items() if n})
    assert not missed, "rows locked by the first statement cannot change before the second"
    return answers


def release(places: Iterable[Sequence[int]]) -> None:
    """Give back the places of bookings that no longer hold them."""
    exchange(give_back=places, wanted=[])


def set_capacity(*, days: Iterable[OpeningDay], capacity: int | None, margin: int = 0) -> None:
    """Change what may be taken on these days (locked by the caller). A promise made is kept: the ceiling never falls
    below what is taken."""
    for day in days:
        day.capacity = capacity
        day.ceiling = None if capacity is None else max(capacity + margin, day.taken)
        day.save(update_fields=["capacity", "ceiling"])


def recount(*, first: date) -> None:
    """From `first` on, take for each booking that holds a place those of the units that its own is composed of now.

    For the day on which a unit is composed of others than before; the caller has locked these days. A promise made is
    kept: a ceiling rises to what is taken.
    """
    parts: dict[int, list[int]] = defaultdict(list)
    for composed, part in Unit.components.through.objects.values_list("from_unit", "to_unit"):
        parts[composed].append(part)
    held: Counter[tuple[int, int, date]] = Counter()
    rows = Booking.objects.filter(holds_place=True, date__gte=first).order_by()
    for unit, group, day, n in rows.values_list("unit_id", "group_id", "date").annotate(n=Count("id")):
        for part in parts.get(unit) or [unit]:
            held[part, group, day] += n
    wrong = [
        day
        for day in OpeningDay.objects.filter(date__gte=first)
        if day.taken != held[day.unit_id, day.group_id, day.date]
    ]
    for day in wrong:
        day.taken = held[day.unit_id, day.group_id, day.date]
        day.ceiling = None if day.ceiling is None else max(day.ceiling, day.taken)
    OpeningDay.objects.bulk_update(wrong, ["taken", "ceiling"], batch_size=500)
