"""Whose documents one may see. Health papers are for the home that gave them and for agents who read health."""

from datetime import datetime

from django.db.models import Q, QuerySet

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.documents.models import SupportingDocument
from marelle.families.models import Household
from marelle.families.permissions import children_for, households_for


def documents_of(household: Household) -> "QuerySet[SupportingDocument]":
    """All that this home handed in, and nothing of a child's other home."""
    return SupportingDocument.objects.filter(household=household)


def documents_for(role: AgentRole, *, town: Municipality, at: datetime) -> "QuerySet[SupportingDocument]":
    """What an agent may see: documents of homes and children of the agent's sites, those that tell of health only with
    the right to read health."""
    found = SupportingDocument.objects.filter(
        Q(child=None) | Q(child__in=children_for(role, at=at)), household__in=households_for(role, at=at)
    )
    return found if role.reads_health else found.exclude(paper__in=health_papers(town))


def health_papers(town: Municipality) -> frozenset[str]:
    """The slugs of the town's papers that tell of health."""
    return frozenset(paper.slug for paper in rules_of(town).papers if paper.health)
