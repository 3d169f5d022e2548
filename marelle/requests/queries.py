"""Reading the requests that families sent, in the order in which agents answer them."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, TruncDate

from marelle.families.models import Household
from marelle.families.queries import matching
from marelle.requests.models import FamilyRequest, RequestKind, RequestLine, UnreadThread
from marelle.rules.lifecycles import LineState, RequestState

_NUMBER = re.compile(r"(\d{4})-(\d{6,12})")
_TYPED_NUMBER = re.compile(r"(?:n°\s*)?(?:\d{4}-)?0*(\d{1,12})")


class Pile(StrEnum):
    """The parts of the queue. The values stand in addresses."""

    WAITING = "a-traiter"
    BOOKINGS = "reservations"
    ENROLMENTS = "inscriptions"
    PAPERS = "pieces"
    FAMILIES = "familles"
    QUESTIONS = "questions"
    MINE = "les-miennes"
    MESSAGES = "messages"
    ANSWERED = "repondues"


PILES = {
    Pile.WAITING: Q(state=RequestState.SENT),
    Pile.BOOKINGS: Q(state=RequestState.SENT, kind=RequestKind.BOOKING),
    Pile.ENROLMENTS: Q(state=RequestState.SENT, kind=RequestKind.ENROLMENT),
    Pile.PAPERS: Q(state=RequestState.SENT, kind=RequestKind.PAPER),
    Pile.FAMILIES: Q(state=RequestState.SENT, kind__in=(RequestKind.ACCOUNT, RequestKind.DATA)),
    Pile.QUESTIONS: Q(state=RequestState.SENT, kind=RequestKind.QUESTION),
    Pile.MESSAGES: Q(unread_since__isnull=False),
    Pile.ANSWERED: ~Q(state=RequestState.SENT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What an agent (`reader`, a user's id) wants to see. `service` and `site` are slugs, "" for all; `words` a family,
    a child or a number."""

    pile: Pile = Pile.WAITING
    service: str = ""
    site: str = ""
    words: str = ""
    reader: int = 0

    def pile_of(self, pile: Pile) -> Q:
        """What makes a request of this pile; "the agent's own" are those that the agent follows."""
        if pile is Pile.MINE:
            return Q(state=RequestState.SENT, assigned_to=self.reader)
        return PILES[pile]

    @property
    def is_narrowed(self) -> bool:
        return bool(self.service or self.site or self.words)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many requests wait for an answer, and since when the oldest."""

    count: int
    oldest: datetime | None


def visible(sites: Collection[int] = ()) -> "QuerySet[FamilyRequest]":
    """The requests that an agent of these sites may see: those with a line there (no site named: all)."""
    requests = FamilyRequest.objects.all()
    if sites:
        here = Q(activity__site__in=list(sites)) | Q(site__in=list(sites))
        requests = requests.filter(Exists(_lines().filter(here)))
    return requests


def waiting(sites: Collection[int] = ()) -> Waiting:
    """One query."""
    found = visible(sites).filter(PILES[Pile.WAITING]).aggregate(count=Count("id"), oldest=Min("sent_at"))
    return Waiting(count=found["count"], oldest=found["oldest"])


def pile_counts(sought: Sought, *, sites: Collection[int] = ()) -> dict[Pile, int]:
    """How many requests each pile holds for the same service, site and words: one query."""
    narrowed = _narrowed(visible(sites), sought)
    found = narrowed.aggregate(**{pile.name: Count("id", filter=sought.pile_of(pile)) for pile in Pile})
    return {pile: found[pile.name] for pile in Pile}


def queue(
    sought: Sought, *, today: date, tz: ZoneInfo, answer_days: int, sites: Collection[int] = ()
) -> "QuerySet[FamilyRequest]":
    """The requests sought, what presses first.

    A request whose first pending day is today or tomorrow (or went by) tops the queue; then by that first day, then by
    age. A request without a day (an enrolment) ranks as if it took effect when its answer was promised: its own
    `answer_days` after it was sent, else those given. Answered ones come last answered first. `first_day` is
    annotated: the first day still pending.
    """
    first_day = Subquery(
        _lines().filter(state=LineState.PENDING, date__isnull=False).order_by("date").values("date")[:1]
    )
    requests = _narrowed(visible(sites), sought).filter(sought.pile_of(sought.pile)).annotate(first_day=first_day)
    if sought.pile == Pile.ANSWERED:
        return requests.order_by("-answered_at", "-id")
    promised = ExpressionWrapper(
        Cast(Coalesce("answer_days", Value(answer_days)), IntegerField()) * Value(timedelta(days=1)),
        output_field=DurationField(),
    )
    return requests.annotate(
        rank=Case(When(first_day__lte=today + timedelta(days=1), then=Value(0)), default=Value(1)),
        takes_effect=Coalesce("first_day", TruncDate(F("sent_at") + promised, tzinfo=tz)),
    ).order_by("rank", "takes_effect", "sent_at", "id")


def with_lines(requests: "QuerySet[FamilyRequest]") -> "QuerySet[FamilyRequest]":
    """The same, with household and lines ready to be shown: two queries, whatever the number of lines."""
    lines = RequestLine.objects.select_related(
        "child__school", "service", "activity__site", "activity__service", "unit", "site"
    )
    return requests.select_related("household").prefetch_related(Prefetch("lines", queryset=lines))


def number_typed(words: str) -> int | None:
    """The id in a number such as "2026-004871", "n° 2026-4871" or "4871"; None when it is not one."""
    found = _TYPED_NUMBER.fullmatch(words.strip().lower())
    return int(found[1]) if found else None


def find_request(number: str, *, household: Household | None = None) -> FamilyRequest | None:
    """The request of that number ("2026-004871"), of that household only when one is given; None when there is none."""
    requests = FamilyRequest.objects.all()
    return find_among(requests if household is None else requests.filter(household=household), number)


def find_among(requests: "QuerySet[FamilyRequest]", number: str) -> FamilyRequest | None:
    """The request of that number among these, None when it is not there."""
    match = _NUMBER.fullmatch(number)
    return None if match is None else requests.filter(id=int(match[2]), sent_year=int(match[1])).first()


def latest_of(household: Household, *, count: int) -> list[FamilyRequest]:
    """The household's last requests with their lines: two queries."""
    return list(with_lines(FamilyRequest.objects.filter(household=household)).order_by("-id")[:count])


def with_unread(households: "QuerySet[Household]", user: int) -> "QuerySet[Household]":
    """The same, each with `unread`: in how many of its threads the town wrote what this guardian (a user's id) has not
    read."""
    marks = UnreadThread.objects.filter(user=user, request__household=OuterRef("pk")).order_by()
    counted = marks.values("user").annotate(n=Count("id")).values("n")
    return households.annotate(unread=Coalesce(Subquery(counted), 0))


def _lines() -> "QuerySet[RequestLine]":
    return RequestLine.objects.filter(request=OuterRef("pk"))


def _narrowed(requests: "QuerySet[FamilyRequest]", sought: Sought) -> "QuerySet[FamilyRequest]":
    if sought.service or sought.site:
        lines = _lines()
        if sought.service:
            lines = lines.filter(service__slug=sought.service)
        if sought.site:
            lines = lines.filter(Q(activity__site__slug=sought.site) | Q(site__slug=sought.site))
        requests = requests.filter(Exists(lines))
    if sought.words:
        wanted = Q(household__in=matching(Household.objects.order_by(), sought.words))
        if (number := number_typed(sought.words)) is not None:
            wanted |= Q(id=number)
        requests = requests.filter(wanted)
    return requests
