from django.db import migrations

from marelle.foundation.sealed import SealedJSONField
from marelle.foundation.sealed_columns import seal_column


class Migration(migrations.Migration):
    """What people write in their own words is sealed from now on (docs/decisions/0020)."""

    dependencies = [("foundation", "0004_append_only_audit")]
    operations = [
        *seal_column("foundation", "outboxmail", "context", sealed=SealedJSONField(default=dict)),
    ]
