"""Whom to call in an emergency, after the adults of the home: in the order that the home gives."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.families.models import Child, EmergencyContact, Household
from marelle.families.permissions import must_belong
from marelle.foundation.audit import record
from marelle.foundation.sentences import list_words

MOST = 12


class TooMany(Exception):
    """The home has given all that it may; `most` says how many."""

    def __init__(self, most: int) -> None:
        super().__init__(str(most))
        self.most = most


@transaction.atomic
def save_contact(
    *,
    household: Household,
    children: Collection[Child],
    name: str,
    link: str,
    phone: str,
    other_phone: str = "",
    id: UUID,
    by: User,
    at: datetime,
) -> EmergencyContact:
    """Give a contact, last in the order, or change the one of that `id`, which comes with the form: the same send twice
    is one contact.

    Raises TooMany, and PermissionDenied for who is no guardian here or for a child of another home.
    """
    must_belong(by, household, children)
    _lock(household)
    contact = EmergencyContact.objects.filter(pk=id).first()
    if contact is None:
        if household.contacts.count() >= MOST:
            raise TooMany(MOST)
        last = household.contacts.order_by("-position").values_list("position", flat=True).first()
        contact = EmergencyContact(pk=id, household=household, created_at=at, position=0 if last is None else last + 1)
        text = _("%(name)s est à appeler en cas d’urgence, pour %(children)s.")
    elif contact.household_id != household.pk:
        raise PermissionDenied
    else:
        before = (contact.name, contact.link, contact.phone, contact.other_phone, set(contact.children.all()))
        if before == (name, link, phone, other_phone, set(children)):
            return contact
        text = _("Contact d’urgence modifié : %(name)s, pour %(children)s.")
    contact.name, contact.link, contact.phone, contact.other_phone = name, link, phone, other_phone
    contact.save()
    contact.children.set(children)
    record(
        at=at,
        by=by.actor(),
        action="contact.saved",
        subject=contact,
        household_id=household.pk,
        text=text % {"name": name, "children": list_words(child.first_name for child in children)},
    )
    return contact


@transaction.atomic
def move_contact(*, contact: EmergencyContact, child: Child, up: bool, by: User, at: datetime) -> bool:
    """Call this contact earlier, or later, than the next one of that child. Whether anything moved."""
    household = contact.household
    must_belong(by, household, [child])
    _lock(household)
    order = list(household.contacts.filter(children=child))
    place = next((n for n, one in enumerate(order) if one.pk == contact.pk), None)
    other = None if place is None else place - 1 if up else place + 1
    if place is None or other is None or not 0 <= other < len(order):
        return False
    # Two contacts of a child may have had the same position: the whole order is written anew.
    every = list(household.contacts.all())
    a, b = every.index(order[place]), every.index(order[other])
    every[a], every[b] = every[b], every[a]
    for position, one in enumerate(every):
        one.position = position
    EmergencyContact.objects.bulk_update(every, ["position"])
    record(
        at=at,
        by=by.actor(),
        action="contact.moved",
        subject=contact,
        household_id=household.pk,
        text=_("Ordre des contacts d’urgence changé : %(name)s.") % {"name": contact.name},
    )
    return True


@transaction.atomic
def remove_contact(*, contact: EmergencyContact, by: User, at: datetime) -> None:
    household = contact.household
    must_belong(by, household)
    _lock(household)
    record(
        at=at,
        by=by.actor(),
        action="contact.removed",
        subject=contact,
        household_id=household.pk,
        text=_("%(name)s n’est plus un contact d’urgence.") % {"name": contact.name},
    )
    contact.delete()


def _lock(household: Household) -> None:
    """One change of the order at a time."""
    list(Household.objects.select_for_update(no_key=True).filter(pk=household.pk).values_list("id"))
