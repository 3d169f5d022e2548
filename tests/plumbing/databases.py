"""Databases for tests: one migrated template per run, and cheap copies of it.

A test never flushes: append-only triggers forbid it, and a copy is faster. What changes a database for good
(`transactional_db`, races, kills, portals) works on a copy that is made anew or thrown away.
"""

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATE = "template"
PATIENCE = 300  # seconds; no preparation of a database may take longer


def run_directory() -> Path:
    return Path(os.environ["MARELLE_TEST_RUN"])


class Engine(Protocol):
    """Makes, copies and drops databases of one kind by their short names."""

    def url(self, name: str) -> str:
        """What MARELLE_DATABASE_URL takes."""

    def create(self, name: str) -> None:
        """Make it empty; an earlier one of that name is dropped."""

    def copy(self, source: str, name: str) -> None:
        """Make it as the source is now, dropping an earlier one. Nobody may be connected to the source."""

    def drop(self, name: str) -> None:
        """Remove it, whoever is connected; nothing happens when there is none."""


class SQLiteFiles:
    """Files in the run's directory, never memory: a shared database in memory answers "locked" without waiting."""

    def path(self, name: str) -> Path:
        return run_directory() / f"{name}.sqlite3"

    def url(self, name: str) -> str:
        return f"sqlite:///{self.path(name)}"

    def create(self, name: str) -> None:
        self.drop(name)

    def copy(self, source: str, name: str) -> None:
        with sqlite3.connect(self.path(source)) as settled:
            settled.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        settled.close()
        self.drop(name)
        shutil.copyfile(self.path(source), self.path(name))

    def drop(self, name: str) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self.path(name)}{suffix}").unlink(missing_ok=True)


class PostgresServer:
    def __init__(self, server: str) -> None:
        self.server = urlsplit(server)
        self.host = parse_qs(self.server.query)["host"][0]

    def url(self, name: str) -> str:
        return self.server._replace(path=f"/marelle_{name}").geturl()

    def create(self, name: str) -> None:
        self._recreate(name, "template0")

    def copy(self, source: str, name: str) -> None:
        self._recreate(name, f"marelle_{source}")

    def drop(self, name: str) -> None:
        self._say(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(f"marelle_{name}")))

    def _recreate(self, name: str, template: str) -> None:
        self.drop(name)
        # Copied file by file: the default writes every page to the log, for replicas that these databases do not have.
        new = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._say(new.format(sql.Identifier(f"marelle_{name}"), sql.Identifier(template)))

    def _say(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host=self.host, user=self.server.username, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


def engine() -> Engine:
    if os.environ["MARELLE_TEST_DATABASE"] == "postgres":
        return PostgresServer(os.environ["MARELLE_TEST_POSTGRES"])
    return SQLiteFiles()


@contextmanager
def held(name: str) -> Iterator[None]:
    """One process of the run at a time."""
    with (run_directory() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def surroundings(database: str, *, at: datetime | None = None, **more: str) -> dict[str, str]:
    """The environment of a process that works on this database, its clock started now at `at` when given."""
    said = {**os.environ, "MARELLE_DATABASE_URL": engine().url(database), "PYTHONUNBUFFERED": "1", **more}
    if at is not None:
        said["MARELLE_CLOCK"] = f"{at.isoformat()}|{datetime.now(UTC).isoformat()}"
    return said


def carry_out(command: list[str | os.PathLike[str]], *, env: Mapping[str, str]) -> str:
    """Run to its end and give what it printed; AssertionError with everything it said when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
    )
    if done.returncode:
        words = " ".join(map(str, command))
        raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def administer(*arguments: str, env: Mapping[str, str]) -> str:
    """`marelle-admin …` in a process of its own."""
    return carry_out([sys.executable, "-m", "marelle", *arguments], env=env)


@cache
def template() -> str:
    """The name of the run's migrated, empty database, made by whoever asks first.

    For SQLite it is kept from run to run while no migration and no lock changes.
    """
    files = engine()
    ready = run_directory() / "template.ready"
    with held(TEMPLATE):
        if ready.exists():
            return TEMPLATE
        kept = ROOT / "var" / "cache" / "templates" / f"{schema_fingerprint()}.sqlite3"
        if isinstance(files, SQLiteFiles) and kept.exists():
            shutil.copyfile(kept, files.path(TEMPLATE))
        else:
            files.create(TEMPLATE)
            administer("migrate", "--skip-checks", "--verbosity", "0", env=surroundings(TEMPLATE))
            if isinstance(files, SQLiteFiles):
                files.copy(TEMPLATE, "kept")
                kept.parent.mkdir(parents=True, exist_ok=True)
                for old in kept.parent.glob("*.sqlite3"):
                    old.unlink(missing_ok=True)
                draft = kept.with_suffix(f".{os.getpid()}")
                shutil.copyfile(files.path("kept"), draft)
                draft.replace(kept)
        ready.touch()
    return TEMPLATE


def schema_fingerprint() -> str:
    """Changes with whatever can change what `migrate` makes."""
    digest = hashlib.sha256()
    sources = [ROOT / "requirements" / "base.txt", ROOT / "marelle" / "config" / "settings.py"]
    sources += sorted((ROOT / "marelle").glob("*/migrations/*.py"))
    sources += sorted((ROOT / "marelle").glob("*/apps.py"))
    for path in sources:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:24]


def named(action: Any) -> str:
    """`module:function` of a module-level function, or the text itself."""
    if isinstance(action, str):
        return action
    if "<locals>" in action.__qualname__ or "." in action.__qualname__:
        raise TypeError(f"{action.__qualname__} runs in another process: it must stand at its module's top level")
    return f"{action.__module__}:{action.__qualname__}"


def call(
    action: Any, *, database: str, at: datetime | None = None, env: Mapping[str, str] | None = None, **arguments: Any
) -> Any:
    """Call a module-level function in a Django process of its own on that database; arguments and answer are JSON."""
    with (run_directory() / f"answer-{os.getpid()}-{os.urandom(4).hex()}.json").open("w+") as answer:
        carry_out(
            [sys.executable, "-m", "tests.plumbing.errand", named(action), json.dumps(arguments), answer.name],
            env=surroundings(database, at=at, **(env or {})),
        )
        os.unlink(answer.name)
        return json.load(answer)


def prepared(action: Any = None, *, at: datetime | None = None, **arguments: Any) -> tuple[str, Any]:
    """A template on which `action(**arguments)` has been carried out, and its answer. Made once per run.

    Without an action it is the empty, migrated template.
    """
    if action is None:
        return template(), None
    what = json.dumps([named(action), at.isoformat() if at else None, arguments], sort_keys=True)
    name = f"prepared_{hashlib.sha256(what.encode()).hexdigest()[:12]}"
    answer = run_directory() / f"{name}.json"
    base = template()
    with held(name):
        if not answer.exists():
            engine().copy(base, name)
            said = call(action, database=name, at=at, **arguments)
            answer.write_text(json.dumps(said))
    return name, json.loads(answer.read_text())
