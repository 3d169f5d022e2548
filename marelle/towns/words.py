"""What the town's file and its rules say, in words for an agent: faults, explanations, differences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from marelle.foundation.french import spaced
from marelle.foundation.sentences import day_words, limit_words, list_words, moment_words, sentence, weekday_words
from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed, Decision
from marelle.rules.faults import Fault, Words
from marelle.rules.limits import WEEKDAYS, InvalidLimit, limit_from_plain
from marelle.townfile import Explanation, Town
from marelle.townfile.differences import Change, Difference


def translated(text: str) -> str:
    """A text made below gettext, in the reader's language."""
    if isinstance(text, Words):
        parameters = {
            key: translated(value) if isinstance(value, str) else value for key, value in text.parameters.items()
        }
        return _(text.msgid) % parameters if parameters else _(text.msgid)
    return text


def fault_line(fault: Fault) -> str:
    """One fault on one line: "ligne 12, services.cantine.icone : trouvé …, attendu …"."""
    place = _("ligne %(line)d") % {"line": fault.line} if fault.line else _("fichier")
    found = _("trouvé %(found)s, attendu %(expected)s") % {
        "found": translated(fault.found),
        "expected": translated(fault.expected),
    }
    key = f", {fault.key}" if fault.path else ""
    return spaced(f"{place}{key} : {found}")


def explanation_lines(town: Town, explanation: Explanation, calendar: SchoolCalendar) -> list[str]:
    """The answer for one unit, on a few lines."""
    service = town.service(explanation.service)
    unit = service.unit(explanation.unit)
    lines = [f"{service.name}, {unit.name}, {day_words(explanation.day, year=True)}"]
    limits = explanation.limits
    for name, decision, until, limit in (
        (_("Réserver"), explanation.book, explanation.book_until, limits.book if limits else None),
        (_("Annuler"), explanation.cancel, explanation.cancel_until, limits.cancel if limits else None),
    ):
        words = _answer(decision, until, town)
        # a day that is closed has no limit to tell
        rule = f" ({limit_words(limit)})" if limit is not None and until is not None else ""
        lines.append(spaced(f"  {name} : {words}{rule}"))
    return lines


def _answer(decision: Decision, until: datetime | None, town: Town) -> str:
    tz = town.municipality.time_zone
    if isinstance(decision, Allowed):
        if until is None:
            return _("oui")
        return _("oui, jusqu’au %(moment)s") % {"moment": moment_words(until, tz)}
    return _("non. %(reason)s") % {"reason": sentence(decision, tz)}


_TABLES = {
    "sites": lambda: _("site"),
    "services": lambda: _("service"),
    "units": lambda: _("unité"),
    "groups": lambda: _("groupe"),
    "papers": lambda: _("pièce"),
    "questions": lambda: _("question"),
    "terms": lambda: _("règlement ou trimestre"),
    "causes": lambda: _("motif d’absence"),
    "years": lambda: _("année scolaire"),
    "own": lambda: _("période"),
}

_KEYS = {
    "book": lambda: _("limite de réservation"),
    "cancel": lambda: _("limite d’annulation"),
    "name": lambda: _("nom"),
    "capacity": lambda: _("places"),
    "margin": lambda: _("marge de places"),
    "validation": lambda: _("validation"),
    "email": lambda: _("e-mail"),
    "phone": lambda: _("téléphone"),
    "address": lambda: _("adresse"),
    "colour": lambda: _("couleur"),
    "starts_at": lambda: _("début"),
    "ends_at": lambda: _("fin"),
    "open": lambda: _("jours d’ouverture"),
    "closures": lambda: _("fermetures"),
    "first_day": lambda: _("premier jour"),
    "last_day": lambda: _("dernier jour"),
    "opens": lambda: _("ouverture des réservations"),
    "enrolment_opens": lambda: _("ouverture des inscriptions"),
}


def difference_line(difference: Difference) -> str:
    """One difference in words: "service cantine, limite de réservation : « la veille, 9 h » devient « … »"."""
    return spaced(_difference_words(difference))


def _difference_words(difference: Difference) -> str:
    place = _place(difference.path)
    before, after = _value(difference.path, difference.before), _value(difference.path, difference.after)
    match difference.change:
        case Change.ADDED if isinstance(difference.after, Mapping) and difference.path[-1] not in _KEYS:
            return _("%(place)s : ajouté") % {"place": place}
        case Change.ADDED:
            return _("%(place)s : « %(after)s » est ajouté") % {"place": place, "after": after}
        case Change.REMOVED if len(difference.path) > 1 and difference.path[-2] in _TABLES:
            return _("%(place)s : archivé, car absent du fichier") % {"place": place}
        case Change.REMOVED:
            return _("%(place)s : « %(before)s » est retiré") % {"place": place, "before": before}
    return _("%(place)s : « %(before)s » devient « %(after)s »") % {"place": place, "before": before, "after": after}


def _place(path: tuple[str, ...]) -> str:
    words: list[str] = []
    keys = list(path)
    while keys:
        key = keys.pop(0)
        if key in _TABLES and keys:
            words.append(f"{_TABLES[key]()} {keys.pop(0)}")
        elif key not in ("limits", "periods"):
            words.append(_KEYS[key]() if key in _KEYS else key)
    return ", ".join(words)


def _value(path: tuple[str, ...], value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        if path[-1] in ("book", "cancel", "opens"):
            try:
                return limit_words(limit_from_plain(value))
            except InvalidLimit:
                pass
        return ", ".join(f"{key} = {_value((*path, key), item)}" for key, item in value.items())
    if isinstance(value, list):
        return list_words(_value(path, item) for item in value)
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, date) and not isinstance(value, datetime):
        return day_words(value, year=True)
    if isinstance(value, str) and value in WEEKDAYS:
        return weekday_words(WEEKDAYS.index(value))
    return str(value)
