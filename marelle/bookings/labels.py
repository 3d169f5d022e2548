"""The words, icons and looks of every state of a booking, an enrolment and a request: page, legend, e-mail and
agents' side read them here and nowhere else."""

from collections.abc import Iterable
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from marelle.foundation.look import Look
from marelle.requests.models import Act
from marelle.rules.lifecycles import BookingState, EnrolmentState, LineState


class CellState(Enum):
    """What a cell of the planning says, in the fixed vocabulary of families and agents."""

    FREE = Look(_("Libre"), "square", "free")
    ADD = Look(_("À ajouter"), "plus", "add")
    REMOVE = Look(_("À annuler"), "minus", "remove")
    BOOKED = Look(_("Réservé"), "check", "booked")
    PENDING = Look(_("En cours"), "hourglass", "pending", _("Demande en cours"))
    QUEUED = Look(_("En attente"), "list-ordered", "queue", _("Liste d’attente"))
    OFFERED = Look(_("Place proposée"), "list-ordered", "offered")
    CANCELLING = Look(_("Annulation en cours"), "calendar-x-2", "cancelling")
    REFUSED = Look(_("Refusé"), "circle-x", "refused")
    LOCKED = Look(_("Réservé"), "lock", "locked", _("Réservé, délai dépassé"))
    ABSENT = Look(_("Absence"), "user-x", "absent", _("Absence signalée"))
    LATE = Look(_("Trop tard"), "lock", "late", _("Trop tard pour réserver"))
    NOT_OPEN = Look(_("Pas encore ouvert"), "lock", "late", _("Pas encore ouvert"))
    PAST = Look(_("Rien de réservé"), "minus", "late", _("Jour passé"))
    FULL = Look(_("Complet"), "ban", "full")
    CLOSED = Look(_("Fermé"), "ban", "closed")
    OUTING = Look(_("Sortie scolaire"), "bus", "closed")
    STRIKE = Look(_("Grève"), "ban", "closed")
    HOLIDAY = Look(_("Férié"), "ban", "closed", _("Fermé"))
    ELSEWHERE = Look(_("Réservé par l’autre foyer"), "lock", "elsewhere")

    @classmethod
    def legend_of(cls, shown: "Iterable[CellState]") -> list["CellState"]:
        """The states that a legend always explains, and those shown that it would not name otherwise."""
        always = (
            cls.FREE, cls.BOOKED, cls.PENDING, cls.REFUSED, cls.CANCELLING, cls.LOCKED, cls.LATE, cls.CLOSED, cls.ADD,
            cls.REMOVE,
        )  # fmt: skip
        met = set(shown)
        return [*always, *(state for state in cls if state in met and state not in (*always, cls.PAST, cls.HOLIDAY))]

    @property
    def word(self) -> str | Promise:
        return self.value.word

    @property
    def icon(self) -> str:
        return self.value.icon

    @property
    def css(self) -> str:
        return self.value.css

    @property
    def legend(self) -> str | Promise:
        return self.value.legend or self.value.word


BOOKING_LOOKS = {
    BookingState.PENDING: Look(_("En cours"), "hourglass", "wait"),
    BookingState.BOOKED: Look(_("Réservé"), "circle-check", "ok"),
    BookingState.REFUSED: Look(_("Refusé"), "circle-x", "stop"),
    BookingState.WITHDRAWN: Look(_("Retiré"), "undo-2", "off"),
    BookingState.CANCELLING: Look(_("Annulation en cours"), "calendar-x-2", "wait"),
    BookingState.CANCELLED: Look(_("Annulé"), "circle-check", "off"),
    BookingState.QUEUED: Look(_("Liste d’attente"), "list-ordered", "queue"),
    BookingState.OFFERED: Look(_("Place proposée"), "list-ordered", "queue"),
    BookingState.EXPIRED: Look(_("Expiré"), "clock-alert", "off"),
    BookingState.CLOSED: Look(_("Fermé"), "ban", "off"),
}

#: A booked day on which the child was announced absent, and that announcement taken back.
ABSENT_LOOK = Look(_("Absence signalée"), "user-x", "off")
UNANSWERED_LOOK = Look(_("Demande sans réponse"), "hourglass", "wait")
ABSENCE_WITHDRAWN_LOOK = Look(_("Signalement annulé"), "undo-2", "off")

ENROLMENT_LOOKS = {
    EnrolmentState.DRAFT: Look(_("À compléter"), "pencil", "wait"),
    EnrolmentState.SUBMITTED: Look(_("En attente"), "circle-question-mark", "wait"),
    EnrolmentState.INCOMPLETE: Look(_("Incomplète"), "circle-question-mark", "wait"),
    EnrolmentState.ACCEPTED: Look(_("Acceptée"), "circle-check", "ok"),
    EnrolmentState.REFUSED: Look(_("Refusée"), "circle-x", "stop"),
    EnrolmentState.WITHDRAWN: Look(_("Retirée"), "undo-2", "off"),
    EnrolmentState.ENDED: Look(_("Terminée"), "check", "off"),
}


def late_words(*, act: str, still_due: int | None) -> str:
    """What an agent's act past the limit means for the bill: "après la limite, reste facturé"."""
    if act != Act.CANCEL or still_due is None:
        return gettext("après la limite")
    if still_due == 0:
        return gettext("après la limite, non facturé")
    if still_due == 100:
        return gettext("après la limite, reste facturé")
    return gettext("après la limite, facturé à %(percent)d %%") % {"percent": still_due}


def acts_words(acts: Iterable[str]) -> str:
    """ "2 ajouts, 1 annulation"; nothing for what is neither."""
    listed = list(acts)
    added, removed = listed.count(Act.BOOK), listed.count(Act.CANCEL)
    parts = []
    if added:
        parts.append(ngettext("%(n)d ajout", "%(n)d ajouts", added) % {"n": added})
    if removed:
        parts.append(ngettext("%(n)d annulation", "%(n)d annulations", removed) % {"n": removed})
    if absent := listed.count(Act.ABSENT):
        parts.append(ngettext("%(n)d absence", "%(n)d absences", absent) % {"n": absent})
    return ", ".join(parts)


def absence_look(line_states: Iterable[str]) -> Look:
    """How an announced absence shows as a whole: it holds as long as one of its days does."""
    return ABSENT_LOOK if LineState.ACCEPTED in set(line_states) else ABSENCE_WITHDRAWN_LOOK
