"""A family that nobody knew, from the door: its space exists at once, and counts once an agent has accepted it."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.accounts.services import activate
from marelle.activities.models import Municipality
from marelle.families.models import Child, Household
from marelle.families.services import Address, AddressInUse, NewChild, NewGuardian, register_household
from marelle.foundation.audit import Actor, record


@transaction.atomic
def found_household(
    *, guardian: NewGuardian, address: Address, children: Sequence[NewChild], password: str, at: datetime
) -> User:
    """Make the space of who has proved `guardian.email`: a user, a household that awaits an agent, its children.

    Raises AddressInUse when somebody got this address meanwhile (the same form sent twice), and ValidationError for a
    password too weak.
    """
    list(Municipality.objects.select_for_update(no_key=True).values_list("id"))
    if User.objects.filter(email=guardian.email.lower()).exists():
        raise AddressInUse({guardian.email: ""})
    user = User.objects.create_user(
        email=guardian.email, name=f"{guardian.first_name} {guardian.last_name}", is_active=False
    )
    validate_password(password, user)
    household = register_household(
        name=guardian.last_name,
        address=address,
        guardians=[guardian],
        children=children,
        by=user.actor(),
        at=at,
        awaits=True,
    )
    adult = household.guardians.get()
    adult.user = user
    adult.save(update_fields=["user"])
    activate(user=user, password=password, at=at)
    return user


@transaction.atomic
def accept_household(*, household: Household, by: Actor, at: datetime) -> bool:
    """Let the family in for good, with the children that it named. False when it was in already."""
    waiting = Household.objects.filter(pk=household.pk, awaits_since__isnull=False)
    if not waiting.update(awaits_since=None):
        return False
    Child.objects.filter(residences__household=household, declared_at__isnull=False).update(declared_at=None)
    record(
        at=at,
        by=by,
        action="household.accepted",
        subject=household,
        household_id=household.pk,
        text=_("Famille %(name)s acceptée : son espace est ouvert.") % {"name": household.name},
    )
    return True
