"""A family says that a child will not come on a day that can no longer be cancelled, and may take it back.

The day stays booked and its place held: nothing is released, nothing waits for an agent. Prose:
docs/algorithms/absences.md.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import User
from marelle.activities.models import Municipality, Unit
from marelle.activities.queries import begins_at, calendar_of, municipality
from marelle.bookings import notifications
from marelle.bookings.models import Absence, Booking
from marelle.bookings.queries.absences import Key, booked_days, causes_of, costs_of, may_announce, proven_costs
from marelle.bookings.queries.days import DayState
from marelle.bookings.services.sending import lock_children
from marelle.families.models import Child, Household
from marelle.foundation import audit
from marelle.foundation.audit import Actor
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import NewLine, close_lines, describe, open_request
from marelle.rules.decisions import Decision, Reason, Refused
from marelle.rules.lifecycles import LINE, BookingState, LineEvent, LineState, next_state


class UnknownCause(ValueError):
    """A cause that the town's document does not know."""


class NothingToTakeBack(Exception):
    """None of these days is announced any more, or all have begun."""


@dataclass(frozen=True, slots=True)
class NotAnnounced:
    """A day that was not recorded, and why."""

    key: Key
    refusal: Refused


@dataclass(frozen=True, slots=True)
class Announcement:
    """What came of it: the numbered request (None when no day could be recorded), and the days that were not."""

    request: FamilyRequest | None
    unmet: tuple[NotAnnounced, ...] = ()
    repeated: bool = False


@transaction.atomic
def announce_absence(
    *,
    town: Municipality,
    user: User,
    household: Household,
    keys: Collection[Key],
    cause: str,
    note: str,
    send_key: uuid.UUID,
    at: datetime,
) -> Announcement:
    """Record the absence of these children on these days (child, unit, date), each day that the rules allow; one
    numbered request. The same `send_key` never makes two.

    Raises Child.DoesNotExist for a child who does not live there, UnknownCause for a cause that the town does not name
    ("" is another reason).
    """
    mine = set(Child.objects.filter(residences__household=household).values_list("id", flat=True))
    if not {child for child, _unit, _day in keys} <= mine:
        raise Child.DoesNotExist
    if cause and cause not in {known.slug for known in causes_of(town)}:
        raise UnknownCause(cause)
    lock_children(child for child, _unit, _day in keys)
    done = FamilyRequest.objects.filter(send_key=send_key, household=household).first()
    if done is not None:
        return Announcement(request=done, repeated=True)
    days = booked_days(town=town, household=household, at=at, also={day for _child, _unit, day in keys})
    verdicts: dict[Key, Decision] = {}
    kept: list[DayState] = []
    for key in sorted(keys, key=lambda key: (key[2], key[0], key[1])):
        state = days.states.get(key)
        verdicts[key] = Refused(Reason.CLOSED) if state is None else may_announce(state, days)
        if state is not None and not isinstance(verdicts[key], Refused):
            kept.append(state)
    unmet = tuple(NotAnnounced(key, verdict) for key, verdict in verdicts.items() if isinstance(verdict, Refused))
    if not kept:
        return Announcement(request=None, unmet=unmet)
    return Announcement(
        request=_record(
            kept, town=town, user=user, household=household, cause=cause, note=note, send_key=send_key, at=at
        ),
        unmet=unmet,
    )


def _record(
    states: list[DayState],
    *,
    town: Municipality,
    user: User,
    household: Household,
    cause: str,
    note: str,
    send_key: uuid.UUID,
    at: datetime,
) -> FamilyRequest:
    request, lines = open_request(
        household=household,
        kind=RequestKind.ABSENCE,
        send_key=send_key,
        lines=[
            NewLine(
                act=Act.ABSENT,
                child=state.enrolment.child,
                activity=state.enrolment.activity,
                unit=state.unit,
                day=state.day,
                at_once=True,
            )
            for state in states
        ],
        by=user,
        at=at,
        tz=town.tz,
        message=note,
    )
    costs = costs_of(states, town=town, cause=cause, at=at)
    absences = Absence.objects.bulk_create(
        Absence(
            line=line,
            cause=cause,
            announced_at=at,
            announced_by=user,
            announced_by_label=str(user),
            still_due=costs[state.key].still_due,
            proven=costs[state.key].proven,
            proof_until=costs[state.key].proof_until,
        )
        for state, line in zip(states, lines, strict=True)
    )
    bookings: list[Booking] = []
    for state, absence in zip(states, absences, strict=True):
        assert state.booking is not None
        state.booking.absence = absence
        state.booking.changed_at = at
        bookings.append(state.booking)
    Booking.objects.bulk_update(bookings, ["absence", "changed_at"])
    # Neither the cause nor the note: they may tell of health.
    audit.record(
        at=at,
        by=user.actor(),
        action="absence.announced",
        subject=request,
        household_id=household.pk,
        text=ngettext(
            "Absence signalée, demande n° %(number)s : %(n)d jour.",
            "Absence signalée, demande n° %(number)s : %(n)d jours.",
            len(lines),
        )
        % {"number": request.number, "n": len(lines)},
        facts={"lines": [describe(line) for line in lines]},
    )
    notifications.absence_announced(request=request, absences=absences, lines=lines, tz=town.tz, at=at)
    return request


@transaction.atomic
def take_back_absence(
    *, town: Municipality, request_id: int, line_ids: Collection[int], user: User, at: datetime
) -> tuple[RequestLine, ...]:
    """The children will come after all on these lines' days, those still announced and not begun; the lines taken back.
    Raises NothingToTakeBack when there is none: done already, or too late."""
    lock_children(RequestLine.objects.filter(request=request_id).values_list("child_id", flat=True))
    request = FamilyRequest.objects.select_for_update(no_key=True).get(id=request_id)
    bookings = list(
        Booking.objects.filter(
            absence__line__request=request, absence__line__in=list(line_ids), state=BookingState.BOOKED
        ).select_related(
            "unit", "absence__line__child", "absence__line__service", "absence__line__unit",
            "absence__line__activity__service",
        ).order_by("absence__line__position")
    )  # fmt: skip
    bookings = [booking for booking in bookings if not has_begun(booking.unit, booking.date, town=town, at=at)]
    if not bookings:
        raise NothingToTakeBack
    lines = [booking.absence.line for booking in bookings if booking.absence is not None]
    for booking in bookings:
        booking.absence = None
        booking.changed_at = at
    Booking.objects.bulk_update(bookings, ["absence", "changed_at"])
    after = {next_state(LINE, LineState(line.state), LineEvent.TAKE_BACK) for line in lines}
    close_lines(request, lines, state=after.pop(), by=str(user), at=at)
    audit.record(
        at=at,
        by=user.actor(),
        action="absence.taken_back",
        subject=request,
        household_id=request.household_id,
        text=ngettext(
            "Absence annulée, demande n° %(number)s : %(n)d jour.",
            "Absence annulée, demande n° %(number)s : %(n)d jours.",
            len(lines),
        )
        % {"number": request.number, "n": len(lines)},
        facts={"lines": [describe(line) for line in lines]},
    )
    notifications.absence_taken_back(request=request, lines=lines, at=at)
    return tuple(lines)


@transaction.atomic
def prove(*, line_id: int, handed_at: datetime, by: Actor, at: datetime) -> None:
    """An agent accepts the proof of an absence (`settings.PROVEN`): the days of that child announced together for that
    cause, and still announced, cost what the town's rule says of a proof handed in at that instant."""
    line = RequestLine.objects.select_related("request").get(pk=line_id)
    first = Absence.objects.filter(line=line).first()
    if first is None or line.child_id is None:
        return
    town = municipality()
    announced = (
        Absence.objects.select_for_update(no_key=True, of=("self",))
        .filter(line__request=line.request_id, line__child=line.child_id, booking__isnull=False)
        .select_related("line__unit", "line__service")
        .order_by("line__date", "id")
    )
    absences = [absence for absence in announced if absence.cause == first.cause]
    runs: dict[int, list[Absence]] = defaultdict(list)
    for absence in absences:
        if absence.line.unit is not None and absence.line.service is not None and absence.proof_at is None:
            runs[absence.line.unit.pk].append(absence)
    for run in runs.values():
        unit, service = run[0].line.unit, run[0].line.service
        assert unit is not None and service is not None
        due = proven_costs(
            town=town,
            service=service,
            unit=unit,
            cause=first.cause,
            days=[absence.line.date for absence in run if absence.line.date is not None],
            told_at=first.announced_at,
            proof_at=handed_at,
        )
        for absence in run:
            assert absence.line.date is not None
            absence.proof_at, absence.still_due = handed_at, min(absence.still_due, due[absence.line.date])
    proven = [absence for run in runs.values() for absence in run]
    Absence.objects.bulk_update(proven, ["proof_at", "still_due"])
    if proven:
        audit.record(
            at=at,
            by=by,
            action="absence.proven",
            subject=line.request,
            household_id=line.request.household_id,
            text=_("Justificatif accepté pour l’absence, demande n° %(number)s.") % {"number": line.request.number},
            facts={"due": {str(absence.line_id): absence.still_due for absence in proven}},
        )


def has_begun(unit: Unit, day: date, *, town: Municipality, at: datetime) -> bool:
    return begins_at(calendar_of(town), unit, day) <= at
