"""A production server: what it needs to be told, and what it refuses to do without (docs/hosting.md)."""

import base64
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.environment import ROOT

NEEDED = {
    "MARELLE_SECRET_KEY": secrets.token_urlsafe(50),
    "MARELLE_ALLOWED_HOSTS": "famille.cadours.example",
    "MARELLE_PUBLIC_URL": "https://famille.cadours.example",
    "MARELLE_DATA_KEYS": "k2026:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
}
HOSTING = ROOT / "docs" / "hosting.md"

# What a reverse proxy would pass on; prints the status, the headers, and the body's beginning.
REQUEST = """
import io, sys
from wsgiref.util import setup_testing_defaults
from marelle.config.wsgi import application
environ = {"PATH_INFO": sys.argv[1], "HTTP_HOST": "famille.cadours.example", "HTTP_X_FORWARDED_PROTO": sys.argv[2],
           "wsgi.input": io.BytesIO(), "REMOTE_ADDR": "127.0.0.1"}
setup_testing_defaults(environ)
def start(status, headers, exc_info=None):
    print(status)
    for name, value in headers:
        print(f"{name}: {value}")
print(b"".join(application(environ, start)).decode()[:20000])
"""


def surroundings(said: Mapping[str, str], var: Path) -> dict[str, str]:
    """Nothing of the tests' own environment but what a process needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    database = f"sqlite:///{var / 'marelle.sqlite3'}"
    return {**kept, "MARELLE_VAR_DIR": str(var), "MARELLE_DATABASE_URL": database, **said}


def run(*command: str, said: Mapping[str, str], var: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=surroundings(said, var), capture_output=True, text=True, timeout=120
    )


def admin(*words: str, said: Mapping[str, str] = NEEDED, var: Path) -> str:
    done = run("-m", "marelle", *words, said=said, var=var)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("names", [(name,) for name in NEEDED] + [tuple(NEEDED)], ids="+".join)
def test_the_server_does_not_start_half_configured(names: tuple[str, ...], tmp_path: Path) -> None:
    said = {name: value for name, value in NEEDED.items() if name not in names}
    done = run("-c", "import marelle.config.wsgi", said=said, var=tmp_path)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert set(re.findall(r"MARELLE_\w+", last)) == set(names)
    assert "docs/hosting.md" in last


def test_a_server_told_what_it_needs_starts(tmp_path: Path) -> None:
    done = run("-c", "import marelle.config.wsgi", said=NEEDED, var=tmp_path)
    assert done.returncode == 0, done.stderr


def test_djangos_deployment_checks_find_nothing(tmp_path: Path) -> None:
    for more in ({}, {"MARELLE_BEHIND_PROXY": "1"}):
        said = admin("check", "--deploy", "--fail-level", "INFO", said={**NEEDED, **more}, var=tmp_path)
        assert "no issues (0 silenced)" in said


def test_debug_and_the_demo_cannot_slip_into_production(tmp_path: Path) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "print(settings.DEBUG, settings.CLOCK, 'marelle.demo' in settings.INSTALLED_APPS)"
    )
    said = {
        **NEEDED,
        "DJANGO_SETTINGS_MODULE": "marelle.config.settings",
        "MARELLE_DEBUG": "1",
        "MARELLE_CLOCK": "2026-11-23T08:58:00+01:00|2026-11-23T08:58:00+01:00",
    }
    done = run("-c", code, said=said, var=tmp_path)
    assert done.stdout.split() == ["False", "None", "False"], done.stderr


@pytest.mark.parametrize("command", [("worker", "--once"), ("agent", "link", "a@cadours.example", "--print")])
def test_no_letter_leaves_with_links_to_nowhere(command: tuple[str, ...], tmp_path: Path) -> None:
    said = {name: value for name, value in NEEDED.items() if name != "MARELLE_PUBLIC_URL"}
    done = run("-m", "marelle", *command, said=said, var=tmp_path)
    assert done.returncode != 0
    assert "MARELLE_PUBLIC_URL" in done.stderr


def test_a_first_installation_ends_with_an_agent_at_the_door(tmp_path: Path) -> None:
    """The steps of docs/hosting.md, one after the other."""
    town = str(ROOT / "marelle" / "demo" / "towns" / "cadours.toml")
    admin("migrate", "--verbosity", "0", var=tmp_path)
    admin("collectstatic", "--no-input", "--verbosity", "0", var=tmp_path)
    assert "chargé" in admin("town", "load", town, var=tmp_path)
    link = admin("agent", "create", "a@cadours.example", "--name", "Malika Roux", "--print", var=tmp_path)
    found = re.search(r"https://famille\.cadours\.example/connexion/lien/\S+", link)
    assert found is not None

    behind = {**NEEDED, "MARELLE_BEHIND_PROXY": "1"}
    path = found[0].removeprefix(NEEDED["MARELLE_PUBLIC_URL"])
    opened = run("-c", REQUEST, path, "https", said=behind, var=tmp_path).stdout
    assert opened.startswith(("200", "302"))
    door = run("-c", REQUEST, "/connexion/", "https", said=behind, var=tmp_path).stdout
    assert door.startswith("200")
    assert "Strict-Transport-Security: max-age=31536000" in door
    assert "Content-Security-Policy: " in door
    assert "Cadours" in door
    sheet = re.search(r'href="(/static/\S+\.css)"', door)
    assert sheet is not None
    assert run("-c", REQUEST, sheet[1], "https", said=behind, var=tmp_path).stdout.startswith("200")
    assert run("-c", REQUEST, "/connexion/", "http", said=behind, var=tmp_path).stdout.startswith("301")
    # without a proxy of ours, nobody's header is believed
    assert run("-c", REQUEST, "/connexion/", "https", said=NEEDED, var=tmp_path).stdout.startswith("301")


def test_every_variable_is_documented() -> None:
    sources = [*(ROOT / "marelle" / "config").glob("*.py")]
    read = {
        f"MARELLE_{name}"
        for path in sources
        for name in re.findall(r"(?:text|flag|items|number)\(\s*\"([A-Z_]+)\"", path.read_text())
    }
    assert "MARELLE_SECRET_KEY" in read
    documented = set(re.findall(r"`(MARELLE_[A-Z_]+)`", HOSTING.read_text()))
    assert documented == read
