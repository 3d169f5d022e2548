"""Putting e-mails in the outbox. Sending them is `marelle.foundation.postman`'s work, in the worker."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from marelle.foundation.models import OutboxMail


def post(
    *,
    kind: str,
    to_address: str,
    at: datetime,
    to_name: str = "",
    household_id: int | None = None,
    context: dict[str, Any] | None = None,
) -> OutboxMail:
    """Queue one e-mail in the caller's transaction. `kind` names the templates `<room>/mail/<name>_subject.txt`,
    `.txt` and `.html` as "room/name". `context` must be JSON-safe and hold no secret: links with a key are made when
    the mail is rendered.

    `at` is the portal's instant, shown in the text; the queue itself runs on the real clock, as the worker does."""
    assert connection.in_atomic_block, "an e-mail is queued in the transaction of what it tells"
    real = datetime.now(UTC)
    return OutboxMail.objects.create(
        kind=kind,
        to_address=to_address,
        to_name=to_name,
        household_id=household_id,
        context=context or {},
        at=at,
        created_at=real,
        due_at=real,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One e-mail of many that tell of the same act."""

    to_address: str
    to_name: str
    household_id: int
    context: dict[str, Any] = field(default_factory=dict)


def post_each(*, kind: str, letters: Iterable[Letter], at: datetime) -> None:
    """Queue many e-mails of one kind as `post` does, in one statement."""
    assert connection.in_atomic_block, "an e-mail is queued in the transaction of what it tells"
    real = datetime.now(UTC)
    OutboxMail.objects.bulk_create(
        OutboxMail(
            kind=kind,
            to_address=letter.to_address,
            to_name=letter.to_name,
            household_id=letter.household_id,
            context=letter.context,
            at=at,
            created_at=real,
            due_at=real,
        )
        for letter in letters
    )
