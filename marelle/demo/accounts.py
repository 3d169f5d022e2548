"""Who a visitor of the demo comes in as."""

from datetime import datetime

from marelle.accounts.models import AgentRole, User
from marelle.accounts.services import activate, register_agent
from marelle.activities.models import Municipality
from marelle.demo.people import DOMAIN
from marelle.foundation.audit import PORTAL

#: Everybody's, families' and agents'. It is printed on the screen; it guards nothing.
PASSWORD = "craie-caillou-ciel"

NADIA = f"nadia.benali@{DOMAIN}"
JULIEN = f"julien.moreau@{DOMAIN}"
FAMILY_ADDRESSES = (NADIA, JULIEN)

AGENTS = (("Malika Roux", "Responsable enfance"), ("Karim Haddad", "Accueil des familles"))


def agent_address(name: str, town: Municipality) -> str:
    """ "malika.roux@cadours.example"."""
    return f"{name.lower().replace(' ', '.')}@{town.slug}.example"


def agents(town: Municipality, *, at: datetime) -> tuple[User, User]:
    """Malika and Karim of the town's office, registered at `at` unless they are there."""
    malika, karim = (_agent(name, title, town, at) for name, title in AGENTS)
    return malika, karim


def _agent(name: str, title: str, town: Municipality, at: datetime) -> User:
    email = agent_address(name, town)
    user = User.objects.filter(email=email).first()
    if user is None:
        user = register_agent(
            name=name,
            email=email,
            kind=AgentRole.Kind.OFFICE,
            job_title=title,
            reads_health=name == AGENTS[0][0],
            by=PORTAL,
            at=at,
        )
        activate(user=user, password=PASSWORD, at=at)
    return user


def welcome(town: Municipality, *, url: str) -> str:
    """What the terminal says: where to go and as whom."""
    rows = [
        (NADIA, "a family: enrolled, days reserved, one refused, something waiting"),
        (JULIEN, "a family that has just arrived: the story starts here"),
        *((agent_address(name, town), f"agent: {name}, {title}") for name, title in AGENTS),
    ]
    width = max(len(address) for address, _what in rows)
    lines = [
        f"{town.name}: {url}/",
        f"Mailbox of the demo: {url}/boite-aux-lettres/",
        "",
        f"Everybody's password: {PASSWORD}",
        *(f"  {address:<{width}}  {what}" for address, what in rows),
    ]
    return "\n".join(lines)
