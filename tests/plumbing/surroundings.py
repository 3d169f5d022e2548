"""Decides, before Django's settings load, what this run of the tests stands on. Loaded by pytest's `-p` (pyproject).

Read from the environment:
    MARELLE_TEST_DATABASE   sqlite (default) or postgres
    MARELLE_TEST_POSTGRES   address of a server to make databases on; without it one is started for the run
Handed on to xdist's workers and to every process that a test starts:
    MARELLE_TEST_RUN        the run's own directory, wiped at its end
    MARELLE_MODE, MARELLE_VAR_DIR, MARELLE_DATABASE_URL
"""

import atexit
import os
import shutil
from pathlib import Path

import pytest

from scripts import scratch
from scripts.postgres import Cluster, NoPostgres
from tests.plumbing import databases

DATABASES = ("sqlite", "postgres")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")

cluster: Cluster | None = None
run: Path | None = None

database = os.environ.setdefault("MARELLE_TEST_DATABASE", DATABASES[0])
if database not in DATABASES:
    raise pytest.UsageError(f"MARELLE_TEST_DATABASE says {database!r}; it takes one of {', '.join(DATABASES)}.")

if "MARELLE_TEST_RUN" not in os.environ:
    run = scratch.directory("test")
    (run / "static").mkdir()
    os.environ["MARELLE_TEST_RUN"] = str(run)
    if database == "postgres" and "MARELLE_TEST_POSTGRES" not in os.environ:
        try:
            cluster = Cluster().__enter__()
        except NoPostgres as error:
            shutil.rmtree(run)
            raise pytest.UsageError(f"{error}.") from error
        os.environ["MARELLE_TEST_POSTGRES"] = cluster.url()

for name in [name for name in os.environ if name.startswith("MARELLE_") and not name.startswith("MARELLE_TEST_")]:
    del os.environ[name]  # a developer's own shell must not leak into the tests
os.environ["MARELLE_MODE"] = "test"
os.environ["MARELLE_VAR_DIR"] = os.environ["MARELLE_TEST_RUN"]
os.environ["MARELLE_DATABASE_URL"] = databases.engine().url(WORKER)


def leave() -> None:
    """Stop and wipe what this process started; xdist's workers started nothing. Harmless when called again."""
    if cluster is not None:
        cluster.stop()
        os.environ.pop("MARELLE_TEST_POSTGRES", None)
    if run is not None:
        shutil.rmtree(run, ignore_errors=True)
        os.environ.pop("MARELLE_TEST_RUN", None)


atexit.register(leave)  # not pytest_unconfigure: pytest does not come to it when the settings do not load
