"""What an agent sees of a family: who looks, at whom, and what each part of the page is made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality
from marelle.families.models import Child, Guardianship, Household


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """`children`: those of the household whom this agent may see; `may_write`: the office's agents, who register and
    correct. `query` is what the page's address asks (filters, page)."""

    household: Household
    links: Sequence[Guardianship]
    children: Sequence[Child]
    town: Municipality
    role: AgentRole
    may_write: bool
    at: datetime
    query: QueryDict

    @property
    def today(self) -> date:
        return self.at.astimezone(self.town.tz).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card of the page. Its template finds `sight` and, as `card`, these facts."""

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What an agent must not miss, above everything: "Assurance scolaire de Tom manquante." """

    title: str
    text: str = ""
    url: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A tag beside a child's name."""

    word: str | Promise
    icon: str
    css: str = ""


#: A card of the page, or None when there is nothing to show. The number of its queries does not grow with children.
CardProvider = Callable[[Sight], Card | None]
AlertProvider = Callable[[Sight], Iterable[Alert]]
#: Marks by child id.
MarkProvider = Callable[[Sight], Mapping[int, Sequence[Mark]]]
