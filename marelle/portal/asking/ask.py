"""One thing to ask for, under its heading; one thing begun, to resume."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality, Period, SchoolYear, Service
from marelle.families.models import Household
from marelle.portal.children import HouseholdChild
from marelle.townfile.town import RequestGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing to ask for. Without `url` it cannot be asked now, and `text` says why."""

    title: str
    text: str = ""
    url: str = ""
    icon: str = "chevron-right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Something begun and not sent. `text` says what and how far; `hidden` completes "Reprendre" for screen readers."""

    text: str
    url: str
    hidden: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    title: Promise
    icon: str
    accent: int


HEADINGS: Mapping[RequestGroup, Heading] = {
    RequestGroup.SCHOOL: Heading(title=_("École"), icon="school", accent=0),
    RequestGroup.CANTEEN: Heading(title=_("Cantine et périscolaire"), icon="utensils", accent=1),
    RequestGroup.HOLIDAYS: Heading(title=_("Vacances"), icon="tent-tree", accent=4),
    RequestGroup.CERTIFICATES: Heading(title=_("Attestations"), icon="file-text", accent=2),
    RequestGroup.OTHER: Heading(title=_("Autre"), icon="message-square", accent=3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskGroup:
    slug: str
    title: str
    icon: str
    accent: int
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What the page has read of the family, once. `states`: of the household's live enrolments, by service id;
    `periods`: those to come, by service id."""

    town: Municipality
    user: User
    household: Household
    children: Sequence[HouseholdChild]
    open_years: Sequence[SchoolYear]
    later_years: Sequence[SchoolYear]
    services: Mapping[int, Service]
    states: Mapping[int, frozenset[str]]
    periods: Mapping[int, Sequence[Period]]
    today: date
    at: datetime


#: What can be asked for, each under its heading.
Provider = Callable[[Occasion], Iterable[tuple[RequestGroup, Ask]]]
#: What was begun, and where it goes on.
Resumer = Callable[[Occasion], Iterable[Resume]]
