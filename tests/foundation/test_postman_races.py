"""Two workers and a power cut: what only real processes and threads show."""

import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from marelle.foundation import outbox, postman
from marelle.foundation.models import MailState, OutboxMail
from tests.people import AT, town


def fill(number: int) -> None:
    town()
    with transaction.atomic():
        for one in range(number):
            outbox.post(kind="accounts/code", to_address=f"family{one}@example.org", at=AT, context={"next": ""})


@pytest.mark.race
def test_workers_that_race_send_each_e_mail_once(race: Any, mailoutbox: list[Any]) -> None:
    fill(60)
    now = datetime.now(UTC) + timedelta(seconds=1)

    def work(worker: int) -> int:
        sent = 0
        while postman.send_next(now=now):
            sent += 1
        return sent

    outcomes = race(work, range(8), at_once=8)
    assert sum(outcome.answer for outcome in outcomes) == 60
    assert Counter(OutboxMail.objects.values_list("state", "attempts")) == {(MailState.SENT, 1): 60}
    assert max(Counter(message.to[0] for message in mailoutbox).values()) == 1
    assert len(mailoutbox) == 60


@pytest.mark.race
def test_without_the_conditional_update_e_mails_are_sent_twice(race: Any) -> None:
    """The guard off: a worker that reads, then writes, is overtaken. If this fails, the race above proves nothing."""
    fill(60)
    now = datetime.now(UTC) + timedelta(seconds=1)

    def careless(worker: int) -> int:
        claims = 0
        while mail := OutboxMail.objects.filter(state=MailState.WAITING, due_at__lte=now).order_by("due_at").first():
            OutboxMail.objects.filter(id=mail.id).update(state=MailState.SENDING)
            claims += 1
        return claims

    assert sum(outcome.answer for outcome in race(careless, range(8), at_once=8)) > 60


def prepare() -> dict[str, Any]:
    fill(1)
    return {}


def send_it() -> None:
    postman.send_next(now=datetime.now(UTC) + timedelta(seconds=1))


def look() -> dict[str, Any]:
    mail = OutboxMail.objects.get()
    postman.set_aside(now=datetime.now(UTC) + timedelta(hours=1))
    return {"before": mail.state, "after": OutboxMail.objects.get().state}


def test_a_power_cut_at_any_statement_never_leaves_an_e_mail_that_would_silently_leave_twice(kills: Any) -> None:
    aftermaths = kills(send_it, prepare=prepare, look=look)
    assert aftermaths[-1].seen == {"before": MailState.SENT, "after": MailState.SENT}
    for aftermath in aftermaths[:-1]:
        # Either nothing was begun, or a person is asked.
        assert aftermath.seen["after"] in {MailState.WAITING, MailState.UNCERTAIN, MailState.SENT}, aftermath
        if aftermath.seen["before"] == MailState.SENDING:
            assert aftermath.seen["after"] == MailState.UNCERTAIN


def sent_count() -> int:
    return OutboxMail.objects.filter(state=MailState.SENT).count()


def post_some() -> None:
    fill(3)


def test_the_worker_sends_what_comes_and_ends_when_asked(live_portal: Any) -> None:
    portal = live_portal(post_some)
    worker = portal.start_worker()
    give_up = time.monotonic() + 30
    while portal.call(sent_count) < 3:
        assert worker.poll() is None and time.monotonic() < give_up, portal.log.read_text()[-2000:]
        time.sleep(0.3)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
