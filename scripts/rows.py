"""`make rows`: one line for each row of docs/rows.tsv: its name, how many tests prove it, how many of them drive a
browser, and what it is. A test is counted for each row it names, and once for each of its parameters.

    python -m scripts.rows [--missing]     --missing: only the rows that no test proves
"""

import contextlib
import io
import sys
from collections import Counter
from typing import Any

from scripts.environment import ROOT

ROWS = ROOT / "docs" / "rows.tsv"


def rows() -> dict[str, str]:
    """What each row is, by its name, in order."""
    return dict(line.split("\t", 1) for line in ROWS.read_text().splitlines())


class Count:
    """A pytest plugin that counts what was collected."""

    def __init__(self) -> None:
        self.tests: Counter[str] = Counter()
        self.browser_tests: Counter[str] = Counter()

    def pytest_collection_finish(self, session: Any) -> None:
        for item in session.items:
            for row in {row for marker in item.iter_markers("row") for row in marker.args}:
                self.tests[row] += 1
                self.browser_tests[row] += item.get_closest_marker("e2e") is not None


def counted() -> Count:
    """What pytest collects now. Exits with what it said when it cannot collect."""
    import pytest

    count, said = Count(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = pytest.main(["--collect-only", "-qq"], plugins=[count])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        sys.exit(said.getvalue())
    return count


def main(*arguments: str) -> None:
    count = counted()
    for name, what in rows().items():
        if "--missing" in arguments and count.tests[name]:
            continue
        print(name, count.tests[name], count.browser_tests[name], what)


if __name__ == "__main__":
    main(*sys.argv[1:])
