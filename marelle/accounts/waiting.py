"""What waits at the door: something that a page sent after its session had ended. It lies in the visitor's own session,
for whom the page was made for and nobody else, until they sign in again."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from marelle.accounts.models import User

WAITING = "door_waiting"
LASTS = timedelta(hours=2)
#: So many things at most, the oldest ones go first; each no longer than this, in characters.
MOST, LONGEST = 8, 40_000


def leave(session: SessionBase, *, user_id: int, name: str, what: str, at: datetime) -> bool:
    """Let `what` wait for this user; a second time under the same `name` replaces the first. False: it is too long."""
    if len(what) > LONGEST:
        return False
    others = [one for one in session.get(WAITING, []) if one["name"] != name and one["user"] == user_id]
    session[WAITING] = [*others, {"user": user_id, "name": name, "what": what, "at": at.isoformat()}][-MOST:]
    return True


def waits(session: SessionBase) -> bool:
    return WAITING in session


def take(session: SessionBase, user: User, *, at: datetime) -> list[str]:
    """What waited for this user, in the order it came. Whoever signs in, nothing waits any longer."""
    waiting: list[dict[str, Any]] = session.pop(WAITING, [])
    return [
        one["what"]
        for one in waiting
        if one["user"] == user.pk and timedelta(0) <= at - datetime.fromisoformat(one["at"]) <= LASTS
    ]
