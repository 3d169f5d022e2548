"""A private, throw-away PostgreSQL: its own directory, a Unix socket, no port, no password, no durability.

    python -m scripts.postgres [command …]     run a command with MARELLE_TEST_POSTGRES set, or wait for Ctrl-C

Only for tests and measurements. Takes the newest version ≥ 15 that is installed; as root it runs as Debian's user
`postgres`, because the server refuses to run as root.
"""

import ctypes
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from scripts import scratch

OLDEST = 15
ROLE = "postgres"
# Nothing here outlives the run, so nothing is worth a flush to disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "max_connections": "120",
    "shared_buffers": "192MB",
    "jit": "off",
    "log_min_messages": "fatal",
    "client_min_messages": "warning",
}


class NoPostgres(Exception):
    """No server of a usable version is installed, or it does not start; the message says which."""


def programs() -> Path | None:
    """Where the newest usable server's programs are, or None."""
    found = {
        int(path.parent.parent.name): path.parent
        for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")
        if path.parent.parent.name.isdigit()
    }
    usable = {version: path for version, path in found.items() if version >= OLDEST}
    if usable:
        return usable[max(usable)]
    elsewhere = shutil.which("initdb")
    if elsewhere is None or shutil.which("postgres") is None:
        return None
    said = subprocess.run([elsewhere, "--version"], capture_output=True, text=True).stdout
    version_said = re.search(r"(\d+)", said)
    return Path(elsewhere).resolve().parent if version_said and int(version_said[1]) >= OLDEST else None


def die_with_parent() -> None:
    """Ask Linux for a fast shutdown of this process when its parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


class Cluster:
    """Started on entering, stopped and wiped on leaving. `url("name")` is what MARELLE_DATABASE_URL takes."""

    def __init__(self) -> None:
        where = programs()
        if where is None:
            raise NoPostgres(f"PostgreSQL {OLDEST} or newer is not installed")
        self.programs = where
        self.directory = scratch.directory("pg")
        self.server: subprocess.Popen[bytes] | None = None
        self.account: dict[str, Any] = {}
        if os.geteuid() == 0:
            try:
                owner = pwd.getpwnam("postgres")
            except KeyError as error:
                raise NoPostgres("root cannot run PostgreSQL, and there is no user called postgres") from error
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
            self.account = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def url(self, name: str = "postgres") -> str:
        return f"postgres://{ROLE}@/{quote(name)}?host={quote(str(self.directory))}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self) -> None:
        data = self.directory / "data"
        made = subprocess.run(
            [self.programs / "initdb", "--pgdata", data, "--username", ROLE, "--auth", "trust", "--no-sync",
             "--encoding", "UTF8", "--locale", "C.UTF-8"],
            capture_output=True, text=True, cwd="/", env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, **self.account,
        )  # fmt: skip
        if made.returncode:
            raise NoPostgres(f"initdb failed:\n{made.stdout}{made.stderr}")
        said = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        with (self.directory / "log").open("wb") as log:
            self.server = subprocess.Popen(
                [self.programs / "postgres", "-D", data, "-k", self.directory, *said],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env={"PATH": os.defpath},
                start_new_session=True, preexec_fn=die_with_parent, **self.account,
            )  # fmt: skip
        give_up = time.monotonic() + 30
        while subprocess.run(
            [self.programs / "pg_isready", "-q", "-h", self.directory, "-U", ROLE], cwd="/"
        ).returncode:
            if self.server.poll() is not None or time.monotonic() > give_up:
                raise NoPostgres(f"PostgreSQL did not start:\n{(self.directory / 'log').read_text()}")
            time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server, whoever is still connected, and wipe its directory. Harmless when called again."""
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.server.send_signal(signal.SIGQUIT)
                self.server.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)


def main(command: Sequence[str]) -> int:
    try:
        cluster = Cluster()
    except NoPostgres as error:
        sys.exit(f"{error}.")
    with cluster:
        print(cluster.url(), flush=True)
        try:
            if command:
                return subprocess.run(command, env={**os.environ, "MARELLE_TEST_POSTGRES": cluster.url()}).returncode
            signal.pause()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
