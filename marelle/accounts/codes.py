"""Codes of six digits, sent to an address and typed on the page that asked for them.

A code is nowhere: it is derived from its row and the portal's secret, when the e-mail is rendered and again when it is
typed. A copy of the database gives none, and an e-mail that is rendered twice says the same. It holds for a quarter of
an hour, five tries and one use, and only for the session that asked for it (the view keeps the row's id there).
Everything here is on the real clock.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum
from uuid import UUID

from django.core import signing
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from marelle.accounts.models import CodePurpose, SentCode, User

LASTS = timedelta(minutes=15)
TRIES = 5
#: A link that proves an address nobody comes in with yet, as long as an invitation.
LINK_LASTS = timedelta(days=7)
LINK_SALT = "marelle.accounts.address-link"
#: How long a row is kept once its code is over, and how many go at once.
KEPT = timedelta(days=1)
AT_ONCE = 500


class Typed(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    OVER = "over"  # too old, used, tried too often, or never sent


def new_code(*, purpose: CodePurpose, email: str, user: User | None = None) -> SentCode:
    """A row, whoever has the address. What is sent of it is the e-mail's affair."""
    now = datetime.now(UTC)
    return SentCode.objects.create(
        purpose=purpose, email=email.lower(), user=user, created_at=now, expires_at=now + LASTS
    )


def digits_of(code: SentCode) -> str:
    derived = salted_hmac("marelle.accounts.codes", str(code.pk), algorithm="sha256").digest()
    return f"{int.from_bytes(derived[:8]) % 10**6:06}"


def is_good(code: SentCode) -> bool:
    return code.used_at is None and code.tries < TRIES and datetime.now(UTC) < code.expires_at


def try_code(code_id: UUID | str, digits: str, *, purpose: CodePurpose) -> tuple[Typed, SentCode | None]:
    """Count one try, and use the code up when it is right. Whatever comes of it, the same statements up to there: an
    unknown address is tried as a known one is."""
    now = datetime.now(UTC)
    good = SentCode.objects.filter(pk=code_id, purpose=purpose, used_at=None, tries__lt=TRIES, expires_at__gt=now)
    if not good.update(tries=F("tries") + 1):
        return Typed.OVER, None
    code = SentCode.objects.get(pk=code_id)
    if not constant_time_compare("".join(digits.split()), digits_of(code)):
        return (Typed.WRONG if code.tries < TRIES else Typed.OVER), None
    if not SentCode.objects.filter(pk=code.pk, used_at=None).update(used_at=now):
        return Typed.OVER, None
    return Typed.RIGHT, code


def address_token(email: str) -> str:
    """What a link carries that proves an address which has no account yet."""
    return signing.dumps(email.lower(), salt=LINK_SALT, compress=True)


def address_in(token: str) -> str | None:
    """The address that the link proves, while nobody comes in with it: None otherwise."""
    try:
        email: str = signing.loads(token, salt=LINK_SALT, max_age=LINK_LASTS)
    except signing.BadSignature:
        return None
    return None if User.objects.filter(email=email, activated_at__isnull=False).exists() else email


def throw_away_old() -> int:
    """How many rows of codes long over are gone."""
    over = SentCode.objects.filter(expires_at__lt=datetime.now(UTC) - KEPT).values_list("pk", flat=True)[:AT_ONCE]
    found = list(over)
    return SentCode.objects.filter(pk__in=found).delete()[0] if found else 0
