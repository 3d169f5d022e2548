"""How papers and their subjects are called: on pages, in e-mails and in the trail."""

from django.utils.translation import gettext as _

from marelle.families.models import Child, Guardian
from marelle.townfile.town import Paper


def guarded_name(paper: Paper) -> str:
    """The paper's name where anybody may read: a paper that tells of health is only called that."""
    return _("document de santé") if paper.health else paper.name


def subject_words(*, child: Child | None, guardian: Guardian | None) -> str:
    """Whom a document is about, in a list: "Tom", "Nadia Benali", "toute la famille"."""
    if child is not None:
        return child.first_name
    return str(guardian) if guardian is not None else _("toute la famille")
