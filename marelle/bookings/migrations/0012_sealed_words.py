from django.db import migrations

from marelle.foundation.sealed import SealedJSONField, SealedTextField
from marelle.foundation.sealed_columns import seal_column


class Migration(migrations.Migration):
    """What people write in their own words is sealed from now on (docs/decisions/0020)."""

    dependencies = [("bookings", "0011_enrolment_steps")]
    operations = [
        *seal_column("bookings", "enrolment", "answers", sealed=SealedJSONField(default=dict, help_text="Les réponses aux questions du service.")),
        *seal_column("bookings", "enrolment", "reason", sealed=SealedTextField(help_text="Pourquoi c’est refusé, ou ce qui manque.")),
        *seal_column("bookings", "enrolment", "reply", sealed=SealedTextField(help_text="Ce que la famille a répondu à ce qui manquait.")),
        *seal_column("bookings", "enrolmentdraft", "content", sealed=SealedJSONField(default=dict)),
        *seal_column("bookings", "enrolmentchange", "answers", sealed=SealedJSONField(default=dict)),
        *seal_column("bookings", "booking", "reason", sealed=SealedTextField()),
        *seal_column("bookings", "absence", "cause", sealed=SealedTextField()),
    ]
