"""How the answer to a line, and what came out of a request, show: page, e-mail and agents' side read them here."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words, list_words
from marelle.requests.content import FieldAnswer
from marelle.rules.lifecycles import LineState, Outcome, outcome
from marelle.townfile.town import QuestionKind

LINE_LOOKS = {
    LineState.PENDING: Look(_("En cours"), "hourglass", "wait"),
    LineState.ACCEPTED: Look(_("Acceptée"), "circle-check", "ok"),
    LineState.REFUSED: Look(_("Refusée"), "circle-x", "stop"),
    LineState.WITHDRAWN: Look(_("Retirée"), "undo-2", "off"),
}

#: A message to the town is neither accepted nor refused.
TOLD_LOOK = Look(_("Répondue"), "circle-check", "ok")

OUTCOME_LOOKS = {
    Outcome.PENDING: LINE_LOOKS[LineState.PENDING],
    Outcome.ACCEPTED: LINE_LOOKS[LineState.ACCEPTED],
    Outcome.PARTLY_ACCEPTED: Look(_("Acceptée en partie"), "circle-check", "ok"),
    Outcome.REFUSED: LINE_LOOKS[LineState.REFUSED],
    Outcome.WITHDRAWN: LINE_LOOKS[LineState.WITHDRAWN],
}


def request_look(line_states: Iterable[str]) -> Look:
    """How a request's outcome shows. It is derived from its lines; nothing of it is stored."""
    return OUTCOME_LOOKS[outcome(LineState(state) for state in line_states)]


def answer_words(answer: FieldAnswer) -> str:
    """What the family answered to a question: "lundi 16 novembre 2026", "Oui", "Lundi et mardi"."""
    value = answer.value
    if isinstance(value, bool):
        return gettext("Oui") if value else gettext("Non")
    if isinstance(value, tuple):
        return list_words(value)
    if answer.kind is QuestionKind.DATE:
        return day_words(date.fromisoformat(str(value)), year=True)
    return str(value)
