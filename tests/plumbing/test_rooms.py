"""Walls that import-linter cannot see, because Django is one package to it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from scripts.environment import ROOT


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_town_file_is_read_without_a_database() -> None:
    allowed = ("django.utils.translation",)
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "marelle" / "townfile").rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] == "django" and not name.startswith(allowed)
    }
    assert found == set()


def test_families_and_agents_pages_own_no_models() -> None:
    assert [str(path) for room in ("portal", "office") for path in (ROOT / "marelle" / room).rglob("models.py")] == []
