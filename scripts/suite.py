"""`make test`: everything that must hold, on both databases. `make lint` and `make format` are parts of it.

    python -m scripts.suite all [pytest arguments]     with arguments: only the tests, only those
    python -m scripts.suite lint
    python -m scripts.suite format

Every step runs whatever became of those before it; the last lines name the steps that failed.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from scripts import postgres
from scripts.environment import ROOT, VENV, install_packages

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable")
WORKERS = str(min(os.cpu_count() or 1, 4))

Step = tuple[str, Callable[[], int]]


def tool(name: str) -> str:
    return str(VENV / "bin" / name)


def run(*command: str, **more: str) -> int:
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **more}).returncode


def templates() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "marelle").rglob("templates/**/*.html"))


def check_templates() -> int:
    return run(tool("djade"), "--check", "--target-version", "5.2", *templates()) if templates() else 0


def format_templates() -> int:
    if templates():
        run(tool("djade"), "--target-version", "5.2", *templates())  # its status only says whether it changed anything
    return 0


def lint() -> list[Step]:
    return [
        ("ruff check", lambda: run(tool("ruff"), "check", "--quiet", ".")),
        ("ruff format", lambda: run(tool("ruff"), "format", "--check", "--quiet", ".")),
        ("djade", check_templates),
        ("import-linter", lambda: run(tool("lint-imports"), "--no-cache")),
        ("mypy", lambda: run(tool("mypy"), MARELLE_MODE="test")),
    ]


def put_in_order() -> list[Step]:
    return [
        ("ruff check --fix", lambda: run(tool("ruff"), "check", "--fix", "--quiet", ".")),
        ("ruff format", lambda: run(tool("ruff"), "format", "--quiet", ".")),
        ("djade", format_templates),
    ]


def install_what_is_missing() -> None:
    missing = []
    if not any(shutil.which(name) for name in CHROMIUM):
        missing.append("chromium")
    if postgres.programs() is None:
        missing.append("postgresql")
    if missing:
        install_packages(missing, why="the tests drive a real browser and run on a real PostgreSQL")


def pytest(database: str, *arguments: str, server: str = "") -> int:
    more = {"MARELLE_TEST_DATABASE": database}
    if server:
        more["MARELLE_TEST_POSTGRES"] = server
    return run(sys.executable, "-m", "pytest", "-q", "-n", WORKERS, "--maxschedchunk", "2", *arguments, **more)


def tests(arguments: Sequence[str], server: str) -> list[Step]:
    """SQLite carries everything but the races and the browser, of which it carries the main stories; PostgreSQL
    carries the browser and everything that stands on a database."""
    if arguments:
        return [
            ("tests on SQLite", lambda: pytest("sqlite", *arguments)),
            ("tests on PostgreSQL", lambda: pytest("postgres", *arguments, server=server)),
        ]
    light = "(not e2e or both) and not race and not postgres"
    return [
        ("tests on SQLite", lambda: pytest("sqlite", "-m", light)),
        ("tests on PostgreSQL", lambda: pytest("postgres", "--database-only", server=server)),
    ]


def carry_out(steps: Sequence[Step]) -> int:
    failed, began = [], time.monotonic()
    for name, step in steps:
        print(f"\n── {name} ".ljust(80, "─"), flush=True)
        started = time.monotonic()
        status = step()
        print(f"── {name}: {'ok' if status == 0 else 'FAILED'}, {time.monotonic() - started:.1f} s", flush=True)
        if status:
            failed.append(name)
    print(
        f"\n{time.monotonic() - began:.0f} s in all. " + (f"FAILED: {', '.join(failed)}." if failed else "All is well.")
    )
    return 1 if failed else 0


def main(what: str, *arguments: str) -> int:
    if what == "format":
        return carry_out(put_in_order())
    if what == "lint":
        return carry_out(lint())
    if what != "all":
        sys.exit(f"Say all, lint or format, not {what!r}.")
    install_what_is_missing()
    shutil.rmtree(ROOT / "var" / "test-artifacts", ignore_errors=True)
    with ExitStack() as stack:
        server = stack.enter_context(postgres.Cluster()).url()
        return carry_out([*([] if arguments else lint()), *tests(arguments, server)])


if __name__ == "__main__":
    try:
        sys.exit(main(*(sys.argv[1:] or ["all"])))
    except postgres.NoPostgres as error:
        sys.exit(f"{error}.")
    except KeyboardInterrupt:
        sys.exit(130)
