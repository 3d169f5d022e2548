"""The check before sending: each line as a sentence, with its limit or what stops it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.bookings.models import BasketLine
from marelle.bookings.queries.days import Days
from marelle.bookings.services.sending import judge
from marelle.foundation.components.grid import Kid
from marelle.foundation.sentences import day_words, moment_words, sentence
from marelle.requests.models import Act
from marelle.rules.decisions import Allowed, Refused


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line of the check: `sentence` ("Ajouter lundi 23 novembre"), `until` in words, or the `problem` that stops
    it."""

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


def checked_line(line: BasketLine, days: Days, town: Municipality, kids: Mapping[int, Kid]) -> CheckedLine:
    adds = line.act == Act.BOOK
    verdict = judge(line, days)
    service = line.enrolment.activity.service
    day = day_words(line.date)
    until = moment_words(verdict.until, town.tz) if isinstance(verdict, Allowed) and verdict.until else ""
    withdraws = line.was == "pending"
    words = _("Ajouter %(day)s") if adds else _("Retirer %(day)s") if withdraws else _("Annuler %(day)s")
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
        asked=(service.validation_book if adds else service.validation_cancel) == "asked" and not withdraws,
    )
