"""A guardian at their screen: pages as text, at the instant the test says."""

import html
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from pytest_django import Settings

from marelle.accounts.models import User
from tests.offer import AT
from tests.spaces import plain_spaces


def plain(markup: str) -> str:
    """What is read of a page: no tags, no-break spaces as plain ones."""
    body = markup.partition("<main")[2].partition(">")[2].partition("</main>")[0] or markup
    text = html.unescape(re.sub(r"<[^>]+>", " ", body))
    text = re.sub(r"\s+", " ", plain_spaces(text))
    return re.sub(r" (?=[.,])", "", text).strip()


class Screen:
    """A signed-in browser. `go` and `post` answer with the page's text; `markup`, `status` and `path` tell of the last
    page seen."""

    def __init__(self, settings: Settings, user: User | None, *, at: datetime = AT) -> None:
        self.client = Client()
        self.settings = settings
        if user is not None:
            self.client.force_login(user)
        self.at(at)
        self.status, self.path, self.markup = 0, "", ""

    def at(self, moment: datetime) -> "Screen":
        self.settings.CLOCK = (moment, datetime.now(UTC))
        return self

    def go(self, path: str) -> str:
        return self._seen(self.client.get(path, follow=True), path)

    def post(self, path: str, data: dict[str, Any] | None = None) -> str:
        return self._seen(self.client.post(path, data or {}, follow=True), path)

    def _seen(self, response: Any, path: str) -> str:
        self.status = response.status_code
        self.path = response.redirect_chain[-1][0] if response.redirect_chain else path
        self.markup = response.content.decode()
        return plain(self.markup)

    @property
    def place(self) -> str:
        """The last page's path, without what follows the question mark."""
        return urlsplit(self.path).path

    def field(self, name: str) -> str:
        """The value of a hidden field of the last page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.markup)
        assert found is not None, f"no field {name} on {self.path}"
        return html.unescape(found[1])
