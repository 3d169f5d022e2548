"""The queue as agents read it: for each request, what is asked and what the rules say of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import AgentRole
from marelle.activities.models import Group, Municipality, OpeningDay, Site, Unit
from marelle.activities.queries import begins_at, calendar_of, limits_of, rules_of
from marelle.bookings.labels import absence_look, acts_words
from marelle.bookings.models import Booking, Enrolment
from marelle.bookings.queries.days import component_places
from marelle.bookings.queries.prerequisites import school_services
from marelle.bookings.services.enrolments import Wish, facts_for, group_for
from marelle.foundation.french import NBSP
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words, list_words, sentence
from marelle.office.kinds import kind_of
from marelle.requests.labels import LINE_LOOKS, request_look
from marelle.requests.models import OF_SERVICES, Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.services import HELD
from marelle.rules.calendars import BeyondCalendar
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.lifecycles import EnrolmentState, LineState, RequestState
from marelle.rules.limits import Limits, may_book, may_cancel

#: A pending day of today or tomorrow presses before everything else, as `requests.queries.queue` ranks it.
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Opened:
    """Who is looking at a request, said to the other agents."""

    label: str
    is_me: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Room:
    """The places that a day's line concerns, of the component with fewest left. `held`: counted in `taken` already."""

    group: Group
    unit: Unit
    taken: int
    ceiling: int | None
    held: bool

    @property
    def is_short(self) -> bool:
        """Accepting would need a place that is not there."""
        return not self.held and self.ceiling is not None and self.taken >= self.ceiling


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What the rules say of a pending line.

    `at_sending`: what the limit answered at the instant of the send, `now` what it answers now. `begins`: when the day
    begins (None for an enrolment). `room` is None for what takes no place. `suits` judges an enrolment.
    """

    line: RequestLine
    at_sending: Decision
    now: Decision
    begins: datetime | None = None
    room: Room | None = None
    booking: Booking | None = None
    enrolment: Enrolment | None = None
    suits: Decision = field(default_factory=Allowed)

    @property
    def is_late(self) -> bool:
        return isinstance(self.at_sending, Refused)

    @property
    def is_sound(self) -> bool:
        """Nothing in the town's rules speaks against accepting."""
        short = self.room is not None and self.line.act == Act.BOOK and self.room.is_short
        return not (self.is_late or short or isinstance(self.suits, Refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A request in a list. `pending` are the lines that this agent may answer; `unread`: the family wrote and no agent
    has read it; `follows`: who takes care of it."""

    request: FamilyRequest
    children: str
    what: str
    tag: Look
    effect: str
    age: str
    opened: Opened | None
    pending: tuple[int, ...]
    unread: bool = False
    follows: str = ""

    @property
    def may_tick(self) -> bool:
        """Whether it may be answered from the list, with others."""
        return bool(self.pending) and not must_be_read(self.request)

    @property
    def family(self) -> str:
        return _("Famille %(name)s") % {"name": self.request.household.name}


class Readings:
    """What the rules say of these requests' pending lines, at one instant: six queries at most, whatever their number.

    `requests` must come from `marelle.requests.queries.with_lines`. `sites`: those of the agent (none: all).
    """

    def __init__(
        self, requests: Iterable[FamilyRequest], *, town: Municipality, at: datetime, sites: Collection[int] = ()
    ) -> None:
        self.requests, self.town, self.at, self.sites = list(requests), town, at, frozenset(sites)
        self.calendar = calendar_of(town)
        self._limits: dict[int, Limits | None] = {}

    @cached_property
    def facts(self) -> Mapping[int, list[LineFacts]]:
        """By request id, in the order of the lines."""
        lines = {request.id: self.pending_lines(request) for request in self.requests}
        days = [line.id for listed in lines.values() for line in listed if line.act in (Act.BOOK, Act.CANCEL)]
        asked = [line.id for listed in lines.values() for line in listed if line.act == Act.ENROL]
        bookings: dict[int, Booking] = {}
        if days:
            found = Booking.objects.filter(line__in=days).select_related(
                "unit", "group", "enrolment__activity__service", "enrolment__activity__site", "enrolment__child",
                "enrolment__group", "enrolment__school_year",
            )  # fmt: skip
            bookings = {booking.line_id: booking for booking in found}
        rooms = self._rooms(bookings.values())
        enrolments: dict[int, Enrolment] = {}
        groups: dict[int, list[Group]] = {}
        if asked:
            enrolments = {e.line_id: e for e in Enrolment.objects.filter(line__in=asked).select_related("school_year")}
            activities = {e.activity_id for e in enrolments.values()}
            for group in Group.objects.filter(activity__in=activities, archived_at=None):
                groups.setdefault(group.activity_id, []).append(group)
        return {
            request.id: [
                self._enrolment_facts(request, line, enrolments.get(line.id), groups)
                if line.act == Act.ENROL
                else self._day_facts(request, line, bookings.get(line.id), rooms)
                if line.is_of_service
                else LineFacts(line=line, at_sending=Allowed(), now=Allowed())
                for line in lines[request.id]
            ]
            for request in self.requests
        }

    def pending_lines(self, request: FamilyRequest) -> list[RequestLine]:
        return [
            line
            for line in request.lines.all()
            if line.state == LineState.PENDING and (not self.sites or site_of(line) in self.sites)
        ]

    def rows(self, *, reader: int) -> list[Row]:
        """The requests as rows of a list, for the agent of this user id."""
        return [self.row(request, reader=reader) for request in self.requests]

    def row(self, request: FamilyRequest, *, reader: int) -> Row:
        lines = list(request.lines.all())
        facts = self.facts[request.id]
        shown = [line for line in lines if line.state == LineState.PENDING] or lines
        first = min((line.date for line in shown if line.date), default=None)
        return Row(
            request=request,
            children=", ".join(dict.fromkeys(line.child.first_name for line in lines if line.child is not None)),
            what=what_words(shown),
            tag=self.tag(request),
            effect=self._effect(request, first),
            age=age_words(self.at - (request.answered_at or request.sent_at)),
            opened=self.opened(request, reader=reader),
            pending=tuple(fact.line.id for fact in facts),
            unread=request.unread_since is not None,
            follows=request.assigned_to_label,
        )

    def _effect(self, request: FamilyRequest, first: date | None) -> str:
        if first is not None:
            return day_words(first)
        return _("dès l’accord") if request.state == RequestState.SENT else ""

    def opened(self, request: FamilyRequest, *, reader: int) -> Opened | None:
        if request.state != RequestState.SENT or request.opened_at is None or request.opened_at <= self.at - HELD:
            return None
        return Opened(request.opened_by_label, is_me=request.opened_by_id == reader, since=request.opened_at)

    def tag(self, request: FamilyRequest) -> Look:
        """The one thing that the rules say of the request: what presses, then what fails, then what is fine."""
        if request.kind == RequestKind.ABSENCE:
            return absence_look(line.state for line in request.lines.all())
        if request.state != RequestState.SENT:
            return request_look(line.state for line in request.lines.all())
        facts = self.facts[request.id]
        if not facts:
            return LINE_LOOKS[LineState.PENDING]
        if request.kind not in OF_SERVICES:
            return kind_of(request).tag(request, [fact.line for fact in facts])
        if any(isinstance(fact.suits, Refused) for fact in facts):
            return Look(_("À vérifier"), "triangle-alert", "wait")
        if any(fact.enrolment is not None and fact.enrolment.state == EnrolmentState.INCOMPLETE for fact in facts):
            return Look(_("Complément demandé"), "hourglass", "off")
        if all(fact.line.act == Act.CHANGE for fact in facts):
            return Look(_("Changement"), "pencil", "wait")
        if all(fact.enrolment is not None for fact in facts):
            return Look(_("Conditions remplies"), "circle-check", "ok")
        begins = min(fact.begins for fact in facts if fact.begins is not None)
        if begins <= self.at:
            return Look(_("Jour commencé"), "clock-alert", "stop")
        near = begins.astimezone(self.town.tz).date() - self.at.astimezone(self.town.tz).date()
        if near <= ONE_DAY:
            words = _("Commence demain") if near else _("Commence aujourd’hui")
            return Look(words, "clock-alert", "stop")
        if any(fact.line.act == Act.BOOK and fact.room is not None and fact.room.is_short for fact in facts):
            return Look(_("Complet"), "list-ordered", "queue")
        if any(fact.is_late for fact in facts):
            return Look(_("Hors délai"), "clock-alert", "wait")
        gone = [since for fact in facts if (since := past_since(fact.now)) is not None]
        if gone:
            words = _("Délai passé depuis %(age)s") % {"age": age_words(self.at - min(gone))}
            return Look(words, "clock-alert", "wait")
        return Look(_("Dans les délais"), "circle-check", "ok")

    def _day_facts(
        self, request: FamilyRequest, line: RequestLine, booking: Booking | None, rooms: Mapping[int, Room]
    ) -> LineFacts:
        assert line.unit is not None and line.date is not None
        limits = self._limits_of(line)
        may = may_book if line.act == Act.BOOK else may_cancel
        decisions: list[Decision] = []
        for at in (request.sent_at, self.at):
            if limits is None:
                decisions.append(Allowed())
                continue
            try:
                decisions.append(
                    may(limits, day=line.date, at=at, starts_at=line.unit.starts_at, calendar=self.calendar)
                )
            except BeyondCalendar as fault:
                decisions.append(Refused(Reason.BEYOND_CALENDAR, {"covered_until": fault.covered_until}))
        return LineFacts(
            line=line,
            at_sending=decisions[0],
            now=decisions[1],
            begins=begins_at(self.calendar, line.unit, line.date),
            room=rooms.get(booking.id) if booking is not None else None,
            booking=booking,
        )

    def _limits_of(self, line: RequestLine) -> Limits | None:
        """The limits of the line's unit; None when the town's file does not know it any more."""
        assert line.unit is not None and line.service is not None
        if line.unit.id not in self._limits:
            try:
                self._limits[line.unit.id] = limits_of(self.town, line.service, line.unit)
            except LookupError:
                self._limits[line.unit.id] = None
        return self._limits[line.unit.id]

    def _enrolment_facts(
        self,
        request: FamilyRequest,
        line: RequestLine,
        enrolment: Enrolment | None,
        groups: Mapping[int, Sequence[Group]],
    ) -> LineFacts:
        suits: Decision = Allowed()
        assert line.child is not None and line.activity is not None
        if enrolment is not None:
            on = max(self.at.astimezone(self.town.tz).date(), enrolment.school_year.first_day)
            try:
                found = group_for(
                    town=self.town,
                    activity=line.activity,
                    child=facts_for(
                        Wish(child=line.child, activity=line.activity, answers=enrolment.answers),
                        request.household,
                        town=self.town,
                    ),
                    groups=groups.get(line.activity.pk, ()),
                    on=on,
                )
            except LookupError:
                found = Refused(Reason.CLOSED)
            if isinstance(found, Refused):
                suits = found
            elif (
                line.activity.site.kind == Site.Kind.SCHOOL
                and line.child.school_id != line.activity.site_id
                and line.activity.service.slug not in school_services(rules_of(self.town))
            ):
                suits = Refused(Reason.OTHER_SCHOOL, {"sites": (line.activity.site.name,)})
        return LineFacts(line=line, at_sending=Allowed(), now=Allowed(), enrolment=enrolment, suits=suits)

    def _rooms(self, bookings: Iterable[Booking]) -> dict[int, Room]:
        rows = list(bookings)
        places = component_places(rows)
        days = OpeningDay.objects.in_bulk({id for ids in places.values() for id in ids}) if places else {}
        rooms: dict[int, Room] = {}
        for booking in rows:
            opened = [days[id] for id in places[booking.id] if id in days]
            if not opened:
                continue
            tight = min(opened, key=lambda day: (day.left is None, day.left or 0))
            rooms[booking.id] = Room(
                group=booking.group,
                unit=booking.unit,
                taken=tight.taken,
                ceiling=tight.ceiling,
                held=booking.holds_place,
            )
        return rooms


def must_be_read(request: FamilyRequest) -> bool:
    """Whether a request is answered only by who opened it: a document, a correction, a new family. What the town's
    rules judge (days, enrolments, absences) may be answered from the list."""
    return request.kind not in OF_SERVICES and not kind_of(request).may_accept_several


def past_since(decision: Decision) -> datetime | None:
    """Since when it is too late, None when it is not."""
    if isinstance(decision, Refused):
        since = decision.facts.get("since")
        return since if isinstance(since, datetime) else None
    return None


def what_words(lines: Sequence[RequestLine]) -> str:
    """ "Cantine : 2 annulations, 1 ajout"; "Inscription : Cantine, Garderie"; "Adresse, téléphone"."""
    asked = [line for line in lines if line.act == Act.ENROL]
    parts = []
    if others := list(dict.fromkeys(line.label for line in lines if line.label)):
        parts.append(list_words(others[:3]) if len(others) < 4 else _several_words(others))
    if asked:
        services = dict.fromkeys(line.service.short_name for line in asked if line.service is not None)
        parts.append(_("Inscription : %(services)s") % {"services": list_words(services)})
    by_service: dict[str, list[RequestLine]] = {}
    for line in lines:
        if line.act != Act.ENROL and line.service is not None:
            by_service.setdefault(line.service.short_name, []).append(line)
    for service, group in by_service.items():
        parts.append(_("%(service)s : %(what)s") % {"service": service, "what": acts_words(line.act for line in group)})
    return f"{NBSP}; ".join(parts)


def _several_words(labels: Sequence[str]) -> str:
    more = len(labels) - 2
    return ngettext("%(first)s et %(n)d autre", "%(first)s et %(n)d autres", more) % {
        "first": ", ".join(labels[:2]),
        "n": more,
    }


def site_of(line: RequestLine) -> int | None:
    """The site whose agents may answer a line, None when only those of all sites may."""
    return line.activity.site_id if line.activity is not None else line.site_id


def age_words(age: timedelta) -> str:
    """ "8 min", "1 h", "2 j": how long a request has waited, at a glance. Less than a minute is one."""
    minutes = max(int(age.total_seconds() // 60), 1)
    if minutes < 60:
        return _("%(n)d\u00a0min") % {"n": minutes}
    if minutes < 24 * 60:
        return _("%(n)d\u00a0h") % {"n": minutes // 60}
    return _("%(n)d\u00a0j") % {"n": minutes // (24 * 60)}


def waiting_words(age: timedelta) -> str:
    """ "8 minutes", "3 heures", "2 jours"."""
    minutes = max(int(age.total_seconds() // 60), 1)
    if minutes < 60:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 24:
        return ngettext("%(n)d heure", "%(n)d heures", hours) % {"n": hours}
    return ngettext("%(n)d jour", "%(n)d jours", hours // 24) % {"n": hours // 24}


def line_words(line: RequestLine, *, several_units: bool = False, several_services: bool = False) -> str:
    """ "Zoé, jeudi 12 novembre"; with several services or units at stake "Zoé, Cantine, jeudi 12 novembre, repas"; for
    an enrolment "Zoé : Restauration scolaire, École Jules-Ferry"."""
    if not line.is_of_service:
        return f"{line.child.first_name}{NBSP}: {line.label}" if line.child is not None else line.label
    assert line.child is not None and line.service is not None and line.activity is not None
    if line.act == Act.ENROL or line.date is None:
        return _("%(child)s : %(service)s, %(site)s") % {
            "child": line.child.first_name,
            "service": line.service.name,
            "site": line.activity.site.name,
        }
    parts = [line.child.first_name, day_words(line.date)]
    if several_services:
        parts.insert(1, line.service.short_name)
    if several_units and line.unit is not None:
        parts.append(line.unit.name.lower())
    return ", ".join(parts)


def sites_of(role: AgentRole) -> tuple[int, ...]:
    """The sites that an agent answers for, none named: all of them. Read once per role object."""
    prefetch_related_objects([role], "sites")
    return tuple(site.pk for site in role.sites.all())


def suits_words(fact: LineFacts, town: Municipality) -> str:
    """Why an enrolment does not suit, "" when it does."""
    return sentence(fact.suits, town.tz) if isinstance(fact.suits, Refused) else ""
