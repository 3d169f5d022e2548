"""What is committed stands on its own: it names no registry and no path of the machine it was written on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.environment import ROOT

# Put together from pieces, so that this file does not name them either.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("crates", "io"),
        ("golang", "org"),
        ("jsdelivr", "net"),
        ("unpkg", "com"),
        ("googleapis", "com"),
        ("cloudflare", "com"),
    )
]
PLACES = [
    "/".join(("", *parts)) for parts in (("work", "main"), ("work", "shared"), ("opt", "wheels"), ("tmp", "probe"))
]


@pytest.fixture(scope="module")
def committed() -> dict[Path, str]:
    """The text of every file under version control."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = (ROOT / name for name in names.split("\0") if name)
    return {path: path.read_text(errors="replace") for path in files if path.is_file()}


def test_no_file_names_a_registry(committed: dict[Path, str]) -> None:
    host = re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE)
    named = {str(path.relative_to(ROOT)): host.findall(text) for path, text in committed.items()}
    assert {path: hosts for path, hosts in named.items() if hosts} == {}


def test_no_file_names_a_place_of_one_machine(committed: dict[Path, str]) -> None:
    assert [
        f"{path.relative_to(ROOT)}: {place}" for path, text in committed.items() for place in PLACES if place in text
    ] == []


def test_nothing_that_commands_make_is_committed(committed: dict[Path, str]) -> None:
    made = re.compile(r"^(\.venv|var)/|\.sqlite3$|\.py[co]$|__pycache__")
    assert [str(path.relative_to(ROOT)) for path in committed if made.search(str(path.relative_to(ROOT)))] == []
