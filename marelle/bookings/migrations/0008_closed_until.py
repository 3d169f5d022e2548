"""The town says until when a closing was ever made, so that pages need not look for one."""

from typing import Any

from django.db import migrations
from django.db.models import Max


def fill(apps: Any, _editor: Any) -> None:
    last = apps.get_model("bookings", "ClosureDay").objects.aggregate(last=Max("date"))["last"]
    apps.get_model("activities", "Municipality").objects.update(closed_until=last)


class Migration(migrations.Migration):
    dependencies = [("activities", "0005_closed_until"), ("bookings", "0007_openings")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
