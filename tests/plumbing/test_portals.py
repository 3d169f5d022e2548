"""The portal that browser tests visit is the real one, alone on its database, and gone afterwards."""

import http.client
import os
import socket
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from django.contrib.contenttypes.models import ContentType

from marelle.foundation.clock import now


def mark(*, model: str) -> dict[str, str]:
    ContentType.objects.create(app_label="portal", model=model)
    return {"model": model}


def marks() -> list[str]:
    return sorted(ContentType.objects.filter(app_label="portal").values_list("model", flat=True))


def clock() -> str:
    return now().isoformat()


def status(url: str, path: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_each_portal_answers_on_its_own_copy_of_what_was_prepared(live_portal) -> None:
    first, second = live_portal(mark, model="here"), live_portal(mark, model="here")
    assert first.facts == second.facts == {"model": "here"}
    first.call(mark, model="new")
    assert (first.call(marks), second.call(marks)) == (["here", "new"], ["here"])
    assert [status(portal.url, "/static/foundation/css/tokens.css") for portal in (first, second)] == [200, 200]


def test_its_clock_starts_where_it_is_told(live_portal) -> None:
    at = datetime(2026, 11, 23, 7, 58, tzinfo=UTC)
    portal = live_portal(at=at)
    assert 0 <= (datetime.fromisoformat(portal.call(clock)) - at).total_seconds() < 60


def everybody_left(group: int) -> bool:
    give_up = time.monotonic() + 5  # an orphan's entry stays until the system has buried it
    while time.monotonic() < give_up:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_nothing_of_a_killed_or_stopped_portal_is_left(live_portal) -> None:
    for leave in ("stop", "kill"):
        portal = live_portal()
        [server] = portal.processes
        getattr(portal, leave)()
        assert server.poll() is not None
        assert everybody_left(server.pid)
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", urlsplit(portal.url).port), timeout=1):
            pass


def test_a_portal_that_cannot_start_says_why(live_portal) -> None:
    with pytest.raises(AssertionError, match="MARELLE_MODE says 'wrong'"):
        live_portal(env={"MARELLE_MODE": "wrong"})
