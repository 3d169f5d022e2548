from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from marelle import townfile
from marelle.activities.queries import municipality
from marelle.demo import accounts
from marelle.demo.cover import covered
from marelle.demo.history import FAMILIES, OtherTown, prepare
from marelle.foundation import clock
from marelle.foundation.sentences import moment_words
from marelle.towns import beside

TOWNS = Path(__file__).resolve().parent.parent.parent / "towns"


class Command(BaseCommand):
    """Fills a migrated database with a living town, or tops it up to now; prints where to go and as whom."""

    help = "The demo: a living town, made through the services."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        preparing = verbs.add_parser("prepare", help="fill the database, or top it up to now")
        preparing.add_argument("--town", required=True, help="one of the files of marelle/demo/towns, by its name")
        preparing.add_argument("--fresh", action="store_true", help="drop every table first")
        preparing.add_argument("--at", help="an instant with its offset; the portal's clock without it")
        preparing.add_argument("--families", type=int, default=FAMILIES, help="how many, at the first preparation")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEMO or settings.MODE == "test"):
            raise CommandError("Only a demo is filled with invented families: MARELLE_MODE=demo.")
        path = TOWNS / f"{options['town']}.toml"
        if not path.exists():
            raise CommandError(f"No such town: {options['town']}. Towns: {', '.join(sorted(known_towns()))}")
        town = townfile.read(path)
        if options["fresh"]:
            start_from_zero()
        wished = instant(options["at"]) if options["at"] else clock.now()
        at = covered(town, wished)
        beside.keep(town, beside=TOWNS)
        try:
            played = prepare(town, at=at, families=options["families"])
        except OtherTown as other:
            raise CommandError(f"This database is the demo of {other}: say --fresh to start from zero.") from other
        if at != wished:
            day = moment_words(at, town.municipality.time_zone, year=True)
            self.stdout.write(f"The calendar of {options['town']} does not go that far; the portal lives on {day}.\n")
        self.stdout.write(
            f"{played.families} families, {played.deeds} deeds since {played.since:%Y-%m-%d}, "
            f"{played.waiting} requests waiting.\n\n"
        )
        self.stdout.write(accounts.welcome(municipality(), url=settings.PUBLIC_URL))


def known_towns() -> list[str]:
    return [path.stem for path in TOWNS.glob("*.toml")]


def instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as fault:
        raise CommandError(f"--at {text} is no instant: say it like 2026-11-23T08:58+01:00.") from fault
    if at.tzinfo is None:
        raise CommandError(f"--at {text} lacks its offset: say it like 2026-11-23T08:58+01:00.")
    return at.astimezone(UTC)


FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind = 'f'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


def start_from_zero() -> None:
    """Drop every table and migrate anew. Tables that only grow refuse to be emptied, so they are not."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        quoted = [connection.ops.quote_name(table) for table in tables]
        if connection.vendor == "postgresql":
            if quoted:
                cursor.execute(f"DROP TABLE {', '.join(quoted)} CASCADE")
                # Functions outlive the tables that their triggers held; those of an extension are its own.
                cursor.execute(FUNCTIONS)
                for (function,) in cursor.fetchall():
                    cursor.execute(f"DROP FUNCTION {function}")
        else:
            cursor.execute("PRAGMA foreign_keys=OFF")
            for table in quoted:
                cursor.execute(f"DROP TABLE {table}")
            cursor.execute("PRAGMA foreign_keys=ON")
    call_command("migrate", verbosity=0)
