"""What is kept sealed: health data and families' files, unreadable without the keys of the environment.

AES-256-GCM. Each sealed value says which key it was sealed with, and holds for one place only: `bound_to` (the row's
own identity) is authenticated with it, so that a value copied into another row does not open there.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

FORMAT = 1
NONCE = 12
TAG = 16


class CannotUnseal(Exception):
    """The value was sealed with a key that is not at hand, for another place, or it was altered. Never says what it
    holds."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys at hand by name; `current` seals, the others only open."""

    current: str
    keys: Mapping[str, bytes]

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """`name:key,name:key`, each key 32 bytes in base64; the first one seals.

        Raises ImproperlyConfigured, whose message shows no key.
        """
        keys: dict[str, bytes] = {}
        for number, part in enumerate(filter(None, (part.strip() for part in text.split(","))), start=1):
            name, _colon, value = part.partition(":")
            name = name.strip()
            if not name or not name.isascii() or not name.isalnum() or len(name) > 32:
                raise ImproperlyConfigured(f"MARELLE_DATA_KEYS: key {number} takes a name of letters and digits.")
            if name in keys:
                raise ImproperlyConfigured(f"MARELLE_DATA_KEYS names {name!r} twice.")
            try:
                key = base64.urlsafe_b64decode(value.strip().encode("ascii"))
            except ValueError:
                key = b""
            if len(key) != 32:
                raise ImproperlyConfigured(f"MARELLE_DATA_KEYS: key {name!r} is not 32 bytes in base64.")
            keys[name] = key
        if not keys:
            raise ImproperlyConfigured("MARELLE_DATA_KEYS is empty: `marelle-admin keys new` makes a key.")
        return cls(current=next(iter(keys)), keys=keys)


def new_key() -> str:
    """A new key as `MARELLE_DATA_KEYS` takes it, without its name."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@lru_cache(maxsize=8)
def _parsed(text: str) -> Keyring:
    return Keyring.parse(text)


def keyring() -> Keyring:
    """Raises ImproperlyConfigured when the environment gives no key."""
    return _parsed(settings.DATA_KEYS)


@sensitive_variables()
def seal(plain: bytes, *, bound_to: str) -> bytes:
    """Layout: format (1 byte), length of the key's name (1), name, nonce (12), ciphertext and tag."""
    ring = keyring()
    name = ring.current.encode()
    nonce = secrets.token_bytes(NONCE)
    head = bytes([FORMAT, len(name)]) + name
    return head + nonce + AESGCM(ring.keys[ring.current]).encrypt(nonce, plain, head + bound_to.encode())


@sensitive_variables()
def unseal(sealed: bytes, *, bound_to: str) -> bytes:
    """Raises CannotUnseal."""
    name = key_of(sealed)
    key = keyring().keys.get(name)
    if key is None:
        raise CannotUnseal(f"no key named {name!r} is at hand")
    start = 2 + len(name.encode())
    head, nonce, rest = sealed[:start], sealed[start : start + NONCE], sealed[start + NONCE :]
    try:
        return AESGCM(key).decrypt(nonce, rest, head + bound_to.encode())
    except InvalidTag:
        raise CannotUnseal("the value was altered, or belongs elsewhere") from None


def key_of(sealed: bytes) -> str:
    """The name of the key that sealed it. Raises CannotUnseal for what was never sealed."""
    if len(sealed) < 2 or sealed[0] != FORMAT or len(sealed) < 2 + sealed[1] + NONCE + TAG:
        raise CannotUnseal("this is no sealed value")
    try:
        return bytes(sealed[2 : 2 + sealed[1]]).decode("ascii")
    except UnicodeDecodeError:
        raise CannotUnseal("this is no sealed value") from None


def is_current(sealed: bytes) -> bool:
    return key_of(sealed) == keyring().current


@sensitive_variables()
def resealed(sealed: bytes, *, bound_to: str) -> bytes:
    """The same content under the current key. Raises CannotUnseal."""
    return seal(unseal(sealed, bound_to=bound_to), bound_to=bound_to)
