"""Changing the keys while the portal runs: each sealed value is opened with its old key and sealed with the current.

A value is written only if it is still what was read (compare and swap): what somebody saves meanwhile is already under
the current key and stays. Can be stopped and begun again at any moment.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string

from marelle.foundation.sealing import CannotUnseal, is_current, key_of, resealed

BATCH = 200


class SealedModel(Protocol):
    """A model that `settings.SEALED` names with its column: it says what its sealed value is bound to."""

    def bound_to(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Resealed:
    """What came of a store: values brought under the current key, changed by somebody meanwhile, and unreadable."""

    store: str
    done: int = 0
    overtaken: int = 0
    unreadable: int = 0


def _columns() -> Iterator[tuple[str, type[models.Model], str]]:
    for path in settings.SEALED:
        model_path, column = path.rsplit(".", 1)
        yield path, import_string(model_path), column


def keys_in_use() -> dict[str, Counter[str]]:
    """For each store, how many values stand under each key."""
    found: dict[str, Counter[str]] = {}
    for path, model, column in _columns():
        count: Counter[str] = Counter()
        for sealed in model._default_manager.exclude(**{column: b""}).values_list(column, flat=True).iterator():
            try:
                count[key_of(bytes(sealed))] += 1
            except CannotUnseal:
                count["?"] += 1
        found[path] = count
    return found


def reseal_all() -> Iterator[Resealed]:
    """Bring every sealed value under the current key, store after store, batch after batch."""
    for path, model, column in _columns():
        done = overtaken = unreadable = 0
        last = None
        while True:
            rows = model._default_manager.exclude(**{column: b""}).order_by("pk")
            batch = list(rows.filter(pk__gt=last)[:BATCH] if last is not None else rows[:BATCH])
            if not batch:
                break
            for row in batch:
                before = bytes(getattr(row, column))
                try:
                    if is_current(before):
                        continue
                    after = resealed(before, bound_to=row.bound_to())  # type: ignore[attr-defined]
                except CannotUnseal:
                    unreadable += 1
                    continue
                swapped = model._default_manager.filter(pk=row.pk, **{column: before}).update(**{column: after})
                done += swapped
                overtaken += 1 - swapped
            last = batch[-1].pk
        yield Resealed(path, done, overtaken, unreadable)
