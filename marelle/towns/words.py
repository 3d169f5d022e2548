"""What the town's file and its rules say, in words for an agent: faults, explanations, differences."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.foundation.french import spaced
from marelle.foundation.sentences import (
    day_words,
    limit_words,
    list_words,
    moment_words,
    sentence,
    time_words,
    weekday_words,
)
from marelle.rules.calendars import SchoolCalendar
from marelle.rules.decisions import Allowed, Decision
from marelle.rules.faults import Fault, Words
from marelle.rules.limits import WEEKDAYS, InvalidLimit, limit_from_plain
from marelle.townfile import Explanation, Town
from marelle.townfile.differences import Change, Difference
from marelle.townfile.kinds import Section
from marelle.towns.vocabulary import KEYS, TABLES, VALUES

if TYPE_CHECKING:
    from marelle.towns.effects import Effect, Effects
    from marelle.towns.services import LoadReport


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


#: Of a long text, what is enough to know which it is.
LONGEST = 80


def difference_line(difference: Difference) -> str:
    """One difference in words: "service cantine, limite de réservation : « la veille, 9 h » devient « … »"."""
    return spaced(_difference_words(difference))


def _difference_words(difference: Difference) -> str:
    path = difference.path
    place = _place(path)
    before, after = _value(path, difference.before), _value(path, difference.after)
    is_row = len(path) > 1 and path[-2] in TABLES
    match difference.change:
        case Change.ADDED if is_row:
            return _("%(place)s : ajout") % {"place": place}
        case Change.ADDED:
            return _("%(place)s : « %(after)s » est ajouté") % {"place": place, "after": after}
        case Change.REMOVED if is_row:
            return _("%(place)s : archivé, car absent du fichier") % {"place": place}
        case Change.REMOVED:
            return _("%(place)s : « %(before)s » est retiré") % {"place": place, "before": before}
        case Change.REORDERED:
            return _("%(place)s, dans un autre ordre : %(after)s") % {"place": place, "after": after}
    return _("%(place)s : « %(before)s » devient « %(after)s »") % {"place": place, "before": before, "after": after}


def _place(path: tuple[str, ...]) -> str:
    words: list[str] = []
    n = 0
    while n < len(path):
        is_hidden = path[n] in ("limits", "periods", "calendar") and n + 1 < len(path)
        if path[n] in TABLES and n + 1 < len(path):
            words.append(f"{_named(TABLES, path[: n + 1])} {path[n + 1]}")
            n += 1
        elif not is_hidden:
            words.append(_named(KEYS, path[: n + 1]))
        n += 1
    return ", ".join(words)


def _named(words: Mapping[str, Any], path: tuple[str, ...]) -> str:
    """The name of the path's last key, as its table calls it."""
    return str(words.get(".".join(path[-2:])) or words.get(path[-1], path[-1]))


def _value(path: tuple[str, ...], value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        with suppress(InvalidLimit):
            return limit_words(limit_from_plain(value))
        if path[-1] in TABLES and isinstance(value, Section):
            return list_words(value)
        return " ; ".join(
            _("%(key)s : %(value)s") % {"key": _named(KEYS, (*path, key)), "value": _value((*path, key), item)}
            for key, item in value.items()
        )
    if isinstance(value, list):
        if value and isinstance(value[0], Mapping):
            return " | ".join(_value(path, item) for item in value)
        return list_words(_value(path, item) for item in value)
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, int) and path[-1].endswith("_cents"):
        return euros_words(value)
    if isinstance(value, datetime):
        return _("%(day)s, %(time)s") % {"day": day_words(value.date(), year=True), "time": time_words(value.time())}
    if isinstance(value, date):
        return day_words(value, year=True)
    if isinstance(value, str) and value in WEEKDAYS:
        return weekday_words(WEEKDAYS.index(value))
    if isinstance(value, str):
        return Truncator(" ".join(str(VALUES.get(path[-1], {}).get(value, value)).split())).chars(LONGEST)
    return str(value)


def euros_words(cents: int) -> str:
    """ "4 €", "4,50 €"."""
    euros, rest = divmod(cents, 100)
    return f"{euros},{rest:02d} €" if rest else f"{euros} €"


def effects_lines(effects: Effects) -> list[str]:
    """What a load would change, one difference on each line with what it touches, then a line for all of it."""
    if not effects.each:
        return [_("Rien ne change.")]
    lines = [spaced(f"{_difference_words(effect.difference)} ({_touched_words(effect)})") for effect in effects.each]
    number = len(effects.each)
    changes = ngettext("%(n)d changement", "%(n)d changements", number) % {"n": number}
    lines.append(
        spaced(
            _("En tout : %(changes)s ; %(touched)s.")
            % {
                "changes": changes,
                "touched": _touched_words(effects),
            }
        )
    )
    return lines


def _touched_words(effect: Effect | Effects) -> str:
    words = []
    if effect.bookings:
        words.append(
            ngettext("%(n)d réservation à venir touchée", "%(n)d réservations à venir touchées", effect.bookings)
            % {"n": effect.bookings}
        )
    if effect.enrolments:
        words.append(
            ngettext("%(n)d inscription touchée", "%(n)d inscriptions touchées", effect.enrolments)
            % {"n": effect.enrolments}
        )
    if effect.full_days:
        words.append(
            ngettext(
                "%(n)d jour où plus d’enfants ont leur place, et la gardent",
                "%(n)d jours où plus d’enfants ont leur place, et la gardent",
                effect.full_days,
            )
            % {"n": effect.full_days}
        )
    return list_words(words) if words else _("aucune réservation touchée")


def report_lines(report: LoadReport) -> list[str]:
    """What a load did."""
    if report.is_empty:
        lines = [_("Rien n’a changé.")]
    else:
        lines = [
            spaced(_("%(what)s : %(rows)s") % {"what": what, "rows": list_words(_rows_words(rows))})
            for what, rows in (
                (_("Ajouts"), report.created),
                (_("Changements"), report.changed),
                (_("Archivés, car absents du fichier"), report.archived),
            )
            if _rows_words(rows)
        ]
        opened, changed, closed = (
            rows.get("OpeningDay", 0) for rows in (report.created, report.changed, report.archived)
        )
        counts = [
            ngettext("%(n)d ouvert", "%(n)d ouverts", opened) % {"n": opened} if opened else "",
            ngettext("%(n)d fermé", "%(n)d fermés", closed) % {"n": closed} if closed else "",
            ngettext("%(n)d avec d’autres places", "%(n)d avec d’autres places", changed) % {"n": changed}
            if changed
            else "",
        ]
        if any(counts):
            words = _("Jours d’accueil (un par unité et par groupe) : %(counts)s")
            lines.append(spaced(words % {"counts": list_words(filter(None, counts))}))
    if report.kept_days:
        days = ngettext(
            "%(n)d jour que le fichier n’ouvre plus reste",
            "%(n)d jours que le fichier n’ouvre plus restent",
            report.kept_days,
        ) % {"n": report.kept_days}
        bookings = ngettext("%(n)d réservation l’attend", "%(n)d réservations y sont attendues", report.kept_bookings)
        lines.append(
            spaced(
                _("Attention : %(days)s, car %(bookings)s. Personne d’autre ne peut y réserver ; un agent les ferme.")
                % {"days": days, "bookings": bookings % {"n": report.kept_bookings}}
            )
        )
    return lines


def _rows_words(rows: Mapping[str, int]) -> list[str]:
    names = {
        "Municipality": lambda n: ngettext("%(n)d commune", "%(n)d communes", n),
        "SchoolYear": lambda n: ngettext("%(n)d année scolaire", "%(n)d années scolaires", n),
        "Site": lambda n: ngettext("%(n)d site", "%(n)d sites", n),
        "Service": lambda n: ngettext("%(n)d service", "%(n)d services", n),
        "Activity": lambda n: ngettext("%(n)d service sur un site", "%(n)d services sur un site", n),
        "Unit": lambda n: ngettext("%(n)d unité", "%(n)d unités", n),
        "Group": lambda n: ngettext("%(n)d groupe", "%(n)d groupes", n),
        "Period": lambda n: ngettext("%(n)d période", "%(n)d périodes", n),
    }
    return [names[model](n) % {"n": n} for model, n in rows.items() if model in names]
