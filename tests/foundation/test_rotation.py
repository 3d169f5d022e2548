"""The keys change while families read and save health files on a portal that runs: nothing is lost, nobody waits."""

import base64
import http.client
import re
import threading
import time
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings

from marelle.accounts.permissions import PROVED
from marelle.families.health.content import HealthContent
from marelle.families.health.files import open_health, save_health
from marelle.families.models import Child, HealthFile, ReadingReason
from marelle.foundation.sealing import key_of
from tests.offer import AT, User, cadours, family
from tests.people import signed_in

OLD = f"old:{base64.urlsafe_b64encode(bytes(range(32))).decode()}"
NEW = f"new:{base64.urlsafe_b64encode(bytes(range(32, 64))).decode()}"
CHILDREN, SAVES = 120, 12


def prepare() -> dict[str, Any]:
    """A town whose health files are all under the old key, and a guardian at her screen."""
    settings.DATA_KEYS = OLD
    cadours()
    who = family(children=[("Inès", "CE2"), ("Tom", "GS")])
    template = who.children[0]
    for n in range(CHILDREN):
        child = Child.objects.create(
            first_name=f"E{n}", last_name="X", birth_date=date(2018, 1, 1), school=template.school
        )
        who.household.children.add(child)
        save(who.user.email, child.pk, f"allergie {n}")
    for child in who.children:
        save(who.user.email, child.pk, "au début")
    client = signed_in(who.user)
    session = client.session
    session[PROVED] = datetime.now(UTC).timestamp()
    session.save()
    return {
        "cookie": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "ours": [child.pk for child in who.children],
        "email": who.user.email,
    }


def save(email: str, child: int, allergies: str) -> None:
    user = User.objects.get(email=email)
    household = user.guardian.households.get()
    save_health(
        child=Child.objects.get(pk=child), household=household, content=HealthContent(allergies=allergies),
        has_plan=False, plan_until=None, version=0, by=user, at=AT,
    )  # fmt: skip


def look(email: str) -> dict[str, Any]:
    """Under which keys the files stand now, and what the family reads of each."""
    settings.DATA_KEYS = NEW  # the old key has left
    user = User.objects.get(email=email)
    said = {}
    for child in Child.objects.order_by("pk"):
        opened = open_health(child=child, reader=user, why=ReadingReason.OWN, at=AT)
        assert opened is not None
        said[str(child.pk)] = opened.content.allergies
    return {"keys": sorted({key_of(bytes(file.sealed)) for file in HealthFile.objects.all()}), "said": said}


class Browser:
    """A family's browser, by hand: it reads the form and sends it back."""

    def __init__(self, url: str, cookie: str) -> None:
        self.netloc, self.cookies = urlsplit(url).netloc, {settings.SESSION_COOKIE_NAME: cookie}

    def ask(self, method: str, path: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.netloc, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, urlencode(data) if data is not None else None, headers)
            answer = connection.getresponse()
            for set_cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _equals, value = set_cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def save(self, child: int, allergies: str) -> None:
        path = f"/famille/enfants/{child}/sante/modifier/"
        status, page = self.ask("GET", path)
        assert status == 200, status
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        choices = dict.fromkeys(("has_treatments", "has_plan", "has_recommendations"), "no")
        sent = hidden | choices | {"has_allergies": "yes", "allergies": allergies, "vaccination": "yes"}
        status, page = self.ask("POST", path, sent)
        assert status == 302, (status, page[:2000])


@pytest.mark.row("E5")
def test_the_keys_change_while_families_read_and_save(live_portal) -> None:  # type: ignore[no-untyped-def]
    portal = live_portal(prepare, at=AT, env={"MARELLE_DATA_KEYS": f"{NEW},{OLD}"})
    faults: list[BaseException] = []
    last: dict[int, str] = {}
    going = threading.Event()

    def use(child: int) -> None:
        browser = Browser(portal.url, portal.facts["cookie"])
        try:
            for n in range(SAVES):
                browser.save(child, f"au tour {n}")
                last[child] = f"au tour {n}"
                going.set()
                status, page = browser.ask("GET", f"/famille/enfants/{child}/sante/")
                assert status == 200 and last[child] in page
        except BaseException as fault:
            faults.append(fault)
            going.set()

    families = [threading.Thread(target=use, args=[child]) for child in portal.facts["ours"]]
    for thread in families:
        thread.start()
    going.wait(30)
    begun = time.monotonic()
    report = portal.admin("keys", "rotate")
    assert time.monotonic() - begun < 60
    for thread in families:
        thread.join(120)
    assert faults == []
    assert "0 unreadable" in report
    portal.admin("keys", "rotate")
    seen = portal.call(look, email=portal.facts["email"])
    assert seen["keys"] == ["new"]
    assert {child: seen["said"][str(child)] for child in last} == last
    assert sum(said.startswith("allergie ") for said in seen["said"].values()) == CHILDREN
