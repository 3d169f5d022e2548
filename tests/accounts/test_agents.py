"""The first agents of a portal, made from the command line."""

import re
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from marelle.accounts.models import AgentRole, User
from marelle.foundation.models import AuditLine
from tests.offer import PASSWORD, cadours, family

pytestmark = pytest.mark.django_db

EMAIL = "malika.roux@cadours.example"


def run(*words: str) -> str:
    out = StringIO()
    call_command("agent", *words, stdout=out)
    return out.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def come_in(link: str) -> Client:
    """Open the link and choose a password, as a browser does."""
    assert link.startswith(f"{settings.PUBLIC_URL}/connexion/lien/")
    browser = Client()
    page = browser.get(urlsplit(link).path, follow=True)
    sent = browser.post(page.request["PATH_INFO"], {"password": PASSWORD}, follow=True)
    assert sent.status_code == 200
    return browser


def test_the_first_agent_comes_in_by_the_printed_link() -> None:
    cadours()
    said = run("create", EMAIL.upper(), "--name", " Malika  Roux ", "--job", "Responsable enfance", "--print")

    assert said.splitlines()[0] == "Malika Roux est agent (Administration)."
    browser = come_in(said.splitlines()[-1])

    assert browser.get("/agents/demandes/").status_code == 200
    role = AgentRole.objects.get()
    assert (role.user.email, role.kind, role.job_title) == (EMAIL, "administrator", "Responsable enfance")
    assert not role.sites.exists()
    assert AuditLine.objects.filter(action="agent.registered").count() == 1
    assert run("list").strip() == f"{EMAIL}  Malika Roux  Administration"


def test_the_link_goes_by_mail_unless_it_is_printed() -> None:
    cadours()
    run("create", EMAIL, "--name", "Malika Roux", "--kind", "site", "--site", "ecole-maternelle")
    assert "ecole-maternelle  n’est pas encore entré" in run("list")
    call_command("worker", "--once")

    letter = mail.outbox[-1]
    assert letter.to == [EMAIL]
    found = re.search(r"https?://\S+/connexion/lien/\S+", str(letter.body))
    assert found is not None
    come_in(found[0])
    assert User.objects.get(email=EMAIL).activated_at is not None


def test_a_guardian_who_works_here_keeps_their_account() -> None:
    cadours()
    who = family()
    run("create", who.email, "--name", "Un autre nom")
    assert AgentRole.objects.get().user == who.user
    assert User.objects.filter(email=who.email).count() == 1


def test_a_new_link_for_an_agent_only() -> None:
    cadours()
    who = family()
    run("create", EMAIL, "--name", "Malika Roux")
    come_in(run("link", EMAIL, "--print").splitlines()[-1])
    with pytest.raises(CommandError, match="Aucun agent"):
        run("link", who.email)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("malika", "--name", "Malika Roux"), "n’est pas une adresse e-mail"),
        ((EMAIL, "--name", "  "), "Un agent a un nom"),
        ((EMAIL, "--name", "Malika Roux", "--site", "piscine"), "Site inconnu"),
    ],
)
def test_what_cannot_be_is_refused_and_writes_nothing(words: tuple[str, ...], reason: str) -> None:
    cadours()
    with pytest.raises(CommandError, match=reason):
        run("create", *words)
    assert not User.objects.exists()


def test_twice_the_same_agent_is_refused() -> None:
    cadours()
    run("create", EMAIL, "--name", "Malika Roux")
    with pytest.raises(CommandError, match=f"agent link {EMAIL}"):
        run("create", EMAIL, "--name", "Malika Roux")
    assert AgentRole.objects.count() == 1
