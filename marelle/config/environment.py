"""What the environment may say, read once when the settings load. Every variable begins with MARELLE_."""

import base64
import contextlib
import os
import secrets
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

MODES = ("production", "demo", "test")


def text(name: str, default: str = "") -> str:
    return os.environ.get(f"MARELLE_{name}", default)


def flag(name: str, default: bool = False) -> bool:
    value = text(name).strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"MARELLE_{name} says {value!r}; it takes 1 or 0.")


def items(name: str) -> list[str]:
    return [part.strip() for part in text(name).split(",") if part.strip()]


def number(name: str, default: int) -> int:
    value = text(name).strip()
    if not value:
        return default
    if value.isdecimal() and value.isascii() and len(value) < 6:
        return int(value)
    raise ImproperlyConfigured(f"MARELLE_{name} says {value!r}; it takes a whole number.")


def mode() -> str:
    value = text("MODE", "production")
    if value not in MODES:
        raise ImproperlyConfigured(f"MARELLE_MODE says {value!r}; it takes one of {', '.join(MODES)}.")
    return value


def database(url: str, *, pooled: bool) -> dict[str, object]:
    """Django's settings for `sqlite:///path` or `postgres://user:password@host:port/name?host=/socket/dir`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # As elsewhere: three slashes and a relative path, or four and an absolute one.
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:]),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        extra = dict(parse_qsl(parts.query))
        # A page asks the same few statements each time: the server keeps their plans. A pooler between the portal and
        # its database must keep a session's statements too (PgBouncer ≥ 1.21), or be left out: we pool here.
        options: dict[str, object] = {"server_side_binding": True, "prepare_threshold": 3}
        if pooled:
            options["pool"] = {"min_size": 1, "max_size": 4, "timeout": 20}
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": extra.get("host") or parts.hostname or "",
            "PORT": str(parts.port or extra.get("port", "")),
            "OPTIONS": options,
        }
    raise ImproperlyConfigured(
        f"MARELLE_DATABASE_URL begins with {parts.scheme!r}; it takes sqlite:///… or postgres://…"
    )


def mail(url: str) -> dict[str, object]:
    """Django's e-mail settings for `smtp://user:password@host:587?tls=1` (or `smtps://` for TLS from the first
    byte)."""
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"}:
        raise ImproperlyConfigured(f"MARELLE_EMAIL_URL begins with {parts.scheme!r}; it takes smtp:// or smtps://")
    extra = dict(parse_qsl(parts.query))
    return {
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": extra.get("tls") == "1",
        "EMAIL_TIMEOUT": 20,
    }


def kept_secret(path: Path, size: int = 48) -> str:
    """A key of the demo's own, `size` bytes in base64: made at the first start, kept beside its database so that what
    it signed or sealed outlives a restart."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(base64.urlsafe_b64encode(secrets.token_bytes(size)).decode())
        draft.chmod(0o600)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # the first of two processes that start together wins
        draft.unlink()
    return path.read_text().strip()


def clock(value: str) -> tuple[datetime, datetime] | None:
    """`fake start|real start`, both ISO 8601 with an offset: the demo's clock runs from the first since the second."""
    if not value:
        return None
    try:
        fake, real = (datetime.fromisoformat(part) for part in value.split("|"))
    except ValueError as error:
        raise ImproperlyConfigured(f"MARELLE_CLOCK says {value!r}; it takes FAKE_START|REAL_START.") from error
    if fake.tzinfo is None or real.tzinfo is None:
        raise ImproperlyConfigured("MARELLE_CLOCK takes instants with their offset from UTC.")
    return fake, real
