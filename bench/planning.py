"""The planning's pages and sending twenty days, beside a plain page of 200 cells.

Each database has a portal of its own, served as in production by two processes, which also serve the plain page
(`bench/yardstick`). Clients are families who come in signed in, over kept connections. Page and yardstick take turns,
so that whatever else this machine does falls on both; a figure is the median of the rounds.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from threading import Barrier
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from tests.plumbing.portals import Portal, running

ROOT = Path(__file__).resolve().parent.parent

#: Tuesday 10 November 2026, 8:52 in Cadours. The month shown is November; what is sent lies after it.
AT = datetime(2026, 11, 10, 7, 52, tzinfo=UTC)
PAGE = "/planning/cantine/?mois=2026-11"
YEAR = "/planning/cantine/?vue=periode&periode=annee"
WEEK = "/planning/mercredi/?vue=semaine&semaine=2026-11-16"
FIRST, LAST = "2026-11-13", "2026-11-30"

PROCESSES, THREADS = 2, 4
FAMILIES, LARGE = 32, 8
ROUNDS, SENDING_ROUNDS = 7, 3  # short and many: what else the machine does falls on few of them
PAGES = {1: 15, 8: 48, 32: 64}  # requests of a round, by number of clients
LONG_PAGES = {1: 4, 8: 16, 32: 32}  # of pages that hold hundreds of boxes
SENDINGS = {1: 4, 8: 16, 32: 32}  # each of two requests
DAYS = 10  # for each of two children
TARGET, SENDING_TARGET = 0.5, 0.4  # of the yardstick's throughput
BOOKINGS, SAME = 8000, 0.85  # of others in the period, and what they may cost at most
ROW_SECONDS = 4
PATIENCE = 30  # seconds for one answer
SQLITE_PATIENCE = 80  # seconds for the whole of the second database
SQLITE_CLIENTS = (1, 8)

Family = dict[str, Any]
TOKEN = "0123456789abcdefghijABCDEFGHIJ01"  # a browser's own, the same in its cookie and in its forms


class Browser:
    """One client's kept connection. Any answer but the one expected is an AssertionError: a fast refusal is no page."""

    def __init__(self, portal: Portal, family: Family) -> None:
        self.family = family
        self.connection = http.client.HTTPConnection(urlsplit(portal.url).netloc, timeout=PATIENCE)
        self.headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={family['session']}; csrftoken={TOKEN}"}

    def connect(self) -> None:
        """Anew: the server closes what was idle for long."""
        self.connection.close()
        self.connection.connect()

    def get(self, path: str) -> str:
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{path} answered {answer.status}"
        return body.decode()

    def post(self, path: str, fields: list[tuple[str, str]]) -> str:
        """The address it leads to."""
        body = urlencode([*fields, ("csrfmiddlewaretoken", TOKEN)])
        headers = {**self.headers, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 302, f"{path} answered {answer.status}"
        return answer.headers["Location"]


def plain_page(browser: Browser) -> None:
    browser.get(f"/yardstick/{browser.family['household']}/")


def planning_page(browser: Browser) -> None:
    browser.get(PAGE)


def year_page(browser: Browser) -> None:
    browser.get(YEAR)


def week_page(browser: Browser) -> None:
    browser.get(WEEK)


class Sending:
    """Two requests, as a family sends them: the grid with ten days ticked for each child, then what the check showed.
    Reading the check's page for its key happens before, unmeasured."""

    def __init__(self, browser: Browser, days: list[str]) -> None:
        self.browser = browser
        found = re.search(r'name="send_key" value="([^"]+)"', self._check(browser, days))
        assert found is not None, "the check shows nothing to send"
        self.key = found[1]
        self.boxes = boxes(browser.family, days)

    @staticmethod
    def _check(browser: Browser, days: list[str]) -> str:
        # The key is the basket's own until it is sent: one choice is enough to read it, and the real post repeats it.
        browser.post("/planning/cantine/", form(boxes(browser.family, days[:1])))
        return browser.get("/planning/verifier/")

    def __call__(self) -> None:
        assert self.browser.post("/planning/cantine/", form(self.boxes)) == "/planning/verifier/"
        where = self.browser.post("/planning/envoyer/", [("send_key", self.key)])
        assert where.startswith("/demandes/"), f"the request was not sent: {where}"


def boxes(family: Family, days: list[str]) -> list[str]:
    return [f"{child}.{family['unit']}.{day}" for child in family["children"] for day in days]


def form(ticked: list[str]) -> list[tuple[str, str]]:
    seen = " ".join(f"{box}=free" for box in ticked)
    return [
        ("mois", ticked[0].rpartition(".")[2][:7]),
        ("do", "check"),
        ("seen", seen),
        *(("want", box) for box in ticked),
    ]


def per_second(work: list[list[Callable[[], None]]]) -> float:
    """How many were done in a second when each list has a client of its own and all start together."""
    start = Barrier(len(work) + 1)

    def client(acts: list[Callable[[], None]]) -> None:
        start.wait(PATIENCE)
        for act in acts:
            act()

    with ThreadPoolExecutor(len(work)) as clients:
        running_clients = [clients.submit(client, acts) for acts in work]
        start.wait(PATIENCE)
        began = time.perf_counter()
        for one in running_clients:
            one.result()
        return sum(map(len, work)) / (time.perf_counter() - began)


def visits(browsers: list[Browser], page: Callable[[Browser], None], times: int) -> float:
    def visit(browser: Browser) -> Callable[[], None]:
        return lambda: page(browser)

    for browser in browsers:
        browser.connect()
    return per_second([[visit(browser)] * (times // len(browsers)) for browser in browsers])


def measured(database: str, portal: Portal) -> list[dict[str, object]]:
    """The rows of one database. `portal.facts` are those of `bench._families.prepare`."""
    browsers = [Browser(portal, family) for family in portal.facts["families"]]
    large = [Browser(portal, family) for family in portal.facts["large"] * (FAMILIES // LARGE)]
    for browser in browsers:  # both processes have compiled their templates and read the town before the first round
        assert browser.get(PAGE).count("<label") > 20, "that is not a month of boxes"
        plain_page(browser)
    for browser in large:
        assert browser.get(WEEK).count("<label") > 60, "that is not a week of three children and six units"
    assert browsers[0].get(YEAR).count("<label") > 200, "that is not a year of boxes"
    crowds = [crowd for crowd in PAGES if database == "postgres" or crowd in SQLITE_CLIENTS]
    sendings = Sendings(browsers)
    rows = []
    for crowd in crowds:
        rounds = page_rounds(browsers[:crowd], planning_page, PAGES[crowd])
        rows.append(row(f"planning_page {database} {clients_words(crowd)}", "pages/s", rounds, TARGET))
    for name, page, who, times in (
        ("planning_year", year_page, browsers, LONG_PAGES),
        ("planning_week_3x6", week_page, large, LONG_PAGES),
    ):
        for crowd in crowds if database == "postgres" else ():
            rounds = page_rounds(who[:crowd], page, times[crowd])
            rows.append(row(f"{name} {database} {clients_words(crowd)}", "pages/s", rounds, None))
    for crowd in crowds:
        rounds = sendings.rounds(crowd)
        rows.append(row(f"sending_20_days {database} {clients_words(crowd)}", "sendings/s", rounds, SENDING_TARGET))
    if database == "postgres":
        rows += unchanged(portal, browsers, sendings)
    return rows


def unchanged(portal: Portal, browsers: list[Browser], sendings: "Sendings") -> list[dict[str, object]]:
    """What the bookings of others in the period cost: `value` and `yardstick` with them, `ratio` of what the page is to
    its yardstick with them to what it is without."""
    without = page_rounds(browsers[:1], planning_page, PAGES[1]), sendings.rounds(1)
    portal.call("bench._families:grow", bookings=BOOKINGS, first="2026-09-01", last="2027-07-02")
    grown = page_rounds(browsers[:1], planning_page, PAGES[1]), sendings.rounds(1)
    rows = []
    for name, unit, before, after in zip(
        ("planning_page", "sending_20_days"), ("pages/s", "sendings/s"), without, grown, strict=True
    ):
        found = row(f"{name} postgres, {BOOKINGS} bookings to none", unit, after, SAME)
        found["ratio"] = round(ratio(after) / ratio(before), 2)
        rows.append(found)
    return rows


Rounds = list[tuple[float, float]]  # what is measured, and the plain page beside it


def page_rounds(browsers: list[Browser], page: Callable[[Browser], None], times: int) -> Rounds:
    return [(visits(browsers, page, times), visits(browsers, plain_page, times)) for _ in turns(ROUNDS)]


class Sendings:
    """Families who send one after the other, each time days that they have not asked for yet."""

    def __init__(self, browsers: list[Browser]) -> None:
        self.browsers = browsers
        self.free = {browser.family["household"]: list(browser.family["free"]) for browser in browsers}
        self.turn = 0

    def rounds(self, crowd: int) -> Rounds:
        times = SENDINGS[crowd]
        found = []
        for _ in turns(SENDING_ROUNDS):
            chosen = [self.browsers[(self.turn + n) % FAMILIES] for n in range(times)]
            self.turn += times
            acts: list[Callable[[], None]] = []
            for browser in chosen:
                browser.connect()
                mine = self.free[browser.family["household"]]
                acts.append(Sending(browser, mine[:DAYS]))
                del mine[:DAYS]
            sent = per_second([acts[n::crowd] for n in range(crowd)])
            # In place of its two requests, two plain pages.
            found.append((sent, visits(chosen[:crowd], plain_page, 2 * times) / 2))
        return found


def turns(most: int) -> Iterator[int]:
    """One at least; no other begins once ROW_SECONDS are over, on a machine that has more to do than this."""
    until = time.monotonic() + ROW_SECONDS
    for turn in range(most):
        if turn and time.monotonic() > until:
            return
        yield turn


def clients_words(number: int) -> str:
    return "1 client" if number == 1 else f"{number} clients"


def ratio(rounds: Rounds) -> float:
    """The median of the rounds' own ratios: each compares neighbours."""
    return median(value / beside for value, beside in rounds)


def row(name: str, unit: str, rounds: Rounds, target: float | None) -> dict[str, object]:
    return {
        "name": name,
        "value": round(median(value for value, _ in rounds), 1),
        "unit": unit,
        "yardstick": round(median(beside for _, beside in rounds), 1),
        "ratio": round(ratio(rounds), 2),
        "target": target,
    }


def on(database: str) -> list[dict[str, object]]:
    """Measure on the database that this process stands on."""
    env = {
        "MARELLE_MODE": "demo",  # as in production: pooled connections, static files collected
        "MARELLE_SECRET_KEY": settings.SECRET_KEY,  # that of the process which opened the sessions
        "DJANGO_SETTINGS_MODULE": "bench.yardstick.settings",
    }
    with running(
        "bench._families:prepare", at=AT, env=env, workers=PROCESSES, threads=THREADS,
        families=FAMILIES, large=LARGE, first=FIRST, month_last=LAST,
    ) as portal:  # fmt: skip
        return measured(database, portal)


def on_sqlite_too() -> list[dict[str, object]]:
    """A run of its own: a process stands on one database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARELLE_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench.planning"], cwd=ROOT, env={**kept, "MARELLE_TEST_DATABASE": "sqlite"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=SQLITE_PATIENCE, check=True,
    )  # fmt: skip
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def run() -> list[dict[str, object]]:
    """Rows of PostgreSQL, where this run has one, and of SQLite."""
    database = os.environ["MARELLE_TEST_DATABASE"]
    rows = on(database)
    return rows + on_sqlite_too() if database == "postgres" else rows


if __name__ == "__main__":
    print(json.dumps(on("sqlite")))
