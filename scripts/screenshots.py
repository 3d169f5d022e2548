"""`make screenshots`: the README's pictures, taken from the demo town's real pages at a fixed instant.

Starts `make demo`'s own launcher on a free port with its own database, signs in as the demo's people, and writes
docs/screenshots/*.png. Needs Chromium, as the tests do.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from scripts.environment import ROOT
from tests.plumbing.browsers import FLAGS, PROGRAMS
from tests.plumbing.portals import end, free_port

AT = "2026-11-17T08:52"
PICTURES = ROOT / "docs" / "screenshots"
PATIENCE = 120  # seconds for the demo's first start

NADIA, MALIKA = "nadia.benali@famille.example", "malika.roux@cadours.example"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
SHOTS = [
    # name, who, path, size, dark
    ("accueil", NADIA, "/", DESKTOP, False),
    ("planning", NADIA, "/planning/cantine/", DESKTOP, False),
    ("planning-telephone", NADIA, "/planning/cantine/", PHONE, False),
    ("planning-telephone-sombre", NADIA, "/planning/cantine/", PHONE, True),
    ("demandes-agents", MALIKA, "/agents/demandes/", DESKTOP, False),
    ("aujourdhui-agents", MALIKA, "/agents/", DESKTOP, False),
]


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """A demo at AT: its address and everybody's password."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.demo"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(port), "AT": AT, "FRESH": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = ""
        give_up = time.monotonic() + PATIENCE
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if "Marelle is on" in line or time.monotonic() > give_up:
                break
        password = re.search(r"password: (\S+)", said)
        if password is None:
            sys.exit(f"The demo did not start:\n{said}")
        address = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"{address}/connexion/", timeout=10) as answer:
            assert answer.status == 200
        yield address, password[1]
    finally:
        end(process)  # type: ignore[arg-type]


def take(browser: Browser, address: str, password: str) -> None:
    for name, email, path, size, dark in SHOTS:
        context = browser.new_context(
            base_url=address,
            viewport=size,  # type: ignore[arg-type]
            device_scale_factor=1,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="fr-FR",
            timezone_id="Europe/Paris",
        )
        page = context.new_page()
        page.goto("/connexion/")
        page.fill("input[type=email]", email)
        page.press("input[type=email]", "Enter")
        page.fill("input[type=password]", password)
        page.press("input[type=password]", "Enter")
        page.wait_for_url(lambda url: "/connexion/" not in url)
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURES / f"{name}.png")
        context.close()
        print(f"docs/screenshots/{name}.png")


def main() -> None:
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        sys.exit("Screenshots need Chromium: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with demo() as (address, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        take(browser, address, password)
        browser.close()


if __name__ == "__main__":
    main()
