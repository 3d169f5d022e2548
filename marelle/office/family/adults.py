"""The adults: how to reach them, what they are to the children, where their accounts stand."""

from typing import Any

from marelle.families.labels import legal_words
from marelle.families.models import Guardianship
from marelle.families.places import gets_words
from marelle.families.queries import invitation_state
from marelle.office.family.sight import Card, Sight


def adults(sight: Sight) -> Card:
    return Card(
        template="office/families/cards/_adults.html", facts={"adults": [adult_facts(link) for link in sight.links]}
    )


def adult_facts(link: Guardianship) -> dict[str, Any]:
    guardian = link.guardian
    user = guardian.user
    return {
        "link": link,
        "gets": gets_words(link),
        "legal": legal_words(link.is_legal),
        "guardian": guardian,
        "state": invitation_state(guardian),
        "invitations": user.invitations if user else 0,
        "invited_at": user.invited_at if user else None,
        "activated_at": user.activated_at if user else None,
    }
