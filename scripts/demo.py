"""`make demo`: a living town on this machine, from a file of its own under var/demo/.

Read from the environment:
    PORT    where it listens on 127.0.0.1 (8000)
    TOWN    which of marelle/demo/towns/ (cadours)
    FRESH   1 starts from zero; otherwise what was done stays
    AT      an instant such as 2026-11-23T08:58, in the town's time unless it says another: the portal's clock starts
            there and runs; each AT has a database of its own

Beyond what the town's calendar covers, the clock starts at the nearest instant that it does cover.

Migrates, lets `marelle-admin demo prepare` fill or top up the town, then runs the web server and the worker as its
children until Ctrl-C. When one of them ends by itself, the other is stopped and this exits with 1.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from marelle import townfile
from marelle.demo.cover import covered
from scripts.environment import ADMIN, ROOT, VENV

TOWNS = ROOT / "marelle" / "demo" / "towns"
DATABASES = ROOT / "var" / "demo"
WORKERS, THREADS = 2, 4
PATIENCE = 60  # seconds that the server may take to listen
LEAVING = 8  # seconds that a child has to end by itself


class Refusal(Exception):
    """The demo cannot start; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for. `at` is aware, in the town's time."""

    port: int
    town: str
    fresh: bool
    at: datetime | None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        when = self.at.strftime("-%Y-%m-%dT%H-%M-%S").removesuffix("-00") if self.at else ""
        return DATABASES / f"{self.town}{when}.sqlite3"


def wished(said: Mapping[str, str]) -> Wish:
    """Read the four words. Refusal names the one that cannot be read."""
    port, town, fresh, at = (said.get(name, "").strip() for name in ("PORT", "TOWN", "FRESH", "AT"))
    port, town = port or "8000", town or "cadours"
    if not (port.isdecimal() and 0 < int(port) < 65536):
        raise Refusal(f"PORT={port} is no port: say a number from 1 to 65535.")
    towns = sorted(path.stem for path in TOWNS.glob("*.toml"))
    if town not in towns:
        raise Refusal(f"TOWN={town} is none of the demo's towns: {', '.join(towns)}.")
    if fresh.lower() not in {"", "0", "1", "no", "yes", "false", "true"}:
        raise Refusal(f"FRESH={fresh}: say FRESH=1 to start from zero, or nothing.")
    return Wish(
        port=int(port), town=town, fresh=fresh.lower() in {"1", "yes", "true"}, at=instant(at, town) if at else None
    )


def instant(at: str, town: str) -> datetime:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise Refusal(f"AT={at} is no instant: say it like AT=2026-11-23T08:58.") from None
    return moment.astimezone(zone(town)) if moment.tzinfo else moment.replace(tzinfo=zone(town))


def zone(town: str) -> ZoneInfo:
    municipality = tomllib.loads((TOWNS / f"{town}.toml").read_text()).get("municipality", {})
    return ZoneInfo(municipality.get("time_zone", "Europe/Paris"))


def within_calendar(wish: Wish) -> Wish:
    """The wish, its clock moved to where the town's calendar has days, and the reader told so."""
    asked = wish.at or datetime.now(UTC)
    at = covered(townfile.read(TOWNS / f"{wish.town}.toml"), asked)
    if at == asked:
        return wish
    at = at.astimezone(zone(wish.town))
    print(
        f"The school calendar of {wish.town} does not reach {asked:%Y-%m-%d}: the clock starts on {at:%Y-%m-%d %H:%M}."
    )
    return replace(wish, at=at)


def refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise Refusal(f"Port {port} is not for you to open: say another, such as make demo PORT=8001.") from None
        except OSError:
            raise Refusal(
                f"Port {port} is taken, perhaps by a demo that still runs. Stop it, or say another port:\n\n"
                f"    make demo PORT={port + 1}\n"
            ) from None


def surroundings(wish: Wish) -> dict[str, str]:
    said = {
        # What was just printed stays in sight: MARELLE_LOG_LEVEL=INFO tells of each e-mail.
        "MARELLE_LOG_LEVEL": "WARNING",
        **os.environ,
        "MARELLE_MODE": "demo",
        "MARELLE_DATABASE_URL": f"sqlite:///{wish.database}",
        "MARELLE_PUBLIC_URL": wish.address,
        "PYTHONUNBUFFERED": "1",
    }
    said.pop("MARELLE_CLOCK", None)
    if wish.at:
        said["MARELLE_CLOCK"] = f"{wish.at.isoformat()}|{datetime.now(UTC).isoformat()}"
    return said


def administer(*arguments: str, env: Mapping[str, str]) -> str:
    """`marelle-admin …`: what it printed; its complaints go straight to the screen. Exits when it fails."""
    done = subprocess.run([ADMIN, *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\nmarelle-admin {' '.join(arguments)} failed.")
    return done.stdout


def prepare(wish: Wish, env: Mapping[str, str]) -> str:
    """Bring the database to today's code and the town to its present. What to show people: addresses and accounts."""
    wish.database.parent.mkdir(parents=True, exist_ok=True)
    if wish.fresh:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{wish.database}{suffix}").unlink(missing_ok=True)
    print(f"Preparing {wish.town} in {wish.database.relative_to(ROOT)}…", flush=True)
    administer("migrate", "--verbosity", "0", env=env)
    administer("collectstatic", "--no-input", "--verbosity", "0", env=env)
    words = ["demo", "prepare", "--town", wish.town]
    words += ["--at", wish.at.isoformat()] if wish.at else []
    return administer(*words, env=env)


def die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Household:
    """The demo's processes: started together, stopped together."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.members: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str) -> None:
        # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
        self.members[name] = subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=die_with_parent,
        )  # fmt: skip

    def gone(self) -> str | None:
        """The name of one that ended by itself, or None."""
        return next((name for name, process in self.members.items() if process.poll() is not None), None)

    def stop(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            give_up = time.monotonic() + LEAVING
            for process in self.members.values():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            for process in self.members.values():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, give_up - time.monotonic()))


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def live(wish: Wish, household: Household, welcome: str) -> None:
    """Start both, say where to go, stay until one ends. Refusal when one does."""
    granian = (
        str(VENV / "bin" / "granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(wish.port),
        "--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "warning",
        "marelle.config.wsgi:application",
    )  # fmt: skip
    household.start("web server", *granian)
    household.start("worker", str(ADMIN), "worker")
    give_up = time.monotonic() + PATIENCE
    welcomed = False
    while (name := household.gone()) is None:
        if not welcomed and listening(wish.port):
            print(f"\n{welcome.rstrip()}\n\nMarelle is on {wish.address} (Ctrl-C stops it).", flush=True)
            welcomed = True
        if not welcomed and time.monotonic() > give_up:
            raise Refusal(f"The web server does not listen on port {wish.port} after {PATIENCE} s.")
        time.sleep(1 if welcomed else 0.1)
    raise Refusal(f"The {name} ended by itself, with status {household.members[name].returncode}.")


def leave(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(_arguments: Sequence[str] = ()) -> int:
    for sign in (signal.SIGINT, signal.SIGTERM):  # a background job is born deaf to the first
        signal.signal(sign, leave)
    household = None
    try:
        wish = wished(os.environ)
        refuse_taken(wish.port)
        wish = within_calendar(wish)
        env = surroundings(wish)
        welcome = prepare(wish, env)
        household = Household(env)
        live(wish, household, welcome)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping…", flush=True)
        return 0
    finally:
        if household is not None:
            household.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
