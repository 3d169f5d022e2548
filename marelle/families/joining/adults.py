"""Another adult of the home, whom a first one invites: in their own household only, and told in its history.

Whoever has the address, the same is done and shown: one row, one e-mail. Whose it is decides by the e-mail's link.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.families.doubles.duplicates import alike
from marelle.families.models import AdultInvitation, Guardian, Guardianship, Household
from marelle.families.services import refresh_search
from marelle.foundation import outbox
from marelle.foundation.audit import record

#: Invitations of one home that wait at the same time.
MOST = 5


class TooManyInvitations(Exception):
    """As many adults as that are invited already and have not come."""


class InvitationOver(Exception):
    """It was used, or cancelled."""


def open_invitations(household: Household) -> list[AdultInvitation]:
    return list(AdultInvitation.objects.filter(household=household, joined_at=None, cancelled_at=None))


@transaction.atomic
def invite_adult(
    *, household: Household, first_name: str, last_name: str, email: str, by: User, at: datetime
) -> AdultInvitation:
    """Send an invitation; to the same address again, the e-mail alone leaves again. Raises TooManyInvitations."""
    Household.objects.select_for_update(no_key=True).only("id").get(pk=household.pk)
    waiting = open_invitations(household)
    known = next((one for one in waiting if one.email == email.lower()), None)
    if known is None and len(waiting) >= MOST:
        raise TooManyInvitations
    invitation = known or AdultInvitation.objects.create(
        household=household,
        first_name=first_name,
        last_name=last_name,
        email=email.lower(),
        invited_by_label=str(by),
        invited_at=at,
    )
    outbox.post(
        kind="families/adult_invitation",
        to_address=invitation.email,
        to_name=str(invitation),
        household_id=household.pk,
        at=at,
        context={"invitation": str(invitation.pk)},
    )
    record(
        at=at,
        by=by.actor(),
        action="adult.invited",
        subject=invitation,
        household_id=household.pk,
        text=_("%(name)s, %(email)s, est invité à rejoindre le foyer.")
        % {"name": invitation, "email": invitation.email},
    )
    return invitation


@transaction.atomic
def cancel_invitation(*, invitation: AdultInvitation, by: User, at: datetime) -> bool:
    """Make its link worth nothing. False when it was used or cancelled already."""
    waiting = AdultInvitation.objects.filter(pk=invitation.pk, joined_at=None, cancelled_at=None)
    if not waiting.update(cancelled_at=at):
        return False
    record(
        at=at,
        by=by.actor(),
        action="adult.not_invited",
        subject=invitation,
        household_id=invitation.household_id,
        text=_("L’invitation de %(name)s est annulée.") % {"name": invitation},
    )
    return True


@transaction.atomic
def join_household(*, invitation: AdultInvitation, at: datetime) -> User:
    """Let whoever proved the invitation's address into the household, with the account they have, if they have one; an
    adult whom the services knew there without an address becomes theirs. Raises InvitationOver."""
    household = Household.objects.select_for_update(no_key=True).get(pk=invitation.household_id)
    waiting = AdultInvitation.objects.filter(pk=invitation.pk, joined_at=None, cancelled_at=None)
    if not waiting.update(joined_at=at):
        raise InvitationOver
    user = User.objects.filter(email=invitation.email).first()
    if user is not None and user.is_closed:
        raise InvitationOver
    guardian = guardian_of(invitation, user, household)
    if user is None:
        user = User.objects.create_user(email=invitation.email, name=str(guardian), is_active=False)
    if guardian.user_id != user.pk or guardian.email != invitation.email:
        guardian.user, guardian.email = user, invitation.email
        guardian.save(update_fields=["user", "email"])
    last = household.guardianships.count()
    Guardianship.objects.get_or_create(household=household, guardian=guardian, defaults={"position": last})
    refresh_search(household)
    record(
        at=at,
        by=user.actor(),
        action="adult.joined",
        subject=guardian,
        household_id=household.pk,
        text=_("%(name)s rejoint le foyer, à l’invitation de %(by)s.")
        % {"name": guardian, "by": invitation.invited_by_label},
    )
    return user


def guardian_of(invitation: AdultInvitation, user: User | None, household: Household) -> Guardian:
    """Who comes: the guardian of this account or address; else the household's adult of that name without either, who
    is in no other home, for the name is the inviter's word and would open that home too; else a new one."""
    found = Guardian.objects.filter(user=user).first() if user is not None else None
    found = found or Guardian.objects.filter(email__iexact=invitation.email, user=None).order_by("id").first()
    if found is None:
        elsewhere = Guardianship.objects.exclude(household=household).values("guardian")
        nameless = household.guardians.filter(email="", user=None).exclude(pk__in=elsewhere)
        found = next((one for one in nameless if alike(str(one), str(invitation))), None)
    return found or Guardian.objects.create(
        first_name=invitation.first_name, last_name=invitation.last_name, email=invitation.email
    )
