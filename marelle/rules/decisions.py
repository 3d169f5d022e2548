"""What a rule answers: allowed, or refused with a reason and its facts.

The French sentence for a decision is made elsewhere (`marelle.foundation.sentences`), so that one wording serves
pages, e-mails and commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

NO_FACTS: Mapping[str, object] = MappingProxyType({})


class Reason(StrEnum):
    """Why a rule refuses; the facts that come with each are named beside it."""

    # time
    PAST_LIMIT = "past_limit"  # since: datetime
    NOT_OPEN_YET = "not_open_yet"  # opens: datetime
    NOT_ON_LINE = "not_on_line"  # the town never takes this on line
    BEYOND_CALENDAR = "beyond_calendar"  # covered_until: date
    # the day
    CLOSED = "closed"  # name: str
    PUBLIC_HOLIDAY = "public_holiday"  # name: str
    NO_SCHOOL = "no_school"  # a day without school
    NOT_THIS_WEEKDAY = "not_this_weekday"  # weekdays: tuple[int, ...]
    OUTSIDE_PERIOD = "outside_period"  # no period of the service holds this day
    # places
    FULL = "full"  # capacity: int
    ALREADY_BOOKED = "already_booked"
    CHANGED_MEANWHILE = "changed_meanwhile"  # state: str, what is recorded now
    OTHER_HOUSEHOLD = "other_household"
    # the enrolment
    NOT_ENROLLED = "not_enrolled"
    ENROLMENT_PENDING = "enrolment_pending"
    ENROLMENT_ONLY = "enrolment_only"  # no day is booked, billed on attendance
    # the child and the family
    TOO_YOUNG = "too_young"  # age: int, min_age: int
    TOO_OLD = "too_old"  # age: int, max_age: int
    OTHER_LEVEL = "other_level"  # levels: tuple[str, ...]
    OTHER_CLASS = "other_class"  # classes: tuple[str, ...]
    OTHER_SCHOOL = "other_school"  # sites: tuple[str, ...]
    RESIDENTS_ONLY = "residents_only"
    PRIORITY_ONLY = "priority_only"  # opens: datetime | None, until when only some families may book
    MISSING_PAPER = "missing_paper"  # papers: tuple[str, ...]
    HEALTH_FILE_MISSING = "health_file_missing"
    TERMS_NOT_ACCEPTED = "terms_not_accepted"
    DOSSIER_NOT_ACCEPTED = "dossier_not_accepted"
    ANSWER_MISSING = "answer_missing"  # questions: tuple[str, ...]
    # days that go together
    NEEDS_FULL_WEEK = "needs_full_week"  # missing: tuple[date, ...]
    NEEDS_CONSECUTIVE_DAYS = "needs_consecutive_days"  # days: int
    TOO_FEW_DAYS = "too_few_days"  # days: int, per: str
    TOO_MANY_DAYS = "too_many_days"  # days: int, per: str
    NEEDS_UNIT = "needs_unit"  # units: tuple[str, ...]
    EXCLUDES_UNIT = "excludes_unit"  # units: tuple[str, ...]
    TIED = "tied"  # units: tuple[str, ...], those that it was given back for and that are refused
    # late, absence
    AGENT_ONLY = "agent_only"  # since: datetime
    PROOF_MISSING = "proof_missing"
    PROOF_TOO_LATE = "proof_too_late"  # due: datetime
    CAUSE_NOT_ACCEPTED = "cause_not_accepted"
    STILL_CANCELLABLE = "still_cancellable"  # until: datetime | None, when cancelling is over
    ALREADY_ANNOUNCED = "already_announced"
    HAS_BEGUN = "has_begun"  # since: datetime


@dataclass(frozen=True, slots=True)
class Allowed:
    """Allowed as long as the instant asked about is strictly before `until` (aware, UTC; None: without end)."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused, with the facts that `Reason` names for this reason."""

    reason: Reason
    facts: Mapping[str, object] = field(default_factory=lambda: NO_FACTS, hash=False)


Decision = Allowed | Refused
