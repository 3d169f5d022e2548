"""Keeping files: each under a key of its own, in a private folder (`settings.FILES_DIR`), a row telling of it."""

import os
import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.models import StoredFile
from marelle.foundation.sealing import NONCE, CannotUnseal, seal, unseal

#: How long a file without a row is left alone: its transaction may not have ended yet.
GRACE = timedelta(days=1)


class FileGone(Exception):
    """The row is there and its file is not, or it was altered."""


def keep(judged: Judged, *, name: str, at: datetime) -> StoredFile:
    """Write the file, then its row, in the caller's transaction. A transaction that fails leaves an unreadable file,
    which `sweep` removes."""
    assert connection.in_atomic_block, "a file is kept in the transaction of what it is kept for"
    key = secrets.token_bytes(32)
    nonce = secrets.token_bytes(NONCE)
    stored = StoredFile(kind=judged.kind, name=clean_name(name, judged.kind), size=len(judged.content), created_at=at)
    stored.sealed_key = seal(key, bound_to=stored.bound_to())
    path = path_of(stored.id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(nonce + AESGCM(key).encrypt(nonce, judged.content, stored.bound_to().encode()))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    stored.save(force_insert=True)
    return stored


def read(stored: StoredFile) -> bytes:
    """Raises FileGone; CannotUnseal without the key."""
    key = unseal(bytes(stored.sealed_key), bound_to=stored.bound_to())
    try:
        sealed = path_of(stored.id).read_bytes()
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], stored.bound_to().encode())
    except (FileNotFoundError, InvalidTag, ValueError):
        raise FileGone(str(stored.id)) from None


def discard(files: Iterable[StoredFile]) -> None:
    """Remove the rows now, and the files once the transaction holds."""
    for stored in files:
        path = path_of(stored.id)
        stored.delete()
        transaction.on_commit(partial(path.unlink, missing_ok=True))


def respond(stored: StoredFile, *, download: bool = False) -> HttpResponse:
    """The file, for a view that has just checked who asks. Never kept by a browser or a proxy, never run as a page.

    Raises FileGone.
    """
    try:
        content = read(stored)
    except CannotUnseal as fault:
        raise FileGone(str(stored.id)) from fault
    answer = HttpResponse(content, content_type=FileKind(stored.kind).content_type)
    answer["Content-Disposition"] = content_disposition_header(download, stored.name) or "inline"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return answer


def sweep(*, at: datetime) -> int:
    """Remove the files that no row tells of and that are older than a day; how many there were."""
    root = Path(settings.FILES_DIR)
    if not root.is_dir():
        return 0
    old = [path for path in root.glob("??/*") if path.stat().st_mtime < (at - GRACE).timestamp()]
    removed = 0
    for start in range(0, len(old), 500):
        batch = old[start : start + 500]
        ids = {id for path in batch if (id := _id_of(path)) is not None}
        known = set(StoredFile.objects.filter(id__in=ids).values_list("id", flat=True))
        for path in batch:
            if path.suffix == ".draft" or _id_of(path) not in known:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def path_of(id: uuid.UUID) -> Path:
    return Path(settings.FILES_DIR) / id.hex[:2] / id.hex


def _id_of(path: Path) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=path.stem)
    except ValueError:
        return None


def clean_name(name: str, kind: FileKind) -> str:
    """What a family called its file, without path, control or direction characters, with the ending of what it is."""
    last = re.split(r"[\\/]", name)[-1]
    shown = "".join(
        character for character in unicodedata.normalize("NFC", last) if unicodedata.category(character)[0] != "C"
    )
    stem = re.sub(r"\.[^.\s]{1,8}$", "", " ".join(shown.split())).strip(". ")
    return f"{stem[:80] or 'document'}{kind.suffix}"
