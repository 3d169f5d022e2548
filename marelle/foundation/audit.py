"""Writing and reading the audit trail."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from marelle.foundation.models import AuditLine

if TYPE_CHECKING:
    from django.db.models import Model


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a guardian, an agent, or the portal itself. `id` is the user's, None for the portal."""

    id: int | None
    label: str
    is_agent: bool = False


PORTAL = Actor(id=None, label="Le portail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One household's line of an act that concerns many."""

    household_id: int
    text: str
    facts: dict[str, Any]


def record_each(*, at: datetime, by: Actor, action: str, subject: "Model", told: Iterable[Told]) -> None:
    """Write the lines of many households about one act, in one statement, in the caller's transaction."""
    assert connection.in_atomic_block, "an audit line is written in the transaction of what it tells"
    AuditLine.objects.bulk_create(
        AuditLine(
            at=at,
            actor_id=by.id,
            actor_label=by.label,
            by_agent=by.is_agent,
            action=action,
            subject_type=subject._meta.label_lower,
            subject_id=str(subject.pk),
            household_id=one.household_id,
            text=one.text[:500],
            facts=one.facts,
        )
        for one in told
    )


def record(
    *,
    at: datetime,
    by: Actor,
    action: str,
    subject: "Model",
    text: str,
    household_id: int | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Write one line in the caller's transaction, which must exist: a line without its deed, or a deed without its
    line, would both lie."""
    record_all([line(at=at, by=by, action=action, subject=subject, text=text, household_id=household_id, facts=facts)])


def line(
    *,
    at: datetime,
    by: Actor,
    action: str,
    subject: "Model",
    text: str,
    household_id: int | None = None,
    facts: dict[str, Any] | None = None,
) -> AuditLine:
    """A line not yet written, for `record_all`."""
    return AuditLine(
        at=at,
        actor_id=by.id,
        actor_label=by.label,
        by_agent=by.is_agent,
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        household_id=household_id,
        text=text[:500],
        facts=facts or {},
    )


def record_all(lines: Iterable[AuditLine]) -> None:
    """Write many lines at once, in the transaction of what they tell."""
    assert connection.in_atomic_block, "an audit line is written in the transaction of what it tells"
    AuditLine.objects.bulk_create(lines, batch_size=1000)
