"""Where a paper asked of a home stands (docs/algorithms/papers.md)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

#: How many days before its end a family is told, unless the town says otherwise.
REMIND_DAYS: Final = 30


class DocumentState(StrEnum):
    """What became of one document handed in."""

    TO_REVIEW = "to_review"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


class PaperState(StrEnum):
    """What is said of a paper on a day, whatever the documents that were handed in for it."""

    MISSING = "missing"
    TO_REVIEW = "to_review"
    ACCEPTED = "accepted"
    EXPIRING = "expiring"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRule:
    """Until when a paper holds. At most one of `each_year`, `valid_months` and `own_end`; none: for ever."""

    each_year: bool = False
    max_age_months: int | None = None
    valid_months: int | None = None
    own_end: bool = False
    remind_days: int = REMIND_DAYS

    @property
    def has_own_end(self) -> bool:
        """Whether it ends by itself, and not with a school year."""
        return self.own_end or self.valid_months is not None

    @property
    def asks_its_date(self) -> bool:
        return self.max_age_months is not None

    def proposed_end(
        self, *, issued_on: date | None, handed_on: date, said: date | None = None, year_end: date | None = None
    ) -> date | None:
        """The last day on which a document holds, None for ever: what an agent who accepts it is shown. `said`: the
        end that the family read on it; `year_end`: the last day of its school year."""
        if self.own_end:
            return said
        if self.valid_months is not None:
            return months_after(issued_on or handed_on, self.valid_months)
        return year_end if self.each_year else None

    def is_too_old(self, *, issued_on: date, on: date) -> bool:
        """Whether a document of that date is not taken any more when handed in on that day."""
        return self.max_age_months is not None and months_after(issued_on, self.max_age_months) < on


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A document, as much as the rule needs of it. `key` is whatever the caller knows it by."""

    key: object
    state: DocumentState
    at: datetime
    valid_until: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a paper stands: the document that it is said of (None: none), its last day (None: for ever), why it was
    refused. `awaiting`: another document waits for review beside an accepted one."""

    state: PaperState
    key: object = None
    valid_until: date | None = None
    reason: str = ""
    awaiting: bool = False

    @property
    def holds(self) -> bool:
        """Whether an agent accepted it and it is not over: what it opens is open."""
        return self.state in (PaperState.ACCEPTED, PaperState.EXPIRING)

    @property
    def is_given(self) -> bool:
        """Whether the home has nothing more to give: it holds, or an agent has it."""
        return self.holds or self.state is PaperState.TO_REVIEW

    @property
    def to_do(self) -> bool:
        """Whether something is asked of the home, now or soon."""
        return not self.is_given or self.state is PaperState.EXPIRING


NOTHING: Final = Standing(state=PaperState.MISSING)


def standing(rule: PaperRule, handed: Iterable[Handed], *, on: date) -> Standing:
    """Where a paper stands that day, from all documents handed in for it and for the same subject, in any order."""
    known = sorted(
        (one for one in handed if one.state not in (DocumentState.REPLACED, DocumentState.WITHDRAWN)),
        key=lambda one: one.at,
    )
    if not known:
        return NOTHING
    last = known[-1]
    accepted = [one for one in known if one.state is DocumentState.ACCEPTED]
    holding = [one for one in accepted if one.valid_until is None or one.valid_until >= on]
    if holding:
        best = max(holding, key=lambda one: (one.valid_until or date.max, one.at))
        awaiting = last.state is DocumentState.TO_REVIEW
        is_soon = best.valid_until is not None and best.valid_until - timedelta(days=rule.remind_days) <= on
        soon = rule.has_own_end and is_soon and rule.remind_days > 0 and not awaiting
        refused = soon and last.state is DocumentState.REFUSED
        return Standing(
            state=PaperState.EXPIRING if soon else PaperState.ACCEPTED,
            key=best.key,
            valid_until=best.valid_until,
            reason=last.reason if refused else "",
            awaiting=awaiting,
        )
    if last.state is DocumentState.TO_REVIEW:
        return Standing(state=PaperState.TO_REVIEW, key=last.key, valid_until=last.valid_until)
    if last.state is DocumentState.REFUSED:
        return Standing(state=PaperState.REFUSED, key=last.key, reason=last.reason)
    over = max(accepted, key=lambda one: (one.valid_until or date.min, one.at))
    return Standing(state=PaperState.EXPIRED, key=over.key, valid_until=over.valid_until)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last day when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
