from typing import Any

from django.core.management.base import BaseCommand

from marelle.foundation.clock import now
from marelle.foundation.files.store import sweep


class Command(BaseCommand):
    """Every night: files that no row tells of, because their sending was cut off more than a day ago."""

    help = "Removes files that belong to nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{sweep(at=now())} removed")
