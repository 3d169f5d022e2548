"""A stretch of work in which nothing may be written, whatever code runs in it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection

_WRITES = re.compile(
    r"\s*(?:(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE)\b|WITH\b.*\b(?:INSERT INTO|UPDATE|DELETE FROM)\b)",
    re.IGNORECASE | re.DOTALL,
)


class Written(Exception):
    """Something was about to be written; it was not. No error of the database: nobody catches it by accident."""


@contextmanager
def read_only() -> Iterator[None]:
    """Inside, any statement that would write raises Written. What is kept to be forgotten (the cache) is no writing,
    nor what is read with a lock; a session is kept by whoever answers the request, outside."""

    def guard(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if _WRITES.match(sql) and not any(f'"{table}"' in sql for table in _forgettable()):
            raise Written(sql.split(None, 3)[:3])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(guard):
        yield


def _forgettable() -> list[str]:
    return [str(cache["LOCATION"]) for cache in settings.CACHES.values() if "db" in cache["BACKEND"]]
