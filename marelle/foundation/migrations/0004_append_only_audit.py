from django.db import migrations

# SQLite forgets a table's triggers when a migration makes the table anew: that one must put these back
# (tests/foundation/test_audit.py looks for them in the migrated database).
POSTGRES = """
CREATE FUNCTION foundation_auditline_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER auditline_stands BEFORE UPDATE OR DELETE ON foundation_auditline
    FOR EACH ROW EXECUTE FUNCTION foundation_auditline_stands();
CREATE TRIGGER auditline_is_not_emptied BEFORE TRUNCATE ON foundation_auditline
    FOR EACH STATEMENT EXECUTE FUNCTION foundation_auditline_stands();
"""
POSTGRES_BACK = """
DROP TRIGGER auditline_is_not_emptied ON foundation_auditline;
DROP TRIGGER auditline_stands ON foundation_auditline;
DROP FUNCTION foundation_auditline_stands();
"""
SQLITE = [
    f"""CREATE TRIGGER auditline_no_{what} BEFORE {what} ON foundation_auditline
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"""
    for what in ("update", "delete")
]
SQLITE_BACK = ["DROP TRIGGER auditline_no_update", "DROP TRIGGER auditline_no_delete"]


def hold(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else [POSTGRES]:
        schema_editor.execute(statement)


def let_go(apps, schema_editor):
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else [POSTGRES_BACK]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("foundation", "0003_stored_file")]
    operations = [migrations.RunPython(hold, let_go)]
