"""The links that open the door once, sent by e-mail: made when the e-mail is rendered, kept nowhere."""

from datetime import UTC, datetime
from enum import Enum

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.encoding import force_bytes
from django.utils.http import base36_to_int, urlencode, urlsafe_base64_decode, urlsafe_base64_encode

from marelle.accounts.models import User


class LinkState(Enum):
    GOOD = "good"
    EXPIRED = "expired"
    WORTHLESS = "worthless"


class LinkTokens(PasswordResetTokenGenerator):
    """Tokens that hold for `PASSWORD_RESET_TIMEOUT` on the real clock, until a password is chosen or used."""

    key_salt = "marelle.accounts.links"

    def _now(self) -> datetime:
        # In UTC rather than in local time: an hour more or less in March and October, and between two machines.
        return datetime.now(UTC).replace(tzinfo=None)

    def state(self, user: User, token: str) -> LinkState:
        """GOOD; EXPIRED when the portal made it, for who this user still is, too long ago; else WORTHLESS."""
        if self.check_token(user, token):
            return LinkState.GOOD
        try:
            made = base36_to_int(token.split("-")[0])
        except ValueError:
            return LinkState.WORTHLESS
        ours = any(
            constant_time_compare(self._make_token_with_timestamp(user, made, secret), token)
            for secret in (self.secret, *self.secret_fallbacks)
        )
        return LinkState.EXPIRED if ours else LinkState.WORTHLESS


tokens = LinkTokens()


def link_to_choose_password(user: User, *, next_path: str = "") -> str:
    """An absolute address that lets whoever holds it choose this user's password, once, for seven days."""
    who = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("accounts:link", args=[who, tokens.make_token(user)])
    return settings.PUBLIC_URL + path + (f"?{urlencode({'next': next_path})}" if next_path else "")


def read_link(who: str, token: str) -> tuple[User | None, LinkState]:
    """Whose link this is and what it is worth. Never raises; a closed account's links are worth nothing."""
    try:
        user = User.objects.get(pk=urlsafe_base64_decode(who).decode())
    except (ValueError, OverflowError, User.DoesNotExist):
        return None, LinkState.WORTHLESS
    if user.is_closed:
        return None, LinkState.WORTHLESS
    return user, tokens.state(user, token)
