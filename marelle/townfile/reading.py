"""Read a town's file: every fault at once, each with its line, its key, what was found and what is expected."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Any
from zoneinfo import ZoneInfo

from marelle.rules.calendars import (
    EMBEDDED_ZONES,
    PUBLIC_HOLIDAY_AREAS,
    UnknownZone,
    holiday_kind,
    is_bridge,
    official_holidays,
)
from marelle.rules.faults import Fault
from marelle.rules.faults import Words as _
from marelle.townfile.checks import check_service, check_town
from marelle.townfile.kinds import BAD, Reading, Table
from marelle.townfile.lines import locate
from marelle.townfile.town import TOWN, CalendarFile, HolidaySpanFile, Municipality, Town

_AT_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")
_LARGEST = 2_000_000


class TownFileErrors(Exception):
    """Every fault of a town's file, in the order of its lines."""

    def __init__(self, faults: Iterable[Fault], *, name: str = "") -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line or 0, fault.path)))
        self.name = name
        super().__init__("\n".join(fault_words(fault) for fault in self.faults))


def fault_words(fault: Fault) -> str:
    """One fault on one line, in French: line, key, what was found, what is expected."""
    place = _("ligne %(line)d", line=fault.line) if fault.line else _("fichier")
    key = f", {fault.key}" if fault.path else ""
    return f"{place}{key} : " + _("trouvé %(found)s, attendu %(expected)s", found=fault.found, expected=fault.expected)


def read(path: str | FilePath) -> Town:
    """Read the file; an official calendar that it names is looked for beside it. Raises `TownFileErrors`."""
    path = FilePath(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        found = error.strerror or str(error)
        raise TownFileErrors([_whole(found, _("un fichier lisible"))], name=path.name) from None
    if len(raw) > _LARGEST:
        raise TownFileErrors([_whole(str(len(raw)), _("un fichier de 2 Mo au plus"))], name=path.name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        fault = Fault(path=(), found=hex(raw[error.start]), expected=_("un fichier en UTF-8"), line=line)
        raise TownFileErrors([fault], name=path.name) from None
    return read_text(text, beside=path.parent, name=path.name)


def read_text(text: str, *, beside: FilePath | None = None, name: str = "") -> Town:
    """Read the file's text; `beside` is where an official calendar is looked for. Raises `TownFileErrors`."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TownFileErrors([_syntax(str(error), text)], name=name) from None
    except (RecursionError, ValueError) as error:
        # dates such as 2026-02-31 and nesting too deep come out of the parser as other errors
        raise TownFileErrors([_whole(str(error) or type(error).__name__, _("du TOML valide"))], name=name) from None
    reading = Reading(content)
    town = _town(reading, beside)
    if reading.faults or town is None:
        lines = locate(text)
        raise TownFileErrors([_placed(fault, lines) for fault in reading.faults], name=name)
    return town


def _town(reading: Reading, beside: FilePath | None) -> Town | None:
    """Read each section even when another is faulty, so that all faults come at once."""
    fields = TOWN.fields()
    Table.unknown(reading.content, (), reading, fields)
    known: dict[str, Any] = {}
    for key, (kind, field) in fields.items():
        if key in reading.content:
            item = kind.read(reading.content[key], (key,), reading)
            if item is not BAD:
                known[key] = item
        elif field.default is dataclasses.MISSING:
            expected = _("la clé %(key)s, qui manque", key=key)
            reading.fault((key,), _("rien"), expected, is_text=True)
    unread = [fault.path for fault in reading.faults]
    for service in known.get("services", ()):
        check_service(service, reading)
    # what could not be read has its default here: a fault that this alone explains is not one
    reading.faults[len(unread) :] = [
        fault for fault in reading.faults[len(unread) :] if not any(_related(fault.path, path) for path in unread)
    ]
    municipality, calendar = known.get("municipality"), known.get("calendar")
    whole = True
    if isinstance(municipality, Municipality):
        whole = _check_time_zone(municipality, reading)
    if isinstance(calendar, CalendarFile):
        whole = _check_area(calendar, reading) and whole
        resolved = _with_holidays(calendar, reading, beside)
        if resolved is None:
            whole = False
        else:
            known["calendar"] = resolved
    required = [key for key, (_kind, field) in fields.items() if field.default is dataclasses.MISSING]
    if not whole or any(key not in known for key in required):
        return None
    town = Town(**known)
    check_town(town, reading)
    return town


def _related(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shortest = min(len(one), len(other))
    return one[:shortest] == other[:shortest]


def _check_time_zone(municipality: Municipality, reading: Reading) -> bool:
    try:
        ZoneInfo(municipality.time_zone)
    except (KeyError, ValueError, OSError):
        expected = _("un fuseau horaire, comme Europe/Paris ou Indian/Reunion")
        reading.fault(("municipality", "time_zone"), municipality.time_zone, expected)
        return False
    return True


def _check_area(calendar: CalendarFile, reading: Reading) -> bool:
    if calendar.public_holidays in PUBLIC_HOLIDAY_AREAS:
        return True
    expected = _("une valeur parmi %(values)s", values=", ".join(PUBLIC_HOLIDAY_AREAS))
    reading.fault(("calendar", "public_holidays"), calendar.public_holidays, expected)
    return False


def _with_holidays(calendar: CalendarFile, reading: Reading, beside: FilePath | None) -> CalendarFile | None:
    """The calendar with what its official file says written into it, so that the town stands alone."""
    if calendar.holidays:
        return _check_holidays(calendar, reading)
    if calendar.covered_until is not None:
        reading.fault(("calendar", "covered_until"), calendar.covered_until, _("holidays à côté"))
        return None
    if calendar.zone in EMBEDDED_ZONES and not calendar.official_file:
        return calendar
    if not calendar.official_file:
        expected = _("A, B ou C ; pour une autre zone, official_file nomme le calendrier officiel (CSV)")
        reading.fault(("calendar", "zone"), calendar.zone, expected)
        return None
    here = ("calendar", "official_file")
    if FilePath(calendar.official_file).name != calendar.official_file:
        reading.fault(here, calendar.official_file, _("un nom de fichier, à côté du fichier de la commune"))
        return None
    try:
        text = ((beside or FilePath()) / calendar.official_file).read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        reading.fault(here, calendar.official_file, _("un fichier CSV lisible, à côté du fichier de la commune"))
        return None
    try:
        spans, covered_until = official_holidays(text, zone=calendar.zone)
    except UnknownZone as unknown:
        expected = _("une zone du calendrier officiel : %(zones)s", zones=", ".join(unknown.known))
        reading.fault(("calendar", "zone"), calendar.zone, expected)
        return None
    except ValueError as error:
        reading.fault(here, str(error), _("le calendrier officiel (fr-en-calendrier-scolaire, CSV)"), is_text=True)
        return None
    rows = tuple(HolidaySpanFile(name=name, first_day=first, last_day=last) for name, first, last in spans)
    filled = dataclasses.replace(calendar, official_file="", holidays=rows, covered_until=covered_until)
    return _check_holidays(filled, reading)


def _check_holidays(calendar: CalendarFile, reading: Reading) -> CalendarFile | None:
    before = len(reading.faults)
    here = ("calendar", "holidays")
    if calendar.official_file:
        reading.fault(("calendar", "official_file"), calendar.official_file, _("official_file ou bien holidays"))
    spans = [span for span in calendar.holidays if not is_bridge(span.name)]
    if not any(holiday_kind(span.name) == "ete" for span in spans):
        reading.fault(here, len(spans), _("au moins les vacances d’été de chaque année, pour borner l’année scolaire"))
    for n, span in enumerate(calendar.holidays):
        if span.last_day < span.first_day or (span.last_day - span.first_day).days > 200:
            expected = _("un jour à partir du %(day)s", day=span.first_day.isoformat())
            reading.fault((*here, str(n), "last_day"), span.last_day, expected)
        if not holiday_kind(span.name):
            reading.fault((*here, str(n), "name"), span.name, _("un nom, comme Vacances de Noël"))
    for one, other in pairwise(sorted(spans, key=lambda span: span.first_day)):
        if other.first_day <= one.last_day:
            expected = _("un jour après le %(day)s : deux périodes ne se recouvrent pas", day=one.last_day)
            position = calendar.holidays.index(other)
            reading.fault((*here, str(position), "first_day"), other.first_day, expected)
    last = max(span.last_day for span in calendar.holidays)
    if calendar.covered_until is not None and calendar.covered_until < last:
        expected = _("un jour à partir du %(day)s", day=last.isoformat())
        reading.fault(("calendar", "covered_until"), calendar.covered_until, expected)
    return calendar if len(reading.faults) == before else None


def _whole(found: str, expected: str) -> Fault:
    return Fault(path=(), found=found, expected=expected)


def _syntax(message: str, text: str) -> Fault:
    place = _AT_LINE.search(message)
    if place is None:
        return Fault(path=(), found=message, expected=_("du TOML valide"), line=text.count("\n") + 1)
    line = int(place[1])
    rows = text.split("\n")
    found = rows[line - 1].strip() if line <= len(rows) else ""
    expected = _("du TOML valide (%(message)s)", message=_AT_LINE.sub("", message).strip())
    return Fault(path=(), found=found or _("une ligne vide"), expected=expected, line=line)


def _placed(fault: Fault, lines: dict[tuple[str, ...], int]) -> Fault:
    for n in range(len(fault.path), 0, -1):
        line = lines.get(fault.path[:n])
        if line is not None:
            return dataclasses.replace(fault, line=line)
    return dataclasses.replace(fault, line=1)
