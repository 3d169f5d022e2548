"""What the door asks the families about an address (`settings.KNOWN_ADDRESS`, `settings.WELCOME`): it stands below them
and may not look."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.families.models import Guardian
from marelle.families.services import refresh_search
from marelle.foundation.audit import record


def is_known(email: str) -> bool:
    """Whether the services know this address: a guardian has it, who may never have been invited."""
    return Guardian.objects.filter(email__iexact=email).exists()


@transaction.atomic
def welcome(email: str, *, at: datetime) -> User | None:
    """The user of who proved this address: the guardian whom an import or an agent gave it gets theirs now, not active
    before a password is chosen. None when nobody here has it. Never a second account: two proofs at once meet at the
    guardian's row."""
    guardian = (
        Guardian.objects.select_for_update(of=("self",)).filter(email__iexact=email, user=None).order_by("id").first()
    )
    user = User.objects.filter(email=email.lower()).first()
    if guardian is None or (user is not None and Guardian.objects.filter(user=user).exists()):
        return user
    if user is None:
        user = User.objects.create_user(email=email, name=str(guardian), is_active=False)
    guardian.user = user
    guardian.save(update_fields=["user"])
    for household in guardian.households.all():
        record(
            at=at,
            by=user.actor(),
            action="guardian.recognised",
            subject=guardian,
            household_id=household.pk,
            text=_("%(name)s a confirmé son adresse, %(email)s.") % {"name": guardian, "email": user.email},
        )
    return user


def address_changed(user: User, *, before: str, at: datetime) -> None:
    """Their record follows: the household's history says so, and a search finds the new address (in the transaction of
    the change; `settings.ADDRESS_CHANGED`)."""
    guardian = Guardian.objects.filter(user=user).first()
    if guardian is None:
        return
    guardian.email = user.email
    guardian.save(update_fields=["email"])
    for household in guardian.households.all():
        refresh_search(household)
        record(
            at=at,
            by=user.actor(),
            action="guardian.address_changed",
            subject=guardian,
            household_id=household.pk,
            text=_("E-mail de %(name)s : %(new)s (avant : %(old)s).")
            % {"name": guardian, "new": user.email, "old": before},
        )
