"""A form that asks for the password is opened after it; it may be sent for some time, even when the password would be
asked again meanwhile: nobody types a health file in a quarter of an hour, and what they typed is not lost."""

from django.core import signing

from marelle.accounts.permissions import recently_proved
from marelle.families.permissions import GuardianHttpRequest

FIELD = "opened"
SALT = "marelle.portal.child.opened"
LASTS = 3 * 3600  # seconds


def opened(request: GuardianHttpRequest, what: str) -> str:
    """What the form carries: that this user was shown it. `what`: the form and what it is about."""
    return signing.dumps([request.user.pk, request.session.session_key, what], salt=SALT)


def may_send(request: GuardianHttpRequest, what: str) -> bool:
    """Whether the form comes from who gave the password: just now, or when it was opened."""
    if recently_proved(request):
        return True
    try:
        said = signing.loads(request.POST.get(FIELD, ""), salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return False
    return bool(said == [request.user.pk, request.session.session_key, what])
