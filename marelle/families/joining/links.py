"""The links by which an adult whom another one invites joins a home: they prove the address that they were sent to."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from marelle.families.models import AdultInvitation

SALT = "marelle.families.adult-invitation"
LASTS = timedelta(days=7)


def link_to_join(invitation: AdultInvitation) -> str:
    token = signing.dumps(str(invitation.pk), salt=SALT)
    return settings.PUBLIC_URL + reverse("families:join", args=[token])


def invitation_in(token: str) -> AdultInvitation | None:
    """The invitation that the link opens, None when it is forged, too old, used or cancelled."""
    try:
        pk = signing.loads(token, salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    found = AdultInvitation.objects.select_related("household")
    return found.filter(pk=pk, joined_at=None, cancelled_at=None).first()
