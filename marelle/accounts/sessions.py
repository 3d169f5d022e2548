"""Sessions that know whose they are. A session that is to end with the browser also ends here, a day after it was last
written: nobody finds it again on a shared computer."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db.models import QuerySet
from django.http import HttpRequest

from marelle.accounts.devices import device_words
from marelle.accounts.models import Session, User

#: What a session holds besides: what it was opened on, and when (ISO).
DEVICE, OPENED = "device", "opened_at"
UNTIL_THE_BROWSER_CLOSES = timedelta(days=1)
#: How many are thrown away in one go.
AT_ONCE = 500


class SessionStore(DatabaseSessionStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        who = data.get(SESSION_KEY)
        row.user_id = int(who) if who else None
        row.device = data.get(DEVICE, "") if who else ""
        row.opened_at = datetime.fromisoformat(data[OPENED]) if who and OPENED in data else None
        if self.get_expire_at_browser_close():
            row.expire_date = min(row.expire_date, datetime.now(UTC) + UNTIL_THE_BROWSER_CLOSES)
        return row


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
