"""How the worker fills the invitations and the reminder of a health file."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from marelle.accounts.links import link_to_choose_password
from marelle.families.joining.links import link_to_join
from marelle.families.models import AdultInvitation, Child, Guardian
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


def adult_invitation(mail: OutboxMail) -> dict[str, Any]:
    """`url` is empty once the invitation is used or cancelled."""
    one = AdultInvitation.objects.select_related("household").get(pk=mail.context["invitation"])
    is_open = one.joined_at is None and one.cancelled_at is None
    return {"invitation": one, "url": link_to_join(one) if is_open else ""}


def health_reminder(mail: OutboxMail) -> dict[str, Any]:
    """Nothing of what the file holds: the page asks for the password."""
    child = Child.objects.get(pk=mail.context["child"])
    return {
        "guardian": Guardian.objects.get(pk=mail.context["guardian"]),
        "child": child,
        "url": settings.PUBLIC_URL + reverse("portal:child", args=[child.pk]),
    }


def adult_added(mail: OutboxMail) -> dict[str, Any]:
    """To somebody who is of a home now (`is_them`), or to the adults who were there."""
    return {"url": settings.PUBLIC_URL + reverse("portal:family")}


def adult_left(mail: OutboxMail) -> dict[str, Any]:
    """To somebody who is of a home no more, or to the adults who stay. The reason is not said: it is an agent's words,
    which may tell where the other one lives."""
    return {"url": settings.PUBLIC_URL + reverse("portal:history")}


builders = {
    "adult_added": adult_added,
    "adult_invitation": adult_invitation,
    "adult_left": adult_left,
    "health_reminder": health_reminder,
    "invitation": invitation,
}
