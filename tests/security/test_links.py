"""No link leads nowhere: from the first page on, each address that a page shows answers to who sees it."""

import re
from collections import Counter
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from marelle.accounts.permissions import PROVED
from tests import offer, pages

pytestmark = pytest.mark.django_db

ALIKE = 3  # addresses that differ by their numbers only: so many of them are followed
LEAVES = ("/deconnexion/",)


def followed(client: Client, first: str) -> tuple[int, list[str]]:
    """How many addresses were visited from this one, and those that did not answer, with the page that showed them."""
    todo: list[tuple[str, str]] = [(first, "")]
    seen: set[str] = set()
    shapes: Counter[str] = Counter()
    faults = []
    while todo:
        path, shown_by = todo.pop(0)
        shape = re.sub(r"\d+", "N", path)
        if path in seen or shapes[shape] >= ALIKE or path.startswith(LEAVES):
            continue
        seen.add(path)
        shapes[shape] += 1
        answer = client.get(path, follow=True)
        if answer.status_code != 200:
            faults.append(f"{path} (on {shown_by}): {answer.status_code}")
            continue
        if answer.get("Content-Type", "").startswith("text/html"):
            todo += [(link, path) for link in links(answer.content.decode(), path)]
    return len(seen), faults


def links(html: str, page: str) -> list[str]:
    """The addresses of this portal that the page shows, without what follows a #."""
    found = []
    for link in re.findall(r'<a\b[^>]*?\bhref="([^"]*)"', html):
        parts = urlsplit(urljoin(f"http://testserver{page}", unescape(link)))
        if parts.scheme == "http" and parts.netloc == "testserver":
            found.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    return found


@pytest.mark.parametrize("who", ["family", "newcomer", "agent"])
def test_no_link_leads_nowhere(settings: Settings, who: str) -> None:
    settings.CLOCK = (offer.AT, datetime.now(UTC))
    pages.prepare()
    email = {"family": "nadia@famille.example", "newcomer": "julien@famille.example", "agent": "malika@cadours.example"}
    client = Client()
    client.force_login(offer.User.objects.get(email=email[who]))
    session = client.session
    session[PROVED] = datetime.now(UTC).timestamp()  # a password given a moment ago
    session.save()
    visited, faults = followed(client, "/agents/" if who == "agent" else "/")
    assert faults == []
    assert visited > 30, "hardly anything was visited"
