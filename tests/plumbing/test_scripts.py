"""The commands of the Makefile, short of those that take minutes."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from scripts import bench, demo, environment, postgres, rows
from scripts.environment import ROOT


class TestRows:
    @pytest.fixture
    def lines(self) -> list[str]:
        said = {
            name: value for name, value in os.environ.items() if name not in ("MARELLE_TEST_RUN", "PYTEST_XDIST_WORKER")
        }
        command = [sys.executable, "-m", "scripts.rows"]
        done = subprocess.run(
            command, cwd=ROOT, env={**said, "MARELLE_TEST_DATABASE": "sqlite"}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    def test_every_row_of_the_five_towns_and_the_agents_is_there(self) -> None:
        towns = {"A": 10, "B": 6, "C": 14, "D": 11, "E": 10, "S": 7}
        assert list(rows.rows()) == [f"{town}{number}" for town, last in towns.items() for number in range(1, last + 1)]
        assert [name for name, what in rows.rows().items() if not what.strip() or "\t" in what] == []

    def test_one_line_each_with_its_counts(self, lines: list[str]) -> None:
        form = re.compile(r"^([A-S]\d+) (\d+) (\d+) \S.*$")
        assert [line for line in lines if not form.match(line)] == []
        assert [line.split()[0] for line in lines] == list(rows.rows())
        assert [line for line in lines if int(line.split()[2]) > int(line.split()[1])] == []


class TestDemo:
    @pytest.fixture(autouse=True)
    def towns(self, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "cadours.toml").write_text('[municipality]\nname = "Cadours"\n')
        (tmp_path / "ailleurs.toml").write_text('[municipality]\ntime_zone = "Indian/Reunion"\n')
        monkeypatch.setattr(demo, "TOWNS", tmp_path)

    def test_nothing_said_is_cadours_on_8000(self) -> None:
        wish = demo.wished({"PORT": "", "TOWN": "", "FRESH": "", "AT": ""})
        assert (wish.address, wish.town, wish.fresh, wish.at) == ("http://127.0.0.1:8000", "cadours", False, None)
        assert wish.database == ROOT / "var" / "demo" / "cadours.sqlite3"

    def test_at_is_in_the_towns_own_time(self) -> None:
        assert demo.wished({"AT": "2026-11-23T08:58"}).at == datetime.fromisoformat("2026-11-23T08:58+01:00")
        there = demo.wished({"TOWN": "ailleurs", "AT": "2026-11-23T08:58"})
        assert there.at == datetime.fromisoformat("2026-11-23T08:58+04:00")
        assert demo.wished({"AT": "2026-07-01T08:00Z"}).at == datetime.fromisoformat("2026-07-01T08:00+00:00")

    def test_each_at_has_its_own_database_and_every_start_its_own_clock(self) -> None:
        plain, at = demo.wished({}), demo.wished({"AT": "2026-11-23T08:58"})
        assert at.database == plain.database.with_name("cadours-2026-11-23T08-58.sqlite3")
        assert at.database == demo.wished({"AT": "2026-11-23T07:58Z"}).database
        assert at.database == demo.wished({"AT": "2026-11-23T08:58", "FRESH": "1"}).database
        assert "MARELLE_CLOCK" not in demo.surroundings(plain)
        fake, real = demo.surroundings(at)["MARELLE_CLOCK"].split("|")
        assert datetime.fromisoformat(fake) == at.at
        assert datetime.fromisoformat(real).tzinfo is not None

    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            ({"PORT": "http"}, "PORT=http is no port: say a number from 1 to 65535."),
            ({"PORT": "70000"}, "PORT=70000 is no port: say a number from 1 to 65535."),
            ({"TOWN": "paris"}, "TOWN=paris is none of the demo's towns: ailleurs, cadours."),
            ({"AT": "monday"}, "AT=monday is no instant: say it like AT=2026-11-23T08:58."),
            ({"FRESH": "please"}, "FRESH=please: say FRESH=1 to start from zero, or nothing."),
        ],
    )
    def test_what_cannot_be_read_is_named(self, said: dict[str, str], sentence: str) -> None:
        with pytest.raises(demo.Refusal) as refusal:
            demo.wished(said)
        assert str(refusal.value) == sentence

    @pytest.fixture
    def taken(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield server.getsockname()[1]

    def test_a_taken_port_is_said_before_anything_is_done(self, taken: int) -> None:
        said = {**os.environ, "PORT": str(taken), "TOWN": "cadours"}
        if not (ROOT / "marelle" / "demo" / "towns" / "cadours.toml").exists():
            pytest.skip("no town yet")
        done = subprocess.run(
            [sys.executable, "-m", "scripts.demo"], cwd=ROOT, env=said, capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 1
        assert done.stdout == ""
        assert f"Port {taken} is taken" in done.stderr
        assert f"make demo PORT={taken + 1}" in done.stderr


class TestBench:
    def test_the_table_lines_up(self) -> None:
        measures = [
            {
                "name": "planning",
                "value": 146.4,
                "unit": "pages/s",
                "yardstick": 292.0,
                "ratio": 0.501,
                "target": "≥ 0.5",
            },
            {
                "name": "a year of limits",
                "value": 0.034,
                "unit": "s",
                "yardstick": None,
                "ratio": None,
                "target": "< 0.1 s",
            },
        ]
        assert bench.table(measures).splitlines() == [
            "name              value  unit     yardstick  ratio  target",
            "planning            146  pages/s        292  0.501  ≥ 0.5",
            "a year of limits  0.034  s                –      –  < 0.1 s",
        ]

    def test_a_measure_says_all_its_fields(self) -> None:
        with pytest.raises(ValueError, match=r"bench/x\.py gave \['name', 'value'\]"):
            bench.checked({"name": "n", "value": 1}, "x")


class TestEnvironment:
    def test_a_half_made_environment_is_seen(self, tmp_path) -> None:
        assert environment.works(tmp_path / "bin" / "python") is False
        assert environment.works(environment.PYTHON) is True

    def test_what_is_installed_is_not_installed_again(self) -> None:
        command = [sys.executable, "-m", "scripts.environment", "dev"]
        subprocess.run(command, cwd=ROOT, check=True, timeout=600)
        before = {path: path.stat().st_mtime_ns for path in environment.VENV.glob("*.stamp")}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert {path: path.stat().st_mtime_ns for path in environment.VENV.glob("*.stamp")} == before

    def test_who_is_not_root_is_told_the_one_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(environment.shutil, "which", lambda name: f"/usr/bin/{name}")
        with pytest.raises(SystemExit) as left:
            environment.install_packages(["python3-venv"], why="Python's own virtual environments")
        assert "\n    sudo apt-get install python3-venv\n" in str(left.value)


@pytest.mark.skipif(postgres.programs() is None, reason="PostgreSQL is not installed")
class TestPostgres:
    def test_a_cluster_is_private_and_leaves_nothing(self) -> None:
        with postgres.Cluster() as cluster:
            server = cluster.server
            assert cluster.directory.stat().st_mode & 0o077 == 0
            assert sorted(path.name for path in cluster.directory.glob(".s.*")) == [
                ".s.PGSQL.5432",
                ".s.PGSQL.5432.lock",
            ]
        assert server is not None
        assert server.poll() is not None
        assert not cluster.directory.exists()

    def test_it_goes_with_whoever_started_it(self) -> None:
        """Even when that one is killed and has no chance to tidy up."""
        starter = subprocess.Popen(
            [sys.executable, "-m", "scripts.postgres"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert starter.stdout is not None
        socket_path = starter.stdout.readline().strip().partition("host=")[2] + "/.s.PGSQL.5432"
        starter.kill()
        starter.wait(5)
        try:
            assert gone(socket_path)
        finally:
            shutil.rmtree(os.path.dirname(socket_path), ignore_errors=True)


def gone(path: str) -> bool:
    give_up = time.monotonic() + 10
    while os.path.exists(path) and time.monotonic() < give_up:
        time.sleep(0.05)
    return not os.path.exists(path)


def test_every_command_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    commands = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert commands is not None
    explained = set(re.findall(r"^#   make (\S+)", makefile, re.MULTILINE))
    assert set(commands[1].split()) - {"help"} == explained


def test_ci_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "exec make test"]
