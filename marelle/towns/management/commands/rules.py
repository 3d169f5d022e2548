"""`marelle-admin rules explain|calendar`: what a town's rules say of a day or a month, from its file alone."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from marelle import townfile
from marelle.foundation.french import spaced
from marelle.foundation.sentences import beyond_calendar_words, day_words, moment_words, sentence
from marelle.rules.calendars import BeyondCalendar, SchoolCalendar
from marelle.towns.words import explanation_lines, fault_line


def read_town(path: str) -> townfile.Town:
    """Read a town's file, or end the command with every fault."""
    try:
        return townfile.read(path)
    except townfile.TownFileErrors as errors:
        raise CommandError("\n".join(fault_line(fault) for fault in errors.faults)) from None


class Command(BaseCommand):
    help = "Ce que disent les règles d’une commune, d’après son fichier, sans base de données."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        explain = verbs.add_parser("explain", help="Un jour peut-il être réservé ou annulé, jusqu’à quand, pourquoi.")
        explain.add_argument("file", type=Path)
        explain.add_argument("--service", required=True)
        explain.add_argument("--unit")
        explain.add_argument("--date", required=True, help="AAAA-MM-JJ")
        explain.add_argument("--at", required=True, help="AAAA-MM-JJTHH:MM, heure de la commune")
        explain.add_argument("--json", action="store_true")
        month = verbs.add_parser("calendar", help="Un mois, avec les limites de chaque jour.")
        month.add_argument("file", type=Path)
        month.add_argument("--service", required=True)
        month.add_argument("--unit")
        month.add_argument("--month", required=True, help="AAAA-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        town = read_town(options["file"])
        calendar = town.school_calendar()
        self._check_slugs(town, options["service"], options["unit"])
        try:
            if options["verb"] == "explain":
                self._explain(town, calendar, options)
            else:
                self._calendar(town, calendar, options)
        except BeyondCalendar as beyond:
            raise CommandError(beyond_calendar_words(beyond)) from None

    def _check_slugs(self, town: townfile.Town, service: str, unit: str | None) -> None:
        services = [known.slug for known in town.services]
        if service not in services:
            raise CommandError(_("Service inconnu : %(slug)s. Services : %(known)s") % _known(service, services))
        units = [known.slug for known in town.service(service).units]
        if unit is not None and unit not in units:
            raise CommandError(_("Unité inconnue : %(slug)s. Unités : %(known)s") % _known(unit, units))

    def _explain(self, town: townfile.Town, calendar: SchoolCalendar, options: dict[str, Any]) -> None:
        day = _day(options["date"])
        at = _instant(options["at"], calendar)
        service, unit = options["service"], options["unit"]
        if unit is not None:
            answers = [townfile.explain(town, service=service, unit=unit, day=day, at=at, calendar=calendar)]
        else:
            answers = townfile.explain_all(town, service=service, day=day, at=at, calendar=calendar)
        one = townfile.agree(answers)
        if not options["json"]:
            for answer in answers:
                self.stdout.write("\n".join(explanation_lines(town, answer, calendar)))
            return
        tz = calendar.local(at).tzinfo
        assert tz is not None
        plain: dict[str, Any]
        if one:
            plain = answers[0].as_plain(tz=tz, sentence=sentence)
        else:
            plain = {"units": [{"unit": a.unit, **a.as_plain(tz=tz, sentence=sentence)} for a in answers]}
        self.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2))

    def _calendar(self, town: townfile.Town, calendar: SchoolCalendar, options: dict[str, Any]) -> None:
        first = _month(options["month"])
        last = first.replace(day=monthrange(first.year, first.month)[1])
        service = town.service(options["service"])
        slugs = [options["unit"]] if options["unit"] else [unit.slug for unit in service.units]
        tz = town.municipality.time_zone
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        months = {slug: [_day_line(town, service.slug, slug, day, calendar, tz) for day in days] for slug in slugs}
        if len({tuple(lines) for lines in months.values()}) == 1:
            months = {"": months[slugs[0]]}
        for slug, lines in months.items():
            if slug:
                self.stdout.write(service.unit(slug).name)
            self.stdout.write("\n".join(lines))


#: So long before any day that a calendar covers that no limit is past.
LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)


def _day_line(town: townfile.Town, service: str, unit: str, day: date, calendar: SchoolCalendar, tz: str) -> str:
    answer = townfile.explain(town, service=service, unit=unit, day=day, at=LONG_AGO, calendar=calendar)
    if answer.book_until is None and answer.cancel_until is None:
        words = sentence(answer.refusal, tz) if answer.refusal else ""
    else:
        book = moment_words(answer.book_until, tz) if answer.book_until else _("jamais")
        cancel = moment_words(answer.cancel_until, tz) if answer.cancel_until else _("jamais")
        if book == cancel:
            words = _("réserver ou annuler avant %(book)s") % {"book": book}
        else:
            words = _("réserver avant %(book)s ; annuler avant %(cancel)s") % {"book": book, "cancel": cancel}
    return spaced(f"{day_words(day):<24} {words}")


def _known(slug: str, known: list[str]) -> dict[str, str]:
    return {"slug": slug, "known": ", ".join(known)}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(_("Date attendue, comme 2026-11-23 : %(text)s") % {"text": text}) from None


def _month(text: str) -> date:
    return _day(f"{text}-01")


def _instant(text: str, calendar: SchoolCalendar) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(_("Instant attendu, comme 2026-11-22T08:59 : %(text)s") % {"text": text}) from None
    return at.astimezone(UTC) if at.tzinfo is not None else calendar.instant(at.date(), at.time())
