"""What the worker throws away, and what it keeps."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from pytest_django import Settings

from marelle.foundation import housekeeping
from marelle.foundation.models import MailState, OutboxMail
from marelle.foundation.outbox import post

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 10, 8, tzinfo=UTC)


def mail(state: MailState, *, days: int) -> OutboxMail:
    with transaction.atomic():
        one = post(kind="bookings/request_sent", to_address="nadia@famille.example", at=AT)
    OutboxMail.objects.filter(pk=one.pk).update(state=state, created_at=datetime.now(UTC) - timedelta(days=days))
    return one


def test_an_old_mail_that_left_goes_and_one_that_waits_for_somebody_stays(settings: Settings) -> None:
    settings.MAILS_KEPT_DAYS = 30
    for state in (MailState.SENT, MailState.DROPPED):
        mail(state, days=31)
    kept = {mail(state, days=400).pk for state in set(MailState) - {MailState.SENT, MailState.DROPPED}}
    kept.add(mail(MailState.SENT, days=29).pk)
    assert housekeeping.tick(at=AT) == 2
    assert set(OutboxMail.objects.values_list("pk", flat=True)) == kept
    assert housekeeping.tick(at=AT) == 0


def test_counters_that_are_over_go_and_the_others_count_on() -> None:
    cache.set("over", 5, timeout=-60)
    cache.set("running", 3, timeout=600)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE foundation_cache SET expires = '2020-01-01 00:00:00' WHERE cache_key LIKE '%over'")
    housekeeping.tick(at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM foundation_cache")
        assert [key.rpartition(":")[2] for (key,) in cursor.fetchall()] == ["running"]
    assert cache.get("running") == 3
