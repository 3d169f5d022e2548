"""French for days, times, limits and decisions: one wording for pages, e-mails, PDFs and commands.

Everything goes through gettext (French is the source). No database and no clock; only the settings of translation.
Spaces that must not break are already no-break ones: callers need no filter for these texts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from datetime import timedelta as delta
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from django.utils.dates import MONTHS, MONTHS_AP, WEEKDAYS
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from marelle.foundation.french import spaced
from marelle.rules import limits as grammar
from marelle.rules.calendars import BeyondCalendar, Count
from marelle.rules.combinations import Apart, Combination, Consecutive, DaysPer, FullWeek, Per, Together
from marelle.rules.decisions import Allowed, Decision, Reason, Refused

NBSP = "\N{NO-BREAK SPACE}"


def weekday_words(weekday: int) -> str:
    """ "lundi" for 0 … "dimanche" for 6."""
    return str(WEEKDAYS[weekday])


def day_words(day: date, *, year: bool = False) -> str:
    """ "lundi 23 novembre", "mardi 1er décembre"; with `year`: "lundi 23 novembre 2026"."""
    return _day_words(day, year, get_language())


@lru_cache(maxsize=2048)  # every page names its days over and over
def _day_words(day: date, year: bool, language: str | None) -> str:
    number = pgettext("premier jour du mois", "1er") if day.day == 1 else str(day.day)
    words = f"{weekday_words(day.weekday())} {number}{NBSP}{MONTHS[day.month]}"
    return f"{words} {day.year}" if year else words


def short_day_words(day: date) -> str:
    """ "jeu. 12 nov.", for narrow places; `day_words` everywhere else."""
    return f"{weekday_words(day.weekday())[:3]}. {day.day}{NBSP}{MONTHS_AP[day.month]}"


def short_span_words(first: date, last: date) -> str:
    """ "9–13 nov.", "30 nov.–4 déc.", "12 nov."."""
    end = f"{last.day}{NBSP}{MONTHS_AP[last.month]}"
    if first == last:
        return end
    start = str(first.day) if first.month == last.month else f"{first.day}{NBSP}{MONTHS_AP[first.month]}"
    return f"{start}–{end}"


def span_words(first: date, last: date) -> str:
    """ "du lundi 6 juillet au vendredi 28 août", or the day alone."""
    if first == last:
        return _("le %(day)s") % {"day": day_words(first)}
    return _("du %(first)s au %(last)s") % {"first": day_words(first), "last": day_words(last)}


def time_words(at: time) -> str:
    """ "9 h", "18 h 30"."""
    if at.minute:
        return pgettext("heure", "%(hours)d\u00a0h\u00a0%(minutes)02d") % {"hours": at.hour, "minutes": at.minute}
    return pgettext("heure", "%(hours)d\u00a0h") % {"hours": at.hour}


def moment_words(at: datetime, tz: str | tzinfo, *, opens: bool = False, year: bool = False) -> str:
    """ "vendredi 20 novembre, 9 h" for an aware instant on the town's clock.

    Midnight ends a day ("jeudi 19 novembre, minuit"), except for an opening, where it starts one ("…, 0 h").
    """
    local = at.astimezone(ZoneInfo(tz) if isinstance(tz, str) else tz)
    clock = local.time()
    if clock == time(0) and not opens:
        return _("%(day)s, minuit") % {"day": day_words(local.date() - delta(days=1), year=year)}
    return _("%(day)s, %(time)s") % {"day": day_words(local.date(), year=year), "time": time_words(clock)}


def midsentence(name: str) -> str:
    """A service's name inside a sentence: "Cantine" → "cantine", "ALSH" stays."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def list_words(words: Iterable[str], *, either: bool = False) -> str:
    """ "lundi, mardi et jeudi"; `either`: "lundi, mardi ou jeudi"."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    joined = _("%(first)s ou %(last)s") if either else _("%(first)s et %(last)s")
    return joined % {"first": ", ".join(items[:-1]), "last": items[-1]}


def weekdays_words(weekdays: Collection[int]) -> str:
    """ "lundi, mardi et jeudi" for {0, 1, 3}; "du lundi au vendredi" for five in a row."""
    days = sorted(weekdays)
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return _("du %(first)s au %(last)s") % {"first": weekday_words(days[0]), "last": weekday_words(days[-1])}
    return list_words(weekday_words(weekday) for weekday in days)


# Limits


def limit_words(limit: grammar.Limit) -> str:
    """The limit as the town's regulations say it: "la veille, 9 h", "48 heures ouvrées avant"…"""
    if isinstance(limit, grammar.Window):
        parts = [
            text % {"limit": _moment_words(part, "")}
            for text, part in (
                (_("ouvert à partir de : %(limit)s"), limit.opens),
                (_("fermé à partir de : %(limit)s"), limit.closes),
                (_("rouvert à partir de : %(limit)s"), limit.reopens),
                (_("puis jusqu’à : %(limit)s"), limit.then),
            )
            if part is not None
        ]
        return spaced(" ; ".join(parts))
    return spaced(_moment_words(limit, ""))


def _moment_words(limit: grammar.Moment, anchor: str) -> str:
    """`anchor` is what is counted from when it is not the day itself ("le début des vacances")."""
    match limit:
        case grammar.Offset():
            return _with_time(_offset_words(limit, anchor), limit.at)
        case grammar.Hours():
            if limit.working:
                words = ngettext("%(n)d heure ouvrée avant", "%(n)d heures ouvrées avant", limit.n)
            else:
                words = ngettext("%(n)d heure avant", "%(n)d heures avant", limit.n)
            return _anchored(words % {"n": limit.n}, anchor)
        case grammar.SameDay():
            return _with_time(_("le jour même"), limit.at)
        case grammar.UntilStart():
            return _("jusqu’au début de l’accueil")
        case grammar.Never():
            return _("jamais en ligne")
        case grammar.LastWeekday():
            weekday = weekday_words(limit.weekday)
            if anchor:
                words = _("le %(weekday)s avant %(anchor)s") % {"weekday": weekday, "anchor": anchor}
            else:
                words = _("le %(weekday)s précédent") % {"weekday": weekday}
            return _with_time(words, limit.at)
        case grammar.PreviousWeek():
            if limit.weeks == 1:
                words = _("le %(weekday)s de la semaine précédente") % {"weekday": weekday_words(limit.weekday)}
            else:
                words = ngettext(
                    "le %(weekday)s, %(n)d semaine avant", "le %(weekday)s, %(n)d semaines avant", limit.weeks
                ) % {"weekday": weekday_words(limit.weekday), "n": limit.weeks}
            return _with_time(words, limit.at)
        case grammar.ByWeekday():
            return _by_weekday_words(limit.limits)
        case grammar.BeforePeriod():
            holidays = limit.kind is grammar.PeriodKind.HOLIDAYS
            return _moment_words(limit.limit, _("le début des vacances") if holidays else _("le début de la période"))
        case grammar.ByPeriod():
            return _with_time(_("à la date fixée pour la période"), limit.at)
        case grammar.OnDate():
            return _with_time(_("le %(day)s") % {"day": day_words(limit.day, year=True)}, limit.at)
        case grammar.Adapted():
            return _adapted_words(limit, anchor)


def _offset_words(limit: grammar.Offset, anchor: str) -> str:
    n = limit.n
    if n == 0 and limit.count is not Count.CLEAR_DAYS:
        return _("le jour même") if not anchor else _("le jour même pour %(anchor)s") % {"anchor": anchor}
    if limit.count is Count.DAYS and n == 1 and not anchor:
        return _("la veille")
    if limit.count is Count.DAYS:
        words = ngettext("%(n)d jour avant", "%(n)d jours avant", n)
    elif limit.count is Count.WEEK_DAYS:
        words = ngettext("%(n)d jour avant, hors week-end", "%(n)d jours avant, hors week-end", n)
    elif limit.count is Count.WORKING_DAYS:
        words = ngettext("%(n)d jour ouvré avant", "%(n)d jours ouvrés avant", n)
    elif limit.count is Count.CLEAR_DAYS:
        words = ngettext("%(n)d jour franc avant", "%(n)d jours francs avant", n)
    else:
        words = ngettext("%(n)d jour d’école avant", "%(n)d jours d’école avant", n)
    return _anchored(words % {"n": n}, anchor)


def _anchored(words: str, anchor: str) -> str:
    return f"{words} {anchor}" if anchor else words


def _with_time(words: str, at: time | None) -> str:
    return _("%(day)s, %(time)s") % {"day": words, "time": _("minuit") if at is None else time_words(at)}


def _by_weekday_words(limits: Sequence[tuple[int, grammar.Moment]]) -> str:
    together: dict[str, list[int]] = {}
    for weekday, limit in limits:
        together.setdefault(_moment_words(limit, ""), []).append(weekday)
    return " ; ".join(
        _("pour %(weekdays)s : %(limit)s")
        % {"weekdays": list_words(weekday_words(weekday) for weekday in weekdays), "limit": words}
        for words, weekdays in together.items()
    )


def _adapted_words(limit: grammar.Adapted, anchor: str) -> str:
    parts = [_moment_words(limit.limit, anchor)]
    if limit.shift is grammar.Shift.EARLIER:
        parts.append(_("avancé au jour ouvré précédent si c’est un jour férié ou fermé"))
    elif limit.shift is grammar.Shift.LATER:
        parts.append(_("reporté au jour ouvré suivant si c’est un jour férié ou fermé"))
    for weekday, special in limit.holiday_week:
        if weekday == grammar.ANY_WEEKDAY:
            words = _("semaine avec un jour férié : %(limit)s")
        else:
            words = _("semaine où le %(weekday)s est férié : %(limit)s")
        named = "" if weekday == grammar.ANY_WEEKDAY else weekday_words(weekday)
        parts.append(words % {"weekday": named, "limit": _moment_words(special, "")})
    if limit.return_day is not None:
        parts.append(
            _("pour le jour de reprise après les vacances : %(limit)s") % {"limit": _moment_words(limit.return_day, "")}
        )
    return " ; ".join(parts)


# Combinations


def combination_words(rule: Combination, names: Mapping[str, str]) -> str:
    """The rule as a family reads it: "Repas : avec Matin ou Après-midi". `names`: the units', by slug."""

    def named(slugs: Iterable[str], *, either: bool = False) -> str:
        return list_words((names.get(slug, slug) for slug in slugs), either=either)

    units = named(rule.units)
    match rule:
        case FullWeek():
            words = _("%(units)s : par semaine entière") % {"units": units}
        case Consecutive():
            text = ngettext("%(units)s : au moins %(n)d jour", "%(units)s : au moins %(n)d jours de suite", rule.days)
            words = text % {"units": units, "n": rule.days}
        case DaysPer():
            words = _("%(units)s : %(counts)s") % {"units": units, "counts": _counts_words(rule)}
        case Together():
            words = _("%(units)s : avec %(needs)s") % {"units": units, "needs": named(rule.needs, either=True)}
        case Apart():
            words = _("%(units)s : un seul par jour") % {"units": named(rule.units, either=True)}
    return spaced(words)


def _counts_words(rule: DaysPer) -> str:
    by_week = rule.per is Per.WEEK
    counts = []
    if rule.least is not None:
        if by_week:
            words = ngettext("au moins %(n)d jour par semaine", "au moins %(n)d jours par semaine", rule.least)
        else:
            words = ngettext("au moins %(n)d jour par période", "au moins %(n)d jours par période", rule.least)
        counts.append(words % {"n": rule.least})
    if rule.most is not None:
        if by_week:
            words = ngettext("au plus %(n)d jour par semaine", "au plus %(n)d jours par semaine", rule.most)
        else:
            words = ngettext("au plus %(n)d jour par période", "au plus %(n)d jours par période", rule.most)
        counts.append(words % {"n": rule.most})
    return list_words(counts)


# Decisions


def sentence(decision: Decision, tz: str | tzinfo) -> str:
    """The decision as a family reads it, without a final full stop."""
    if isinstance(decision, Allowed):
        return allowed_words(decision, tz)
    return spaced(_REFUSALS[decision.reason](decision, tz))


def allowed_words(decision: Allowed, tz: str | tzinfo) -> str:
    """ "Modifiable jusqu'au vendredi 20 novembre, 9 h"."""
    if decision.until is None:
        return _("Modifiable")
    return _("Modifiable jusqu’au %(moment)s") % {"moment": moment_words(decision.until, tz)}


def beyond_calendar_words(fault: BeyondCalendar) -> str:
    """What an agent reads when a day is outside the school calendar's data, with what to do."""
    day = day_words(fault.day, year=True)
    if fault.covered_from is not None and fault.day < fault.covered_from:
        words = _("Le calendrier scolaire commence le %(first)s : le %(day)s n’y est pas.")
        return spaced(words % {"first": day_words(fault.covered_from, year=True), "day": day})
    words = _(
        "Le calendrier scolaire s’arrête le %(last)s : le %(day)s n’y est pas encore. Mettez à jour "
        "vacances-scolaires-france, ou nommez le calendrier officiel dans le fichier de la commune."
    )
    return spaced(words % {"last": day_words(fault.covered_until, year=True), "day": day})


def _since(decision: Refused, tz: str | tzinfo) -> str:
    since = decision.facts.get("since")
    if not isinstance(since, datetime):
        return _("Trop tard pour changer en ligne")
    return _("Trop tard pour changer en ligne : le délai était %(moment)s") % {"moment": moment_words(since, tz)}


def _opens(decision: Refused, tz: str | tzinfo) -> str:
    opens = decision.facts.get("opens")
    if not isinstance(opens, datetime):
        return _("Pas encore ouvert")
    return _("Pas encore ouvert : réservations à partir du %(moment)s") % {
        "moment": moment_words(opens, tz, opens=True)
    }


def _beyond(decision: Refused, tz: str | tzinfo) -> str:
    until = decision.facts.get("covered_until")
    if not isinstance(until, date):
        return _("Date au-delà du calendrier scolaire connu")
    return _("Date au-delà du calendrier scolaire connu, qui s’arrête le %(day)s") % {
        "day": day_words(until, year=True)
    }


def _named(plain: Callable[[], str], named: Callable[[], str]) -> Callable[[Refused, str | tzinfo], str]:
    def words(decision: Refused, tz: str | tzinfo) -> str:
        name = decision.facts.get("name")
        return named() % {"name": name} if name else plain()

    return words


def _plain(text: Callable[[], str]) -> Callable[[Refused, str | tzinfo], str]:
    return lambda decision, tz: text()


def _number(decision: Refused, key: str) -> int:
    value = decision.facts.get(key)
    return value if isinstance(value, int) else 0


def _names(decision: Refused, key: str, *, either: bool = False) -> str:
    value = decision.facts.get(key)
    return list_words((str(name) for name in cast("Iterable[object]", value or ())), either=either)


def _weekday(decision: Refused, tz: str | tzinfo) -> str:
    weekdays = cast("Collection[int]", decision.facts.get("weekdays") or ())
    return _("Pas d’accueil ce jour de la semaine : ouvert %(weekdays)s") % {"weekdays": weekdays_words(weekdays)}


def _too_young(decision: Refused, tz: str | tzinfo) -> str:
    n = _number(decision, "min_age")
    return ngettext(
        "L’enfant n’a pas encore l’âge requis (%(n)d an)", "L’enfant n’a pas encore l’âge requis (%(n)d ans)", n
    ) % {"n": n}


def _too_old(decision: Refused, tz: str | tzinfo) -> str:
    n = _number(decision, "max_age")
    return ngettext(
        "L’enfant a dépassé l’âge (%(n)d an au plus)", "L’enfant a dépassé l’âge (%(n)d ans au plus)", n
    ) % {"n": n}


def _for(text: Callable[[], str], key: str) -> Callable[[Refused, str | tzinfo], str]:
    return lambda decision, tz: text() % {"names": _names(decision, key)}


def _full_week(decision: Refused, tz: str | tzinfo) -> str:
    missing = cast("Iterable[date]", decision.facts.get("missing") or ())
    days = list_words(day_words(day) for day in missing)
    if not days:
        return _("La semaine se réserve en entier")
    return _("La semaine se réserve en entier : il manque %(days)s") % {"days": days}


def _consecutive(decision: Refused, tz: str | tzinfo) -> str:
    n = _number(decision, "days")
    return ngettext("Réservez au moins %(n)d jour", "Réservez au moins %(n)d jours qui se suivent", n) % {"n": n}


def _few(decision: Refused, tz: str | tzinfo) -> str:
    n = _number(decision, "days")
    if decision.facts.get("per") == "week":
        words = ngettext("Réservez au moins %(n)d jour par semaine", "Réservez au moins %(n)d jours par semaine", n)
    else:
        words = ngettext("Réservez au moins %(n)d jour par période", "Réservez au moins %(n)d jours par période", n)
    return words % {"n": n}


def _many(decision: Refused, tz: str | tzinfo) -> str:
    n = _number(decision, "days")
    if decision.facts.get("per") == "week":
        words = ngettext("Pas plus de %(n)d jour par semaine", "Pas plus de %(n)d jours par semaine", n)
    else:
        words = ngettext("Pas plus de %(n)d jour par période", "Pas plus de %(n)d jours par période", n)
    return words % {"n": n}


def _priority(decision: Refused, tz: str | tzinfo) -> str:
    opens = decision.facts.get("opens")
    if not isinstance(opens, datetime):
        return _("Réservé aux familles prioritaires")
    return _("Réservé aux familles prioritaires jusqu’au %(moment)s") % {"moment": moment_words(opens, tz)}


def _agent_only(decision: Refused, tz: str | tzinfo) -> str:
    return _("%(late)s. Écrivez au service : un agent peut encore répondre") % {"late": _since(decision, tz)}


def _proof_late(decision: Refused, tz: str | tzinfo) -> str:
    due = decision.facts.get("due")
    if not isinstance(due, datetime):
        return _("Justificatif remis trop tard")
    return _("Justificatif remis trop tard : il était attendu avant %(moment)s") % {"moment": moment_words(due, tz)}


def _still_cancellable(decision: Refused, tz: str | tzinfo) -> str:
    until = decision.facts.get("until")
    if not isinstance(until, datetime):
        return _("Ce jour peut encore être annulé au planning")
    return _("Ce jour peut encore être annulé au planning, jusqu’au %(moment)s") % {"moment": moment_words(until, tz)}


def _has_begun(decision: Refused, tz: str | tzinfo) -> str:
    since = decision.facts.get("since")
    if not isinstance(since, datetime):
        return _("L’accueil a déjà commencé : appelez le service")
    return _("L’accueil a commencé %(moment)s : appelez le service") % {"moment": moment_words(since, tz, opens=True)}


def absence_cost_words(
    *, still_due: int, proven: int | None, proof_until: datetime | None, tz: str | tzinfo, at: datetime
) -> str:
    """What a day of absence costs, without a final full stop: "Cette journée sera facturée", "Cette journée ne sera pas
    facturée si vous remettez un justificatif avant le jeudi 26 novembre, 12 h"."""
    if proof_until is None or proven is None or still_due == 0 or at >= proof_until:
        return _billed_words(still_due)
    if proven >= still_due:
        return _("%(billed)s, même avec un justificatif") % {"billed": _billed_words(still_due)}
    return _("%(billed)s si vous remettez un justificatif avant le %(moment)s") % {
        "billed": _billed_words(proven),
        "moment": moment_words(proof_until, tz),
    }


def _billed_words(part: int) -> str:
    if part == 0:
        return _("Cette journée ne sera pas facturée")
    if part == 100:
        return _("Cette journée sera facturée")
    return _("Cette journée sera facturée à %(part)d\u00a0%%") % {"part": part}


_REFUSALS: dict[Reason, Callable[[Refused, str | tzinfo], str]] = {
    Reason.PAST_LIMIT: _since,
    Reason.NOT_OPEN_YET: _opens,
    Reason.NOT_ON_LINE: _plain(lambda: _("Ne se fait pas en ligne : contactez le service")),
    Reason.BEYOND_CALENDAR: _beyond,
    Reason.CLOSED: _named(lambda: _("Fermé ce jour-là"), lambda: _("Fermé : %(name)s")),
    Reason.PUBLIC_HOLIDAY: _named(lambda: _("Jour férié"), lambda: _("Jour férié : %(name)s")),
    Reason.NO_SCHOOL: _named(lambda: _("Pas d’école ce jour-là"), lambda: _("Pas d’école ce jour-là : %(name)s")),
    Reason.NOT_THIS_WEEKDAY: _weekday,
    Reason.OUTSIDE_PERIOD: _plain(lambda: _("Pas d’accueil à cette date")),
    Reason.FULL: _plain(lambda: _("Complet")),
    Reason.ALREADY_BOOKED: _plain(lambda: _("Déjà réservé")),
    Reason.CHANGED_MEANWHILE: _plain(lambda: _("Ce jour a changé entre-temps : vérifiez avant de renvoyer")),
    Reason.OTHER_HOUSEHOLD: _plain(lambda: _("Réservé par l’autre foyer")),
    Reason.NOT_ENROLLED: _plain(lambda: _("Pas d’inscription à ce service")),
    Reason.ENROLMENT_PENDING: _plain(lambda: _("L’inscription attend la réponse du service")),
    Reason.ENROLMENT_ONLY: _plain(lambda: _("Sans réservation : l’inscription suffit")),
    Reason.TOO_YOUNG: _too_young,
    Reason.TOO_OLD: _too_old,
    Reason.OTHER_LEVEL: _for(lambda: _("Ouvert aux niveaux %(names)s"), "levels"),
    Reason.OTHER_CLASS: _for(lambda: _("Ouvert aux classes %(names)s"), "classes"),
    Reason.OTHER_SCHOOL: _for(lambda: _("Ouvert aux enfants de : %(names)s"), "sites"),
    Reason.RESIDENTS_ONLY: _plain(lambda: _("Ouvert aux habitants de la commune")),
    Reason.PRIORITY_ONLY: _priority,
    Reason.MISSING_PAPER: _for(lambda: _("Il manque : %(names)s"), "papers"),
    Reason.HEALTH_FILE_MISSING: _plain(lambda: _("La fiche santé de l’enfant n’est pas à jour")),
    Reason.TERMS_NOT_ACCEPTED: _plain(lambda: _("Le règlement n’est pas encore accepté")),
    Reason.DOSSIER_NOT_ACCEPTED: _plain(lambda: _("Le dossier n’est pas encore validé par le service")),
    Reason.ANSWER_MISSING: _for(lambda: _("Il manque une réponse : %(names)s"), "questions"),
    Reason.NEEDS_FULL_WEEK: _full_week,
    Reason.NEEDS_CONSECUTIVE_DAYS: _consecutive,
    Reason.TOO_FEW_DAYS: _few,
    Reason.TOO_MANY_DAYS: _many,
    Reason.NEEDS_UNIT: lambda decision, tz: (
        _("Se réserve avec : %(names)s") % {"names": _names(decision, "units", either=True)}
    ),
    Reason.EXCLUDES_UNIT: _for(lambda: _("Ne se réserve pas avec : %(names)s, le même jour"), "units"),
    Reason.TIED: _for(
        lambda: _("Gardé, puisque ce qui devait le remplacer ne peut pas être réservé : %(names)s"), "units"
    ),
    Reason.AGENT_ONLY: _agent_only,
    Reason.PROOF_MISSING: _plain(lambda: _("Il manque un justificatif")),
    Reason.PROOF_TOO_LATE: _proof_late,
    Reason.CAUSE_NOT_ACCEPTED: _plain(lambda: _("Ce motif d’absence n’est pas accepté")),
    Reason.STILL_CANCELLABLE: _still_cancellable,
    Reason.ALREADY_ANNOUNCED: _plain(lambda: _("L’absence est déjà signalée")),
    Reason.HAS_BEGUN: _has_begun,
}
