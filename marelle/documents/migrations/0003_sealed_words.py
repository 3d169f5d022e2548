from django.db import migrations

from marelle.foundation.sealed import SealedTextField
from marelle.foundation.sealed_columns import seal_column


class Migration(migrations.Migration):
    """What people write in their own words is sealed from now on (docs/decisions/0020)."""

    dependencies = [("documents", "0002_document_reading")]
    operations = [
        *seal_column("documents", "supportingdocument", "reason", sealed=SealedTextField(verbose_name="Motif")),
    ]
