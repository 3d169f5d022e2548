"""What the worker throws away: e-mails that left long ago, counters that are over."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from marelle.foundation.models import MailState, OutboxMail

#: Nobody waits for these e-mails any more; those that did not leave stay until a person has decided.
OVER = (MailState.SENT, MailState.DROPPED)
AT_ONCE = 500  # rows of one statement; the next tick takes the following ones


def tick(*, at: datetime) -> int:
    """How many rows went, on the real clock: that of the mail and of the counters. Finding nothing costs two small
    statements."""
    real = datetime.now(UTC)
    return forget_mails(before=real - timedelta(days=settings.MAILS_KEPT_DAYS)) + forget_counters(before=real)


def forget_mails(*, before: datetime) -> int:
    """Delete e-mails that left, or were given up, and came into the outbox before that instant."""
    old = OutboxMail.objects.filter(state__in=OVER, created_at__lt=before).order_by().values_list("id", flat=True)
    ids = list(old[:AT_ONCE])
    return OutboxMail.objects.filter(id__in=ids, state__in=OVER).delete()[0] if ids else 0


def forget_counters(*, before: datetime) -> int:
    """Delete from the cache's table what ended before that instant. Django does so only once the table is full."""
    cache = caches["default"]
    if not isinstance(cache, DatabaseCache):
        return 0
    table = connection.ops.quote_name(cache._table)  # type: ignore[attr-defined]
    over = f"SELECT cache_key FROM {table} WHERE expires < %s LIMIT {AT_ONCE}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE cache_key IN ({over})", [connection.ops.adapt_datetimefield_value(before)]
        )
        return int(cursor.rowcount)
