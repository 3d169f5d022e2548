"""A correction and the paper that proves it: together, or neither."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from marelle.accounts.models import User
from marelle.documents.giving import Giving, keep_all
from marelle.families.models import Household
from marelle.foundation.files.store import path_of
from marelle.foundation.models import StoredFile
from marelle.requests.corrections import Change, ask_corrections
from marelle.requests.models import FamilyRequest


def ask_with_proof(
    *, household: Household, changes: Collection[Change], proof: Giving, by: User, at: datetime, send_key: uuid.UUID
) -> FamilyRequest | None:
    """Keep the papers that are ready and ask for these changes, as `requests.corrections.ask_corrections` does and with
    what it raises; the papers of changes that change nothing are not kept either. Whatever fails, no file stays."""
    wrote: list[uuid.UUID] = []
    try:
        with transaction.atomic():
            asked = ask_corrections(household=household, changes=changes, by=by, at=at, send_key=send_key)
            if asked is not None:
                keep_all(proof, household=household, by=by, at=at)
                wrote = [document.file_id for _item, document in proof.given if document.file_id is not None]
            return asked
    except BaseException:
        wrote = wrote or [document.file_id for _item, document in proof.given if document.file_id is not None]
        stays = set(StoredFile.objects.filter(pk__in=wrote).values_list("pk", flat=True))
        for file in wrote:
            if file not in stays:
                path_of(file).unlink(missing_ok=True)
        raise
