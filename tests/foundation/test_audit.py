"""The trail of what was done stands as it was written: the database itself refuses anything else."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from marelle.foundation.audit import PORTAL, record
from marelle.foundation.models import AuditLine
from tests.offer import cadours

AT = datetime(2026, 11, 10, 8, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> AuditLine:
    record(at=AT, by=PORTAL, action="town.loaded", subject=cadours(), text="Règles chargées.")
    return AuditLine.objects.latest("id")


def test_a_line_cannot_be_changed(line: AuditLine) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditLine.objects.filter(pk=line.pk).update(text="Autre chose.")
    line.text = "Autre chose."
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        line.save()
    line.refresh_from_db()
    assert line.text == "Règles chargées."


def test_a_line_cannot_be_deleted(line: AuditLine) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        line.delete()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM foundation_auditline")
    assert AuditLine.objects.filter(pk=line.pk).exists()


@pytest.mark.postgres
def test_the_trail_cannot_be_emptied(line: AuditLine) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE foundation_auditline")


def test_the_triggers_outlive_every_migration() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'foundation_auditline'"
            )
            wanted = {"auditline_no_update", "auditline_no_delete"}
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'foundation_auditline'::regclass")
            wanted = {"auditline_stands", "auditline_is_not_emptied"}
        assert {name for (name,) in cursor.fetchall()} == wanted
