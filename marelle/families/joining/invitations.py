"""Invitations that leave together: for everybody, some schools or some classes, at once or at a date.

Whom a round goes to is settled when it leaves, then each guardian is invited in a transaction of their own, through
`invite_guardian`, with the number of invitations that had left before: whatever is cut off and begun again, and however
many workers there are, each gets one e-mail.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.families.models import Guardian, InvitationGuest, InvitationRound, RoundState
from marelle.families.services import AddressInUse, AlreadyIn, AlreadyInvited, NoAddress, invite_guardian
from marelle.foundation.audit import Actor, record
from marelle.foundation.models import MailState, OutboxMail

#: How many leave in one go: the rest at the next turn of the worker.
AT_ONCE = 100

HAS_ADDRESS = ~Q(email="")
NOT_IN = Q(user__is_active=False, user__activated_at=None)
NEVER_INVITED = HAS_ADDRESS & (Q(user=None) | NOT_IN & Q(user__invitations=0))

Classroom = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Pupilage:
    """That a guardian has a child in a class."""

    guardian: int
    school: int | None
    class_name: str


def pupilages() -> list[Pupilage]:
    """Of all who were never invited: which school and class their children are in. One query."""
    rows = Guardian.objects.filter(NEVER_INVITED).values_list(
        "id", "households__children__school", "households__children__class_name"
    )
    return [Pupilage(guardian, school, name or "") for guardian, school, name in rows.distinct().order_by("id")]


def chosen(among: Collection[Pupilage], *, schools: Collection[int], classes: Collection[Classroom]) -> set[int]:
    """The guardians with a child in one of these schools or classes; all of them when neither is named."""
    if not schools and not classes:
        return {one.guardian for one in among}
    return {one.guardian for one in among if one.school in schools or (one.school, one.class_name) in classes}


@transaction.atomic
def schedule_round(
    *,
    send_key: uuid.UUID,
    schools: Collection[int],
    classes: Collection[Classroom],
    due_at: datetime,
    by: Actor,
    at: datetime,
    again_of: InvitationRound | None = None,
) -> InvitationRound:
    """Decide a round; the worker sends it from `due_at` on. The same key is the same round."""
    made, new = InvitationRound.objects.get_or_create(
        send_key=send_key,
        defaults={
            "schools": sorted(schools),
            "classes": sorted([school, name] for school, name in classes),
            "again_of": again_of,
            "created_at": at,
            "created_by": by.label,
            "created_by_user": by.id,
            "due_at": due_at,
        },
    )
    if new:
        record(at=at, by=by, action="invitations.scheduled", subject=made, text=_("Envoi d’invitations décidé."))
    return made


@transaction.atomic
def cancel_round(*, round: InvitationRound, by: Actor, at: datetime) -> bool:
    """Call off a round that has not begun. False when it has, or is called off already."""
    waiting = InvitationRound.objects.filter(pk=round.pk, state=RoundState.SCHEDULED)
    if not waiting.update(state=RoundState.CANCELLED, ended_at=at):
        return False
    record(at=at, by=by, action="invitations.cancelled", subject=round, text=_("Envoi d’invitations annulé."))
    return True


def tick(*, at: datetime) -> int:
    """Send what is due; how many e-mails were put in the outbox."""
    due = InvitationRound.objects.filter(state__in=[RoundState.SCHEDULED, RoundState.SENDING], due_at__lte=at)
    return sum(send_round(pk, at=at) for pk in list(due.order_by("due_at", "id").values_list("id", flat=True)))


def send_round(round_id: int, *, at: datetime) -> int:
    """Begin a round that is due, or go on with it, for `AT_ONCE` guardians at most; how many e-mails were put in the
    outbox."""
    begin(round_id, at=at)
    round = InvitationRound.objects.get(pk=round_id)
    if round.state != RoundState.SENDING:
        return 0
    waiting = round.guests.filter(done=False)
    sent = sum(send_guest(pk, round=round, at=at) for pk in list(waiting.values_list("id", flat=True)[:AT_ONCE]))
    if not waiting.exists():
        end(round, at=at)
    return sent


@transaction.atomic
def begin(round_id: int, *, at: datetime) -> None:
    """Settle whom the round goes to, once."""
    round = InvitationRound.objects.select_for_update(no_key=True).get(pk=round_id)
    if round.state != RoundState.SCHEDULED or round.due_at > at:
        return
    if round.again_of_id is not None:
        guardians = not_in_yet(round.again_of_id)
    else:
        classes = {(school, name) for school, name in round.classes}
        guests = chosen(pupilages(), schools=round.schools, classes=classes)
        guardians = Guardian.objects.filter(pk__in=guests)
    InvitationGuest.objects.bulk_create(
        [
            InvitationGuest(round=round, guardian_id=pk, after=invitations or 0)
            for pk, invitations in guardians.order_by("id").values_list("id", "user__invitations")
        ],
        batch_size=500,
    )
    round.state = RoundState.SENDING
    round.save(update_fields=["state"])


def not_in_yet(round_id: int) -> "QuerySet[Guardian]":
    """Those of a round whose e-mail had its turn, whatever came of it, and whose account is not open."""
    in_turn = OutboxMail.objects.exclude(state__in=[MailState.WAITING, MailState.SENDING])
    guests = InvitationGuest.objects.filter(round=round_id, mail__in=in_turn.values("id"))
    return Guardian.objects.filter(NOT_IN, HAS_ADDRESS, pk__in=guests.values("guardian"))


@transaction.atomic
def send_guest(guest_id: int, *, round: InvitationRound, at: datetime) -> bool:
    guest = InvitationGuest.objects.select_for_update(of=("self",)).select_related("guardian").get(pk=guest_id)
    if guest.done:
        return False
    by = Actor(id=round.created_by_user, label=round.created_by, is_agent=True)
    try:
        guest.mail = invite_guardian(guardian=guest.guardian, by=by, at=at, after=guest.after).pk
    except AlreadyInvited:
        guest.refusal = _("Invitation déjà partie")
    except AlreadyIn:
        guest.refusal = _("Compte déjà ouvert")
    except NoAddress:
        guest.refusal = _("Sans adresse e-mail")
    except AddressInUse:
        guest.refusal = _("Adresse déjà utilisée par une autre personne")
    guest.done = True
    guest.save(update_fields=["mail", "refusal", "done"])
    return guest.mail is not None


@transaction.atomic
def end(round: InvitationRound, *, at: datetime) -> None:
    ended = InvitationRound.objects.filter(pk=round.pk, state=RoundState.SENDING)
    if not ended.update(state=RoundState.SENT, ended_at=at):
        return
    sent = round.guests.exclude(mail=None).count()
    record(
        at=at,
        by=Actor(id=round.created_by_user, label=round.created_by, is_agent=True),
        action="invitations.sent",
        subject=round,
        text=ngettext("%(n)d invitation envoyée.", "%(n)d invitations envoyées.", sent) % {"n": sent},
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one invitation: `state` is the e-mail's, None when none left (`refusal` says why, or it waits)."""

    guardian: Guardian
    state: MailState | None
    error: str
    active: bool
    refusal: str

    @property
    def failed(self) -> bool:
        return self.state in (MailState.FAILED, MailState.UNCERTAIN, MailState.DROPPED) or bool(self.refusal)


def deliveries(round: InvitationRound) -> list[Delivery]:
    """The round's report, in the order of names. Two queries."""
    guests = list(
        round.guests.select_related("guardian__user").order_by("guardian__last_name", "guardian__first_name", "id")
    )
    mails = OutboxMail.objects.in_bulk([guest.mail for guest in guests if guest.mail is not None])
    found = []
    for guest in guests:
        mail = mails.get(guest.mail) if guest.mail is not None else None
        user = guest.guardian.user
        found.append(
            Delivery(
                guardian=guest.guardian,
                state=MailState(mail.state) if mail else None,
                error=mail.error if mail else "",
                active=bool(user and user.is_active),
                refusal=guest.refusal,
            )
        )
    return found
