"""Queries that a page asks over and over: their SQL is worked out once per process, not once per page.

Working a query out of `filter` and `annotate` costs several times what the database takes to answer it. What is
remembered is the statement alone, never a value nor a row.
"""

from collections.abc import Callable, Collection
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=models.Model)
P = ParamSpec("P")

#: What stands for the values while the statement is worked out: no row and no constant of a query is ever like them.
_NUMBER, _DAY, _WORD = 2**60, date(9000, 1, 1), "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class _Statement:
    """`blanks`: for each parameter the rank of the value that goes there, and what makes the database's type of it;
    None where the statement has its own."""

    queryset: "QuerySet[Any]"
    compiler: SQLCompiler
    sql: str
    parameters: tuple[Any, ...]
    blanks: tuple[tuple[int, Callable[[Any], Any]] | None, ...]

    def asked(self, values: list[Any]) -> list[Any]:
        parameters = tuple(
            own if blank is None else blank[1](values[blank[0]])
            for own, blank in zip(self.parameters, self.blanks, strict=True)
        )
        compiler = copy(self.compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]  # that of this thread
        compiler.as_sql = lambda *_, **__: (self.sql, parameters)  # type: ignore[method-assign]
        queryset = self.queryset.all()
        queryset.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(queryset)


def by_heart(build: Callable[P, "QuerySet[M]"]) -> Callable[P, list[M]]:
    """Turns a function that builds a query into one that gives its rows.

    It takes numbers, days, words, collections of these, and None, by position, and puts each into the query as it is:
    it sees stand-ins instead of the values, so it may ask whether one is None or a collection is empty, and nothing
    more.
    """
    known: dict[tuple[Any, ...], _Statement | None] = {}

    @wraps(build)
    def rows(*given: P.args, **nothing: P.kwargs) -> list[M]:
        assert not nothing, "by position"
        arguments = [_rounded(value) if _is_many(value) else value for value in given]
        shape = tuple(
            len(value) if isinstance(value, list) else None if value is None else type(value) for value in arguments
        )
        if shape not in known:
            known[shape] = _worked_out(build, arguments)
        statement = known[shape]
        return [] if statement is None else statement.asked(_flat(arguments))

    return rows


def _is_many(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes)


def _rounded(values: Any) -> list[Any]:
    """As many as the next power of two, the last repeated: so that a statement serves other numbers of values too."""
    found = list(values)
    return found + found[-1:] * ((1 << (len(found) - 1).bit_length()) - len(found)) if found else found


def _flat(arguments: list[Any]) -> list[Any]:
    return [one for value in arguments if value is not None for one in (value if isinstance(value, list) else [value])]


def _worked_out(build: Callable[..., "QuerySet[Any]"], arguments: list[Any]) -> _Statement | None:
    """None when the query says by itself that it finds nothing."""
    stand_ins: list[Any] = []

    def stand_in(value: Any) -> Any:
        rank = len(stand_ins)
        if isinstance(value, int) and not isinstance(value, bool):
            stand_ins.append(_NUMBER + rank)
        elif isinstance(value, date) and not isinstance(value, datetime):
            stand_ins.append(_DAY + timedelta(rank))
        elif isinstance(value, str):
            stand_ins.append(f"{_WORD} {rank}")
        else:
            raise TypeError(f"{build.__name__} is given {value!r}: neither a number nor a day nor a word")
        return stand_ins[-1]

    queryset = build(
        *(
            None if value is None else [stand_in(one) for one in value] if isinstance(value, list) else stand_in(value)
            for value in arguments
        )
    )
    compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return None
    ranks = {str(value): rank for rank, value in enumerate(stand_ins)}  # SQLite is given days as text
    blanks = tuple(
        (ranks[str(one)], str if isinstance(one, str) else _kind(one)) if str(one) in ranks else None
        for one in parameters
    )
    if {blank[0] for blank in blanks if blank} != set(range(len(stand_ins))):
        raise TypeError(f"{build.__name__} leaves out something that it is given")
    return _Statement(queryset=queryset, compiler=compiler, sql=sql, parameters=tuple(parameters), blanks=blanks)


def _kind(value: Any) -> Callable[[Any], Any]:
    """PostgreSQL is told how large a number may be, in a type of number of its own."""
    return type(value) if isinstance(value, int) else lambda day: day
