"""How papers, their subjects and their states are called: on pages, in e-mails and in the trail."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.families.models import Child, Guardian
from marelle.foundation.look import Look
from marelle.rules.papers import DocumentState, PaperState
from marelle.townfile.town import Paper

STANDING_LOOKS = {
    PaperState.MISSING: Look(gettext_lazy("À donner"), "clock", "wait"),
    PaperState.TO_REVIEW: Look(gettext_lazy("En vérification"), "hourglass", "wait"),
    PaperState.ACCEPTED: Look(gettext_lazy("Accepté"), "circle-check", "ok"),
    PaperState.EXPIRING: Look(gettext_lazy("Expire bientôt"), "clock-alert", "wait"),
    PaperState.REFUSED: Look(gettext_lazy("Refusé"), "circle-x", "stop"),
    PaperState.EXPIRED: Look(gettext_lazy("Expiré"), "clock-alert", "stop"),
}

DOCUMENT_LOOKS = {
    DocumentState.TO_REVIEW: STANDING_LOOKS[PaperState.TO_REVIEW],
    DocumentState.ACCEPTED: STANDING_LOOKS[PaperState.ACCEPTED],
    DocumentState.REFUSED: STANDING_LOOKS[PaperState.REFUSED],
    DocumentState.REPLACED: Look(gettext_lazy("Remplacé"), "history", "off"),
    DocumentState.WITHDRAWN: Look(gettext_lazy("Retiré"), "undo-2", "off"),
}


def guarded_name(paper: Paper) -> str:
    """The paper's name where anybody may read: a paper that tells of health is only called that."""
    return _("document de santé") if paper.health else paper.name


def subject_words(*, child: Child | None, guardian: Guardian | None) -> str:
    """Whom a document is about, in a list: "Tom", "Nadia Benali", "toute la famille"."""
    if child is not None:
        return child.first_name
    return str(guardian) if guardian is not None else _("toute la famille")
