"""What people do on a portal, in a browser: the door, the mailbox, the choices. Shared by the stories."""

import re
import time
from typing import Any

from playwright.sync_api import Page, expect

from tests.offer import PASSWORD

PATIENCE = 20  # seconds for an e-mail to arrive


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Through the door, as anybody."""
    page.goto("/connexion/")
    page.get_by_label("Adresse e-mail").fill(email)
    page.get_by_role("button", name="Continuer").click()
    page.get_by_label("Mot de passe", exact=True).fill(password)
    page.get_by_role("button", name=re.compile("Me connecter|Entrer|Se connecter")).first.click()
    page.wait_for_url(lambda url: "/connexion/" not in url)


def read_mail(page: Page, to: str, subject: str) -> str:
    """Wait for an e-mail in the demo's mailbox, open it as a reader would, and give its text with plain spaces."""
    give_up = time.monotonic() + PATIENCE
    while True:
        page.goto(f"/boite-aux-lettres/?a={to}")
        letter = page.get_by_role("link", name=re.compile(subject))
        if letter.count():
            letter.first.click()
            text = page.get_by_role("region", name="Le message", exact=True).inner_text()
            return re.sub("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", " ", text)
        assert time.monotonic() < give_up, (
            f"no e-mail {subject!r} to {to}; there is: {page.locator('main').inner_text()}"
        )
        time.sleep(0.3)


def send_enrolment(page: Page) -> None:
    """From the page of services, ticked, to the numbered request: accept the regulation if it is asked, and send."""
    page.get_by_role("button", name=re.compile("^Continuer")).click()
    expect(page.get_by_role("heading", name="Vérifiez vos inscriptions")).to_be_visible()
    for accept in page.get_by_role("checkbox", name=re.compile("J’ai lu et j’accepte")).all():
        accept.check()
    page.get_by_role("button", name="Envoyer ma demande d’inscription").click()
    page.wait_for_url(re.compile(r"/demandes/\d{4}-\d{6}/"))


def box(page: Page, words: str) -> Any:
    """A box of the grid by its accessible name, as a screen reader says it: "lundi 16 novembre, Inès, Libre"."""
    return page.get_by_role("checkbox", name=re.compile(rf"^{words}"))


def cell(page: Page, day: str, child: str) -> Any:
    """A cell of the grid, whatever it is now, by its date and child."""
    return page.locator(".tile", has_text=re.compile(rf"{day},\s*")).filter(has_text=child)


def lower_than(page: Page) -> None:
    """Nothing sticks out sideways."""
    page.wait_for_load_state()
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, f"the page is {width} px wider than the screen"


__all__ = ["box", "cell", "expect", "lower_than", "read_mail", "send_enrolment", "sign_in"]
