"""What an agent books and cancels for a family, past its limits if need be (docs/algorithms/overrides.md)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.bookings import notifications
from marelle.bookings.labels import acts_words
from marelle.bookings.models import Booking, Enrolment
from marelle.bookings.queries.combinations import Wanted, reach, refusals_together
from marelle.bookings.queries.days import Days, DayState, component_places, live_enrolments, load_days
from marelle.bookings.queries.overrides import Override, beside, late_still_due, override
from marelle.bookings.services.places import exchange
from marelle.bookings.services.sending import lock_children
from marelle.families.models import Household
from marelle.foundation import audit
from marelle.requests.models import Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import NewLine, ReasonMissing, describe, open_request
from marelle.rules.decisions import Decision, Reason, Refused
from marelle.rules.lifecycles import BOOKING, HOLDS_A_PLACE, BookingEvent, BookingState, EnrolmentState, next_state

#: What no agent passes: a child is in one place at a time.
NEVER_TOGETHER = (Reason.EXCLUDES_UNIT, Reason.OTHER_HOUSEHOLD, Reason.TIED)


@dataclass(frozen=True, slots=True)
class Change:
    """A day that an agent books or cancels. `was`: the recorded state that the page showed."""

    child_id: int
    unit_id: int
    day: date
    act: Act
    was: str = "free"

    @property
    def key(self) -> tuple[int, int, date]:
        return self.child_id, self.unit_id, self.day


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was not made, and why."""

    change: Change
    refusal: Refused


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: the request made for the family (None: nothing could be), and the changes not made."""

    request: FamilyRequest | None
    undone: tuple[Undone, ...] = ()
    repeated: bool = False


Kept = list[tuple[Change, DayState, Override]]


def read_change(change: Change, days: Days) -> Override:
    """Whether the change can be made as it was shown, and what it goes past."""
    state = days.states.get(change.key)
    if state is None:
        return Override(decision=Refused(Reason.CLOSED))
    if state.was != change.was:
        return Override(decision=Refused(Reason.CHANGED_MEANWHILE, {"state": state.was}))
    return override(state, days, act=change.act)


def read_changes(changes: Collection[Change], days: Days) -> dict[tuple[int, int, date], Override]:
    """Each change, by its key, read beside the others: a full day is allowed when the same act frees its place, and
    what two children take of one day counts for the second; two
    units of one day that exclude each other are not both made, nor is one given back for another that cannot be had;
    what breaks another rule of combination needs a reason. `days` holds what `dates_of` names."""
    found = {change.key: read_change(change, days) for change in changes}
    taken: Counter[int] = Counter()  # of each place, by this act: those it gives back count against
    for change in changes:
        if change.act == Act.CANCEL and found[change.key].is_allowed:
            taken.subtract(days.states[change.key].places)
    for change in changes:
        if change.act == Act.BOOK and change.key in days.states:
            state = days.states[change.key]
            found[change.key] = one = beside(found[change.key], state, days, taken=taken)
            if one.is_allowed:
                taken.update(state.places)
    return _together(changes, found, days)


def _together(
    changes: Collection[Change],
    found: dict[tuple[int, int, date], Override],
    days: Days,
    lost: Collection[Change] = (),
) -> dict[tuple[int, int, date], Override]:
    wanted = [
        Wanted(change.key, change.act == Act.BOOK, lost=not found[change.key].is_allowed, at_once=True)
        for change in changes
        if found[change.key].is_allowed or change.act == Act.BOOK
    ]
    wanted += [Wanted(change.key, adds=True, lost=True) for change in lost]
    read = dict(found)
    for key, refusal in refusals_together(days, wanted).items():
        if refusal.reason in NEVER_TOGETHER:
            read[key] = Override(decision=refusal)
        else:
            read[key] = replace(found[key], rule=refusal)
    return read


def dates_of(changes: Collection[Change], enrolments: Sequence[Enrolment], *, town: Municipality) -> set[date]:
    """The days to load for these changes: theirs, and those that the rules of combination look at."""
    days: dict[int, set[date]] = defaultdict(set)
    for change in changes:
        days[change.child_id].add(change.day)
    near = ((enrolment, day) for enrolment in enrolments for day in days[enrolment.child_id])
    return {day for mine in days.values() for day in mine} | reach(town, near)


@transaction.atomic
def book_for_family(
    *,
    town: Municipality,
    household: Household,
    changes: Sequence[Change],
    reason: str,
    by: User,
    send_key: UUID,
    at: datetime,
    sites: Collection[int] = (),
    billed: bool = True,
) -> Done:
    """Book and cancel these days at once, in a numbered request made by the agent; those that cannot be are told.

    Raises ReasonMissing, and does nothing, when a change goes past a rule and no reason is given. `billed`: a day
    cancelled past its limit leaves due what the town says; else nothing. `sites`: the only ones that the agent answers
    for (none: all). A key already used answers with its request and does nothing.
    """
    # All the children of the home: two sends of one form meet here, whatever they name.
    lock_children(household.residences.values_list("child_id", flat=True))
    done = FamilyRequest.objects.filter(send_key=send_key, household=household).first()
    if done is not None:
        return Done(request=done, repeated=True)
    enrolments = [
        enrolment
        for enrolment in live_enrolments(town=town, household=household, states=(EnrolmentState.ACCEPTED,))
        if not sites or enrolment.activity.site_id in sites
    ]
    days = load_days(town=town, enrolments=enrolments, at=at, dates=dates_of(changes, enrolments, town=town))
    kept, undone = _read(changes, days)
    if any(found.needs_reason for _change, _state, found in kept) and not reason.strip():
        raise ReasonMissing
    kept, full = _take_places_together(kept, days)
    undone += full
    if not kept:
        return Done(request=None, undone=tuple(undone))
    request = _record(
        kept, days, household=household, reason=reason.strip(), billed=billed, by=by, send_key=send_key, at=at
    )
    return Done(request=request, undone=tuple(undone))


def _read(changes: Sequence[Change], days: Days) -> tuple[Kept, list[Undone]]:
    kept: Kept = []
    undone: list[Undone] = []
    once = {change.key: change for change in changes}
    read = read_changes(list(once.values()), days)
    for key, change in once.items():
        found = read[key]
        decision: Decision = found.decision
        if isinstance(decision, Refused):
            undone.append(Undone(change, decision))
        else:
            kept.append((change, days.states[change.key], found))
    return kept, undone


class _Again(Exception):
    """The places taken are to be given back: some of the changes do not hold without the others."""


def _take_places_together(kept: Kept, days: Days) -> tuple[Kept, list[Undone]]:
    """As `_take_places`, but that nothing is given back for a day which the rows say is full."""
    undone: list[Undone] = []
    while True:
        try:
            with transaction.atomic():
                fit, full = _take_places(kept)
                found = {change.key: one for change, _state, one in fit}
                lost = [one.change for one in (*undone, *full) if one.change.act == Act.BOOK]
                read = _together([change for change, _state, _found in fit], found, days, lost) if full else found
                alone = [
                    Undone(change, decision)
                    for change, _state, _found in fit
                    if isinstance(decision := read[change.key].decision, Refused)
                ]
                if not alone:
                    return fit, undone + full
                raise _Again
        except _Again:
            undone += [*full, *alone]
            gone = {one.change.key for one in alone}
            kept = [one for one in fit if one[0].key not in gone]


def _take_places(kept: Kept) -> tuple[Kept, list[Undone]]:
    left = [
        state.booking
        for change, state, _found in kept
        if change.act == Act.CANCEL and state.booking is not None and state.booking.holds_place
    ]
    wanted = [change for change, _state, _found in kept if change.act == Act.BOOK]
    places = [state.places for change, state, _found in kept if change.act == Act.BOOK]
    got = exchange(give_back=component_places(left).values(), wanted=places)
    full = [change for change, has in zip(wanted, got, strict=True) if not has]
    return [one for one in kept if one[0] not in full], [Undone(change, Refused(Reason.FULL)) for change in full]


def _record(
    kept: Kept,
    days: Days,
    *,
    household: Household,
    reason: str,
    billed: bool,
    by: User,
    send_key: UUID,
    at: datetime,
) -> FamilyRequest:
    kept = sorted(
        kept,
        key=lambda one: (one[1].enrolment.child.birth_date, one[0].child_id, one[0].day, one[1].unit.position),
    )
    request, rows = open_request(
        household=household,
        kind=RequestKind.BOOKING,
        send_key=send_key,
        lines=[
            NewLine(
                act=change.act,
                child=state.enrolment.child,
                activity=state.enrolment.activity,
                unit=state.unit,
                day=change.day,
                at_once=True,
                late=found.late is not None,
                reason=reason,
            )
            for change, state, found in kept
        ],
        by=by,
        at=at,
        tz=days.town.tz,
        by_agent=True,
    )
    new: list[Booking] = []
    changed: list[Booking] = []
    for (change, state, found), row in zip(kept, rows, strict=True):
        late = found.late is not None
        if change.act == Act.BOOK:
            after = next_state(BOOKING, None, BookingEvent.BOOK)
            new.append(
                Booking(
                    child=state.enrolment.child,
                    household=household,
                    enrolment=state.enrolment,
                    unit=state.unit,
                    group=state.enrolment.group,
                    date=change.day,
                    state=after,
                    holds_place=after in HOLDS_A_PLACE,
                    line=row,
                    reason=reason,
                    booked_late=late,
                    requested_at=at,
                    changed_at=at,
                )
            )
            continue
        assert state.booking is not None
        booking = state.booking
        booking.state = next_state(BOOKING, BookingState(booking.state), BookingEvent.CANCEL)
        booking.holds_place = False
        booking.line = row
        booking.reason = reason
        booking.still_due = (late_still_due(state, days) if billed else 0) if late else None
        booking.changed_at = at
        changed.append(booking)
    Booking.objects.bulk_create(new)
    if changed:
        Booking.objects.bulk_update(changed, ["state", "holds_place", "line", "reason", "still_due", "changed_at"])
    due = {booking.line_id: booking.still_due for booking in changed}
    audit.record(
        at=at,
        by=by.actor(as_agent=True),
        action="request.made_for_family",
        subject=request,
        household_id=household.id,
        text=_summary(request, rows),
        facts={
            "has_reason": bool(reason),
            "lines": [describe(row) | {"late": row.late, "still_due": due.get(row.id)} for row in rows],
        },
    )
    notifications.made_for_family(request=request, lines=rows, bookings=[*new, *changed], at=at)
    return request


def _summary(request: FamilyRequest, rows: Sequence[RequestLine]) -> str:
    late = sum(row.late for row in rows)
    text = _("Demande n° %(number)s faite pour la famille : %(what)s.") % {
        "number": request.number,
        "what": acts_words(row.act for row in rows),
    }
    if late:
        text += " " + ngettext("%(n)d jour après la limite.", "%(n)d jours après la limite.", late) % {"n": late}
    return text
