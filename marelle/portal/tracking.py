"""A family's requests as its pages tell them: the list, and one request from its send to its answer."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.activities.models import BookingMode, Municipality, Service
from marelle.activities.queries import begins_at, calendar_of
from marelle.bookings.labels import ABSENCE_WITHDRAWN_LOOK, ABSENT_LOOK, BOOKING_LOOKS, ENROLMENT_LOOKS, absence_look
from marelle.bookings.models import Absence, Booking, Enrolment
from marelle.bookings.queries.absences import cause_name
from marelle.bookings.queries.closures import told_of
from marelle.bookings.queries.papers import proof_paper
from marelle.bookings.queries.waiting import ranks
from marelle.documents.models import SupportingDocument
from marelle.families.models import Household
from marelle.foundation.components.kids import Kid
from marelle.foundation.look import Look
from marelle.foundation.sentences import absence_cost_words, day_words, list_words, midsentence, moment_words
from marelle.portal.documents import address_of
from marelle.portal.moments import near_day_words, near_moment_words
from marelle.portal.planning.waiting import rank_words
from marelle.portal.without_days import without_days_words
from marelle.requests.corrections import asked_words
from marelle.requests.labels import LINE_LOOKS, TOLD_LOOK, request_look
from marelle.requests.models import OF_SERVICES, Act, FamilyRequest, RequestKind, RequestLine, RequestMessage
from marelle.requests.promises import answer_day
from marelle.requests.topics import WRITE
from marelle.rules.lifecycles import BookingState, EnrolmentState, LineState, RequestState
from marelle.rules.papers import DocumentState

# What a line says of itself: the act and the answer it got.
_DAY_LOOKS = {
    (Act.BOOK, LineState.PENDING): BOOKING_LOOKS[BookingState.PENDING],
    (Act.BOOK, LineState.ACCEPTED): BOOKING_LOOKS[BookingState.BOOKED],
    (Act.BOOK, LineState.REFUSED): BOOKING_LOOKS[BookingState.REFUSED],
    (Act.BOOK, LineState.WITHDRAWN): BOOKING_LOOKS[BookingState.WITHDRAWN],
    (Act.CANCEL, LineState.PENDING): BOOKING_LOOKS[BookingState.CANCELLING],
    (Act.CANCEL, LineState.ACCEPTED): BOOKING_LOOKS[BookingState.CANCELLED],
    (Act.CANCEL, LineState.REFUSED): BOOKING_LOOKS[BookingState.REFUSED],
    (Act.CANCEL, LineState.WITHDRAWN): BOOKING_LOOKS[BookingState.WITHDRAWN],
    (Act.ABSENT, LineState.ACCEPTED): ABSENT_LOOK,
    (Act.ABSENT, LineState.WITHDRAWN): ABSENCE_WITHDRAWN_LOOK,
    (Act.ENROL, LineState.PENDING): ENROLMENT_LOOKS[EnrolmentState.SUBMITTED],
    (Act.ENROL, LineState.ACCEPTED): ENROLMENT_LOOKS[EnrolmentState.ACCEPTED],
    (Act.ENROL, LineState.REFUSED): ENROLMENT_LOOKS[EnrolmentState.REFUSED],
    (Act.ENROL, LineState.WITHDRAWN): ENROLMENT_LOOKS[EnrolmentState.WITHDRAWN],
}


def whole_look(kind: str, states: Iterable[str], *, waiting: bool = False, topic: str = "") -> Look:
    """How a request shows as a whole. An accepted message to the town (`topic`) is one that was answered. An enrolment
    that waits does so under its question mark; days that wait for a place (`waiting`) under theirs, once the rest is
    answered."""
    if kind == RequestKind.ABSENCE:
        return absence_look(states)
    look = request_look(states)
    if topic == WRITE and look is LINE_LOOKS[LineState.ACCEPTED]:
        return TOLD_LOOK
    if waiting and look is not request_look([LineState.PENDING]):
        return BOOKING_LOOKS[BookingState.QUEUED]
    waits = look is request_look([LineState.PENDING])
    return ENROLMENT_LOOKS[EnrolmentState.SUBMITTED] if waits and kind == RequestKind.ENROLMENT else look


#: How a request of no service shows in a list.
KIND_ICONS: dict[str, str] = {
    RequestKind.ACCOUNT: "user-plus",
    RequestKind.DATA: "pencil",
    RequestKind.PAPER: "file-text",
    RequestKind.QUESTION: "message-square",
}

#: What became of a day that its request accepted at once into a waiting list, and that still hangs on that line.
_WAITED = (BookingState.QUEUED, BookingState.OFFERED, BookingState.EXPIRED, BookingState.WITHDRAWN)
_WAITING = (BookingState.QUEUED, BookingState.OFFERED)


def line_look(
    line: RequestLine, booking: Booking | None = None, rank: int = 0, *, is_incomplete: bool = False, topic: str = ""
) -> Look:
    if topic == WRITE and line.state == LineState.ACCEPTED:
        return TOLD_LOOK
    if is_incomplete and line.state == LineState.PENDING:
        return ENROLMENT_LOOKS[EnrolmentState.INCOMPLETE]
    if booking is not None and booking.state in (*_WAITED, BookingState.CLOSED) and line.state == LineState.ACCEPTED:
        look = BOOKING_LOOKS[BookingState(booking.state)]
        return replace(look, word=rank_words(rank)) if rank else look
    return _DAY_LOOKS.get((Act(line.act), LineState(line.state)), LINE_LOOKS[LineState(line.state)])


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request in a list. `title`: "Cantine, 4 changements"; `sub`: its number, children and age, in words.
    `unread`: the town wrote something there that the reader has not read."""

    number: str
    title: str
    sub: str
    icon: str
    accent: int
    look: Look
    unread: bool = False


# As people type it: "2026-004871", "n°4871", "4871".
_NUMBER = re.compile(r"(?:n°)?(?:[0-9]{4}-)?([0-9]{1,12})")

FILTERS = ("", "en-cours", "acceptees", "refusees", "retirees", "messages")


def _having(state: LineState) -> Exists:
    return Exists(RequestLine.objects.filter(request=OuterRef("pk"), state=state))


def _condition(name: str) -> Q:
    return {
        "": Q(),
        "en-cours": Q(state=RequestState.SENT),
        "acceptees": Q(state=RequestState.ANSWERED, some_accepted=True),
        "refusees": Q(state=RequestState.ANSWERED, some_refused=True),
        "retirees": Q(state=RequestState.WITHDRAWN),
        "messages": Q(some_messages=True),
    }[name]


def requests_of(household: Household, *, words: str = "") -> "QuerySet[FamilyRequest]":
    """The household's requests, newest first; `words` looks for a number, a child or a service."""
    found = FamilyRequest.objects.filter(household=household).annotate(
        some_accepted=_having(LineState.ACCEPTED),
        some_refused=_having(LineState.REFUSED),
        some_messages=Exists(RequestMessage.objects.filter(request=OuterRef("pk"))),
    )
    for word in words.split()[:5]:
        number = _NUMBER.fullmatch(word)
        lines = RequestLine.objects.filter(request=OuterRef("pk")).filter(
            Q(child__first_name__icontains=word)
            | Q(label__icontains=word)
            | Q(service__name__icontains=word)
            | Q(service__short_name__icontains=word)
        )
        found = found.filter(Q(Exists(lines)) | Q(pk=int(number[1]) if number else None))
    return found


def counted(requests: "QuerySet[FamilyRequest]") -> dict[str, int]:
    """How many there are under each filter: one query."""
    sums = requests.aggregate(**{f"n{i}": Count("pk", filter=_condition(name)) for i, name in enumerate(FILTERS)})
    return {name: sums[f"n{i}"] for i, name in enumerate(FILTERS)}


def filtered(requests: "QuerySet[FamilyRequest]", name: str) -> "QuerySet[FamilyRequest]":
    return requests.filter(_condition(name))


def rows_of(
    requests: Iterable[FamilyRequest], *, town: Municipality, at: datetime, unread: Collection[int] = ()
) -> list[RequestRow]:
    """The requests as rows: one query more, however many lines they have. `unread`: the requests with something that
    the reader has not read (`requests.thread.unread_threads`)."""
    listed = list(requests)
    groups = list(
        RequestLine.objects.filter(request__in=[request.pk for request in listed])
        .values(
            "request_id", "state", "act", "service_id", "service__short_name", "service__icon", "service__accent",
            "service__position", "child_id", "child__first_name", "child__birth_date", "label",
        )
        .annotate(
            n=Count("pk", distinct=True),
            first=Min("date"),
            last=Max("date"),
            waiting=Count("bookings", filter=Q(bookings__state__in=_WAITING)),
            place=Min("position"),
        )
        .order_by(
            "request_id", F("service__position").asc(nulls_first=True), "service_id",
            F("child__birth_date").asc(nulls_first=True), "child_id", "place",
        )
    )  # fmt: skip
    by_request: dict[int, list[Mapping[str, Any]]] = {}
    for group in groups:
        by_request.setdefault(group["request_id"], []).append(group)
    return [
        replace(_row(request, by_request.get(request.pk, []), town=town, at=at), unread=request.pk in unread)
        for request in listed
    ]


def _row(
    request: FamilyRequest, groups: Sequence[Mapping[str, Any]], *, town: Municipality, at: datetime
) -> RequestRow:
    services = list(dict.fromkeys(group["service__short_name"] for group in groups if group["service_id"]))
    children = list(dict.fromkeys((g["child_id"], g["child__first_name"]) for g in groups if g["child_id"]))
    days = sum(group["n"] for group in groups)
    first = min((group["first"] for group in groups if group["first"]), default=None)
    last = max((group["last"] for group in groups if group["last"]), default=None)
    sent = near_moment_words(request.sent_at, at=at, town=town)
    parts = [
        _("N° %(number)s") % {"number": request.number},
        list_words(name for _id, name in children),
        _("faite par le service %(moment)s") % {"moment": sent}
        if request.by_agent
        else _("envoyée %(moment)s") % {"moment": sent},
    ]
    if request.state == RequestState.SENT and (due := answer_day(request, town=town)):
        today = at.astimezone(town.tz).date()
        if due >= today:
            parts.append(_("réponse au plus tard %(day)s") % {"day": near_day_words(due, today=today)})
    return RequestRow(
        number=request.number,
        title=request_title(
            request.kind, services=services, labels=[g["label"] for g in groups], count=days, first=first, last=last
        ),
        sub=" · ".join(part for part in parts if part),
        icon=groups[0]["service__icon"] if services else KIND_ICONS.get(request.kind, "clipboard-list"),
        accent=groups[0]["service__accent"] if services else 0,
        look=whole_look(
            request.kind,
            (group["state"] for group in groups),
            waiting=any(group["waiting"] for group in groups),
            topic=request.topic,
        ),
    )


def request_title(
    kind: str,
    *,
    services: Sequence[str],
    count: int,
    first: date | None,
    last: date | None = None,
    labels: Sequence[str] = (),
) -> str:
    """ "Inscription : cantine et garderie", "Cantine, jeudi 3 décembre", "Cantine et mercredi, 6 changements";
    for what is of no service, what its lines say: "Changement : adresse et téléphone"."""
    if kind not in OF_SERVICES:
        said = list(dict.fromkeys(label for label in labels if label))
        if kind == RequestKind.QUESTION or not said:
            return list_words(said) or str(RequestKind(kind).label)
        what = list_words(midsentence(label) for label in said[:3])
        return _("%(kind)s : %(what)s") % {"kind": RequestKind(kind).label, "what": what}
    if kind == RequestKind.ENROLMENT:
        return _("Inscription : %(services)s") % {"services": list_words(midsentence(name) for name in services)}
    if kind == RequestKind.ABSENCE:
        facts = {"services": list_words(midsentence(name) for name in services), "n": count}
        if first is not None and first == last:
            return _("Absence : %(services)s, %(day)s") % {**facts, "day": day_words(first)}
        return ngettext("Absence : %(services)s, %(n)d jour", "Absence : %(services)s, %(n)d jours", count) % facts
    named = list_words([*services[:1], *(midsentence(name) for name in services[1:])])
    if count == 1 and first is not None:
        return _("%(services)s, %(day)s") % {"services": named, "day": day_words(first)}
    return ngettext("%(services)s, %(n)d changement", "%(services)s, %(n)d changements", count) % {
        "services": named,
        "n": count,
    }


# ── one request ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLine:
    """`what`: "ajouter jeudi 19 novembre", or the service asked for. `can_take_back`: an absence that still holds, of a
    day that has not begun."""

    id: int
    what: str
    act: str
    look: Look
    reason: str = ""
    place_id: int | None = None  # of the place waited for or offered
    can_take_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLines:
    """What is asked for one child; for nobody in particular when `name` is "". `service` and `site` are "" for what is
    of no service."""

    kid: Kid | None
    name: str
    service: str
    site: str
    lines: tuple[AskedLine, ...]

    @property
    def can_take_back(self) -> bool:
        return any(line.can_take_back for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the timeline. `state`: "done", "stop" (done, and refused), "now" or "later"."""

    name: str
    text: str
    state: str
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDays:
    """A service whose days remain to be reserved, and for whom."""

    service: Service
    names: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    request: FamilyRequest
    title: str
    sent: str
    look: Look
    groups: tuple[ChildLines, ...]
    steps: tuple[Step, ...]
    answer_by: str
    count: int
    pending: int
    accepted: int
    refused: int
    at_once: bool
    waiting: int
    is_enrolment: bool
    days_to_reserve: tuple[NextDays, ...] = ()
    without_days: tuple[tuple[str, str], ...] = ()  # the service's name, what stands in place of its days
    missing: tuple[str, ...] = ()  # what an agent asks for before answering
    refused_enrolment: bool = False
    refused_days: Service | None = None
    in_calendar: bool = False
    is_absence: bool = False
    cause: str = ""  # of an absence, as the family chose it
    proof: str = ""  # until when its proof is awaited
    proofs: tuple[tuple[str, str], ...] = ()  # of whom, and where it is given

    @property
    def incomplete(self) -> bool:
        return bool(self.missing)

    @property
    def can_take_back(self) -> bool:
        return any(group.can_take_back for group in self.groups)

    @property
    def is_of_days(self) -> bool:
        return self.request.kind in (RequestKind.BOOKING, RequestKind.ABSENCE)

    @property
    def number(self) -> str:
        return self.request.number


def request_page(request: FamilyRequest, *, town: Municipality, badges: dict[int, Kid], at: datetime) -> RequestPage:
    """Everything a request says of itself: one query, its lines; one more for days accepted at once,
    and two for the ranks of those that wait; one more for an absence, corrections, or enrolments that wait."""
    lines = list(
        request.lines.select_related("child", "service", "activity__site", "unit").order_by(
            "child__birth_date", "child_id", "service__position", "service_id", "date", "position"
        )
    )
    asked = asked_words(lines) if request.kind == RequestKind.DATA else {}
    days = _waited(lines)
    closed = told_of(b for b in days.values() if b.state == BookingState.CLOSED)
    known = ranks(days.values())
    is_absence = request.kind == RequestKind.ABSENCE
    missing = _missing(request, lines)
    absences = {a.line_id: a for a in Absence.objects.filter(line__request=request)} if is_absence else {}
    standing = set(
        Absence.objects.filter(line__request=request, booking__state=BookingState.BOOKED).values_list("line", flat=True)
        if is_absence
        else ()
    )
    holding = [absences[line.pk] for line in lines if line.pk in absences and line.state == LineState.ACCEPTED]
    proofs = [absence.proof_until for absence in holding if absence.proof_until and absence.awaits_proof(at)]
    units = {(line.service_id, line.unit_id) for line in lines}
    several = {service for service, _unit in units if len({u for s, u in units if s == service}) > 1}
    groups = []
    for (child_id, _service), found in groupby(lines, key=lambda line: (line.child_id, line.service_id)):
        # A refusal among thirty days must not be looked for.
        mine = sorted(found, key=lambda line: line.state != LineState.REFUSED)
        groups.append(
            ChildLines(
                kid=badges.get(child_id) if child_id is not None else None,
                name=mine[0].child.first_name if mine[0].child is not None else "",
                service=mine[0].service.name if mine[0].service is not None else "",
                site=mine[0].activity.site.name if mine[0].activity is not None else "",
                lines=tuple(
                    AskedLine(
                        id=line.pk,
                        what=asked.get(line.pk) or _what(line, with_unit=line.service_id in several),
                        act=line.act,
                        look=line_look(
                            line,
                            booking := days.get(line.pk),
                            known.get(booking.pk, 0) if booking else 0,
                            is_incomplete=line.pk in missing,
                            topic=request.topic,
                        ),
                        place_id=booking.pk if booking is not None and booking.state in _WAITING else None,
                        reason=missing.get(line.pk)
                        or closed.get(line.pk)
                        or _why(line, absences.get(line.pk), town, at),
                        can_take_back=line.pk in standing and _may_come(line, town, at),
                    )
                    for line in mine
                ),
            )
        )
    states = [line.state for line in lines]
    waiting = sum(booking.state in _WAITING for booking in days.values())
    services = list(dict.fromkeys(line.service.short_name for line in lines if line.service is not None))
    is_enrolment = request.kind == RequestKind.ENROLMENT
    due = answer_day(request, town=town)
    today = at.astimezone(town.tz).date()
    refused_days = [line.service for line in lines if line.state == LineState.REFUSED and line.date is not None]
    return RequestPage(
        request=request,
        title=request_title(
            request.kind,
            services=services,
            labels=[line.label for line in lines],
            count=len(lines),
            first=min((line.date for line in lines if line.date), default=None),
            last=max((line.date for line in lines if line.date), default=None),
        ),
        sent=near_moment_words(request.sent_at, at=at, town=town),
        look=ENROLMENT_LOOKS[EnrolmentState.INCOMPLETE]
        if missing
        else whole_look(request.kind, states, waiting=waiting > 0, topic=request.topic),
        waiting=waiting,
        groups=tuple(groups),
        steps=_steps(request, lines, town=town, due=due, at=at, waiting=waiting > 0, incomplete=bool(missing)),
        answer_by=near_day_words(due, today=today) if due is not None and due >= today and not missing else "",
        count=len(lines),
        pending=states.count(LineState.PENDING),
        accepted=states.count(LineState.ACCEPTED),
        refused=states.count(LineState.REFUSED),
        at_once=bool(lines) and all(line.at_once for line in lines),
        is_enrolment=is_enrolment,
        is_absence=is_absence,
        cause=next((cause_name(town, absence.cause) or _("Autre raison") for absence in absences.values()), ""),
        proof=moment_words(min(proofs), town.tz) if proofs else "",
        proofs=_proofs(lines, holding, town=town, at=at) if proofs else (),
        days_to_reserve=_days_to_reserve(lines),
        without_days=tuple(
            dict.fromkeys(
                (line.of_service.service.name, without_days_words(line.of_service.service))
                for line in lines
                if line.act == Act.ENROL
                and line.state == LineState.ACCEPTED
                and line.of_service.service.booking_mode == BookingMode.ENROLMENT_ONLY
            )
        ),
        missing=tuple(dict.fromkeys(missing.values())),
        refused_enrolment=any(line.act == Act.ENROL and line.state == LineState.REFUSED for line in lines),
        refused_days=refused_days[0] if refused_days else None,
        in_calendar=any(
            line.act == Act.BOOK and line.state in (LineState.PENDING, LineState.ACCEPTED)
            for line in lines
            if line.pk not in days
        ),
    )


def _missing(request: FamilyRequest, lines: Sequence[RequestLine]) -> dict[int, str]:
    """By line, what an agent asks for before answering an enrolment."""
    pending = [line.pk for line in lines if line.act == Act.ENROL and line.state == LineState.PENDING]
    if request.kind != RequestKind.ENROLMENT or not pending:
        return {}
    found = Enrolment.objects.filter(line__in=pending, state=EnrolmentState.INCOMPLETE)
    return dict(found.values_list("line_id", "reason"))


def _what(line: RequestLine, *, with_unit: bool) -> str:
    if line.label or line.service is None:
        return line.label
    if line.date is None:
        return line.service.name
    words = {Act.CANCEL: _("annuler %(day)s"), Act.ABSENT: "%(day)s"}.get(Act(line.act), _("ajouter %(day)s"))
    text = words % {"day": day_words(line.date)}
    if with_unit and line.unit is not None:
        text = f"{text}, {midsentence(line.unit.name)}"
    return text


def _why(line: RequestLine, absence: Absence | None, town: Municipality, at: datetime) -> str:
    """What is said under a line: what an absence costs, or why it was answered so."""
    if absence is not None:
        return _cost(line, absence, town, at)
    return _("Après la limite. %(reason)s") % {"reason": line.reason} if line.late else line.reason


def _cost(line: RequestLine, absence: Absence, town: Municipality, at: datetime) -> str:
    """What the day costs, as long as its announcement holds."""
    if line.state != LineState.ACCEPTED:
        return ""
    words = absence_cost_words(
        still_due=absence.still_due, proven=absence.proven, proof_until=absence.proof_until, tz=town.tz, at=at
    )
    return f"{words}."


def _may_come(line: RequestLine, town: Municipality, at: datetime) -> bool:
    """Whether the family may still take this announcement back."""
    if line.state != LineState.ACCEPTED or line.unit is None or line.date is None:
        return False
    return at < begins_at(calendar_of(town), line.unit, line.date)


def _waited(lines: Sequence[RequestLine]) -> dict[int, Booking]:
    """The days of these lines that went through a waiting list, or that the town has closed since, by line. Only
    accepted lines may; those accepted at the send for a list."""
    accepted = {line.pk: line.at_once for line in lines if line.act == Act.BOOK and line.state == LineState.ACCEPTED}
    if not accepted:
        return {}
    found = Booking.objects.filter(line__in=accepted, state__in=(*_WAITED, BookingState.CLOSED))
    return {b.line_id: b for b in found if accepted[b.line_id] or b.state == BookingState.CLOSED}


def _days_to_reserve(lines: Sequence[RequestLine]) -> tuple[NextDays, ...]:
    named: dict[int, list[str]] = {}
    services: dict[int, Service] = {}
    for line in lines:
        if line.act != Act.ENROL or line.state != LineState.ACCEPTED:
            continue
        child, service, _activity = line.of_service
        if service.booking_mode == BookingMode.DAYS:
            services[service.pk] = service
            named.setdefault(service.pk, []).append(child.first_name)
    return tuple(NextDays(service=services[id], names=list_words(names)) for id, names in named.items())


def _proofs(
    lines: Sequence[RequestLine], absences: Sequence[Absence], *, town: Municipality, at: datetime
) -> tuple[tuple[str, str], ...]:
    """For each child whose proof is awaited, the first name and where the town's paper is given. One query: those
    that an agent has still to read are not asked for again."""
    waiting = {absence.line_id: absence for absence in absences if absence.awaits_proof(at)}
    given = set(
        SupportingDocument.objects.filter(
            line__in=[line.pk for line in lines], state=DocumentState.TO_REVIEW
        ).values_list("child", flat=True)
    )
    found: dict[int, tuple[str, str]] = {}
    for line in lines:
        absence = waiting.get(line.pk)
        if absence is None or line.child is None or line.service is None or line.child.pk in given:
            continue
        paper = proof_paper(town, service=line.service.slug, cause=absence.cause)
        if paper is not None and not paper.rule().each_year:
            found.setdefault(
                line.child.pk, (line.child.first_name, address_of(f"{paper.slug}.c{line.child.pk}.-.{line.pk}"))
            )
    return tuple(found.values())


def _steps(
    request: FamilyRequest,
    lines: Sequence[RequestLine],
    *,
    town: Municipality,
    due: date | None,
    at: datetime,
    waiting: bool,
    incomplete: bool,
) -> tuple[Step, ...]:
    if request.by_agent:
        made = near_moment_words(request.sent_at, at=at, town=town)
        return (
            Step(
                name=_("Faite par le service"),
                text=_("%(agent)s, %(moment)s") % {"agent": request.sent_by_label, "moment": made},
                state="done",
                icon="check",
            ),
        )
    sent = Step(
        name=_("Envoyée"), text=near_moment_words(request.sent_at, at=at, town=town), state="done", icon="check"
    )
    if request.kind == RequestKind.ABSENCE and request.state == RequestState.ANSWERED:
        told = Step(name=_("Signalée"), text=_("les agents la voient déjà"), state="done", icon="user-x")
        return (sent, told)
    answered = near_moment_words(request.answered_at, at=at, town=town) if request.answered_at else ""
    if request.state == RequestState.WITHDRAWN:
        return (sent, Step(name=_("Retirée"), text=answered, state="done", icon="undo-2"))
    if request.state == RequestState.ANSWERED:
        if all(line.at_once for line in lines) and waiting:
            return (
                sent,
                Step(name=_("Liste d’attente"), text=_("inscription faite"), state="now", icon="list-ordered"),
                Step(name=_("Place proposée"), text=_("dès qu’une place se libère"), state="later"),
            )
        if all(line.at_once for line in lines):
            return (
                sent,
                Step(name=_("Acceptée"), text=_("tout de suite, dans les délais"), state="done", icon="check"),
            )
        look = whole_look(request.kind, [line.state for line in lines], topic=request.topic)
        return (
            sent,
            Step(name=_("Examinée"), text=town.department_name or town.name, state="done", icon="check"),
            Step(
                name=_("Réponse donnée")
                if look is TOLD_LOOK
                else _("Réponse : %(outcome)s") % {"outcome": str(look.word).lower()},
                text=answered,
                state="stop" if look.css == "stop" else "done",
                icon="circle-x" if look.css == "stop" else "check",
            ),
        )
    if incomplete:
        return (
            sent,
            Step(name=_("Complément demandé"), text=_("à vous de répondre"), state="now", icon="pencil"),
            Step(name=_("Réponse"), text=_("après votre complément"), state="later"),
        )
    some = sum(line.state != LineState.PENDING for line in lines)
    answer = ""
    if due is not None:
        today = at.astimezone(town.tz).date()
        if due >= today:
            answer = _("Au plus tard %(day)s") % {"day": near_day_words(due, today=today)}
        else:
            answer = _("Elle devait venir %(day)s : appelez-nous") % {"day": day_words(due)}
    return (
        sent,
        Step(
            name=_("En cours d’examen"),
            text=ngettext("%(n)d ligne a déjà sa réponse", "%(n)d lignes ont déjà leur réponse", some) % {"n": some}
            if some
            else town.department_name or town.name,
            state="now",
            icon="hourglass",
        ),
        Step(name=_("Réponse"), text=answer, state="later"),
    )


def stamp_words(moment: datetime, town: Municipality) -> str:
    """The stamp's own line: "mardi 10 novembre 2026, 8 h 52"."""
    return moment_words(moment, town.tz, year=True)
