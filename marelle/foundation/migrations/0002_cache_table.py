from django.core.management import call_command
from django.db import migrations


def create_cache_table(apps, schema_editor):
    # The shared counters of failed sign-ins: one `migrate` is all that a new portal needs.
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("foundation", "0001_initial")]
    operations = [migrations.RunPython(create_cache_table, migrations.RunPython.noop)]
