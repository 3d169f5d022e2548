"""Anybody with plain pip gets exactly the versions that were proved, from wherever they fetch packages."""

import re
from pathlib import Path

import pytest

from scripts.environment import LOCKS, ROOT, lock

REQUIREMENT = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?: ; (?P<marker>[^\\]+))? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def versions(path: Path) -> dict[str, str]:
    found = (REQUIREMENT.match(line) for line in path.read_text().splitlines())
    return {match["name"]: match["version"] for match in found if match}


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_a_version_or_its_hash(name: str) -> None:
    lines = lock(name).read_text().splitlines()
    assert [line for line in lines if not REQUIREMENT.match(line) and not HASH.match(line)] == []
    heads = [number for number, line in enumerate(lines) if REQUIREMENT.match(line)]
    assert [lines[number] for number in heads if not HASH.match(lines[number + 1])] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_line_says_where_packages_come_from(name: str) -> None:
    for path in (lock(name), lock(name).with_suffix(".in")):
        assert [
            line for line in path.read_text().splitlines() if re.search(r"://|--(extra-)?index|find-links| @ ", line)
        ] == []


def test_what_runs_is_what_was_tested() -> None:
    base, dev = (versions(lock(name)) for name in LOCKS)
    assert {name: dev.get(name) for name in base} == base


@pytest.mark.parametrize("name", LOCKS)
def test_whatever_is_asked_for_is_locked(name: str) -> None:
    asked = re.findall(r"^([a-z][a-z0-9-]*)", lock(name).with_suffix(".in").read_text(), re.MULTILINE)
    assert sorted(set(asked) - set(versions(lock(name)))) == []


def test_the_declared_dependencies_are_those_that_are_locked() -> None:
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    asked = [line for line in (ROOT / "requirements" / "base.in").read_text().splitlines() if line and line[0] != "#"]
    assert declared == [line for line in asked if not line.startswith("flit-core")]
