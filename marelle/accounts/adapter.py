"""How Marelle wants django-allauth to behave at the door."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marelle.accounts.permissions import landing


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves, our pages say all that is said, and no e-mail leaves but by the outbox."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("Adresse ou mot de passe incorrect."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The page where one lands says enough."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        raise RuntimeError(f"{template_prefix} would leave beside the outbox: post it there")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """The user these credentials open the door to; a closed account is answered as a wrong password is.

        Raises ValidationError (code "too_many_login_attempts") when they were tried too often."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        return user if user is not None and user.is_active else None

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return landing(request.user)
