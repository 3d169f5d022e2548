"""Who may not fetch a child, by judgment: recorded and read by agents who read health files, sealed, and never said to
families, neither on a page nor in their history."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from marelle.accounts.models import User
from marelle.families.models import Child, ForbiddenPerson, HealthReading, ReadingReason
from marelle.families.permissions import must_read_health
from marelle.foundation.audit import record
from marelle.foundation.sealing import seal, unseal


@dataclass(frozen=True, slots=True)
class Forbidden:
    """An opened row."""

    row: ForbiddenPerson
    name: str = field(repr=False)
    note: str = field(repr=False)


@sensitive_variables()
@transaction.atomic
def forbid(*, id: UUID, child: Child, name: str, note: str, by: User, at: datetime) -> ForbiddenPerson:
    """Record somebody; `id` comes with the form, so that the same send twice is one row. Raises PermissionDenied."""
    must_read_health(by, child, at=at)
    row = ForbiddenPerson(pk=id, child=child, created_at=at, created_by=str(by))
    row.sealed = seal(json.dumps({"name": name, "note": note}).encode(), bound_to=row.bound_to())
    kept, new = ForbiddenPerson.objects.get_or_create(
        pk=id, defaults={"child": child, "sealed": row.sealed, "created_at": at, "created_by": row.created_by}
    )
    if new:
        _tell(child, by=by, at=at, action="forbidden.recorded", text=_("Personne interdite inscrite."))
    return kept


@transaction.atomic
def lift(*, row: ForbiddenPerson, by: User, at: datetime) -> bool:
    """The interdiction does not stand any more; the row stays, to know that it did. Whether it changed anything."""
    must_read_health(by, row.child, at=at)
    if not ForbiddenPerson.objects.filter(pk=row.pk, lifted_at=None).update(lifted_at=at, lifted_by=str(by)):
        return False
    _tell(row.child, by=by, at=at, action="forbidden.lifted", text=_("Interdiction levée."))
    return True


@sensitive_variables()
@transaction.atomic
def open_forbidden(*, child: Child, reader: User, why: ReadingReason, at: datetime) -> list[Forbidden]:
    """Those whose interdiction stands; when there are any, that they were read is written. Raises PermissionDenied."""
    must_read_health(reader, child, at=at)
    found = []
    for row in ForbiddenPerson.objects.filter(child=child, lifted_at=None):
        said = json.loads(unseal(bytes(row.sealed), bound_to=row.bound_to()))
        found.append(Forbidden(row, said["name"], said["note"]))
    if found:
        HealthReading.objects.create(
            child=child,
            what=HealthReading.What.FORBIDDEN,
            at=at,
            reader_id=reader.pk,
            reader_label=str(reader),
            by_agent=True,
            why=why,
        )
    return found


def _tell(child: Child, *, by: User, at: datetime, action: str, text: str) -> None:
    """Without a household: no family's history shows it."""
    record(at=at, by=by.actor(as_agent=True), action=action, subject=child, text=text)
