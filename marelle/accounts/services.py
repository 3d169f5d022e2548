"""What changes an account. Instants given as `at` are the portal's; links and sessions live on the real clock."""

from collections.abc import Iterable
from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.codes import new_code
from marelle.accounts.links import LinkState, read_link, tokens
from marelle.accounts.models import AgentRole, CodePurpose, SentCode, Session, Theme, User
from marelle.activities.models import Site
from marelle.foundation import outbox
from marelle.foundation.audit import Actor, record


class LinkSpent(Exception):
    """The link was used, replaced or forged, or it is too old."""


class AccountClosed(Exception):
    """An agent shut this door."""


class AlreadyAgent(Exception):
    """This user is an agent already; `user` is who."""

    def __init__(self, user: User) -> None:
        super().__init__(str(user))
        self.user = user


@transaction.atomic
def send_code(
    *, email: str, at: datetime, purpose: CodePurpose = CodePurpose.DOOR, user: User | None = None, next_path: str = ""
) -> SentCode:
    """Send a code to an address, whoever has it: one row and one e-mail, which alone says what the portal knows of the
    address."""
    code = new_code(purpose=purpose, email=email, user=user)
    outbox.post(kind="accounts/code", to_address=code.email, at=at, context={"code": str(code.pk), "next": next_path})
    return code


@transaction.atomic
def send_link(*, email: str, at: datetime) -> None:
    """Send the link alone, when no page waits for a code: an agent whom a colleague registered."""
    outbox.post(kind="accounts/code", to_address=email.lower(), at=at, context={"next": ""})


@transaction.atomic
def choose_password(*, who: str, token: str, password: str, at: datetime) -> User:
    """Set the password of the link's holder, who comes in: the link is spent. Raises LinkSpent, and ValidationError
    when the password is too weak; of two sends of the same link, one wins."""
    user, state = read_link(who, token)
    if user is None or state is not LinkState.GOOD:
        raise LinkSpent
    user = User.objects.select_for_update().get(pk=user.pk)
    if tokens.state(user, token) is not LinkState.GOOD:
        raise LinkSpent
    validate_password(password, user)
    activate(user=user, password=password, at=at)
    return user


@transaction.atomic
def choose_first_or_new_password(*, user: User, password: str, at: datetime) -> User:
    """Set the password of who has just proved their address. Raises ValidationError when it is too weak, AccountClosed
    when an agent shut the door meanwhile."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_closed:
        raise AccountClosed
    validate_password(password, user)
    activate(user=user, password=password, at=at)
    return user


@transaction.atomic
def change_password(*, user: User, password: str, at: datetime) -> User:
    """Give who is in another password; the e-mail says so, in case it was not them. Their other devices are out.
    Raises ValidationError when it is too weak."""
    user = User.objects.select_for_update().get(pk=user.pk)
    validate_password(password, user)
    activate(user=user, password=password, at=at)
    tell(user=user, what="password_changed", at=at)
    return user


def tell(*, user: User, what: str, at: datetime) -> None:
    """Say to the user's address what was just done with their account (`notifications.NOTICES` has the sentences)."""
    outbox.post(kind="accounts/notice", to_address=user.email, to_name=str(user), at=at, context={"what": what})


@transaction.atomic
def choose_theme(*, user: User, theme: Theme) -> None:
    """A taste, not a deed: no line of the trail."""
    user.theme = theme
    user.save(update_fields=["theme"])


@transaction.atomic
def close_sessions(*, user: User, sessions: "QuerySet[Session]", at: datetime) -> int:
    """End these sessions of the user's, wherever they are open; how many there were."""
    closed: int = sessions.filter(user=user).delete()[0]
    if closed:
        record(
            at=at,
            by=user.actor(),
            action="account.sessions_closed",
            subject=user,
            text=ngettext("%(n)d connexion fermée.", "%(n)d connexions fermées.", closed) % {"n": closed},
        )
    return closed


@transaction.atomic
def activate(*, user: User, password: str, at: datetime) -> None:
    """Give the user this password and an open door. Their address counts as theirs: they read what was sent to it."""
    first = user.activated_at is None
    user.set_password(password)
    user.is_active = True
    if first:
        user.activated_at = at
    user.save(update_fields=["password", "is_active", "activated_at"])
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    record(
        at=at,
        by=user.actor(),
        action="account.activated" if first else "account.password_changed",
        subject=user,
        text=_("Compte ouvert, mot de passe choisi.") if first else _("Mot de passe changé."),
    )


@transaction.atomic
def register_agent(
    *,
    name: str,
    email: str,
    kind: AgentRole.Kind,
    by: Actor,
    at: datetime,
    job_title: str = "",
    sites: Iterable[Site] = (),
    reads_health: bool = False,
) -> User:
    """Make someone an agent, for all sites when none is named; `reads_health`: may open health files. A new user comes
    in by a link, as families do; a guardian who works here keeps the account they have. Raises AlreadyAgent."""
    user = User.objects.filter(email=email.lower()).first()
    if user is not None and AgentRole.objects.filter(user=user).exists():
        raise AlreadyAgent(user)
    if user is None:
        user = User.objects.create_user(email=email, name=name, is_active=False)
    role = AgentRole.objects.create(user=user, kind=kind, job_title=job_title, reads_health=reads_health)
    role.sites.set(sites)
    record(
        at=at,
        by=by,
        action="agent.registered",
        subject=user,
        text=_("%(name)s peut entrer comme agent (%(kind)s).") % {"name": user, "kind": role.get_kind_display()},
    )
    return user
