"""The second step of signing in: a code that an application counts, or a recovery code that serves once.

The library's tables are not used: our secret is sealed under the portal's keys and follows their rotation, and the step
of the last code taken is in the row, so that two requests at once never take the same code twice.
"""

import hmac
import secrets
from datetime import UTC, datetime

from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from marelle.accounts import totp
from marelle.accounts.models import SecondFactor, Session, User
from marelle.accounts.services import tell
from marelle.foundation.audit import Actor, record
from marelle.foundation.sealing import seal, unseal

RECOVERY_CODES = 10
# Without the signs that are read one for another.
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"


class WrongCode(Exception):
    """These digits are not those that the application shows now, or they served already."""


def has_second_factor(user: User) -> bool:
    return SecondFactor.objects.filter(user=user).exists()


@transaction.atomic
def add_second_factor(*, user: User, secret: bytes, digits: str, at: datetime) -> list[str]:
    """Ask for a code at each sign-in from now on; the recovery codes, in clear for the only time. Raises WrongCode."""
    user = User.objects.select_for_update().get(pk=user.pk)
    step = totp.matching_step(secret, only_signs(digits), at=datetime.now(UTC), after=0)
    if step is None or has_second_factor(user):
        raise WrongCode
    factor = SecondFactor(user=user, last_step=step, created_at=datetime.now(UTC))
    factor.secret = seal(secret, bound_to=factor.bound_to())
    codes = fill(factor)
    factor.save()
    record(
        at=at,
        by=user.actor(),
        action="account.second_factor_added",
        subject=user,
        text=_("Deuxième étape de connexion activée."),
    )
    tell(user=user, what="second_factor_added", at=at)
    return codes


@transaction.atomic
def renew_recovery_codes(*, user: User, at: datetime) -> list[str]:
    """Other recovery codes, the former ones are void. Raises SecondFactor.DoesNotExist."""
    factor = SecondFactor.objects.select_for_update().get(user=user)
    codes = fill(factor)
    factor.save(update_fields=["recovery"])
    record(
        at=at,
        by=user.actor(),
        action="account.recovery_codes",
        subject=user,
        text=_("Nouveaux codes de secours."),
    )
    return codes


@transaction.atomic
def remove_second_factor(*, user: User, by: Actor, at: datetime) -> bool:
    """Ask for the password alone again. False when there was nothing to remove."""
    if not SecondFactor.objects.filter(user=user).delete()[0]:
        return False
    record(
        at=at,
        by=by,
        action="account.second_factor_removed",
        subject=user,
        text=_("Deuxième étape de connexion retirée."),
    )
    tell(user=user, what="second_factor_removed", at=at)
    return True


@transaction.atomic
def take_code(*, user: User, typed: str, at: datetime) -> bool:
    """Whether this is the application's code now, or a recovery code left: either serves once."""
    factor = SecondFactor.objects.select_for_update().filter(user=user).first()
    if factor is None:
        return False
    signs = only_signs(typed)
    secret = secret_of(factor)
    step = totp.matching_step(secret, signs, at=datetime.now(UTC), after=factor.last_step)
    if step is not None:
        factor.last_step = step
        factor.save(update_fields=["last_step"])
        return True
    wanted = hashed(secret, signs)
    left = [one for one in factor.recovery if not constant_time_compare(one, wanted)]
    if len(left) == len(factor.recovery):
        return False
    factor.recovery = left
    factor.save(update_fields=["recovery"])
    record(
        at=at,
        by=user.actor(),
        action="account.recovery_used",
        subject=user,
        text=_("Un code de secours a servi pour entrer."),
    )
    tell(user=user, what="recovery_used", at=at)
    return True


def secret_of(factor: SecondFactor) -> bytes:
    return unseal(bytes(factor.secret), bound_to=factor.bound_to())


def fill(factor: SecondFactor) -> list[str]:
    secret = secret_of(factor)
    codes = ["".join(secrets.choice(_SIGNS) for _sign in range(10)) for _code in range(RECOVERY_CODES)]
    factor.recovery = [hashed(secret, code) for code in codes]
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def hashed(secret: bytes, code: str) -> str:
    """Keyed by the sealed secret: a copy of the database says nothing of the codes, and the portal's other keys may
    change."""
    return hmac.digest(secret, f"recovery:{code}".encode(), "sha256").hex()


def only_signs(typed: str) -> str:
    return "".join(sign for sign in typed.lower() if sign.isascii() and sign.isalnum())


def end_sessions_without(user: User, session_key: str | None) -> None:
    """Who came in elsewhere without the second step comes in again, with it."""
    Session.objects.filter(user=user).exclude(session_key=session_key).delete()
