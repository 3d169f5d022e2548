import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marelle.foundation.resealing import keys_in_use, reseal_all
from marelle.foundation.sealing import keyring, new_key


class Command(BaseCommand):
    """The keys that health data and files are sealed with (MARELLE_DATA_KEYS; docs/hosting.md).

    `rotate` may run while the portal serves, be stopped, and be run again: once it finds nothing left, the old key can
    leave the environment.
    """

    help = "Makes a key, says which keys are in use, or brings all that is sealed under the first key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["new", "status", "rotate"])

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        if act == "new":
            self.stdout.write(new_key())
            return
        current = keyring().current
        if act == "rotate":
            unreadable = 0
            for store in reseal_all():
                unreadable += store.unreadable
                self.stdout.write(
                    f"{store.store}: {store.done} resealed, {store.overtaken} changed meanwhile, "
                    f"{store.unreadable} unreadable"
                )
            if unreadable:
                raise CommandError("Some values could not be opened: keep every key that ever sealed them.")
        left = 0
        for store_name, count in keys_in_use().items():
            said = ", ".join(f"{number} under {name}" for name, number in sorted(count.items())) or "nothing"
            self.stdout.write(f"{store_name}: {said}")
            left += sum(number for name, number in count.items() if name != current)
        self.stdout.write(f"Sealing with {current}; {left} left under other keys.")
        if act == "rotate" and left:
            sys.exit(1)
