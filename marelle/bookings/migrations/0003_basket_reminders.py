from django.db import migrations, models
from django.db.models import F, Q


def look_at_all(apps, schema_editor):
    """Baskets filled before this migration are looked at from now on."""
    apps.get_model("bookings", "Basket").objects.update(look_at=F("changed_at"))


class Migration(migrations.Migration):
    dependencies = [("bookings", "0002_waiting_list")]

    operations = [
        migrations.AddField(
            model_name="basket",
            name="look_at",
            field=models.DateTimeField(help_text="Le portail regarde ce panier à cet instant.", null=True),
        ),
        migrations.AddField(
            model_name="basket",
            name="told_change",
            field=models.DateTimeField(help_text="Le dernier changement rappelé par e-mail.", null=True),
        ),
        migrations.AddField(
            model_name="basket",
            name="reminders",
            field=models.PositiveSmallIntegerField(default=0, help_text="E-mails partis depuis ce changement."),
        ),
        migrations.AddField(
            model_name="basketline",
            name="told_limit",
            field=models.DateTimeField(help_text="La limite annoncée par e-mail.", null=True),
        ),
        migrations.RunPython(look_at_all, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="basket",
            index=models.Index(condition=Q(("look_at__isnull", False)), fields=["look_at"], name="basket_look_at"),
        ),
    ]
