"""Codes of six digits that an application counts by the clock (RFC 6238: SHA-1, thirty seconds). Pure."""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP = 30  # seconds
DIGITS = 6
#: A clock may be one step early or late.
DRIFT = 1


def new_secret() -> bytes:
    return secrets.token_bytes(20)


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP


def code_at(secret: bytes, step: int) -> str:
    digest = hmac.digest(secret, step.to_bytes(8), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: bytes, digits: str, *, at: datetime, after: int) -> int | None:
    """The step of which these are the digits, later than `after` so that no code serves twice; None when there is
    none."""
    now = step_at(at)
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step), digits) and step > after:
            found = step
    return found


def written(secret: bytes) -> str:
    """As an application takes it by hand: "JBSW Y3DP …"."""
    letters = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def address(secret: bytes, *, issuer: str, label: str) -> str:
    """What the square code holds: otpauth://totp/…"""
    query = urlencode({"secret": written(secret).replace(" ", ""), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(label)}?{query}"
