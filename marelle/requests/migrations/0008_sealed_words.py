from django.db import migrations

from marelle.foundation.sealed import SealedTextField
from marelle.foundation.sealed_columns import seal_column


class Migration(migrations.Migration):
    """What people write in their own words is sealed from now on (docs/decisions/0020)."""

    dependencies = [("requests", "0007_alter_correction_subject_type")]
    operations = [
        *seal_column("requests", "familyrequest", "message", sealed=SealedTextField(verbose_name="Message")),
        *seal_column("requests", "requestline", "reason", sealed=SealedTextField(verbose_name="Motif")),
    ]
