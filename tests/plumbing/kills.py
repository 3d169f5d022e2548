"""What a power cut leaves: the same act, cut off after each of its statements in turn."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from tests.plumbing import databases, surroundings

numbers = count(1)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was found after the act was cut off once `statements` statements had been executed.

    `last` is the last of them (empty when none was). The final aftermath of a list is that of the whole act:
    `killed` is False there, and nowhere else.
    """

    statements: int
    last: str
    killed: bool
    seen: Any


@pytest.fixture
def kills() -> Callable[..., list[Aftermath]]:
    """`kills(act, *, prepare, look, at=None, most=400, **arguments) -> list[Aftermath]`.

    The three are module-level functions that work on Django's default connection, in a process of their own:
    `prepare(**arguments)` answers facts (JSON), `act(**facts)` is what gets cut off, `look(**facts)` answers what
    there is afterwards (JSON). Each kill starts from the same prepared database. The process is ended between two
    statements, the last one and the COMMIT included, without a word to the database.
    """

    def run(
        act: Callable[..., Any],
        *,
        prepare: Callable[..., dict[str, Any]],
        look: Callable[..., Any],
        at: datetime | None = None,
        most: int = 400,
        **arguments: Any,
    ) -> list[Aftermath]:
        source, facts = databases.prepared(prepare, at=at, **arguments)
        name = f"killed_{surroundings.WORKER}_{next(numbers)}"
        answer = databases.run_directory() / f"{name}.json"
        errand = {
            "act": databases.named(act), "look": databases.named(look), "facts": facts or {}, "most": most,
            "source": source, "name": name, "answer": str(answer),
        }  # fmt: skip
        databases.engine().copy(source, name)
        try:
            databases.carry_out(
                [sys.executable, "-m", "tests.plumbing.guillotine", json.dumps(errand)],
                env=databases.surroundings(name, at=at),
            )
            found = [Aftermath(**each) for each in json.loads(answer.read_text())]
        finally:
            databases.engine().drop(name)
        assert not found[-1].killed, f"the act was not over after {most} statements"
        return found

    return run
