"""The process in which `kills` cuts: Django is set up once, then every cut is a fork of it."""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from tests.plumbing import databases

KILLED = 86  # the exit status of a process that was cut off


def found(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def apart(action: Callable[[], Any]) -> tuple[int, str]:
    """Carry out in a fork; its exit status, and what it wrote down: its answer as JSON, or its traceback."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as said:
            try:
                json.dump(action(), said)
                status = 0
            except BaseException:
                said.write(traceback.format_exc())
                status = 1
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as heard:
        words = heard.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), words


def cut(act: Callable[..., Any], facts: dict[str, Any], *, after: int, last: Path) -> None:
    """Carry out the act; end this process at once when `after` statements have been executed."""
    from django.db import connection

    executed = 0
    if after == 0:
        os._exit(KILLED)

    def count(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        nonlocal executed
        result = execute(statement, *rest)
        executed += 1
        if executed == after:
            last.write_text(str(statement))
            os._exit(KILLED)
        return result

    with connection.execute_wrapper(count):
        act(**facts)


def main(errand: dict[str, Any]) -> None:
    django.setup()
    act, look, facts = found(errand["act"]), found(errand["look"]), errand["facts"]
    last = Path(errand["answer"]).with_suffix(".last")
    aftermaths: list[dict[str, Any]] = []
    for after in range(errand["most"] + 1):
        databases.engine().copy(errand["source"], errand["name"])
        last.write_text("")
        status, words = apart(lambda after=after: cut(act, facts, after=after, last=last))  # type: ignore[misc]
        if status not in (0, KILLED):
            sys.exit(f"the act failed when it should be cut after {after} statements:\n{words}")
        killed = status == KILLED
        seen_status, seen = apart(lambda: look(**facts))
        if seen_status:
            sys.exit(f"nothing could be seen after {after} statements:\n{seen}")
        aftermaths.append({"statements": after, "last": last.read_text(), "killed": killed, "seen": json.loads(seen)})
        if not killed:
            break
    Path(errand["answer"]).write_text(json.dumps(aftermaths))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marelle.config.settings")
    main(json.loads(sys.argv[1]))
