"""How the worker fills the invitation."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from marelle.accounts.links import link_to_choose_password
from marelle.families.models import Child, Guardian
from marelle.foundation.models import OutboxMail
from marelle.foundation.sentences import list_words


def invitation(mail: OutboxMail) -> dict[str, Any]:
    """`active`: the guardian comes in already, and only learns that this family is theirs too."""
    guardian = Guardian.objects.select_related("user").get(pk=mail.context["guardian"])
    user = guardian.user
    assert user is not None, "a guardian is invited with their user"
    children = Child.objects.filter(households__guardians=guardian).distinct()
    door = settings.PUBLIC_URL + reverse("accounts:door")
    return {
        "guardian": guardian,
        "children": list_words(child.first_name for child in children),
        "active": user.is_active,
        "url": door if user.is_active or user.is_closed else link_to_choose_password(user),
    }


builders = {"invitation": invitation}
