"""Changing the address one signs in with: proved by a code at the new one, told to the old one, who can put it
back."""

from datetime import UTC, datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marelle.accounts.models import AddressChange, SecondFactor, Session, User
from marelle.foundation import outbox
from marelle.foundation.audit import record

#: How long who holds the old address may put it back.
LASTS = timedelta(days=7)
SALT = "marelle.accounts.address-change"


class AddressTaken(Exception):
    """Somebody else comes in with this address, or may. Never told to who asks for it."""


class CannotUndo(Exception):
    """The change is too old, or put back already, or the link is no link of ours."""


def is_taken(email: str) -> bool:
    """Whether the address is somebody's: a user's, or that of a guardian whom the services know."""
    known: bool = import_string(settings.KNOWN_ADDRESS)(email)
    return known or User.objects.filter(email=email.lower()).exists()


@transaction.atomic
def change_address(*, user: User, email: str, at: datetime) -> User:
    """Let the user come in with `email`, which they have just proved. The old address is told at once. Raises
    AddressTaken."""
    user = User.objects.select_for_update().get(pk=user.pk)
    old, new = user.email, email.lower()
    if new == old:
        return user
    if is_taken(new):
        raise AddressTaken
    change = AddressChange.objects.create(user=user, old=old, new=new, changed_at=datetime.now(UTC))
    try:
        with transaction.atomic():
            settle(user, new, at=at)
    except IntegrityError:
        raise AddressTaken from None
    record(
        at=at,
        by=user.actor(),
        action="account.address_changed",
        subject=user,
        text=_("Adresse de connexion changée : %(new)s (avant : %(old)s).") % {"new": new, "old": old},
    )
    outbox.post(kind="accounts/address_changed", to_address=old, at=at, context={"change": str(change.pk)})
    return user


@transaction.atomic
def undo_change(*, token: str, at: datetime) -> User:
    """Put the old address back: whoever changed it leaves every device, and the password is void. Whose it is chooses
    another. Raises CannotUndo."""
    change = change_in(token)
    if change is None:
        raise CannotUndo
    user = User.objects.select_for_update().get(pk=change.user_id)
    if not AddressChange.objects.filter(pk=change.pk, undone_at=None).update(undone_at=datetime.now(UTC)):
        raise CannotUndo
    # The changes that came after it go with it: their links lead to addresses of who is put out.
    later = AddressChange.objects.filter(user=user, undone_at=None, changed_at__gte=change.changed_at)
    later.update(undone_at=datetime.now(UTC))
    if user.is_closed or (user.email != change.old and is_taken(change.old)):
        raise CannotUndo
    user.set_unusable_password()
    user.save(update_fields=["password"])
    settle(user, change.old, at=at)
    # A second step that came after the change would shut out whose address it is.
    SecondFactor.objects.filter(user=user, created_at__gt=change.changed_at).delete()
    Session.objects.filter(user=user).delete()
    record(
        at=at,
        by=user.actor(),
        action="account.address_put_back",
        subject=user,
        text=_("Adresse de connexion remise : %(old)s.") % {"old": change.old},
    )
    return user


def settle(user: User, email: str, *, at: datetime) -> None:
    before, user.email = user.email, email
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    import_string(settings.ADDRESS_CHANGED)(user, before=before, at=at)


def undo_link(change: AddressChange) -> str:
    token = signing.dumps(str(change.pk), salt=SALT)
    return settings.PUBLIC_URL + reverse("accounts:undo_address", args=[token])


def change_in(token: str) -> AddressChange | None:
    """The change that the link lets one undo, None when it does not."""
    try:
        pk = signing.loads(token, salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    return AddressChange.objects.filter(pk=pk, undone_at=None).first()
