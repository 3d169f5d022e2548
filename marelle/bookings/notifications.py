"""The e-mails of reservations and enrolments: what is queued with the deed, and how the worker fills their
templates."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.urls import reverse

from marelle.activities.models import BookingMode, Municipality, Period, Service
from marelle.activities.queries import Contact, contacts_for, municipality, rules_of
from marelle.bookings.labels import BOOKING_LOOKS, ENROLMENT_LOOKS, late_words
from marelle.bookings.models import Absence, Basket, BasketLine, Booking, Closure, Enrolment
from marelle.bookings.queries.prerequisites import school_services
from marelle.families.models import Guardian, Guardianship
from marelle.families.queries import addressees, addressees_of
from marelle.foundation import outbox
from marelle.foundation.models import OutboxMail
from marelle.foundation.sentences import (
    absence_cost_words,
    day_words,
    list_words,
    moment_words,
    sentence,
    span_words,
)
from marelle.requests.labels import LINE_LOOKS
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.rules.decisions import Allowed, Decision, Refused
from marelle.rules.lifecycles import BookingState, EnrolmentState, LineState


def request_sent(
    *, request: FamilyRequest, lines: Sequence[RequestLine], bookings: Iterable[Booking], at: datetime
) -> None:
    """Tell every guardian of the household what was sent and where each day stands."""
    states = {booking.line_id: booking.state for booking in bookings}
    _post(
        "bookings/request_sent",
        request=request,
        at=at,
        lines=[_day_facts(line, states.get(line.id)) for line in lines],
    )


def request_answered(
    *, request: FamilyRequest, lines: Sequence[RequestLine], bookings: Iterable[Booking], at: datetime
) -> None:
    """Tell every guardian what an agent answered, day by day; the lines not answered yet are not named."""
    states = {booking.line_id: booking.state for booking in bookings}
    _post(
        "bookings/request_answered",
        request=request,
        at=at,
        lines=[_day_facts(line, states.get(line.id)) for line in lines],
    )


def made_for_family(
    *, request: FamilyRequest, lines: Sequence[RequestLine], bookings: Iterable[Booking], at: datetime
) -> None:
    """Tell every guardian what an agent booked and cancelled for them, and which days were past their limit. Why is on
    the request: an agent's own words may tell of somebody's health."""
    by_line = {booking.line_id: booking for booking in bookings}
    _post(
        "bookings/made_for_family",
        request=request,
        at=at,
        lines=[
            _day_facts(line, by_line[line.id].state)
            | {"reason": "", "late": line.late, "still_due": by_line[line.id].still_due}
            for line in lines
        ],
        by=request.sent_by_label,
    )


def enrolments_sent(
    *,
    request: FamilyRequest,
    enrolments: Sequence[Enrolment],
    at: datetime,
    awaited: Mapping[int, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Confirm what was asked. `awaited`: by enrolment, the names of the papers that may still come."""
    _post(
        "bookings/enrolments_sent",
        request=request,
        at=at,
        lines=[_enrolment_facts(e) | {"papers": list(awaited.get(e.pk, ()))} for e in enrolments],
    )


def enrolments_incomplete(*, request: FamilyRequest, enrolments: Sequence[Enrolment], at: datetime) -> None:
    """Say that an agent asks for something before answering. What it is stands on the portal, where one answers: an
    agent's own words may tell of somebody's health."""
    lines = [_enrolment_facts(e) | {"reason": ""} for e in enrolments]
    _post("bookings/enrolments_incomplete", request=request, at=at, lines=lines)


def enrolments_answered(*, request: FamilyRequest, enrolments: Sequence[Enrolment], at: datetime) -> None:
    """One e-mail for the enrolments answered together. An accepted one says that the days remain to be reserved."""
    _post("bookings/enrolments_answered", request=request, at=at, lines=[_enrolment_facts(e) for e in enrolments])


def absence_announced(
    *, request: FamilyRequest, absences: Iterable[Absence], lines: Sequence[RequestLine], tz: ZoneInfo, at: datetime
) -> None:
    """Confirm what was announced, with what each day costs; neither the cause nor the family's note."""
    costs = {absence.line_id: absence for absence in absences}
    _post(
        "bookings/absence_announced",
        request=request,
        at=at,
        lines=[
            _day_facts(line, None)
            | {
                "cost": absence_cost_words(
                    still_due=costs[line.pk].still_due,
                    proven=costs[line.pk].proven,
                    proof_until=costs[line.pk].proof_until,
                    tz=tz,
                    at=at,
                )
            }
            for line in lines
        ],
    )


def absence_taken_back(*, request: FamilyRequest, lines: Sequence[RequestLine], at: datetime) -> None:
    _post("bookings/absence_taken_back", request=request, at=at, lines=[_day_facts(line, None) for line in lines])


def days_unanswered(*, bookings: Sequence[Booking], town: Municipality, at: datetime) -> None:
    """Tell every guardian of a household which of its days begin unanswered, that the children are expected, and whom
    to call. `bookings` are the household's own, with all that they point at."""
    household = bookings[0].household
    contacts: dict[str, Contact] = {}
    for booking in bookings:
        activity = booking.enrolment.activity
        for contact in contacts_for(activity.service, [activity.site], town):
            contacts.setdefault(contact.name, contact)
    numbers = dict.fromkeys(booking.line.request.number for booking in bookings)
    context = {
        "lines": [
            {
                "child": booking.child.first_name,
                "service": booking.enrolment.activity.service.short_name,
                "unit": booking.unit.name,
                "date": booking.date.isoformat(),
                "cancels": booking.state == BookingState.CANCELLING,
            }
            for booking in bookings
        ],
        "numbers": list(numbers),
        "contacts": [
            {"name": contact.name, "email": contact.email, "phone": contact.phone} for contact in contacts.values()
        ],
    }
    for guardianship in sorted(household.guardianships.all(), key=lambda one: one.position):
        guardian = guardianship.guardian
        if guardian.email:
            outbox.post(
                kind="bookings/days_unanswered",
                to_address=guardian.email,
                to_name=str(guardian),
                household_id=household.pk,
                at=at,
                context={**context, "first_name": guardian.first_name},
            )


def place_offered(*, booking: Booking, tz: ZoneInfo, at: datetime) -> None:
    """Tell every guardian that a place is held, until when, and where to answer."""
    _post_wait("bookings/place_offered", booking=booking, tz=tz, at=at)


def wait_over(*, booking: Booking, was_offered: bool, tz: ZoneInfo, at: datetime) -> None:
    """Tell every guardian that the wait ended without a place: nobody answered the offer, or the limit passed."""
    _post_wait("bookings/wait_over", booking=booking, tz=tz, at=at, was_offered=was_offered)


def offer_accepted(*, booking: Booking, tz: ZoneInfo, at: datetime) -> None:
    _post_wait("bookings/offer_accepted", booking=booking, tz=tz, at=at)


def basket_left(
    *, basket: Basket, lines: Sequence[tuple[BasketLine, Decision]], last: bool, tz: ZoneInfo, at: datetime
) -> None:
    """Remind the guardian whose basket it is of what is not sent, each line with its limit or what stops it. `last`:
    the portal writes no more of it. Who is a guardian there no more, or has no address, is told nothing."""
    guardian = Guardian.objects.filter(user=basket.user_id, guardianships__household=basket.household_id).first()
    if guardian is None or not guardian.email:
        return
    limits = [verdict.until for _line, verdict in lines if isinstance(verdict, Allowed) and verdict.until is not None]
    outbox.post(
        kind="bookings/basket_left",
        to_address=guardian.email,
        to_name=str(guardian),
        household_id=basket.household_id,
        at=at,
        context={
            "first_name": guardian.first_name,
            "lines": [_choice_facts(line, verdict, tz) for line, verdict in lines],
            "limit": min(limits).astimezone(tz).isoformat() if limits else "",
            "soon": bool(limits) and min(limits) <= at + timedelta(hours=24),
            "last": last,
        },
    )


def days_closed(*, closure: Closure, bookings: Sequence[Booking], at: datetime) -> None:
    """One e-mail to each guardian of each household: the days of its children that the town closes. Two statements."""
    _post_closure("bookings/days_closed", closure=closure, bookings=bookings, at=at)


def days_reopened(*, closure: Closure, bookings: Sequence[Booking], at: datetime) -> None:
    """The same when the closure is undone: which days are back, and which could not come back."""
    _post_closure("bookings/days_reopened", closure=closure, bookings=bookings, at=at)


def _post_closure(kind: str, *, closure: Closure, bookings: Sequence[Booking], at: datetime) -> None:
    lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for booking in sorted(bookings, key=lambda b: (b.child.birth_date, b.child_id, b.date, b.unit.position)):
        lines[booking.household_id].append(
            {
                "child": booking.child.first_name,
                "service": booking.unit.service.short_name,
                "unit": booking.unit.name,
                "date": booking.date.isoformat(),
                "state": booking.state,
                "reason": booking.reason if booking.state == BookingState.CANCELLED else "",
            }
        )
    outbox.post_each(
        kind=kind,
        at=at,
        letters=[
            outbox.Letter(
                to_address=adult.guardian.email,
                to_name=str(adult.guardian),
                household_id=adult.household_id,
                context={
                    "first_name": adult.guardian.first_name,
                    "kind": closure.kind,
                    "words": closure.words,
                    "lines": lines[adult.household_id],
                },
            )
            for adults in addressees_of(list(lines)).values()
            for adult in adults
        ],
    )


def period_opened(*, period: Period, service: Service, adults: Iterable[Guardianship], at: datetime) -> None:
    """Tell these adults, each for their household, that they may choose the period's days. One statement."""
    outbox.post_each(
        kind="bookings/period_opened",
        at=at,
        letters=[
            outbox.Letter(
                to_address=link.guardian.email,
                to_name=str(link.guardian),
                household_id=link.household_id,
                context={
                    "period": period.pk,
                    "first_name": link.guardian.first_name,
                    "service": service.name,
                    "service_slug": service.slug,
                    "period_name": period.name,
                    "period_slug": period.slug,
                    "first_day": period.first_day.isoformat(),
                    "last_day": period.last_day.isoformat(),
                },
            )
            for link in adults
        ],
    )


def _choice_facts(line: BasketLine, verdict: Decision, tz: ZoneInfo) -> dict[str, Any]:
    until = verdict.until if isinstance(verdict, Allowed) else None
    return {
        "child": line.child.first_name,
        "service": line.enrolment.activity.service.short_name,
        "unit": line.unit.name,
        "act": line.act,
        "date": line.date.isoformat(),
        "until": until.astimezone(tz).isoformat() if until else "",
        "problem": sentence(verdict, tz) if isinstance(verdict, Refused) else "",
    }


def _post_wait(kind: str, *, booking: Booking, tz: ZoneInfo, at: datetime, **more: Any) -> None:
    service = booking.unit.service
    for guardian in addressees(booking.household):
        outbox.post(
            kind=kind,
            to_address=guardian.email,
            to_name=str(guardian),
            household_id=booking.household_id,
            at=at,
            context={
                "booking": booking.pk,
                "first_name": guardian.first_name,
                "child": booking.child.first_name,
                "service": service.name,
                "slug": service.slug,
                "date": booking.date.isoformat(),
                "until": booking.waits_until.astimezone(tz).isoformat() if booking.waits_until else "",
                **more,
            },
        )


def _post(kind: str, *, request: FamilyRequest, at: datetime, lines: list[dict[str, Any]], **more: Any) -> None:
    for guardian in addressees(request.household):
        outbox.post(
            kind=kind,
            to_address=guardian.email,
            to_name=str(guardian),
            household_id=request.household_id,
            at=at,
            context={"number": request.number, "first_name": guardian.first_name, "lines": lines, **more},
        )


def _day_facts(line: RequestLine, state: str | None) -> dict[str, Any]:
    assert line.date is not None and line.unit is not None
    return {
        "child": line.of_service.child.first_name,
        "service": line.of_service.activity.service.short_name,
        "unit": line.unit.name,
        "act": line.act,
        "date": line.date.isoformat(),
        "booking": state,
        "line": line.state,
        "reason": line.reason,
    }


def _enrolment_facts(enrolment: Enrolment) -> dict[str, Any]:
    service = enrolment.activity.service
    return {
        "child": enrolment.child.first_name,
        "service": service.name,
        "site": enrolment.activity.site.name,
        "slug": service.slug,
        "state": enrolment.state,
        "reason": enrolment.reason,
        "papers_due": enrolment.papers_due.isoformat() if enrolment.papers_due else "",
        "days_remain": enrolment.state == EnrolmentState.ACCEPTED and service.booking_mode == BookingMode.DAYS,
    }


def _days(mail: OutboxMail) -> dict[str, Any]:
    """Lines grouped by child, then service, in the order of the request, each with its day in words and its state."""
    groups = []
    for (child, service), lines in groupby(mail.context["lines"], key=lambda line: (line["child"], line["service"])):
        rows = []
        for line in lines:
            look = (
                BOOKING_LOOKS[BookingState(line["booking"])] if line["booking"] else LINE_LOOKS[LineState(line["line"])]
            )
            rows.append(
                {
                    "day": day_words(date.fromisoformat(line["date"])),
                    "unit": line["unit"],
                    "act": line["act"],
                    "look": look,
                    "reason": line["reason"],
                    "late": late_words(act=line["act"], still_due=line["still_due"]) if line.get("late") else "",
                }
            )
        several = len({row["unit"] for row in rows}) > 1
        groups.append({"child": child, "service": service, "lines": rows, "several_units": several})
    lines = mail.context["lines"]
    return {
        "groups": groups,
        "count": len(lines),
        "refused": sum(line["line"] == LineState.REFUSED for line in lines),
        "accepted": sum(line["line"] == LineState.ACCEPTED for line in lines),
        "waits": any(line["line"] == LineState.PENDING for line in lines),
        "request_path": reverse("portal:request", args=[mail.context["number"]]),
    }


def _enrolments(mail: OutboxMail) -> dict[str, Any]:
    at_school = school_services(rules_of(municipality()))
    lines = [
        line
        | {
            "look": ENROLMENT_LOOKS[EnrolmentState(line["state"])],
            "planning_path": reverse("portal:planning", args=[line["slug"]]) if line["days_remain"] else "",
            "dossier": line["slug"] in at_school and line["state"] == EnrolmentState.ACCEPTED,
            "papers": list_words(line.get("papers") or ()),
            "due": day_words(date.fromisoformat(line["papers_due"])) if line.get("papers_due") else "",
        }
        for line in mail.context["lines"]
    ]
    return {
        "lines": lines,
        "accepted": sum(line["state"] == EnrolmentState.ACCEPTED for line in lines),
        "refused": sum(line["state"] == EnrolmentState.REFUSED for line in lines),
        "days_remain": any(line["days_remain"] for line in lines),
        "dossier": any(line["dossier"] for line in lines),
        "complete_path": reverse("portal:complete", args=[mail.context["number"]]),
        "enrol_path": reverse("portal:enrol"),
        "request_path": reverse("portal:request", args=[mail.context["number"]]),
    }


def _choices(mail: OutboxMail) -> dict[str, Any]:
    """The lines of a basket, by child and service, each with its day and its limit in words."""
    groups = []
    lines = mail.context["lines"]
    for (child, service), found in groupby(lines, key=lambda line: (line["child"], line["service"])):
        rows = [
            line | {"day": day_words(date.fromisoformat(line["date"])), "until": _moment(line["until"])}
            for line in found
        ]
        several = len({row["unit"] for row in rows}) > 1
        groups.append({"child": child, "service": service, "lines": rows, "several_units": several})
    stopped = sum(bool(line["problem"]) for line in lines)
    return {
        "groups": groups,
        "count": len(lines),
        "stopped": stopped,
        "ready": len(lines) - stopped,
        "limit": _moment(mail.context["limit"]),
        "check_path": reverse("portal:check"),
    }


def _moment(said: str) -> str:
    """ "lundi 23 novembre, 9 h", of an instant kept on the town's clock; nothing for nothing."""
    if not said:
        return ""
    moment = datetime.fromisoformat(said)
    return moment_words(moment, cast(ZoneInfo, moment.tzinfo))


def _wait(mail: OutboxMail) -> dict[str, Any]:
    facts = mail.context
    until = datetime.fromisoformat(facts["until"]) if facts["until"] else None
    return facts | {
        "day": day_words(date.fromisoformat(facts["date"])),
        "until": moment_words(until, cast(ZoneInfo, until.tzinfo)) if until else "",
        "place_path": reverse("portal:place", args=[facts["booking"]]),
        "planning_path": f"{reverse('portal:planning', args=[facts['slug']])}?mois={facts['date'][:7]}",
    }


def _closure(mail: OutboxMail) -> dict[str, Any]:
    lines = mail.context["lines"]
    groups = []
    for (child, service), found in groupby(lines, key=lambda line: (line["child"], line["service"])):
        rows = [
            line | {"day": day_words(date.fromisoformat(line["date"])), "look": BOOKING_LOOKS[line["state"]]}
            for line in found
        ]
        groups.append({"child": child, "service": service, "lines": rows})
    days = sorted({line["date"] for line in lines})
    lost = sum(line["state"] == BookingState.CANCELLED for line in lines)
    return {
        "groups": groups,
        "title": Closure.Kind(mail.context["kind"]).label,
        "words": mail.context["words"],
        "first_day": day_words(date.fromisoformat(days[0])),
        "several_days": len(days) > 1,
        "count": len(lines),
        "lost": lost,
        "back": len(lines) - lost,
        "home_path": reverse("portal:home"),
    }


def _absences(mail: OutboxMail) -> dict[str, Any]:
    """By child and service, each day in words; `cost` once for all the days of a group when it is the same."""
    groups = []
    lines = sorted(mail.context["lines"], key=lambda line: (line["child"], line["service"]))
    for (child, service), found in groupby(lines, key=lambda line: (line["child"], line["service"])):
        rows = [line | {"day": day_words(date.fromisoformat(line["date"]))} for line in found]
        costs = list(dict.fromkeys(row.get("cost", "") for row in rows))
        groups.append(
            {
                "child": child,
                "service": service,
                "lines": rows,
                "several_units": len({row["unit"] for row in rows}) > 1,
                "cost": costs[0] if len(costs) == 1 else "",
                "several_costs": len(costs) > 1,
            }
        )
    return {
        "groups": groups,
        "count": len(lines),
        "children": list_words(dict.fromkeys(line["child"] for line in lines)),
        "request_path": reverse("portal:request", args=[mail.context["number"]]),
    }


def _unanswered(mail: OutboxMail) -> dict[str, Any]:
    lines = [line | {"day": day_words(date.fromisoformat(line["date"]))} for line in mail.context["lines"]]
    units = {(line["service"], line["unit"]) for line in lines}
    several = {service for service, _unit in units if len([s for s, _u in units if s == service]) > 1}
    numbers = mail.context["numbers"]
    return {
        "lines": [line | {"several_units": line["service"] in several} for line in lines],
        "children": list_words(dict.fromkeys(line["child"] for line in lines)),
        "day": lines[0]["day"],
        "cancels": all(line["cancels"] for line in lines),
        "path": reverse("portal:request", args=[numbers[0]]) if len(numbers) == 1 else reverse("portal:demarches"),
    }


def _opening(mail: OutboxMail) -> dict[str, Any]:
    facts = mail.context
    planning = reverse("portal:planning", args=[facts["service_slug"]])
    return facts | {
        "period": facts["period_name"],
        "span": span_words(date.fromisoformat(facts["first_day"]), date.fromisoformat(facts["last_day"])),
        "planning_path": f"{planning}?periode={facts['period_slug']}",
    }


builders = {
    "days_closed": _closure,
    "days_reopened": _closure,
    "days_unanswered": _unanswered,
    "absence_announced": _absences,
    "absence_taken_back": _absences,
    "period_opened": _opening,
    "basket_left": _choices,
    "place_offered": _wait,
    "wait_over": _wait,
    "offer_accepted": _wait,
    "request_sent": _days,
    "request_answered": _days,
    "made_for_family": _days,
    "enrolments_sent": _enrolments,
    "enrolments_answered": _enrolments,
    "enrolments_incomplete": _enrolments,
}
