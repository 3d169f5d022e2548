"""The health files: who may open one, what writes one, when it is erased.

Nothing here says in an e-mail, an audit line, a log or an exception what a file holds. Every opening writes who, when
and why, in the transaction that opens.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from marelle.accounts.models import User
from marelle.activities.queries import municipality
from marelle.families.health.content import HealthContent
from marelle.families.models import Child, Guardian, HealthFile, HealthReading, Household, ReadingReason
from marelle.families.permissions import must_belong, must_read_health
from marelle.families.queries import confirmed_for
from marelle.foundation.audit import PORTAL, Actor, line, record_all
from marelle.foundation.french import of_name
from marelle.foundation.sealing import seal, unseal


class ChangedMeanwhile(Exception):
    """Somebody saved this file since the page that sends was shown: the other home, or another window."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened file. `version` goes with the form, to know whether somebody saved meanwhile."""

    file: HealthFile
    content: HealthContent

    @property
    def version(self) -> int:
        return self.file.version


@sensitive_variables()
@transaction.atomic
def open_health(
    *,
    child: Child,
    reader: User,
    why: ReadingReason,
    at: datetime,
    as_agent: bool = False,
    household: Household | None = None,
) -> Opened | None:
    """Open the child's file and write that it was read; None, and nothing written, when there is none yet. Guardians of
    the child's homes read it, and agents who have the right to and a site that holds the child.

    `household`: the home in which a guardian reads. Raises PermissionDenied for who may not, and CannotUnseal when the
    key is not at hand.
    """
    if as_agent:
        must_read_health(reader, child, at=at)
    elif not Guardian.objects.filter(user=reader, households__children=child).exists():
        raise PermissionDenied
    file = HealthFile.objects.filter(child=child).first()
    if file is None:
        return None
    content = HealthContent.from_bytes(unseal(bytes(file.sealed), bound_to=file.bound_to()))
    HealthReading.objects.create(
        child=child,
        at=at,
        reader_id=reader.pk,
        reader_label=str(reader),
        by_agent=as_agent,
        household_id=None if as_agent or household is None else household.pk,
        why=why,
    )
    return Opened(file, content)


@sensitive_variables()
@transaction.atomic
def save_health(
    *,
    child: Child,
    household: Household,
    content: HealthContent,
    has_plan: bool,
    plan_until: date | None,
    version: int,
    by: User,
    at: datetime,
) -> HealthFile:
    """Write the child's file, which is confirmed by that. `version`: that of the file shown, 0 for none.

    Raises ChangedMeanwhile when somebody saved something else since; the same content sent again changes nothing.
    Raises PermissionDenied for who is no guardian of the child in this household.
    """
    child = _locked(child, household=household, by=by)
    file = HealthFile.objects.filter(child=child).first()
    if file is not None and file.version != version:
        kept = HealthContent.from_bytes(unseal(bytes(file.sealed), bound_to=file.bound_to()))
        if (kept, file.has_plan, file.plan_until) != (content, has_plan, plan_until):
            raise ChangedMeanwhile
        return file
    if file is None:
        file = HealthFile(child=child, version=0)
    file.sealed = seal(content.to_bytes(), bound_to=file.bound_to())
    file.version += 1
    file.changed_at = at
    file.has_plan, file.plan_until = has_plan, plan_until if has_plan else None
    _confirm(file, household=household, by=by, at=at)
    file.save()
    _tell(
        child,
        household=household,
        by=by,
        at=at,
        action="health.saved",
        text=_("Fiche santé %(child)s enregistrée.") % {"child": of_name(child.first_name)},
    )
    return file


@transaction.atomic
def confirm_health(*, child: Child, household: Household, version: int, by: User, at: datetime) -> HealthFile:
    """Say that nothing changed in the file shown: it counts for the school year, and is not opened.

    Raises ChangedMeanwhile (also when there is no file) and PermissionDenied.
    """
    child = _locked(child, household=household, by=by)
    file = HealthFile.objects.defer("sealed").filter(child=child).first()
    if file is None or file.version != version:
        raise ChangedMeanwhile
    before = (file.valid_until, file.confirmed_by_household)
    _confirm(file, household=household, by=by, at=at)
    if before == (file.valid_until, file.confirmed_by_household):
        return file
    file.save(
        update_fields=["confirmed_at", "confirmed_by_label", "confirmed_by_household", "school_year", "valid_until"]
    )
    _tell(
        child,
        household=household,
        by=by,
        at=at,
        action="health.confirmed",
        text=_("Fiche santé %(child)s confirmée : rien n’a changé.") % {"child": of_name(child.first_name)},
    )
    return file


def erase_health(*, children: Collection[int], at: datetime) -> int:
    """Erase the health files of these children that count no longer, with who read them; how many were there. A line of
    the audit trail says so in each home."""
    done = 0
    for id in sorted(children):
        done += _erase(id, at=at)
    return done


@transaction.atomic
def _erase(child_id: int, *, at: datetime) -> int:
    child = Child.objects.select_for_update(no_key=True).filter(pk=child_id).first()
    # Read under the lock: a home may have confirmed it since somebody counted it as over.
    if child is None or not HealthFile.objects.filter(child=child, valid_until__lt=at.date()).delete()[0]:
        return 0
    HealthReading.objects.filter(child=child, what=HealthReading.What.FILE).delete()
    record_all(
        line(
            at=at,
            by=PORTAL,
            action="health.erased",
            subject=child,
            household_id=home,
            text=_("Fiche santé %(child)s effacée : aucune inscription en cours.")
            % {"child": of_name(child.first_name)},
        )
        for home in child.residences.values_list("household_id", flat=True)
    )
    return 1


def _locked(child: Child, *, household: Household, by: User) -> Child:
    """The child, locked: the homes write one after the other."""
    must_belong(by, household, [child])
    return Child.objects.select_for_update(no_key=True).get(pk=child.pk)


def _confirm(file: HealthFile, *, household: Household, by: User, at: datetime) -> None:
    today = at.astimezone(municipality().tz).date()
    year = confirmed_for(today=today)
    file.confirmed_at, file.confirmed_by_label, file.confirmed_by_household = at, str(by), household.pk
    file.school_year = year.label if year else ""
    file.valid_until = year.last_day if year else today + timedelta(days=365)


def _tell(child: Child, *, household: Household, by: User, at: datetime, action: str, text: str) -> None:
    """A line in each of the child's homes; the other one does not read who."""
    other = Actor(id=None, label=_("L’autre foyer"))
    record_all(
        line(
            at=at,
            by=by.actor() if home == household.pk else other,
            action=action,
            subject=child,
            household_id=home,
            text=text,
        )
        for home in child.residences.values_list("household_id", flat=True)
    )
