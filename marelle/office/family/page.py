"""The whole page: what must not be missed, who they are, and the cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality
from marelle.families.models import FamilyQuotient, Guardian, Guardianship, Household
from marelle.families.permissions import SEERS, children_for, seeable_by
from marelle.families.queries import holds_on, quotient_on
from marelle.office.family.household import quotient_words
from marelle.office.family.providers import ALERTS, ASIDE, MAIN
from marelle.office.family.sight import Alert, Card, Sight
from marelle.office.mails import DESK


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyPage:
    sight: Sight
    alerts: Sequence[Alert]
    main: Sequence[Card]
    aside: Sequence[Card]
    quotient: FamilyQuotient | None
    quotient_words: str
    quotient_holds: bool
    seen_as: Guardian | None


def sight_of(
    household: Household, *, role: AgentRole, town: Municipality, at: datetime, query: QueryDict | None = None
) -> Sight:
    """What this agent sees of the household. Two queries."""
    return Sight(
        household=household,
        links=list(Guardianship.objects.filter(household=household).select_related("guardian__user")),
        children=list(
            children_for(role, at=at)
            .filter(residences__household=household)
            .select_related("school")
            .order_by("birth_date", "id")
        ),
        town=town,
        role=role,
        may_write=role.kind in DESK,
        at=at,
        query=query if query is not None else QueryDict(),
    )


def family_page(sight: Sight) -> FamilyPage:
    """Each provider asks a number of queries that the number of children does not change."""
    quotient = quotient_on(sight.household, sight.today)
    return FamilyPage(
        sight=sight,
        alerts=[alert for provider in ALERTS for alert in provider(sight)],
        main=[card for provider in MAIN if (card := provider(sight)) is not None],
        aside=[card for provider in ASIDE if (card := provider(sight)) is not None],
        quotient=quotient,
        quotient_words=quotient_words(quotient) if quotient is not None else "",
        quotient_holds=quotient is not None and holds_on(quotient, sight.today),
        seen_as=seen_as(sight),
    )


def seen_as(sight: Sight) -> Guardian | None:
    """As whom this agent may look at the family's own pages: the first adult with an open account, else with one."""
    if sight.role.kind not in SEERS or not sight.role.reads_health:
        return None
    adults = [link.guardian for link in sight.links if link.guardian.user is not None]
    adults.sort(key=lambda adult: not adult.user.is_active)  # type: ignore[union-attr]
    return adults[0] if adults and seeable_by(sight.role, at=sight.at).filter(pk=sight.household.pk).exists() else None
