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
from django.db.models import ExpressionWrapper, F
from django.utils.module_loading import import_string

from marelle.foundation.sealed import SealedField
from marelle.foundation.sealing import CannotUnseal, is_current, key_of, resealed

BATCH = 200


class SealedModel(Protocol):
    """A model that `settings.SEALED` names with its column: it says what its sealed value is bound to, unless the
    column does (`foundation.sealed`)."""

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


def _as_they_stand(model: type[models.Model], column: str) -> models.QuerySet[models.Model]:
    """The rows whose column holds something, with its bytes unopened, and nothing else of them."""
    rows = model._default_manager.exclude(**{column: b""}).only("pk")
    return rows.annotate(as_it_stands=ExpressionWrapper(F(column), output_field=models.BinaryField()))


def _bound_to(row: models.Model, column: str) -> str:
    field = row._meta.get_field(column)
    return field.bound_to() if isinstance(field, SealedField) else row.bound_to()  # type: ignore[attr-defined]


def keys_in_use() -> dict[str, Counter[str]]:
    """For each store, how many values stand under each key."""
    found: dict[str, Counter[str]] = {}
    for path, model, column in _columns():
        count: Counter[str] = Counter()
        for sealed in _as_they_stand(model, column).values_list("as_it_stands", flat=True).iterator():
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
            rows = _as_they_stand(model, column).order_by("pk")
            batch = list(rows.filter(pk__gt=last)[:BATCH] if last is not None else rows[:BATCH])
            if not batch:
                break
            for row in batch:
                before = bytes(row.as_it_stands)  # type: ignore[attr-defined]
                try:
                    if is_current(before):
                        continue
                    after = resealed(before, bound_to=_bound_to(row, column))
                except CannotUnseal:
                    unreadable += 1
                    continue
                swapped = model._default_manager.filter(pk=row.pk, **{column: before}).update(**{column: after})
                done += swapped
                overtaken += 1 - swapped
            last = batch[-1].pk
        yield Resealed(path, done, overtaken, unreadable)
