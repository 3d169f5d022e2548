"""A portal as a family meets it: the real server, in processes of its own, on a database of its own."""

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.plumbing import databases, surroundings

PATIENCE = 30  # seconds that a portal may take to answer for the first time
LEAVING = 5  # seconds that a process has to end by itself
MAILBOX = "marelle.demo.mailbox.MailboxBackend"

numbers = count(1)


def die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(kw_only=True)
class Portal:
    """A running portal.

    `url` has no slash at its end; `facts` is what the preparation answered. `call(f, **arguments)` calls a
    module-level function in another process on this portal's database, at this portal's clock; `admin("worker", …)`
    runs a management command there. Neither touches this process's own connections: a browser test may use both.
    """

    url: str
    database: str
    facts: Any
    env: dict[str, str] = field(repr=False)
    log: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    def call(self, action: Callable[..., Any] | str, **arguments: Any) -> Any:
        clock = {"MARELLE_CLOCK": self.env["MARELLE_CLOCK"]} if "MARELLE_CLOCK" in self.env else {}
        return databases.call(action, database=self.database, env=clock, **arguments)

    def admin(self, *arguments: str) -> str:
        return databases.administer(*arguments, env=self.env)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a process beside the server (the worker, a second server); it is stopped with the portal."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=databases.ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, "-m", "marelle", "worker")

    def kill(self) -> None:
        """As a power cut would: nothing gets to tidy up."""
        for process in self.processes:
            end(process, at_once=True)
        self.processes.clear()

    def stop(self) -> None:
        for process in self.processes:
            end(process)
        self.processes.clear()


def end(process: subprocess.Popen[bytes], *, at_once: bool = False) -> None:
    """End a process and its children; SIGKILL after LEAVING seconds, or at once."""
    for sign in (signal.SIGKILL,) if at_once else (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):  # nobody of its group is left
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(LEAVING)


def serve(
    portal: Portal, *, workers: int = 1, threads: int = 4, application: str = "marelle.config.wsgi:application"
) -> None:
    """Start the web server and wait until it answers; AssertionError with its log when it does not."""
    port = portal.url.rpartition(":")[2]
    server = portal.start(
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", port, "--no-ws",
        "--workers", str(workers), "--blocking-threads", str(threads), application,
    )  # fmt: skip
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=PATIENCE)
            connection.request("GET", "/static/")
            connection.getresponse().read()
            return
        except (OSError, http.client.HTTPException):
            if server.poll() is not None or time.monotonic() > give_up:
                portal.stop()
                raise AssertionError(f"the portal did not start:\n{portal.log.read_text()[-4000:]}") from None
            time.sleep(0.05)
        finally:
            connection.close()


@dataclass(kw_only=True)
class Server:
    """A web server that outlives its test: the next one finds another database under the same name, and another
    hour. A connection to the database lasts no longer than a request, and what the process remembers of a town goes by
    the town's own keys."""

    portal: Portal
    process: subprocess.Popen[bytes]
    clock: Path


idle: list[Server] = []  # those that no test has at the moment


@contextmanager
def running(
    prepare: Callable[..., Any] | str | None = None,
    *,
    at: datetime | None = None,
    worker: bool = False,
    env: dict[str, str] | None = None,
    workers: int = 1,
    threads: int = 4,
    **arguments: Any,
) -> Iterator[Portal]:
    """A portal from start to stop, its database dropped at the end: `live_portal` says what the words mean.

    For measurements too: `workers` and `threads` are the web server's, and `env={"MARELLE_MODE": "demo"}` serves as
    the demo does, connections pooled and static files collected. Without any of these, the server is one that a test
    before may have had.
    """
    source, facts = databases.prepared(prepare, at=at, **arguments)
    if env is None and (workers, threads) == (1, 4):
        with _lent(source, facts, at=at) as portal:
            if worker:
                portal.start_worker()
            yield portal
        return
    portal = _portal(facts, at=at, env=env)
    databases.engine().copy(source, portal.database)
    try:
        if portal.env["MARELLE_MODE"] != "test":
            portal.admin("collectstatic", "--no-input", "--verbosity", "0")
        serve(portal, workers=workers, threads=threads)
        if worker:
            portal.start_worker()
        yield portal
    finally:
        portal.stop()
        databases.engine().drop(portal.database)


def _portal(
    facts: Any, *, at: datetime | None, env: dict[str, str] | None = None, like: Portal | None = None
) -> Portal:
    """A portal that nothing serves yet; `like`: at the address and on the database of that one."""
    name = like.database if like else f"portal_{surroundings.WORKER}_{os.getpid()}_{next(numbers)}"
    url = like.url if like else f"http://127.0.0.1:{free_port()}"
    said = {"MARELLE_PUBLIC_URL": url, "MARELLE_EMAIL_BACKEND": MAILBOX, **(env or {})}
    return Portal(
        url=url,
        database=name,
        facts=facts,
        env=databases.surroundings(name, at=at, **said),
        log=databases.run_directory() / f"{name}.log",
    )


@contextmanager
def _lent(source: str, facts: Any, *, at: datetime | None) -> Iterator[Portal]:
    server = _waiting()
    portal = _portal(facts, at=at, like=server.portal)
    portal.processes.append(server.process)
    databases.engine().copy(source, portal.database)
    server.clock.write_text(portal.env.get("MARELLE_CLOCK", ""))
    try:
        yield portal
    finally:
        # A test that ended the server itself took it out of the portal's processes.
        if server.process in portal.processes and server.process.poll() is None:
            portal.processes.remove(server.process)
            idle.append(server)
        portal.stop()


def _waiting() -> Server:
    """One that has nothing to do, else a new one."""
    while idle:
        if (server := idle.pop()).process.poll() is None:
            return server
    clock = databases.run_directory() / f"clock-{os.getpid()}-{next(numbers)}"
    clock.touch()
    portal = _portal(None, at=None, env={"MARELLE_TEST_CLOCK": str(clock)})
    databases.engine().copy(databases.template(), portal.database)
    serve(portal, application="tests.plumbing.served:application")
    return Server(portal=portal, process=portal.processes[0], clock=clock)


@pytest.fixture(scope="session", autouse=True)
def idle_servers() -> Iterator[None]:
    yield
    while idle:
        idle.pop().portal.stop()


@pytest.fixture
def live_portal(request: pytest.FixtureRequest) -> Iterator[Callable[..., Portal]]:
    """`live_portal(prepare=None, *, at=None, worker=False, env=None, **arguments) -> Portal`.

    `prepare(**arguments)`, a module-level function, fills a database through the services, once per run for the same
    arguments; each portal gets its own copy. `at` (aware) is where its clock starts. `worker` also starts the process
    that sends e-mails; they land in the demo's mailbox. Stopped at the end of the test, which shows its log on failure.
    """
    portals: list[Portal] = []
    with ExitStack() as stack:

        def start(*given: Any, **words: Any) -> Portal:
            portals.append(stack.enter_context(running(*given, **words)))
            return portals[-1]

        yield start
    report = getattr(request.node, "said", {}).get("call")
    for portal in portals:
        if report is not None and report.failed:
            request.node.add_report_section("teardown", "portal", portal.log.read_text()[-6000:])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Let fixtures know, when they end, how their test went."""
    report = yield
    said = getattr(item, "said", None)
    if said is None:
        said = item.said = {}  # type: ignore[attr-defined]
    said[report.when] = report
    return report
