"""The check before sending: each line as a sentence, with its limit or what stops it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.bookings.models import BasketLine
from marelle.bookings.queries.days import Days
from marelle.foundation.components.grid import Kid
from marelle.foundation.sentences import day_words, moment_words, sentence
from marelle.portal.planning.grid import SOON
from marelle.portal.planning.waiting import ahead_words
from marelle.requests.models import Act
from marelle.rules.decisions import Allowed, Decision, Reason, Refused


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line of the check: `sentence` ("Ajouter lundi 23 novembre"), `until` in words (`soon`: within 72 hours), or the
    `problem` that stops it. `waits`: it stands in the waiting list when sent; `list_words`: how many stand before,
    where the day is full and has a list."""

    line: BasketLine
    kid: Kid
    adds: bool
    sentence: str
    service: str
    site: str
    unit: str
    until: str
    problem: str
    asked: bool
    waits: bool = False
    list_words: str = ""
    soon: bool = False


def checked_line(
    line: BasketLine, verdict: Decision, days: Days, town: Municipality, kids: Mapping[int, Kid]
) -> CheckedLine:
    """`verdict`: what `judge_lines` says of it among all the lines."""
    adds = line.act == Act.BOOK
    state = days.states.get((line.child_id, line.unit_id, line.date))
    full = isinstance(verdict, Allowed) or verdict.reason == Reason.FULL
    joins = adds and full and state is not None and isinstance(state.may_wait(), Allowed)
    waits = joins and line.waits
    service = line.enrolment.activity.service
    day = day_words(line.date)
    until = moment_words(verdict.until, town.tz) if isinstance(verdict, Allowed) and verdict.until else ""
    withdraws = line.was == "pending"
    words = _("Attendre une place %(day)s") if waits else _change(adds, withdraws)
    return CheckedLine(
        line=line,
        kid=kids[line.child_id],
        adds=adds,
        sentence=words % {"day": day},
        service=service.short_name,
        site=line.enrolment.activity.site.name,
        unit=line.unit.name if len(days.units.get(service.id, ())) > 1 else "",
        until=until,
        problem=sentence(verdict, town.tz) if isinstance(verdict, Refused) else "",
        asked=not waits
        and (service.validation_book if adds else service.validation_cancel) == "asked"
        and not withdraws,
        waits=waits,
        list_words=ahead_words(state) if joins and state is not None else "",
        soon=isinstance(verdict, Allowed) and verdict.until is not None and verdict.until - days.at <= SOON,
    )


def _change(adds: bool, withdraws: bool) -> str:
    if adds:
        return _("Ajouter %(day)s")
    return _("Retirer %(day)s") if withdraws else _("Annuler %(day)s")
