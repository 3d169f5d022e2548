"""`make bench`: run every bench/*.py, print a table, write var/bench.json.

    python -m scripts.bench [name …]     only bench/<name>.py

A module exposes `run() -> list[dict]`, each with `name`, `value`, `unit`, `yardstick` (what was measured beside it in
the same run, in the same unit, or None), `ratio` (value to yardstick, or None) and `target` (in words). It may take a
minute or two and never more. It stands on what the tests stand on: `tests.plumbing.portals.running` serves a portal on
a private PostgreSQL (on SQLite where none is installed, or when MARELLE_TEST_DATABASE=sqlite). Exits 1 when a module
fails; a missed target is shown, not punished: times are this machine's.
"""

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

from scripts import postgres
from scripts.environment import ROOT

FIELDS = ("name", "value", "unit", "yardstick", "ratio", "target")
REPORT = ROOT / "var" / "bench.json"


def modules() -> list[str]:
    return sorted(path.stem for path in (ROOT / "bench").glob("*.py") if not path.stem.startswith("_"))


def checked(measure: dict[str, Any], module: str) -> dict[str, Any]:
    """The measure with exactly the fields that the report has. ValueError names what is missing or unknown."""
    if set(measure) != set(FIELDS):
        raise ValueError(f"bench/{module}.py gave {sorted(measure)}; a measure has {', '.join(FIELDS)}")
    return {field: measure[field] for field in FIELDS}


def cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def table(measures: list[dict[str, Any]]) -> str:
    lines = [list(FIELDS), *[[cell(measure[field]) for field in FIELDS] for measure in measures]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(FIELDS))]
    numbers = {FIELDS.index(field) for field in ("value", "yardstick", "ratio")}
    return "\n".join(
        "  ".join(
            text.rjust(width) if column in numbers else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def main(*names: str) -> int:
    unknown = set(names) - set(modules())
    if unknown:
        sys.exit(f"No bench is called {', '.join(sorted(unknown))}: there are {', '.join(modules()) or 'none'}.")
    measures: list[dict[str, Any]] = []
    failed = []
    os.environ.setdefault("MARELLE_TEST_DATABASE", "postgres" if postgres.programs() else "sqlite")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marelle.config.settings")
    from tests.plumbing import surroundings

    try:
        for name in names or modules():
            started = time.monotonic()
            try:
                measures += [checked(measure, name) for measure in importlib.import_module(f"bench.{name}").run()]
            except Exception:
                traceback.print_exc()
                failed.append(name)
            print(f"bench/{name}.py: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    finally:
        surroundings.leave()
    print(table(measures))
    if not names:
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(json.dumps(measures, indent=1, ensure_ascii=False) + "\n")
        print(f"\nAlso in {REPORT.relative_to(ROOT)}.")
    if failed:
        print(f"FAILED: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
