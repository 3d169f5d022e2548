"""`marelle-admin town …`: a town's file without a database (check, schema, periods), then the portal's own town (load,
export, diff)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.translation import gettext as _

from marelle import townfile
from marelle.activities.models import Municipality
from marelle.foundation import clock
from marelle.foundation.sentences import beyond_calendar_words, moment_words, span_words
from marelle.rules.calendars import BeyondCalendar
from marelle.towns import beside
from marelle.towns.effects import effects_of
from marelle.towns.management.commands.rules import read_town
from marelle.towns.services import load_town
from marelle.towns.words import effects_lines, fault_line, report_lines


def tables() -> list[str]:
    return connection.introspection.table_names()


class Command(BaseCommand):
    help = "Le fichier d’une commune : le vérifier, le charger, l’exporter, en lire les périodes."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("check", help="Vérifier un fichier : toutes ses erreurs d’un coup.")
        check.add_argument("file", type=Path)
        verbs.add_parser("schema", help="Le schéma JSON, pour les éditeurs.")
        periods = verbs.add_parser("periods", help="Les périodes d’une année scolaire, service par service.")
        periods.add_argument("file", type=Path)
        periods.add_argument("--year", help="2026-2027 ; toutes les années du fichier sans elle")
        load = verbs.add_parser("load", help="Charger un fichier : la commune devient ce qu’il dit.")
        load.add_argument("file", type=Path)
        export = verbs.add_parser("export", help="Écrire le fichier de la commune du portail.")
        export.add_argument("file", type=Path, nargs="?", help="à l’écran sans lui")
        diff = verbs.add_parser("diff", help="Ce qu’un chargement changerait, et pour combien de réservations.")
        diff.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] in ("load", "export", "diff") and "activities_municipality" not in tables():
            raise CommandError(_("La base de données n’est pas prête : lancez d’abord « marelle-admin migrate »."))
        getattr(self, f"_{options['verb']}")(options)

    def _check(self, options: dict[str, Any]) -> None:
        town = read_town(options["file"])
        self._warn(town)
        self.stdout.write(_("%(name)s : le fichier est bon.") % {"name": town.municipality.name})

    def _warn(self, town: townfile.Town) -> None:
        for warning in townfile.warnings(town):
            self.stderr.write(_("Attention : %(warning)s") % {"warning": fault_line(warning)})

    def _load(self, options: dict[str, Any]) -> None:
        town = read_town(options["file"])
        self._warn(town)
        try:
            beside.keep(town, beside=options["file"].resolve().parent)
        except beside.NotBeside as missing:
            raise CommandError(
                _("%(file)s : ce fichier n’est pas à côté de celui de la commune, ou n’est pas ce que dit son nom.")
                % {"file": missing.path}
            ) from None
        try:
            report = load_town(town, at=clock.now())
        except BeyondCalendar as beyond:
            raise CommandError(beyond_calendar_words(beyond)) from None
        self.stdout.write(_("%(name)s : le fichier est chargé.") % {"name": town.municipality.name})
        self.stdout.write("\n".join(report_lines(report)))

    def _export(self, options: dict[str, Any]) -> None:
        document = self._document()
        if document is None:
            raise CommandError(_("Aucune commune n’est chargée : rien à exporter."))
        if options["file"] is None:
            self.stdout.write(document, ending="")
            return
        try:
            options["file"].write_text(document, encoding="utf-8")
        except OSError as error:
            raise CommandError(
                _("%(file)s ne peut pas être écrit : %(reason)s")
                % {"file": options["file"], "reason": error.strerror or error}
            ) from None
        self.stdout.write(_("%(file)s est écrit.") % {"file": options["file"]})

    def _diff(self, options: dict[str, Any]) -> None:
        new = read_town(options["file"])
        document = self._document()
        if document is None:
            self.stdout.write(_("Aucune commune n’est chargée : tout le fichier serait nouveau."))
            return
        effects = effects_of(townfile.read_text(document), new, at=clock.now())
        self.stdout.write("\n".join(effects_lines(effects)))

    @staticmethod
    def _document() -> str | None:
        return Municipality.objects.filter(id=1).values_list("document", flat=True).first()

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
