"""One day of a service: what may still change and until when, how many places are left, what happened so far."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.activities.models import OpeningDay
from marelle.bookings.labels import late_words
from marelle.bookings.models import BasketLine, Closure
from marelle.bookings.queries.absences import may_announce
from marelle.bookings.queries.cells import cell_state, is_editable, tile_key
from marelle.bookings.queries.days import Days, DayState
from marelle.foundation.components.grid import Tile
from marelle.foundation.sentences import day_words, list_words, sentence, short_day_words
from marelle.portal.planning.grid import awaited_words
from marelle.portal.planning.place import Place
from marelle.requests.models import Act, RequestLine
from marelle.rules.decisions import Allowed
from marelle.rules.lifecycles import LineState


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence about the day, and the children (or units) that it holds for; nobody named: for all."""

    text: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the day's history. `when` in short words; `number`: of its request."""

    when: str
    who: str
    what: str
    number: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    tiles: tuple[Tile, ...]
    seen: str
    limits: tuple[Fact, ...]
    places: tuple[Fact, ...]
    history: tuple[Event, ...]
    silent: str  # the children of whom nothing was ever asked for that day
    locked: bool
    absence: bool  # some child's absence may be announced
    before: date | None
    after: date | None


def day_sheet(place: Place, days: Days, day: date, *, basket: Iterable[BasketLine], at: datetime) -> Sheet:
    """The sheet of a day that `days` holds. Two queries: the requests about it, the open days beside it."""
    states = [state for state in days.states.values() if state.day == day]
    ranks = {enrolment.pk: rank for rank, enrolment in enumerate(place.enrolments)}
    units = {unit.id: rank for rank, unit in enumerate(days.units[place.service.id])}
    states.sort(key=lambda state: (ranks.get(state.enrolment.pk, 0), units.get(state.unit.id, 0)))
    held = {(line.child_id, line.unit_id): line.act for line in basket if line.date == day}
    several = len(units) > 1
    tiles = tuple(_tile(state, place, days, held, several=several) for state in states)
    before, after = _beside(place, day)
    history = _history(place, day, held, days=days, several=several, at=at)
    quiet = [
        place.kids[child].name
        for child in dict.fromkeys(state.enrolment.child_id for state in states)
        if child in place.kids and all(event.who != place.kids[child].name for event in history)
    ]
    return Sheet(
        tiles=tiles,
        seen=" ".join(f"{tile.key}={tile.state.css}" for tile in tiles if tile.editable),
        limits=_limits(states, place, days),
        places=_places(states, several=several),
        history=history,
        silent=list_words(quiet),
        absence=any(isinstance(may_announce(state, days), Allowed) for state in states),
        locked=day >= days.today
        and any(not tile.editable and not awaited_words(state) for state, tile in zip(states, tiles, strict=True)),
        before=before,
        after=after,
    )


def _tile(state: DayState, place: Place, days: Days, held: Mapping[tuple[int, int], str], *, several: bool) -> Tile:
    change = held.get((state.enrolment.child_id, state.unit.id))
    return Tile(
        key=tile_key(state),
        day=day_words(state.day),
        kid=place.kids.get(state.enrolment.child_id),
        unit=state.unit.name if several else "",
        state=cell_state(state, today=days.today),
        ticked=state.is_wanted if change is None else change == Act.BOOK,
        base=state.is_wanted,
        editable=is_editable(state, today=days.today),
    )


def _limits(states: Sequence[DayState], place: Place, days: Days) -> tuple[Fact, ...]:
    """What may change, until when, or since when not: once for all, or by child and unit where they differ."""
    if states and states[0].day < days.today:
        return (Fact(_("Ce jour est passé.")), *_late(states, place))
    closed = _closures(states, place)
    said: dict[str, list[str]] = {}
    several = len({state.unit.id for state in states}) > 1
    for state in states:
        if state.closure is not None:
            continue
        look = state.may_remove() if state.booking is not None and state.is_wanted else state.may_add()
        verdict = look if not isinstance(look, Allowed) else state.cancel if state.booking is not None else state.book
        kid = place.kids.get(state.enrolment.child_id)
        name = kid.name if kid else ""
        said.setdefault(awaited_words(state) or sentence(verdict, place.town.tz), []).append(
            _("%(name)s, %(unit)s") % {"name": name, "unit": state.unit.name.lower()} if several else name
        )
    late = _late(states, place)
    if len(said) == 1 and not closed:
        return (*(Fact(f"{text}.") for text in said), *late)
    return (*closed, *(Fact(f"{text}.", list_words(of)) for text, of in said.items()), *late)


def _late(states: Sequence[DayState], place: Place) -> tuple[Fact, ...]:
    """For whom an agent booked the day past its limit."""
    names = [
        place.kids[state.enrolment.child_id].name
        for state in states
        if state.booking is not None and state.booking.booked_late and state.enrolment.child_id in place.kids
    ]
    if not names:
        return ()
    return (Fact(_("Réservé par le service, après la limite."), list_words(dict.fromkeys(names))),)


def _closures(states: Sequence[DayState], place: Place) -> tuple[Fact, ...]:
    """Why the day is closed, since when the families know, and for whom."""
    said: dict[Closure, list[str]] = {}
    for state in states:
        if state.closure is not None:
            kid = place.kids.get(state.enrolment.child_id)
            said.setdefault(state.closure, []).append(kid.name if kid else "")
    return tuple(
        Fact(
            _("%(what)s. Annoncé le %(day)s, non facturé.")
            % {
                "what": closure.told.rstrip("."),
                "day": day_words(closure.made_at.astimezone(place.town.tz).date()),
            },
            list_words(dict.fromkeys(of)),
        )
        for closure, of in said.items()
    )


def _places(states: Sequence[DayState], *, several: bool) -> tuple[Fact, ...]:
    said: dict[str, list[str]] = {}
    for state in states:
        if not state.places or state.closure is not None:
            continue
        if state.left is None:
            text = _("Pas de limite")
        elif state.left == 0:
            text = _("Complet")
        else:
            text = ngettext("%(n)d place", "%(n)d places", state.left) % {"n": state.left}
        group = state.enrolment.group.name
        said.setdefault(text, []).append(f"{state.unit.name}, {group.lower()}" if several else group)
    if len(said) == 1:
        return tuple(Fact(text) for text in said)
    return tuple(Fact(text, list_words(dict.fromkeys(of))) for text, of in said.items())


def _history(
    place: Place, day: date, held: Mapping[tuple[int, int], str], *, days: Days, several: bool, at: datetime
) -> tuple[Event, ...]:
    """Newest first: what is in the basket, then every request about that day."""
    children = {enrolment.child_id for enrolment in place.enrolments}
    units = {unit.id: unit.name.lower() for unit in days.units[place.service.id]}
    found = []
    for (child, unit), act in held.items():
        if child in children and unit in units and child in place.kids:
            what = _("à ajouter, pas encore envoyé") if act == Act.BOOK else _("à annuler, pas encore envoyé")
            found.append(Event(_("Maintenant"), place.kids[child].name, _of(what, units[unit], several=several)))
    lines = (
        RequestLine.objects.filter(
            child__in=children, date=day, service=place.service, request__household=place.enrolments[0].household_id
        )
        .select_related("request", "unit")
        .prefetch_related("bookings")
        .order_by("-request_id", "position")
    )
    for line in lines:
        if line.child_id not in place.kids:
            continue
        what = _made_words(line) if line.request.by_agent else _asked_words(line)
        found.append(
            Event(
                when=short_day_words(line.request.sent_at.astimezone(place.town.tz).date()),
                who=place.kids[line.child_id].name,
                what=_of(what, line.unit.name.lower() if line.unit else "", several=several),
                number=line.request.number,
                reason=line.reason,
            )
        )
    return tuple(found)


def _asked_words(line: RequestLine) -> str:
    """ "ajout accepté", "annulation en cours"."""
    if line.act == Act.ABSENT:
        return _("signalement annulé") if line.state == LineState.WITHDRAWN else _("absence signalée")
    if line.act == Act.CANCEL:
        asked = {LineState.ACCEPTED: _("annulation acceptée"), LineState.REFUSED: _("annulation refusée"),
                 LineState.WITHDRAWN: _("annulation retirée")}  # fmt: skip
        return asked.get(LineState(line.state), _("annulation en cours"))
    asked = {LineState.ACCEPTED: _("réservation acceptée"), LineState.REFUSED: _("réservation refusée"),
             LineState.WITHDRAWN: _("réservation retirée")}  # fmt: skip
    return asked.get(LineState(line.state), _("réservation en cours"))


def _made_words(line: RequestLine) -> str:
    """What an agent did for the family: "réservation faite par Malika Roux (après la limite)"."""
    cancels = line.act == Act.CANCEL
    words = _("annulation faite par %(agent)s") if cancels else _("réservation faite par %(agent)s")
    words = words % {"agent": line.request.sent_by_label}
    if not line.late:
        return words
    booking = next(iter(line.bookings.all()), None) if cancels else None
    late = late_words(act=line.act, still_due=booking.still_due if booking else None)
    return f"{words} ({late})"


def _of(what: str, unit: str, *, several: bool) -> str:
    return f"{what} ({unit})" if several and unit else what


def _beside(place: Place, day: date) -> tuple[date | None, date | None]:
    """The open days before and after, for these children."""
    groups: Collection[int] = {enrolment.group_id for enrolment in place.enrolments}
    years = [enrolment.school_year for enrolment in place.enrolments]
    span = (min(year.first_day for year in years), max(year.last_day for year in years))
    dates = sorted(
        OpeningDay.objects.filter(group__in=groups, date__range=span)
        .order_by()
        .values_list("date", flat=True)
        .distinct()
    )
    earlier = [found for found in dates if found < day]
    later = [found for found in dates if found > day]
    return earlier[-1] if earlier else None, later[0] if later else None
