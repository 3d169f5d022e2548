"""The words of a waiting list, the same on the planning, in the check and on a place's page."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.bookings.labels import CellState
from marelle.bookings.queries.days import DayState
from marelle.foundation.components.grid import Mark
from marelle.rules.decisions import Allowed
from marelle.rules.lifecycles import BookingState


def rank_words(rank: int) -> str:
    """ "1er en attente", "2e en attente"; "" for who does not wait."""
    if not rank:
        return ""
    return _("1ᵉʳ en attente") if rank == 1 else _("%(rank)dᵉ en attente") % {"rank": rank}


def ahead_words(state: DayState) -> str:
    """How many stand before the child in the list that it would join: "2 enfants avant Léo"."""
    name = state.enrolment.child.first_name
    if not state.ahead:
        return _("personne avant %(name)s") % {"name": name}
    return ngettext("%(n)d enfant avant %(name)s", "%(n)d enfants avant %(name)s", state.ahead) % {
        "n": state.ahead,
        "name": name,
    }


def may_join(state: DayState, *, today: date) -> bool:
    """Whether ticking this full day means joining its waiting list."""
    return state.day >= today and isinstance(state.may_wait(), Allowed)


def join_mark() -> Mark:
    """What ticking a full day asks for."""
    return Mark(str(CellState.QUEUED.legend), CellState.QUEUED.icon, CellState.QUEUED.css)


def waiting_mark(state: DayState) -> Mark | None:
    """How the day of a child who waits shows: with its rank."""
    if state.booking is None or state.booking.state != BookingState.QUEUED:
        return None
    return Mark(rank_words(state.ahead + 1), CellState.QUEUED.icon, CellState.QUEUED.css)
