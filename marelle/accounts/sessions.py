"""Sessions that know whose they are. A session that is to end with the browser also ends here, a day after it was last
written: nobody finds it again on a shared computer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from marelle.accounts.devices import device_words
from marelle.accounts.models import Session, User

#: What a session holds besides: what it was opened on, and when (ISO).
DEVICE, OPENED = "device", "opened_at"
#: How often the use of a session is written at most.
TOLD_EVERY = timedelta(hours=1)
UNTIL_THE_BROWSER_CLOSES = timedelta(days=1)
#: How many are thrown away in one go.
AT_ONCE = 500


class SessionStore(DatabaseSessionStore):
    #: The last use, as the row says it.
    used_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        who = data.get(SESSION_KEY)
        row.user_id = int(who) if who else None
        row.device = data.get(DEVICE, "") if who else ""
        row.opened_at = datetime.fromisoformat(data[OPENED]) if who and OPENED in data else None
        row.used_at = self.used_at or row.opened_at
        if self.get_expire_at_browser_close():
            row.expire_date = min(row.expire_date, datetime.now(UTC) + UNTIL_THE_BROWSER_CLOSES)
        return row

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        self.used_at = row.used_at if row is not None else None
        return row

    def note_use(self, *, at: datetime) -> None:
        """Write that somebody who signed in uses the session, once in an hour. It ends no later for that: the row's
        column alone is written."""
        if OPENED not in self or (self.used_at is not None and timedelta() <= at - self.used_at < TOLD_EVERY):
            return
        self.used_at = at
        Session.objects.filter(session_key=self.session_key).update(used_at=at)


class LastUseMiddleware:
    """Notes the use of whoever's session a page looked into."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        session = request.session
        if isinstance(session, SessionStore) and session.accessed and session.session_key:
            session.note_use(at=request.at)  # type: ignore[attr-defined]
        return answer


def say_device(request: HttpRequest, *, at: datetime) -> None:
    """Note on what the session is opened, and when on the portal's clock: it is only shown."""
    request.session[DEVICE] = device_words(request.headers.get("User-Agent", ""))
    request.session[OPENED] = at.isoformat()


def sessions_of(user: User) -> "QuerySet[Session]":
    """Where this user is in now, the newest first."""
    return Session.objects.filter(user=user, expire_date__gt=datetime.now(UTC)).order_by("-opened_at", "session_key")


def other_sessions(user: User, session: SessionBase) -> "QuerySet[Session]":
    return sessions_of(user).exclude(session_key=session.session_key)


def throw_away_expired() -> int:
    """How many sessions were over and are gone."""
    over = Session.objects.filter(expire_date__lt=datetime.now(UTC)).values_list("session_key", flat=True)[:AT_ONCE]
    keys = list(over)
    return Session.objects.filter(session_key__in=keys).delete()[0] if keys else 0
