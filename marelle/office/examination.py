"""One request opened by an agent: the family's grid before and after, the rules verified, and what accepting does."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality, Service
from marelle.bookings.labels import ENROLMENT_LOOKS, CellState, absence_look
from marelle.bookings.models import Absence, Enrolment
from marelle.bookings.queries.absences import cause_name
from marelle.bookings.queries.cells import recorded, tile_key
from marelle.bookings.queries.days import Days, DayState, load_days
from marelle.bookings.queries.grids import month_grid, states_by_day
from marelle.families.queries import kids_of
from marelle.foundation.components.grid import Grid, Kid, Tile
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words, list_words, moment_words, sentence
from marelle.office.asked import Asked, Rule, read_asked
from marelle.office.kinds import Kind, Seen, kind_of
from marelle.office.queue import LineFacts, Readings, Row, age_words, line_words, past_since, suits_words
from marelle.requests.labels import LINE_LOOKS
from marelle.requests.models import OF_SERVICES, Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.promises import answer_day
from marelle.requests.thread import reads
from marelle.rules.calendars import BeyondCalendar
from marelle.rules.decisions import Allowed, Refused
from marelle.rules.lifecycles import EnrolmentState, LineState, RequestState

#: More exceptions, or more days, than this are counted rather than listed.
LISTED = 6


class Side(StrEnum):
    """What the grid shows. The values stand in addresses."""

    BEFORE = "avant"
    CHANGES = "changements"
    AFTER = "apres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What accepting everything does to the places of a day. `group` is said where several are concerned; `capacity` is
    what may be taken, margin included, None where places are not counted."""

    label: str
    group: str
    before: int
    after: int
    capacity: int | None
    is_short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceGrid:
    title: str
    grid: Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """A line as it stands. `answer`: who answered it and when, in words. `fact` only for a line to answer."""

    line: RequestLine
    words: str
    act: str
    adds: bool
    icon: str
    look: Look
    reason: str
    answer: str
    fact: LineFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Everything that the page of a request says."""

    row: Row
    sent: str
    promised: str
    lines: tuple[LineRow, ...]
    grids: tuple[ServiceGrid, ...]
    rules: tuple[Rule, ...]
    effects: tuple[Effect, ...]
    more_effects: int
    advice: str
    side: Side
    kind: Kind | None = None
    pane: Mapping[str, Any] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)

    @property
    def request(self) -> FamilyRequest:
        return self.row.request

    @property
    def pending(self) -> tuple[LineRow, ...]:
        return tuple(line for line in self.lines if line.fact is not None)

    @property
    def is_open(self) -> bool:
        return bool(self.pending)


def examine(readings: Readings, request: FamilyRequest, *, agent: AgentRole, side: Side = Side.CHANGES) -> Examination:
    """Read everything of a request that `readings` holds: at most seven queries more, whatever its lines, and those of
    its kind's pane."""
    town, at, reader = readings.town, readings.at, agent.user_id
    kind = None if request.kind in OF_SERVICES else kind_of(request)
    facts = readings.facts[request.id]
    by_line = {fact.line.id: fact for fact in facts}
    all_lines = list(request.lines.all())
    several = _services_with_several_units(all_lines)
    services = len({line.service_id for line in all_lines}) > 1
    enrolments = {fact.line.id: fact.enrolment for fact in facts if fact.enrolment is not None}
    effects, more = _effects(facts)
    asked = read_asked(request, [fact for fact in facts if fact.enrolment is not None], town=town, at=at)
    announced = Absence.objects.filter(line__request=request) if request.kind == RequestKind.ABSENCE else ()
    absences = {absence.line_id: absence for absence in announced}
    return Examination(
        row=readings.row(request, reader=reader),
        sent=moment_words(request.sent_at, town.tz),
        promised=_promised(request, readings.town) if request.state == RequestState.SENT else "",
        lines=tuple(
            LineRow(
                line=line,
                words=line_words(line, several_units=line.service_id in several, several_services=services),
                act=str(Act(line.act).label),
                adds=line.act not in (Act.CANCEL, Act.ABSENT),
                icon={Act.CANCEL: "minus", Act.ABSENT: "user-x"}.get(Act(line.act), "plus"),
                look=_line_look(line, enrolments.get(line.id)),
                reason=_absence_words(absences[line.id], line, readings)
                if line.id in absences
                else line.reason
                if reads(request, agent)
                else "",
                answer=_answer_words(line, town),
                fact=by_line.get(line.id),
            )
            for line in all_lines
        ),
        grids=_grids(readings, request, facts, side=side),
        rules=(*_time_rules(facts, town, at), *_enrolment_rules(facts, town), *asked.rules, *_place_rules(facts)),
        effects=effects,
        more_effects=more,
        advice=_advice(facts) if kind is None and not any(rule.tone == "stop" for rule in asked.rules) else "",
        asked=asked,
        side=side,
        kind=kind,
        pane=kind.pane(
            Seen(
                request=request,
                lines=all_lines,
                pending=[fact.line for fact in facts],
                town=town,
                agent=agent,
                at=at,
            )
        )
        if kind is not None and kind.pane is not None
        else {},
    )


def _absence_words(absence: Absence, line: RequestLine, readings: Readings) -> str:
    """The cause, what the day costs, and until when the proof is awaited, while the announcement holds."""
    if line.state != LineState.ACCEPTED:
        return ""
    cause = cause_name(readings.town, absence.cause) or _("Autre raison")
    due = (
        _("%(part)d\u00a0%% du prix reste dû") % {"part": absence.still_due}
        if absence.still_due
        else _("rien n’est dû")
    )
    words = _("%(cause)s : %(due)s.") % {"cause": cause, "due": due}
    if absence.proof_until is None or not absence.awaits_proof(readings.at):
        return words
    told = _("Justificatif attendu avant le %(moment)s.") % {
        "moment": moment_words(absence.proof_until, readings.town.tz)
    }
    return f"{words} {told}"


def _line_look(line: RequestLine, enrolment: Enrolment | None) -> Look:
    if line.act == Act.ABSENT:
        return absence_look([line.state])
    if line.act == Act.ENROL and enrolment is not None and line.state == LineState.PENDING:
        return ENROLMENT_LOOKS[EnrolmentState(enrolment.state)]
    return LINE_LOOKS[LineState(line.state)]


def _answer_words(line: RequestLine, town: Municipality) -> str:
    if line.answered_at is None:
        return ""
    if line.act == Act.ABSENT and line.state == LineState.ACCEPTED:
        return _("signalée en ligne")
    if line.at_once and not line.answered_by_label:
        return _("acceptée à l’envoi")
    return _("par %(who)s, le %(when)s") % {
        "who": line.answered_by_label,
        "when": moment_words(line.answered_at, town.tz),
    }


def _services_with_several_units(lines: Sequence[RequestLine]) -> set[int | None]:
    units: dict[int | None, set[int | None]] = defaultdict(set)
    for line in lines:
        units[line.service_id].add(line.unit_id)
    return {service for service, found in units.items() if len(found) > 1}


def _promised(request: FamilyRequest, town: Municipality) -> str:
    """The day by which the family was told to have an answer, as it reads it, "" beyond the calendar."""
    day = answer_day(request, town=town)
    return day_words(day) if day is not None else ""


# Rules verified


def _time_rules(facts: Sequence[LineFacts], town: Municipality, at: datetime) -> list[Rule]:
    """One line per service and act: sent in time or not, by which limit; then each day that was late."""
    groups: dict[tuple[int | None, str], list[LineFacts]] = defaultdict(list)
    for fact in facts:
        if fact.line.act in (Act.BOOK, Act.CANCEL):
            groups[fact.line.service_id, fact.line.act].append(fact)
    rules = []
    for group in groups.values():
        line = group[0].line
        name = (_("%(service)s, ajouts : délai") if line.act == Act.BOOK else _("%(service)s, annulations : délai")) % {
            "service": line.of_service.service.short_name
        }
        late = [fact for fact in group if fact.is_late]
        in_time = [fact for fact in group if not fact.is_late]
        for fact in late[:LISTED]:
            assert isinstance(fact.at_sending, Refused) and fact.line.date is not None
            rules.append(
                Rule(
                    tone="stop",
                    title=_("%(rule)s, %(day)s") % {"rule": name, "day": day_words(fact.line.date)},
                    detail=_("À l’envoi : %(sentence)s.") % {"sentence": _lower(sentence(fact.at_sending, town.tz))},
                )
            )
        if len(late) > LISTED:
            n = len(late) - LISTED
            rules.append(
                Rule(
                    tone="stop",
                    title=ngettext("%(n)d autre jour hors délai", "%(n)d autres jours hors délai", n) % {"n": n},
                )
            )
        if in_time:
            rules.append(_in_time_rule(name, in_time, town, at))
    return rules


def _in_time_rule(name: str, group: Sequence[LineFacts], town: Municipality, at: datetime) -> Rule:
    gone = [since for fact in group if (since := past_since(fact.now)) is not None]
    limits = [fact.at_sending.until for fact in group if isinstance(fact.at_sending, Allowed) and fact.at_sending.until]
    if gone:
        return Rule(
            tone="wait",
            title=_("%(rule)s passé depuis %(age)s") % {"rule": name, "age": age_words(at - min(gone))},
            detail=_("Envoyée à temps, avant le %(limit)s : elle attend toujours votre réponse.")
            % {"limit": moment_words(min(gone), town.tz)},
        )
    detail = ""
    if limits:
        detail = _("Premier délai : %(limit)s.") % {"limit": moment_words(min(limits), town.tz)}
    return Rule(tone="ok", title=_("%(rule)s respecté à l’envoi") % {"rule": name}, detail=detail)


def _enrolment_rules(facts: Sequence[LineFacts], town: Municipality) -> list[Rule]:
    rules = []
    for fact in facts:
        if fact.line.act != Act.ENROL:
            continue
        name = line_words(fact.line)
        if why := suits_words(fact, town):
            rules.append(Rule(tone="wait", title=name, detail=f"{why}."))
        else:
            child = fact.line.of_service.child
            school = ", ".join(part for part in (child.school.name if child.school else "", child.level) if part)
            rules.append(Rule(tone="ok", title=_("%(line)s : conditions remplies") % {"line": name}, detail=school))
    enrolled: dict[tuple[str, str], dict[str, Enrolment]] = defaultdict(dict)
    for fact in facts:
        if fact.booking is not None:
            enrolment = fact.booking.enrolment
            child, service, _activity = fact.line.of_service
            enrolled[service.short_name, enrolment.school_year.label][child.first_name] = enrolment
    for (name, year), children in enrolled.items():
        accepted = [name for name, e in children.items() if e.state == EnrolmentState.ACCEPTED]
        ended = [name for name in children if name not in accepted]
        what = {"service": name, "year": year}
        if accepted:
            rules.append(
                Rule(
                    tone="ok",
                    title=_("Inscription %(year)s acceptée : %(service)s") % what,
                    detail=list_words(accepted),
                )
            )
        if ended:
            rules.append(
                Rule(
                    tone="stop",
                    title=_("Pas d’inscription acceptée %(year)s : %(service)s") % what,
                    detail=list_words(ended),
                )
            )
    return rules


def _place_rules(facts: Sequence[LineFacts]) -> list[Rule]:
    asking = [fact for fact in facts if fact.line.act == Act.BOOK and fact.room is not None]
    counted = [fact for fact in asking if fact.room is not None and fact.room.ceiling is not None]
    if not counted:
        return [Rule(tone="ok", title=_("Places non comptées"))] if asking else []
    short = [fact for fact in counted if fact.room is not None and fact.room.is_short]
    if not short:
        return [Rule(tone="ok", title=_("Une place pour chaque jour demandé"))]
    days = sorted({fact.line.date for fact in short if fact.line.date})
    words = list_words(day_words(day) for day in days[:LISTED])
    return [Rule(tone="stop", title=_("Complet"), detail=words)]


def _effects(facts: Sequence[LineFacts]) -> tuple[tuple[Effect, ...], int]:
    """The days that change, in order, and how many more are not listed."""
    days: dict[tuple[date, int, int], list[LineFacts]] = defaultdict(list)
    for fact in facts:
        if fact.room is not None and fact.line.date is not None and fact.line.unit_id is not None:
            days[fact.line.date, fact.line.unit_id, fact.room.group.id].append(fact)
    several_groups = len({group for _day, _unit, group in days}) > 1
    effects = []
    for key in sorted(days):
        group = days[key]
        room, line = group[0].room, group[0].line
        assert room is not None and line.unit is not None
        held = sum(f.line.act == Act.BOOK and f.room is not None and f.room.held for f in group)
        wanted = sum(f.line.act == Act.BOOK and f.room is not None and not f.room.held for f in group)
        given = sum(f.line.act == Act.CANCEL for f in group)
        after = room.taken + wanted - given
        effects.append(
            Effect(
                label=_("%(service)s, %(day)s")
                % {"service": line.of_service.service.short_name, "day": day_words(key[0])},
                group=room.group.name if several_groups else "",
                before=room.taken - held,
                after=after,
                capacity=room.ceiling,
                is_short=room.ceiling is not None and after > room.ceiling,
            )
        )
    return tuple(effects[:LISTED]), max(len(effects) - LISTED, 0)


def _advice(facts: Sequence[LineFacts]) -> str:
    """What the town's rules propose, "" when nothing is asked any more."""
    if not facts:
        return ""
    sound = sum(fact.is_sound for fact in facts)
    doubtful = len(facts) - sound
    if not doubtful:
        return _("accepter")
    if not sound:
        return _("refuser, ou accepter à titre exceptionnel")
    accept = ngettext("accepter %(n)d ligne", "accepter %(n)d lignes", sound) % {"n": sound}
    refuse = ngettext("examiner %(n)d ligne", "examiner %(n)d lignes", doubtful) % {"n": doubtful}
    return f"{accept}, {refuse}"


# The family's grid


def _grids(
    readings: Readings, request: FamilyRequest, facts: Sequence[LineFacts], *, side: Side
) -> tuple[ServiceGrid, ...]:
    """One grid per service, of the weeks and the children that the lines to answer concern."""
    asked = [fact for fact in facts if fact.booking is not None]
    if not asked:
        return ()
    enrolments = {fact.booking.enrolment_id: fact.booking.enrolment for fact in asked if fact.booking is not None}
    mondays = sorted({_monday(fact.line.date) for fact in asked if fact.line.date is not None})
    dates = [monday + timedelta(days=n) for monday in mondays for n in range(7)]
    try:
        days = load_days(town=readings.town, enrolments=list(enrolments.values()), at=readings.at, dates=dates)
    except BeyondCalendar:
        return ()
    kids = kids_of(request.household)
    changes = {
        (fact.line.of_service.child.pk, fact.line.unit_id, fact.line.date): fact.line.act == Act.BOOK for fact in asked
    }
    by_service: dict[int | None, list[LineFacts]] = defaultdict(list)
    for fact in asked:
        by_service[fact.line.service_id].append(fact)
    grids = []
    for group in by_service.values():
        service = group[0].line.of_service.service
        ids = {fact.booking.enrolment_id for fact in group if fact.booking is not None}
        sites = list_words(dict.fromkeys(fact.line.of_service.activity.site.name for fact in group))
        title = _("%(service)s, %(site)s") % {"service": service.short_name, "site": sites}
        grids.append(
            ServiceGrid(
                title=title,
                grid=_grid(
                    service,
                    title,
                    [e for e in enrolments.values() if e.id in ids],
                    sorted({_monday(fact.line.date) for fact in group if fact.line.date is not None}),
                    days,
                    kids=kids,
                    changes=changes,
                    side=side,
                    family=request.household.name,
                ),
            )
        )
    return tuple(grids)


def _grid(
    service: Service,
    title: str,
    enrolments: Sequence[Enrolment],
    mondays: Sequence[date],
    days: Days,
    *,
    kids: Mapping[int, Kid],
    changes: Mapping[tuple[int, int | None, date | None], bool],
    side: Side,
    family: str,
) -> Grid:
    enrolments = sorted(enrolments, key=lambda e: (e.child.birth_date, e.child_id))
    dates = [monday + timedelta(days=n) for monday in mondays for n in range(7)]
    found = states_by_day(days, service_id=service.id, enrolments=enrolments, dates=dates)
    # A unit that nothing of these weeks concerns would only lengthen the cells.
    told = {unit for _child, unit, _day in changes} | {
        state.unit.id for states in found.values() for state in states if state.booking is not None
    }
    several = len([unit for unit in days.units.get(service.id, []) if unit.id in told]) > 1
    names = list_words(dict.fromkeys(enrolment.child.first_name for enrolment in enrolments))
    shown = {
        Side.BEFORE: _("avant la demande"),
        Side.CHANGES: _("avec les changements demandés"),
        Side.AFTER: _("si tout est accepté"),
    }
    return month_grid(
        {day: [state for state in states if state.unit.id in told] for day, states in found.items()},
        mondays,
        days=days,
        caption=_("%(title)s, pour %(names)s (famille %(family)s), %(shown)s")
        % {"title": title, "names": names, "family": family, "shown": shown[side]},
        tile=lambda state: _tile(state, kids=kids, changes=changes, side=side, several=several),
        several_units=several,
    )


def _tile(
    state: DayState,
    *,
    kids: Mapping[int, Kid],
    changes: Mapping[tuple[int, int | None, date | None], bool],
    side: Side,
    several: bool,
) -> Tile:
    adds = changes.get(state.key)
    look, change = recorded(state), ""
    if adds is not None:
        look = CellState.FREE if adds else CellState.BOOKED
        if side == Side.CHANGES:
            change = "add" if adds else "remove"
        elif side == Side.AFTER:
            look = CellState.BOOKED if adds else CellState.FREE
    return Tile(
        key=tile_key(state),
        day=day_words(state.day),
        kid=kids.get(state.enrolment.child_id),
        unit=state.unit.name if several else "",
        state=look,
        change=change,
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]
