"""How the answer to a line, and what came out of a request, show: page, e-mail and agents' side read them here."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from marelle.foundation.look import Look
from marelle.rules.lifecycles import LineState, Outcome, outcome

LINE_LOOKS = {
    LineState.PENDING: Look(_("En cours"), "hourglass", "wait"),
    LineState.ACCEPTED: Look(_("Acceptée"), "circle-check", "ok"),
    LineState.REFUSED: Look(_("Refusée"), "circle-x", "stop"),
    LineState.WITHDRAWN: Look(_("Retirée"), "undo-2", "off"),
}

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
