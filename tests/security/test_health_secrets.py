"""Nothing of health gets out: after a whole story, no e-mail, audit line, log, address, title, error report nor plain
column of the database holds a word of it."""

import logging
import re
import uuid
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import resolve
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter
from pytest_django import Settings

from marelle.accounts.models import AgentRole
from marelle.accounts.permissions import PROVED
from marelle.families.health.files import open_health
from marelle.families.models import ForbiddenPerson, ReadingReason
from marelle.foundation import sealing
from tests.offer import AT, Family, agent, cadours, enrolled, family
from tests.people import signed_in
from tests.portal.test_child import prove
from tests.portal.visit import Screen

pytestmark = [pytest.mark.django_db, pytest.mark.row("E5")]

SECRETS = ("Zibeline", "Quintessol", "Farfadine", "Mirabolus", "Docteresse", "0699887766", "Gorgonzul", "Tribunalet")
HEALTH = {
    "version": "0",
    "has_allergies": "yes",
    "allergies": "Zibeline",
    "has_plan": "yes",
    "plan": "Quintessol",
    "protocol": "Farfadine",
    "kit": "Mirabolus",
    "plan_until": "2026-12-05",
    "has_treatments": "no",
    "has_recommendations": "no",
    "doctor_name": "Docteresse",
    "doctor_phone": "0699887766",
    "vaccination": "yes",
}


def held(text: object) -> list[str]:
    return [secret for secret in SECRETS if secret in str(text)]


def everything_plain() -> dict[str, list[str]]:
    """The secrets found in each table, whatever the column and its type."""
    found = {}
    for model in apps.get_models():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            for row in cursor.fetchall():
                cells = [
                    bytes(cell).decode("utf-8", "replace") if isinstance(cell, bytes | memoryview) else cell
                    for cell in row
                ]
                if secrets := held(cells):
                    found[model._meta.db_table] = secrets
    return found


def test_no_word_of_health_gets_out(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    cadours()
    who: Family = family()
    malika = agent()
    AgentRole.objects.update(reads_health=True)
    enrolled(who, by=malika)
    screen = Screen(settings, who.user)
    prove(screen)
    child = who.children[0].pk
    place = f"/famille/enfants/{child}/sante/"
    addresses, titles = [], []

    def seen(markup: str, address: str) -> str:
        addresses.append(address)
        titles.append(" ".join(re.findall(r"<title>.*?</title>|<h1>.*?</h1>", markup, re.S)))
        return markup

    for data in (HEALTH | {"vaccination": ""}, HEALTH, HEALTH | {"protocol": "Farfadine Zibeline"}):
        screen.post(place + "modifier/", data)  # a fault, the file, then a conflict
        seen(screen.markup, screen.path)
    for tail in ("", "modifier/", "lectures/"):
        screen.go(place + tail)
        seen(screen.markup, screen.path)
    assert held(screen.client.get(place).text)
    office: Client = signed_in(malika)
    at_office = f"/agents/familles/{who.household.pk}/enfants/{child}/"
    office.post(at_office + "interdits/", {"key": str(uuid.uuid4()), "name": "Gorgonzul", "note": "Tribunalet"})
    opened = office.post(at_office + "sante/", {"why": "day"})
    assert set(held(opened.text)) == set(SECRETS)
    seen(opened.text, at_office)
    for path in ("/", "/famille/", f"/famille/enfants/{child}/", "/famille/historique/"):
        assert held(screen.go(path)) == [] and screen.status == 200, path
    for path in ("/agents/", f"/agents/familles/{who.household.pk}/", at_office + "sante/"):
        assert held(office.get(path).text) == [], path
    call_command("worker", "--once")

    assert held(addresses) == held(titles) == []
    assert [held(letter.message().as_string()) for letter in mail.outbox if held(letter.message().as_string())] == []
    assert (
        held([(record.getMessage(), record.args) for record in caplog.records if record.name != "django.db.backends"])
        == []
    )
    assert everything_plain() == {}


def report(path: str, data: dict[str, str], who: Family, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> str:
    """What Django's report of an error would hold, all frames and variables, as an administrator would get it."""

    def broken(_size: int) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("secrets.token_bytes", broken)
    request = RequestFactory().post(path, data)
    match = resolve(path)
    client = signed_in(who.user)
    request.user, request.session, request.at, request.htmx = who.user, client.session, AT, None  # type: ignore[attr-defined]
    request.session[PROVED] = datetime.now(UTC).timestamp()
    try:
        match.func(request, *match.args, **match.kwargs)
    except ZeroDivisionError as fault:
        settings.DEBUG = False
        assert fault.__traceback__ is not None  # its first frame is this test's own, which knows the words
        reporter = ExceptionReporter(request, type(fault), fault, fault.__traceback__.tb_next)
        reporter.filter = SafeExceptionReporterFilter()
        return reporter.get_traceback_text() + reporter.get_traceback_html()
    raise AssertionError("nothing broke")


def test_an_error_report_holds_nothing_of_it(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    cadours()
    who = family()
    text = report(f"/famille/enfants/{who.children[0].pk}/sante/modifier/", HEALTH, who, monkeypatch, settings)
    assert "ZeroDivisionError" in text and "edit_health" in text and "in seal" in text
    assert held(text) == []


def test_what_cannot_be_opened_says_nothing_of_it(settings: Settings) -> None:
    cadours()
    who = family()
    screen = Screen(settings, who.user)
    prove(screen)
    screen.post(f"/famille/enfants/{who.children[0].pk}/sante/modifier/", HEALTH)
    settings.DATA_KEYS = "other:" + sealing.new_key()
    with pytest.raises(sealing.CannotUnseal) as caught:
        open_health(child=who.children[0], reader=who.user, why=ReadingReason.OWN, at=AT)
    assert held(str(caught.value)) == []
    assert not ForbiddenPerson.objects.exists()
