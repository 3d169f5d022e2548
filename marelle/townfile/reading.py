"""Read a town's file: every fault at once, each with its line, its key, what was found and what is expected."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any
from zoneinfo import ZoneInfo

from marelle.rules.calendars import (
    EMBEDDED_ZONES,
    PUBLIC_HOLIDAY_AREAS,
    SchoolHolidays,
    UnknownZone,
    official_holidays,
)
from marelle.rules.faults import Fault
from marelle.rules.faults import Words as _
from marelle.townfile.checks import check_service, check_town
from marelle.townfile.kinds import BAD, Reading, Table
from marelle.townfile.lines import locate
from marelle.townfile.town import TOWN, CalendarFile, Municipality, Town

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
    for service in known.get("services", ()):
        check_service(service, reading)
    municipality, calendar = known.get("municipality"), known.get("calendar")
    whole = True
    if isinstance(municipality, Municipality):
        whole = _check_time_zone(municipality, reading)
    holidays = None
    if isinstance(calendar, CalendarFile):
        whole = _check_area(calendar, reading) and whole
        if calendar.zone not in EMBEDDED_ZONES:
            holidays = _official(calendar, reading, beside)
            whole = whole and holidays is not None
    required = [key for key, (_kind, field) in fields.items() if field.default is dataclasses.MISSING]
    if not whole or any(key not in known for key in required):
        return None
    town = Town(**known, holidays=holidays)
    check_town(town, reading)
    return town


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


def _official(calendar: CalendarFile, reading: Reading, beside: FilePath | None) -> SchoolHolidays | None:
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
    except (OSError, UnicodeDecodeError):
        reading.fault(here, calendar.official_file, _("un fichier CSV lisible, à côté du fichier de la commune"))
        return None
    try:
        return official_holidays(text, zone=calendar.zone)
    except UnknownZone as unknown:
        expected = _("une zone du calendrier officiel : %(zones)s", zones=", ".join(unknown.known))
        reading.fault(("calendar", "zone"), calendar.zone, expected)
    except ValueError as error:
        reading.fault(here, str(error), _("le calendrier officiel (fr-en-calendrier-scolaire, CSV)"), is_text=True)
    return None


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
