"""Who a home lets fetch its children, and for which days; agents say when they saw the identity document."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from marelle.accounts.models import AgentRole, User
from marelle.families.circle.contacts import TooMany
from marelle.families.models import AuthorisedPerson, Child, Household
from marelle.families.permissions import children_for, must_belong
from marelle.foundation.audit import record
from marelle.foundation.files import store
from marelle.foundation.files.verdicts import Judged
from marelle.foundation.sentences import day_words, list_words, short_span_words

MOST = 30
#: How long somebody who was removed can be put back, and somebody whose days are over is still known.
KEPT = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a home says of somebody. `photo`: a new one; `keep_photo`: the one that is there stays."""

    name: str
    link: str
    phone: str
    children: Collection[Child]
    first_day: date | None = None
    last_day: date | None = None
    photo: Judged | None = None
    keep_photo: bool = True


def may_fetch(child_ids: Collection[int], *, on: date | None = None) -> "QuerySet[AuthorisedPerson]":
    """Whom the homes of these children let fetch them: on a day, or at all."""
    found = AuthorisedPerson.objects.filter(children__in=child_ids, removed_at=None).distinct()
    if on is not None:
        found = found.filter(Q(first_day=None) | Q(first_day__lte=on), Q(last_day=None) | Q(last_day__gte=on))
    return found


def days_words(person: AuthorisedPerson) -> str:
    """ "Le vendredi 27 novembre seulement", "23–27 nov. seulement"; "" for always."""
    first, last = person.first_day, person.last_day
    if first and last:
        if first == last:
            return _("Le %(day)s seulement") % {"day": day_words(first)}
        return _("%(span)s seulement") % {"span": short_span_words(first, last)}
    if first:
        return _("À partir du %(day)s") % {"day": day_words(first)}
    return _("Jusqu’au %(day)s") % {"day": day_words(last)} if last else ""


@transaction.atomic
def authorise(*, id: UUID, household: Household, said: Said, by: User, at: datetime) -> AuthorisedPerson:
    """Let somebody fetch the children. `id` comes with the form: the same send twice is one person.

    Raises TooMany, and PermissionDenied for who is no guardian here or for a child of another home.
    """
    must_belong(by, household, said.children)
    list(Household.objects.select_for_update(no_key=True).filter(pk=household.pk).values_list("id"))
    person = AuthorisedPerson.objects.filter(pk=id).first()
    if person is not None:
        _own(person, household)
        return person
    if household.authorised.filter(removed_at=None).count() >= MOST:
        raise TooMany(MOST)
    person = AuthorisedPerson(pk=id, household=household, created_at=at, created_by=str(by))
    _write(person, said, at=at)
    _tell(person, by=by, at=at, action="authorised.added", text=_sentence(said))
    return person


@transaction.atomic
def change_person(*, person: AuthorisedPerson, said: Said, by: User, at: datetime) -> AuthorisedPerson:
    """Say it anew. Another name is another person: the identity is to be checked again. Raises PermissionDenied."""
    must_belong(by, person.household, said.children)
    person = AuthorisedPerson.objects.select_for_update().get(pk=person.pk)
    if person.name != said.name:
        person.identity_checked_at, person.identity_checked_by = None, ""
    _write(person, said, at=at)
    _tell(person, by=by, at=at, action="authorised.changed", text=_sentence(said))
    return person


@transaction.atomic
def remove_person(*, person: AuthorisedPerson, by: User, at: datetime) -> bool:
    """They may not fetch anybody any more; can be undone for `KEPT`. Whether it changed anything."""
    must_belong(by, person.household)
    if not AuthorisedPerson.objects.filter(pk=person.pk, removed_at=None).update(removed_at=at):
        return False
    text = _("%(name)s n’est plus autorisé à venir chercher vos enfants.") % {"name": person.name}
    _tell(person, by=by, at=at, action="authorised.removed", text=text)
    return True


@transaction.atomic
def restore_person(*, person: AuthorisedPerson, by: User, at: datetime) -> bool:
    must_belong(by, person.household)
    if not AuthorisedPerson.objects.filter(pk=person.pk).exclude(removed_at=None).update(removed_at=None):
        return False
    text = _("%(name)s est de nouveau autorisé à venir chercher vos enfants.") % {"name": person.name}
    _tell(person, by=by, at=at, action="authorised.restored", text=text)
    return True


@transaction.atomic
def check_identity(*, person: AuthorisedPerson, by: User, at: datetime) -> bool:
    """An agent saw the identity document. Whether that was new. Raises PermissionDenied for who is no agent of a site
    that holds one of the children."""
    role = AgentRole.objects.filter(user=by, user__is_active=True).first()
    if role is None or not children_for(role, at=at).filter(authorised=person).exists():
        raise PermissionDenied
    seen = AuthorisedPerson.objects.filter(pk=person.pk, identity_checked_at=None, removed_at=None)
    if not seen.update(identity_checked_at=at, identity_checked_by=str(by)):
        return False
    record(
        at=at,
        by=by.actor(as_agent=True),
        action="authorised.identity_checked",
        subject=person,
        household_id=person.household_id,
        text=_("Pièce d’identité de %(name)s vérifiée.") % {"name": person.name},
    )
    return True


def tick(*, at: datetime) -> int:
    """Forget for good who was removed, and whose days are over, more than `KEPT` ago; how many."""
    gone = list(
        AuthorisedPerson.objects.filter(
            Q(removed_at__lt=at - KEPT) | Q(last_day__lt=(at - KEPT).date()),
        ).values_list("pk", flat=True)[:100]
    )
    return sum(_forget(id, at=at) for id in gone)


@transaction.atomic
def _forget(id: UUID, *, at: datetime) -> int:
    person = AuthorisedPerson.objects.select_for_update(of=("self",)).filter(pk=id).select_related("photo").first()
    if person is None or not _is_over(person, at=at):
        return 0
    photo = person.photo
    person.delete()
    if photo is not None:
        store.discard([photo])
    return 1


def _is_over(person: AuthorisedPerson, *, at: datetime) -> bool:
    """Read again under the lock: the home may have put them back, or given them other days, meanwhile."""
    removed = person.removed_at is not None and person.removed_at < at - KEPT
    return removed or (person.last_day is not None and person.last_day < (at - KEPT).date())


def _write(person: AuthorisedPerson, said: Said, *, at: datetime) -> None:
    person.name, person.link, person.phone = said.name, said.link, said.phone
    person.first_day, person.last_day = said.first_day, said.last_day
    before = person.photo
    if said.photo is not None:
        person.photo = store.keep(said.photo, name="photo", at=at)
    elif not said.keep_photo:
        person.photo = None
    person.save()
    person.children.set(said.children)
    if before is not None and person.photo != before:
        store.discard([before])


def _sentence(said: Said) -> str:
    names = {"name": said.name, "children": list_words(child.first_name for child in said.children)}
    if said.first_day and said.first_day == said.last_day:
        names["day"] = day_words(said.first_day)
        return _("%(name)s peut venir chercher %(children)s le %(day)s.") % names
    return _("%(name)s peut venir chercher %(children)s.") % names


def _tell(person: AuthorisedPerson, *, by: User, at: datetime, action: str, text: str) -> None:
    record(at=at, by=by.actor(), action=action, subject=person, household_id=person.household_id, text=text)


def _own(person: AuthorisedPerson, household: Household) -> None:
    if person.household_id != household.pk:
        raise PermissionDenied
