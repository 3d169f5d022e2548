"""For migrations: a column of text or JSON becomes a sealed one, with what it holds. Both ways, on both engines."""

from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation
from django.views.decorators.debug import sensitive_variables

BATCH = 500


def seal_column(app: str, model: str, column: str, *, sealed: Any) -> list[Operation]:
    """The operations that do it: the plain column steps aside, is copied, and goes."""
    aside = f"plain_{column}"

    @sensitive_variables()
    def copy(apps: Any, schema_editor: Any, *, into: str, out_of: str) -> None:
        rows = apps.get_model(app, model)._default_manager.using(schema_editor.connection.alias)
        last: Any = None
        while True:
            found = rows.order_by("pk") if last is None else rows.filter(pk__gt=last).order_by("pk")
            batch = list(found.only("pk", out_of)[:BATCH])
            if not batch:
                break
            last = batch[-1].pk
            told = [row for row in batch if getattr(row, out_of)]
            for row in told:
                setattr(row, into, getattr(row, out_of))
            if told:
                rows.bulk_update(told, [into])
        # PostgreSQL alters no table whose rows, written twice in one transaction, still wait for their keys' check.
        schema_editor.connection.check_constraints()

    def forwards(apps: Any, schema_editor: Any) -> None:
        copy(apps, schema_editor, into=column, out_of=aside)

    def backwards(apps: Any, schema_editor: Any) -> None:
        copy(apps, schema_editor, into=aside, out_of=column)

    return [
        migrations.RenameField(model, column, aside),
        migrations.AddField(model, column, sealed),
        migrations.RunPython(forwards, backwards),
        migrations.RemoveField(model, aside),
    ]
