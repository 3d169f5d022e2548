"""Many at once, for real: threads with a connection each, let go by a barrier. PostgreSQL only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Barrier, Thread
from time import monotonic
from typing import Any

import pytest

AT_ONCE = 32
PATIENCE = 60  # seconds for a whole race


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one contender: an answer or an error, never both."""

    contender: Any
    answer: Any = None
    error: BaseException | None = None


@pytest.fixture
def race(transactional_db: None) -> Callable[..., list[Outcome]]:
    """`race(action, contenders, *, at_once=32) -> list[Outcome]`, in the contenders' order.

    `action(contender)` is called once for each, in `at_once` threads that open their connections first and then start
    together. Mark the test `race`. An error is an outcome, not a failure; a race that lasts longer than a minute is.
    """

    def run(action: Callable[[Any], Any], contenders: Sequence[Any], *, at_once: int = AT_ONCE) -> list[Outcome]:
        from django.db import connection, connections

        assert connection.vendor == "postgresql", "one writer at a time: SQLite has no races to lose"
        waiting: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        for place, contender in enumerate(contenders):
            waiting.put((place, contender))
        outcomes: list[Outcome | None] = [None] * len(contenders)
        line = Barrier(min(at_once, len(contenders)))

        def contend() -> None:
            try:
                connection.ensure_connection()
                line.wait(PATIENCE)
                while True:
                    try:
                        place, contender = waiting.get_nowait()
                    except Empty:
                        return
                    try:
                        outcomes[place] = Outcome(contender, answer=action(contender))
                    except Exception as error:
                        outcomes[place] = Outcome(contender, error=error)
            finally:
                connections.close_all()

        threads = [Thread(target=contend, daemon=True) for _ in range(line.parties)]
        give_up = monotonic() + PATIENCE
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0, give_up - monotonic()))
        assert not any(thread.is_alive() for thread in threads), f"the race was not over after {PATIENCE} s"
        return [outcome or Outcome(contenders[place]) for place, outcome in enumerate(outcomes)]

    return run
