"""A test leaves nothing behind, whichever way it wrote."""

from contextlib import suppress
from io import StringIO

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction

from tests.plumbing import databases, surroundings


def marks() -> int:
    return ContentType.objects.filter(app_label="left_by_a_test").count()


def leave_mark(*, model: str = "mark") -> dict[str, int]:
    return {"id": ContentType.objects.create(app_label="left_by_a_test", model=model).pk}


@pytest.mark.django_db
@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_writes_is_gone_for_the_next(turn: int) -> None:
    assert marks() == 0
    leave_mark()
    assert marks() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_commits_is_gone_for_the_next(turn: int) -> None:
    assert marks() == 0
    with transaction.atomic():
        leave_mark()
    assert marks() == 1


@pytest.mark.django_db
def test_runs_on_the_database_that_was_asked_for() -> None:
    assert connection.vendor == {"sqlite": "sqlite", "postgres": "postgresql"}[surroundings.database]
    assert surroundings.WORKER in connection.settings_dict["NAME"]


@pytest.mark.django_db
def test_sqlite_is_a_file_that_several_connections_share() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)


@pytest.mark.django_db
def test_every_model_has_its_migration() -> None:
    planned = StringIO()
    with suppress(SystemExit):
        call_command("makemigrations", "--check", "--dry-run", stdout=planned)
    assert planned.getvalue() == "No changes detected\n"


def count_marks() -> int:
    return marks()


class TestPreparedTemplates:
    @pytest.fixture
    def copied(self, django_db_setup: None):
        source, facts = databases.prepared(leave_mark, model="prepared")
        name = f"copied_{surroundings.WORKER}"
        databases.engine().copy(source, name)
        yield name, facts
        databases.engine().drop(name)

    def test_holds_what_was_prepared_and_its_answer(self, copied) -> None:
        name, facts = copied
        assert databases.call(count_marks, database=name) == 1
        assert isinstance(facts["id"], int)

    def test_is_prepared_once(self, copied) -> None:
        name, facts = copied
        databases.call(leave_mark, database=name, model="another")
        assert databases.prepared(leave_mark, model="prepared")[1] == facts
        databases.engine().copy(databases.prepared(leave_mark, model="prepared")[0], name)
        assert databases.call(count_marks, database=name) == 1

    def test_tells_what_went_wrong_in_the_other_process(self, copied) -> None:
        name, _ = copied
        with pytest.raises(AssertionError, match="unexpected keyword argument 'colour'"):
            databases.call(leave_mark, database=name, colour="blue")

    def test_refuses_a_function_that_another_process_cannot_find(self) -> None:
        with pytest.raises(TypeError, match="top level"):
            databases.named(lambda: None)
