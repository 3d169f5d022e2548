from django.db import migrations, models

import marelle.rules.lifecycles


class Migration(migrations.Migration):
    dependencies = [
        ("activities", "0002_archived_school_years"),
        ("bookings", "0001_initial"),
        ("families", "0001_initial"),
        ("requests", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="basketline",
            name="waits",
            field=models.BooleanField(default=False, help_text="La famille accepte d’attendre une place."),
        ),
        migrations.AddField(
            model_name="booking",
            name="waits_until",
            field=models.DateTimeField(
                help_text="Fin de l’attente, ou de la proposition : le portail agit à cet instant.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("state", marelle.rules.lifecycles.BookingState["QUEUED"])),
                fields=["group", "date"],
                name="booking_waiting_list",
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("waits_until__isnull", False)), fields=["waits_until"], name="booking_waits_until"
            ),
        ),
    ]
