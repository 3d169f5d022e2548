"""Changing an enrolment that was accepted: other answers, other usual days, or its end.

As the service takes enrolments, at once or asked, so it takes their changes; usual days alone, which book nothing,
always count at once.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality, Validation
from marelle.bookings.models import EXPECTED_BOOKINGS, Booking, Enrolment, EnrolmentChange
from marelle.bookings.services.enrolments import keep_usual_days
from marelle.bookings.services.sending import lock_children
from marelle.foundation import audit
from marelle.requests import notifications
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import NewLine, open_request
from marelle.rules.lifecycles import ENROLMENT, EnrolmentEvent, EnrolmentState, LineState, next_state


class NotAccepted(Exception):
    """The enrolment is not, or no longer, one that was accepted."""


class ChangeWaiting(Exception):
    """A change of this enrolment waits for its answer: one at a time."""

    def __init__(self, request: FamilyRequest) -> None:
        super().__init__(request.number)
        self.request = request


class DaysAhead(Exception):
    """Days are booked under it from today on: they are cancelled first, within their limits."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} days")
        self.count = count


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of it: the numbered request, None when only usual days were kept or nothing differs."""

    request: FamilyRequest | None = None
    usual_days_kept: bool = False


@transaction.atomic
def change_enrolment(
    *,
    town: Municipality,
    enrolment: Enrolment,
    answers: Mapping[str, Any],
    weekdays: Sequence[int],
    send_key: uuid.UUID,
    user: User,
    at: datetime,
) -> Changed:
    """Give other answers and usual days to an accepted enrolment. Raises NotAccepted and ChangeWaiting."""
    lock_children([enrolment.child_id])
    done = FamilyRequest.objects.filter(send_key=send_key, household=enrolment.household_id).first()
    if done is not None:
        return Changed(request=done)
    enrolment = _accepted(enrolment)
    days = sorted(set(weekdays))
    if dict(answers) == enrolment.answers:
        return Changed(usual_days_kept=keep_usual_days(enrolment=enrolment, weekdays=days, user=user, at=at))
    _none_waiting(enrolment)
    request = _open(
        enrolment,
        label=_("%(service)s : réponses modifiées") % {"service": enrolment.activity.service.short_name},
        answers=answers,
        weekdays=days,
        ends=False,
        town=town,
        send_key=send_key,
        user=user,
        at=at,
    )
    return Changed(request=request)


@transaction.atomic
def end_enrolment(
    *, town: Municipality, enrolment: Enrolment, send_key: uuid.UUID, user: User, at: datetime
) -> FamilyRequest:
    """Ask for the end of an accepted enrolment. Raises NotAccepted, ChangeWaiting, and DaysAhead as long as days are
    booked."""
    lock_children([enrolment.child_id])
    done = FamilyRequest.objects.filter(send_key=send_key, household=enrolment.household_id).first()
    if done is not None:
        return done
    enrolment = _accepted(enrolment)
    _none_waiting(enrolment)
    ahead = days_ahead(enrolment, town=town, at=at)
    if ahead:
        raise DaysAhead(ahead)
    return _open(
        enrolment,
        label=_("%(service)s : fin de l’inscription") % {"service": enrolment.activity.service.short_name},
        answers=enrolment.answers,
        weekdays=enrolment.usual_weekdays,
        ends=True,
        town=town,
        send_key=send_key,
        user=user,
        at=at,
    )


def days_ahead(enrolment: Enrolment, *, town: Municipality, at: datetime) -> int:
    """How many days are booked under it from today on."""
    today = at.astimezone(town.tz).date()
    live = Booking.objects.filter(enrolment=enrolment, state__in=EXPECTED_BOOKINGS, date__gte=today)
    return live.values("date").distinct().count()


def waiting_change(enrolment: Enrolment) -> EnrolmentChange | None:
    return (
        EnrolmentChange.objects.filter(enrolment=enrolment, line__state=LineState.PENDING)
        .select_related("line__request")
        .first()
    )


def settle_changes(accepted: Collection[RequestLine], *, at: datetime) -> list[EnrolmentChange]:
    """Apply the accepted changes, in the caller's transaction. One whose enrolment has ended meanwhile changes
    nothing."""
    changes = list(
        EnrolmentChange.objects.filter(line__in=list(accepted)).select_related(
            "enrolment__child", "enrolment__activity__service", "enrolment__activity__site"
        )
    )
    for change in changes:
        enrolment = change.enrolment
        if enrolment.state != EnrolmentState.ACCEPTED:
            continue
        if change.ends:
            enrolment.state = next_state(ENROLMENT, EnrolmentState.ACCEPTED, EnrolmentEvent.END)
        else:
            enrolment.answers, enrolment.usual_weekdays = change.answers, change.usual_weekdays
        enrolment.changed_at = at
        enrolment.save(update_fields=["state", "answers", "usual_weekdays", "changed_at"])
    return changes


def _accepted(enrolment: Enrolment) -> Enrolment:
    """The same, as it is now that its child is locked."""
    fresh = Enrolment.objects.select_related("child", "household", "activity__service", "activity__site").get(
        pk=enrolment.pk
    )
    if fresh.state != EnrolmentState.ACCEPTED:
        raise NotAccepted
    return fresh


def _none_waiting(enrolment: Enrolment) -> None:
    change = waiting_change(enrolment)
    if change is not None:
        raise ChangeWaiting(change.line.request)


def _open(
    enrolment: Enrolment,
    *,
    label: str,
    answers: Mapping[str, Any],
    weekdays: Sequence[int],
    ends: bool,
    town: Municipality,
    send_key: uuid.UUID,
    user: User,
    at: datetime,
) -> FamilyRequest:
    request, (line,) = open_request(
        household=enrolment.household,
        kind=RequestKind.ENROLMENT,
        send_key=send_key,
        lines=[
            NewLine(
                act=Act.CHANGE,
                child=enrolment.child,
                activity=enrolment.activity,
                label=label,
                at_once=enrolment.activity.service.validation_enrol == Validation.IMMEDIATE,
            )
        ],
        by=user,
        at=at,
        tz=town.tz,
    )
    EnrolmentChange.objects.create(
        enrolment=enrolment, line=line, answers=dict(answers), usual_weekdays=list(weekdays), ends=ends
    )
    if line.at_once:
        settle_changes([line], at=at)
    audit.record(
        at=at,
        by=user.actor(),
        action="enrolment.end_asked" if ends else "enrolment.change_asked",
        subject=request,
        household_id=enrolment.household_id,
        text=_("Demande n° %(number)s envoyée (%(name)s, %(what)s).")
        % {"number": request.number, "name": enrolment.child.first_name, "what": label},
    )
    notifications.sent(request=request, lines=[line], at=at)
    return request
