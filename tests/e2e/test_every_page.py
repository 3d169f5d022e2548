"""Every page, as everybody: nothing for axe to find, nothing sticking out, no stranger let in."""

import pytest
from playwright.sync_api import Page

from tests import offer
from tests.e2e.people import sign_in
from tests.pages import AGENT, FAMILY, NEWCOMER, NOBODY, NOTHING_THERE, prepare

pytestmark = pytest.mark.e2e

PEOPLE = {
    "nobody": (None, NOBODY),
    "family": ("nadia@famille.example", FAMILY),
    "newcomer": ("julien@famille.example", NEWCOMER),
    "agent": ("malika@cadours.example", AGENT),
}


def arrive(page: Page, email: str | None) -> None:
    if email:
        sign_in(page, email)


AT_ONCE = 10  # pages of one test: both workers have some until the end
VISITS = [
    pytest.param(email, paths[first : first + AT_ONCE], id=f"{person}-{first // AT_ONCE + 1}")
    for person, (email, paths) in PEOPLE.items()
    for first in range(0, len(paths), AT_ONCE)
]
BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(("email", "paths"), VISITS)
def test_axe_finds_nothing_and_nothing_sticks_out(live_portal, visit, axe, email, paths) -> None:  # type: ignore[no-untyped-def]
    """Each page is loaded once: light on a laptop, dark on a phone, and at the narrowest."""
    portal = live_portal(prepare, at=offer.AT)
    page: Page = visit(portal)
    arrive(page, email)
    wide = []
    for path in paths:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        answer = page.goto(path.format(**portal.facts))
        assert answer is not None
        assert answer.status == (404 if path in NOTHING_THERE else 200), path
        for width, theme in ((1280, "light"), (390, "dark"), (320, None)):
            page.set_viewport_size({"width": width, "height": 844})
            if theme:
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                axe(page)
            if (beyond := page.evaluate(BEYOND)) > 0:
                wide.append((path, width, beyond))
    assert wide == []
