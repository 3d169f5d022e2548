"""Closing days for a trip, a strike or another reason, in one act that can be undone.

Prose: docs/algorithms/closures.md. Locks: the town's row (one such act at a time), children, requests, opening days.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import User
from marelle.activities.models import Municipality, Unit
from marelle.activities.queries import begins_at, calendar_of, municipality, offer_of
from marelle.bookings import notifications
from marelle.bookings.models import Booking, ClosedBooking, Closure, ClosureDay
from marelle.bookings.queries.closures import Reach, closure_of, standing_on
from marelle.bookings.queries.days import component_places
from marelle.bookings.services.places import exchange, release
from marelle.families.models import Child
from marelle.foundation import audit
from marelle.foundation.audit import Told
from marelle.foundation.sentences import day_words, list_words
from marelle.requests.services import answer_lines, ask_anew, lock_requests_of
from marelle.rules.lifecycles import (
    BOOKING,
    HOLDS_A_PLACE,
    BookingEvent,
    BookingState,
    EnrolmentState,
    LineState,
    next_state,
)

#: As what each state comes back.
_BACK = {
    BookingState.BOOKED: BookingEvent.REOPEN,
    BookingState.PENDING: BookingEvent.REOPEN_PENDING,
    BookingState.CANCELLING: BookingEvent.REOPEN_CANCELLING,
    BookingState.QUEUED: BookingEvent.REOPEN_QUEUED,
    BookingState.OFFERED: BookingEvent.REOPEN_OFFERED,
}


class NothingToClose(ValueError):
    """No day given, or only days that are past."""


class DaysBegun(Exception):
    """Every day of the closure has begun: it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The act, and how many days it cancelled. `repeated`: it stood already, nothing was done."""

    closure: Closure
    bookings: int = 0
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """The act undone: how many days came back, and how many could not."""

    closure: Closure
    back: int = 0
    lost: int = 0
    repeated: bool = False


@transaction.atomic
def close_days(
    *, kind: str, reach: Reach, days: Sequence[date], words: str, key: UUID, by: User, at: datetime
) -> Closed:
    """Cancel the days of everybody whom the closure reaches, and tell their families. Raises NothingToClose.

    The same `key` never makes two closures, nor do two agents who close the same days of the same people for the same
    reason. A constant number of statements, whatever the number of bookings.
    """
    town = alone()
    done = Closure.objects.filter(key=key).first()
    if done is not None:
        return Closed(closure=done, repeated=True)
    today = at.astimezone(town.tz).date()
    dates = sorted(day for day in set(days) if day >= today)
    if not dates:
        raise NothingToClose
    if (same := _same(kind, reach, dates)) is not None:
        return Closed(closure=same, repeated=True)

    found = reach.bookings(dates)
    lock_children(Q(id__in=reach.enrolments().values("child")) | Q(id__in=found.values("child")))
    bookings = list(found.select_related("child", "unit__service").order_by("id"))
    asked = [b.line_id for b in bookings if b.state in (BookingState.PENDING, BookingState.CANCELLING)]
    lock_requests_of(asked)
    closure = Closure.objects.create(
        key=key,
        kind=kind,
        site_id=reach.site_id,
        service_id=reach.service_id,
        group_id=reach.group_id,
        class_name=reach.class_name,
        units=list(reach.unit_ids),
        first_day=dates[0],
        last_day=dates[-1],
        words=words.strip(),
        made_by=by,
        made_by_label=str(by),
        made_at=at,
    )
    ClosureDay.objects.bulk_create(ClosureDay(closure=closure, date=day) for day in dates)
    Municipality.objects.filter(id=town.id).update(closed_until=max(dates[-1], town.closed_until or dates[-1]))
    shut(closure, bookings, by=str(by), at=at)
    actor = by.actor(as_agent=True)
    counted = ngettext("%(n)d réservation annulée", "%(n)d réservations annulées", len(bookings)) % {"n": len(bookings)}
    audit.record(
        at=at,
        by=actor,
        action="closure.made",
        subject=closure,
        text=_("%(title)s : %(days)s, %(counted)s.")
        % {"title": closure.get_kind_display(), "days": _span(closure), "counted": counted},
        facts={
            "site": reach.site_id, "service": reach.service_id, "group": reach.group_id, "class": reach.class_name,
            "units": list(reach.unit_ids), "dates": [day.isoformat() for day in dates],
        },
    )  # fmt: skip
    audit.record_each(
        at=at,
        by=actor,
        action="closure.days_closed",
        subject=closure,
        told=told(closure, bookings, closes=True),
    )
    notifications.days_closed(closure=closure, bookings=bookings, at=at)
    return Closed(closure=closure, bookings=len(bookings))


def shut(closure: Closure, bookings: Sequence[Booking], *, by: str, at: datetime) -> None:
    """Remember what each booking was, give its places back, and answer what was asked of it."""
    for booking in bookings:
        next_state(BOOKING, BookingState(booking.state), BookingEvent.CLOSE)
    ClosedBooking.objects.bulk_create(
        ClosedBooking(closure=closure, booking=b, state=b.state, holds_place=b.holds_place, waits_until=b.waits_until)
        for b in bookings
    )
    Booking.objects.filter(id__in=closure.closed.filter(after="").values("booking")).update(
        state=BookingState.CLOSED, holds_place=False, waits_until=None, changed_at=at
    )
    reason = closure.told
    for before, answer in ((BookingState.PENDING, LineState.REFUSED), (BookingState.CANCELLING, LineState.ACCEPTED)):
        lines = [b.line_id for b in bookings if b.state == before]
        answer_lines(line_ids=lines, state=answer, by=by, at=at, reason=reason)
    release(component_places([b for b in bookings if b.holds_place]).values())


@transaction.atomic
def reopen_days(*, closure_id: int, by: User, at: datetime) -> Reopened:
    """Undo a closure for its days that have not begun: each booking is again what it was, unless its place is taken or
    its right to come has ended; then it is cancelled, and the family told so. Raises DaysBegun.

    A day that another closure closes too stays closed, by that one. Undone twice, the second does nothing.
    """
    town = alone()
    closure = Closure.objects.get(pk=closure_id)
    if closure.undone_at is not None:
        return Reopened(closure=closure, repeated=True)
    dates = days_to_come(closure, town=town, at=at)
    if not dates:
        raise DaysBegun
    lock_children(Q(id__in=closure.closed.values("booking__child")))
    closed = with_bookings(closure.closed.filter(after="", booking__date__in=dates, booking__state=BookingState.CLOSED))
    closure.days.filter(date__in=dates).update(lifted_at=at)
    closed = pass_on(closed, dates)
    lock_requests_of([one.booking.line_id for one in closed])
    settle(closed, town=town, at=at)
    closure.undone_by, closure.undone_by_label, closure.undone_at = by, str(by), at
    closure.save(update_fields=["undone_by", "undone_by_label", "undone_at"])

    bookings = [one.booking for one in closed]
    lost = [b for b in bookings if b.state == BookingState.CANCELLED]
    actor = by.actor(as_agent=True)
    audit.record(
        at=at,
        by=actor,
        action="closure.undone",
        subject=closure,
        text=_("« %(title)s » annulé (%(days)s) : %(back)s, %(lost)s.")
        % {
            "title": closure.get_kind_display(),
            "days": _span(closure),
            "back": ngettext("%(n)d réservation rétablie", "%(n)d réservations rétablies", len(bookings) - len(lost))
            % {"n": len(bookings) - len(lost)},
            "lost": ngettext("%(n)d perdue", "%(n)d perdues", len(lost)) % {"n": len(lost)},
        },
        facts={"dates": [day.isoformat() for day in dates]},
    )
    audit.record_each(
        at=at,
        by=actor,
        action="closure.days_reopened",
        subject=closure,
        told=told(closure, bookings, closes=False),
    )
    notifications.days_reopened(closure=closure, bookings=bookings, at=at)
    return Reopened(closure=closure, back=len(bookings) - len(lost), lost=len(lost))


def with_bookings(closed: "QuerySet[ClosedBooking]") -> list[ClosedBooking]:
    """In the order of the bookings, with all that settling and telling them reads."""
    return list(
        closed.select_related("booking__child", "booking__unit__service", "booking__enrolment__activity")
        .select_related("booking__enrolment__child")
        .order_by("booking_id")
    )


def days_to_come(closure: Closure, *, town: Municipality, at: datetime) -> list[date]:
    """The days of the closure that can still be reopened: none of the units concerned has begun."""
    today = at.astimezone(town.tz).date()
    dates = list(closure.days.filter(lifted_at=None, date__gte=today).values_list("date", flat=True))
    if today not in dates:
        return dates
    reach = Reach.of(closure)
    units = [
        unit
        for service, listed in offer_of(town).units.items()
        if reach.service_id in (None, service)
        for unit in listed
        if not reach.unit_ids or unit.pk in reach.unit_ids
    ]
    calendar = calendar_of(town)
    begun = any(begins_at(calendar, unit, today) <= at for unit in units)
    return [day for day in dates if day != today or not begun]


def settle(closed: Sequence[ClosedBooking], *, town: Municipality, at: datetime) -> None:
    """Give each booking back what it was, its places first; some queries, whatever the number."""
    parts = {unit.pk: unit.component_ids for listed in offer_of(town).units.values() for unit in listed}
    places = component_places([one.booking for one in closed])
    able = [
        one
        for one in closed
        if one.booking.enrolment.state == EnrolmentState.ACCEPTED
        and len(places[one.booking_id]) == len(parts.get(one.booking.unit_id, (None,)))
    ]
    holders = [
        one
        for one in able
        if one.holds_place
        and (one.state != BookingState.OFFERED or (one.waits_until is not None and one.waits_until > at))
    ]
    got = exchange(wanted=[places[one.booking_id] for one in holders])
    has_place = {one.pk for one, has in zip(holders, got, strict=True) if has}
    able_ids = {one.pk for one in able}
    groups: dict[tuple[BookingState, bool, str], list[int]] = defaultdict(list)
    for one in closed:
        booking = one.booking
        before = BookingState(one.state)
        event, reason = _BACK[before], booking.reason
        if one.pk not in able_ids:
            event, reason = BookingEvent.CANCEL, _("La journée a rouvert, mais elle n’est plus proposée à cet enfant.")
        elif before == BookingState.OFFERED and one.pk not in has_place:
            event = BookingEvent.REOPEN_QUEUED
        elif one.holds_place and one.pk not in has_place:
            event, reason = BookingEvent.CANCEL, _("La journée a rouvert, mais il n’y a plus de place.")
        booking.state = one.after = next_state(BOOKING, BookingState.CLOSED, event)
        booking.holds_place = one.pk in has_place and booking.state in HOLDS_A_PLACE
        booking.reason = reason
        groups[BookingState(booking.state), booking.holds_place, reason].append(one.pk)
    for (state, holds, reason), ids in groups.items():
        _give_back(state, holds, reason, ids, at=at)
    ask_anew(
        line_ids=[one.booking.line_id for one in closed if one.after in (BookingState.PENDING, BookingState.CANCELLING)]
    )


def _give_back(state: BookingState, holds: bool, reason: str, ids: Sequence[int], *, at: datetime) -> None:
    rows = ClosedBooking.objects.filter(id__in=ids)
    before = ClosedBooking.objects.filter(booking=OuterRef("pk"), after="")
    until: object = None
    if state in (BookingState.QUEUED, BookingState.OFFERED):
        until = Subquery(before.values("waits_until")[:1])
    Booking.objects.filter(id__in=rows.values("booking")).update(
        state=state, holds_place=holds, reason=reason, waits_until=until, changed_at=at
    )
    rows.update(after=state)


def pass_on(closed: Sequence[ClosedBooking], dates: Sequence[date]) -> list[ClosedBooking]:
    """Hand the bookings that another standing closure reaches over to it; the others."""
    standing = standing_on(Q(date__in=dates))
    rest, passed = [], defaultdict(list)
    units = _units_of(closed)
    for one in closed:
        booking = one.booking
        booking.unit.component_ids = units[booking.unit_id]
        other = closure_of(standing.get(booking.date, ()), booking.enrolment, booking.unit)
        if other is None:
            rest.append(one)
        else:
            passed[other.pk].append(one.pk)
    for closure, ids in passed.items():
        ClosedBooking.objects.filter(id__in=ids).update(closure=closure)
    return rest


def _units_of(closed: Iterable[ClosedBooking]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {one.booking.unit_id: [] for one in closed}
    links = Unit.components.through.objects.filter(from_unit__in=found)
    for whole, part in links.values_list("from_unit", "to_unit"):
        found[whole].append(part)
    return {unit: tuple(parts) or (unit,) for unit, parts in found.items()}


def alone() -> Municipality:
    """Two closures are made or undone one after the other, and no town's file is loaded meanwhile."""
    list(Municipality.objects.select_for_update(no_key=True).filter(id=1).values_list("id"))
    return municipality()


def lock_children(concerned: Q) -> None:
    """Whoever could book these days is locked before what stands is read: a send under way is seen, the next one sees
    the closure."""
    list(Child.objects.select_for_update(no_key=True).filter(concerned).order_by("id").values_list("id"))


def _same(kind: str, reach: Reach, dates: Sequence[date]) -> Closure | None:
    standing = Closure.objects.filter(
        kind=kind,
        site=reach.site_id,
        service=reach.service_id,
        group=reach.group_id,
        class_name=reach.class_name,
        undone_at=None,
        first_day=dates[0],
        last_day=dates[-1],
    )
    return next((one for one in standing if Reach.of(one) == reach), None)


def _span(closure: Closure) -> str:
    if closure.first_day == closure.last_day:
        return day_words(closure.first_day)
    return _("du %(first)s au %(last)s") % {
        "first": day_words(closure.first_day),
        "last": day_words(closure.last_day),
    }


def told(closure: Closure, bookings: Sequence[Booking], *, closes: bool) -> list[Told]:
    """What each household's history says of these days."""
    return [
        Told(household_id=household, text=_told(closure, of, closes=closes), facts=_facts(of))
        for household, of in _by_household(bookings).items()
    ]


def _by_household(bookings: Iterable[Booking]) -> dict[int, list[Booking]]:
    found: dict[int, list[Booking]] = defaultdict(list)
    for booking in bookings:
        found[booking.household_id].append(booking)
    return found


def _told(closure: Closure, bookings: Sequence[Booking], *, closes: bool) -> str:
    names = list_words(dict.fromkeys(b.child.first_name for b in bookings))
    dates = sorted({b.date for b in bookings})
    days = list_words([day_words(day) for day in dates])
    what = ngettext("fermé", "fermés", len(dates)) if closes else ngettext("rouvert", "rouverts", len(dates))
    return _("%(title)s : %(days)s %(what)s pour %(names)s.") % {
        "title": closure.get_kind_display(), "days": days, "what": what, "names": names,
    }  # fmt: skip


def _facts(bookings: Sequence[Booking]) -> dict[str, object]:
    return {"days": [{"child": b.child_id, "unit": b.unit_id, "date": b.date.isoformat()} for b in bookings]}
