"""A family's papers as agents see them: what its services require, where each stands, and what was handed in."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality
from marelle.bookings.queries.papers import HomePapers
from marelle.documents.giving import Item
from marelle.documents.labels import DOCUMENT_LOOKS, subject_words
from marelle.documents.models import SupportingDocument
from marelle.documents.permissions import documents_for
from marelle.documents.queries import find_paper
from marelle.families.models import Household
from marelle.families.permissions import children_for
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words, moment_words
from marelle.rules.papers import DocumentState

#: How many documents the page lists: the older ones are in the history.
LISTED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    name: str
    who: str
    facts: str
    reason: str
    look: Look
    url: str
    number: str


def home_papers(household: Household, *, role: AgentRole, town: Municipality, at: datetime) -> HomePapers:
    """The home's papers, for the children whom this agent may see."""
    seen = children_for(role, at=at).filter(residences__household=household).order_by("birth_date", "id")
    return HomePapers(town=town, household=household, children=[(child, None) for child in seen], at=at)


def may_see(item: Item, role: AgentRole) -> bool:
    return role.reads_health or not item.paper.health


def handed_in(household: Household, *, role: AgentRole, town: Municipality, at: datetime) -> list[Handed]:
    """What the home handed in, newest first, as far as this agent may see. One query."""
    documents = (
        documents_for(role, town=town, at=at)
        .filter(household=household)
        .exclude(state__in=(DocumentState.REPLACED, DocumentState.WITHDRAWN))
        .select_related("child", "guardian", "line", "review__request")
        .order_by("-handed_at", "id")[:LISTED]
    )
    return [_handed(document, town) for document in documents]


def _handed(document: SupportingDocument, town: Municipality) -> Handed:
    paper = find_paper(town, document.paper)
    facts = [_("reçu le %(moment)s") % {"moment": moment_words(document.handed_at, town.tz)}]
    if document.line is not None and document.line.date is not None:
        facts.insert(0, _("absence du %(day)s") % {"day": day_words(document.line.date)})
    if document.valid_until is not None:
        facts.append(_("valable jusqu’au %(day)s") % {"day": day_words(document.valid_until, year=True)})
    waits = document.state == DocumentState.TO_REVIEW and document.review is not None
    return Handed(
        name=f"{paper.name if paper is not None else document.paper} {document.school_year}".strip(),
        who=subject_words(child=document.child, guardian=document.guardian),
        facts=" · ".join(facts),
        reason=document.reason,
        look=DOCUMENT_LOOKS[DocumentState(document.state)],
        url=reverse("documents:file", args=[document.pk]) if document.file_id is not None else "",
        number=document.review.request.number if waits and document.review is not None else "",
    )


def all_items(home: HomePapers, role: AgentRole) -> list[Item]:
    """Everything that the home may give: what is required first, with where it stands, then the town's other papers."""
    asked = [item for item in home.asked() if may_see(item, role)]
    known = {(item.paper.slug, item.child, item.guardian) for item in asked}
    return asked + [
        item
        for item in home.others()
        if may_see(item, role) and (item.paper.slug, item.child, item.guardian) not in known
    ]
