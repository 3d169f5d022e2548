"""Fixtures for every test; CONTRIBUTING.md ("Tests") tells which one to take."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.plumbing import databases, surroundings

pytest_plugins = [
    "pytester",
    "tests.plumbing.portals",
    "tests.plumbing.browsers",
    "tests.plumbing.kills",
    "tests.plumbing.races",
]

# Two cores and a browser beside it: how long one example takes says nothing.
hypothesis.settings.register_profile(
    "marelle", deadline=None, database=DirectoryBasedExampleDatabase(databases.ROOT / "var" / "cache" / "hypothesis")
)
hypothesis.settings.load_profile("marelle")

ROWS = Path(__file__).resolve().parent.parent / "docs" / "rows.tsv"
# A test that asks for none of these never meets a database: it need not run on each of them.
STANDS_ON_A_DATABASE = {"db", "transactional_db", "django_db_setup", "live_portal", "kills", "race"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="leave out the tests that stand on no database")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    refuse_unknown_rows(items)
    if surroundings.database != "postgres":
        missing = pytest.mark.skip(reason="needs PostgreSQL: MARELLE_TEST_DATABASE=postgres")
        for item in items:
            if item.get_closest_marker("race") or item.get_closest_marker("postgres"):
                item.add_marker(missing)
    if config.getoption("--database-only"):
        kept = [item for item in items if stands_on_a_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept
    # A browser leaves an event loop behind in its thread, in which Django refuses to speak to a database.
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    seed = config.getoption("randomly_seed", None)
    if exitstatus == pytest.ExitCode.TESTS_FAILED and seed is not None:
        again = f"MARELLE_TEST_DATABASE={surroundings.database} pytest --randomly-seed={seed}"
        terminalreporter.write_line(f"The same order again: {again}")


def stands_on_a_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & STANDS_ON_A_DATABASE)


def refuse_unknown_rows(items: list[pytest.Item]) -> None:
    known = {line.split("\t")[0] for line in ROWS.read_text().splitlines()}
    for item in items:
        for marker in item.iter_markers("row"):
            if not marker.args or not set(marker.args) <= known:
                raise pytest.UsageError(f"{item.nodeid} says row{marker.args}; docs/rows.tsv has no such row.")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: object) -> Iterator[None]:
    """This worker's own copy of the migrated template, under the very name the settings have."""
    from django.db import connections

    restore_database()
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        connections.close_all()
    databases.engine().drop(surroundings.WORKER)


def restore_database() -> None:
    databases.engine().copy(databases.template(), surroundings.WORKER)


@pytest.fixture(scope="session", autouse=True)
def copying_instead_of_flushing() -> Iterator[None]:
    """After a test that commits, take a new copy: append-only tables refuse Django's flush, and rightly so."""
    from django.db import connections
    from django.test import TransactionTestCase

    def start_again(self: TransactionTestCase) -> None:
        connections.close_all()
        restore_database()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", start_again)
        yield
