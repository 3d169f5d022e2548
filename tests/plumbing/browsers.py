"""Debian's Chromium, driven as a person would, with what a person cannot see watched over."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, sync_playwright

from tests.plumbing import surroundings
from tests.plumbing.databases import ROOT
from tests.plumbing.portals import Portal

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # Whatever a page asks of another host fails at once, here as it would in a town hall without the internet.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
SIZES: dict[str, dict[str, Any]] = {
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
    "desktop": {"viewport": {"width": 1280, "height": 900}},
}
#: Whether a trace holds the page at each step. That takes a good part of a test's time: ask for it after a failure.
TRACED = os.environ.get("MARELLE_TEST_TRACE") == "1"
PATIENCE = 10_000  # milliseconds for anything that a test waits for
#: Colours on their way from one theme to the other are nobody's.
SETTLED = """() => Promise.allSettled(document.getAnimations()
    .filter(one => one.effect.getComputedTiming().endTime < Infinity).map(one => one.finished))"""
ARTIFACTS = Path(os.environ.get("MARELLE_TEST_ARTIFACTS") or ROOT / "var" / "test-artifacts")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for this worker; every page of every test has a context of its own."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.fail("browser tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`visit(portal, *, size="desktop", javascript=True, dark=False, **options) -> Page`: a person's own browser.

    `page.goto("/planning/")` is relative to the portal. Options go to Playwright's new_context. A page that breaks the
    Content-Security-Policy or throws fails the test. When a test fails, a picture, the text and a trace of every page
    are left under var/test-artifacts/; the trace shows each step as it looked when MARELLE_TEST_TRACE=1.
    """
    opened: list[tuple[BrowserContext, Page]] = []
    faults: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and re.search(r"Content[- ]Security[- ]Policy|violates", message.text):
            faults.append(message.text)

    def open_page(
        portal: Portal | str, *, size: str = "desktop", javascript: bool = True, dark: bool = False, **options: Any
    ) -> Page:
        context = browser.new_context(
            base_url=portal if isinstance(portal, str) else portal.url,
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="fr-FR",
            timezone_id="Europe/Paris",
            **SIZES[size],
            **options,
        )
        context.set_default_timeout(PATIENCE)
        context.tracing.start(screenshots=False, snapshots=TRACED, sources=False)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: faults.append(str(error)))
        opened.append((context, page))
        return page

    yield open_page

    report = getattr(request.node, "said", {}).get("call")
    failed = report is None or report.failed or bool(faults)
    for number, (context, page) in enumerate(opened, start=1):
        if failed:
            where = artifacts(request.node.nodeid)
            if not page.is_closed():
                page.screenshot(path=where / f"page-{number}.png", full_page=True)
                (where / f"page-{number}.html").write_text(page.content())
            context.tracing.stop(path=where / f"trace-{number}.zip")
            request.node.add_report_section("teardown", "artifacts", os.path.relpath(where, ROOT))
        else:
            context.tracing.stop()
        context.close()
    assert not faults, "the page broke its own rules:\n" + "\n".join(faults)


@pytest.fixture
def phone(visit: Callable[..., Page]) -> Callable[..., Page]:
    """`phone(portal, **options) -> Page`: 390 × 844, touch."""
    return partial(visit, size="phone")


@pytest.fixture
def desktop(visit: Callable[..., Page]) -> Callable[..., Page]:
    """`desktop(portal, **options) -> Page`: 1280 × 900."""
    return partial(visit, size="desktop")


@pytest.fixture(params=list(SIZES))
def any_size(request: pytest.FixtureRequest, visit: Callable[..., Page]) -> Callable[..., Page]:
    """`any_size(portal, **options) -> Page`: the test runs once on a phone, once on a desktop."""
    return partial(visit, size=request.param)


def artifacts(test: str) -> Path:
    """A directory of its own for what this test leaves, named after it."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", test.removeprefix("tests/")).strip("-")
    where = ARTIFACTS / surroundings.database / name
    where.mkdir(parents=True, exist_ok=True)
    return where


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """`axe(page, *, leave_out=(), where=None)`: axe-core finds nothing, or the test fails with what it found.

    `leave_out` names rules; `where` is a CSS selector to look inside. Needs a page whose JavaScript is on.
    """
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text()

    def look(page: Page, options: dict[str, Any], where: str | None) -> list[dict[str, Any]]:
        page.wait_for_load_state()  # a click is over when the next page has begun, not when it is there
        # Evaluated over the debugging protocol: the page's Content-Security-Policy stays as it is.
        page.evaluate(source)
        page.evaluate(SETTLED)
        found: list[dict[str, Any]] = page.evaluate(
            "([where, options]) => axe.run(where ?? document, options).then(result => result.violations)",
            [where, options],
        )
        return found

    def check(page: Page, *, leave_out: tuple[str, ...] = (), where: str | None = None) -> None:
        options = {
            "resultTypes": ["violations"],
            "rules": {rule: {"enabled": False} for rule in leave_out},
        }
        try:
            found = look(page, options, where)
        except Error as error:
            if "navigation" not in error.message:
                raise
            found = look(page, options, where)  # the page left while axe read it: what counts is the next one
        assert not found, f"axe on {page.url}:\n{readable(found)}"

    return check


def readable(violations: list[dict[str, Any]]) -> str:
    lines = []
    for violation in violations:
        lines.append(f"{violation['impact']}: {violation['id']}: {violation['help']}")
        for node in violation["nodes"][:8]:
            lines.append(f"    {' '.join(map(str, node['target']))}")
            lines.append(f"        {node['html'][:200]}")
            summary = node.get("failureSummary") or json.dumps(node.get("any", []))
            lines += [f"        {line.strip()}" for line in summary.splitlines() if line.strip()]
        if len(violation["nodes"]) > 8:
            lines.append(f"    and {len(violation['nodes']) - 8} more")
    return "\n".join(lines)
