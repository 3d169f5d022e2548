"""`marelle-admin town check|schema|periods`: a town's file without a database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from marelle import townfile
from marelle.foundation.sentences import moment_words, span_words
from marelle.towns.management.commands.rules import read_town
from marelle.towns.words import fault_line


class Command(BaseCommand):
    help = "Le fichier d’une commune : le vérifier, en publier le schéma, en lire les périodes."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("check", help="Vérifier un fichier : toutes ses erreurs d’un coup.")
        check.add_argument("file", type=Path)
        verbs.add_parser("schema", help="Le schéma JSON, pour les éditeurs.")
        periods = verbs.add_parser("periods", help="Les périodes d’une année scolaire, service par service.")
        periods.add_argument("file", type=Path)
        periods.add_argument("--year", help="2026-2027 ; toutes les années du fichier sans elle")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['verb']}")(options)

    def _check(self, options: dict[str, Any]) -> None:
        town = read_town(options["file"])
        for warning in townfile.warnings(town):
            self.stderr.write(_("Attention : %(warning)s") % {"warning": fault_line(warning)})
        self.stdout.write(_("%(name)s : le fichier est bon.") % {"name": town.municipality.name})

    def _schema(self, options: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(townfile.json_schema(), ensure_ascii=False, indent=2))

    def _periods(self, options: dict[str, Any]) -> None:
        town = read_town(options["file"])
        calendar = town.school_calendar()
        offered = [year.slug for year in town.years]
        if options["year"] and options["year"] not in offered:
            known = ", ".join(offered)
            raise CommandError(
                _("Année absente du fichier : %(year)s. Années : %(known)s") % {**options, "known": known}
            )
        for year in calendar.school_years():
            if year.label not in offered or options["year"] not in (None, year.label):
                continue
            for service in town.services:
                for period in townfile.periods_of(town, service, year=year, calendar=calendar):
                    words = span_words(period.first_day, period.last_day)
                    if period.opens_at is not None:
                        opens = moment_words(period.opens_at, town.municipality.time_zone, opens=True, year=True)
                        words = _("%(span)s ; réservations à partir du %(opens)s") % {"span": words, "opens": opens}
                    self.stdout.write(f"{year.label}  {service.slug:<20} {period.slug:<18} {words}")
