"""A family's month as an agent changes it: every open day, and what each change goes past."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import AgentRole
from marelle.activities.models import BookingMode, Municipality, Service
from marelle.activities.queries import municipality
from marelle.bookings.labels import CellState
from marelle.bookings.models import Enrolment
from marelle.bookings.queries.cells import recorded, tile_key
from marelle.bookings.queries.days import Days, DayState, live_enrolments, load_days
from marelle.bookings.queries.grids import month_grid, states_by_day
from marelle.bookings.queries.menus import column_menu, row_menu, whole_menu
from marelle.bookings.queries.months import Month, open_span
from marelle.bookings.queries.overrides import Override, late_still_due, late_surcharge, override
from marelle.bookings.services.overrides import Change, dates_of, read_changes
from marelle.families.models import Household
from marelle.families.permissions import households_for
from marelle.families.queries import kids_of
from marelle.foundation.components.grid import Grid, Kid, Mark, Menu, State, Tile, unpack_seen
from marelle.foundation.french import euros
from marelle.foundation.sentences import day_words, list_words, moment_words, sentence
from marelle.office.queue import sites_of
from marelle.requests.models import Act, FamilyRequest
from marelle.rules.decisions import Reason, Refused
from marelle.rules.lateness import Surcharge
from marelle.rules.lifecycles import BookingState, EnrolmentState

_ASKED = (BookingState.PENDING, BookingState.CANCELLING)
_WAITS = (BookingState.QUEUED, BookingState.OFFERED)
#: More changes than any month of boxes can hold: a form that is not ours.
MOST_CHANGES = 2000


@dataclass(frozen=True, slots=True)
class Tab:
    service: Service
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Family:
    """A family in a service, as far as the agent answers for its sites."""

    town: Municipality
    household: Household
    service: Service
    tabs: list[Tab]
    enrolments: list[Enrolment]
    kids: dict[int, Kid]


def services_of(role: AgentRole, household: Household) -> dict[Service, list[Enrolment]]:
    """The services whose days an agent may change for this family, in the town's order, with its accepted enrolments at
    the agent's sites. One query, and one for the sites."""
    sites = sites_of(role)
    found: dict[Service, list[Enrolment]] = {}
    for enrolment in live_enrolments(town=municipality(), household=household, states=(EnrolmentState.ACCEPTED,)):
        service = enrolment.activity.service
        if service.booking_mode == BookingMode.DAYS and (not sites or enrolment.activity.site_id in sites):
            found.setdefault(service, []).append(enrolment)
    return dict(sorted(found.items(), key=lambda pair: (pair[0].position, pair[0].id)))


def family_of(role: AgentRole, household_id: int, slug: str, *, at: datetime) -> Family:
    """Raises Http404 for a family or a service that the agent does not answer for."""
    household = get_object_or_404(households_for(role, at=at), pk=household_id)
    services = services_of(role, household)
    service = next((found for found in services if found.slug == slug), None)
    if service is None:
        raise Http404
    return Family(
        town=municipality(),
        household=household,
        service=service,
        tabs=[
            Tab(found, reverse("office:family_planning", args=[household.pk, found.slug]), found == service)
            for found in services
        ],
        enrolments=services[service],
        kids=kids_of(household),
    )


# ── the month ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class MonthPage:
    """`kept`: the changes chosen on other months, which this page only carries."""

    month: Month
    before: Month | None
    after: Month | None
    grid: Grid
    menu: Menu
    legend: list[CellState]
    has_open_days: bool
    kept: tuple[Change, ...]
    added: int
    dropped: int

    @property
    def kept_words(self) -> str:
        """What is chosen on other months, "" when nothing is."""
        n = len(self.kept)
        return (
            ngettext("%(n)d changement sur un autre mois", "%(n)d changements sur d’autres mois", n) % {"n": n}
            if n
            else ""
        )


def month_page(family: Family, *, asked: str, chosen: Iterable[Change], at: datetime) -> MonthPage:
    """The month named, else that of the next open day, with what is chosen ticked. Four or five queries.

    Raises BeyondCalendar for a month that the school calendar does not cover.
    """
    today = at.astimezone(family.town.tz).date()
    span = open_span(enrolments=family.enrolments, today=today)
    month = Month.parse(asked)
    if month is None or not span.shows(month):
        month = span.default_month(today)
    days = load_days(town=family.town, enrolments=family.enrolments, at=at, first=month.first, last=month.last)
    dates = [month.first + timedelta(days=n) for n in range((month.last - month.first).days + 1)]
    by_day = states_by_day(days, service_id=family.service.id, enrolments=family.enrolments, dates=dates)
    changes = {change.key: change for change in chosen}
    drawing = _Drawing(family, days, changes, requests=_requests_about(by_day))
    units = days.units[family.service.id]
    names = list_words(kid.name for kid in drawing.met(by_day))
    grid = month_grid(
        by_day,
        [monday for monday in dates if monday.weekday() == 0],
        days=days,
        caption=_(
            "%(service)s, %(month)s, pour %(names)s. Une ligne par semaine, une colonne par jour. Une case cochée est "
            "un jour voulu. Les flèches du clavier passent d’une case à l’autre."
        )
        % {"service": family.service.name, "month": month.words, "names": names},
        tile=lambda state: drawing.tile(state, unit=state.unit.name if len(units) > 1 else ""),
        several_units=len(units) > 1,
        seen=drawing.seen,
        column=lambda weekday: column_menu(weekday, family.kids, family.enrolments, units),
        row=lambda monday: row_menu(monday, units),
    )
    shown = {state.key: state for states in by_day.values() for state in states if override(state, days).is_allowed}
    kept = tuple(change for key, change in changes.items() if key not in shown)
    return MonthPage(
        month=month,
        before=_shown(month.shifted(-1), span.shows(month.shifted(-1))),
        after=_shown(month.shifted(1), span.shows(month.shifted(1))),
        grid=grid,
        menu=whole_menu(units, book=_("Réserver tout le mois"), cancel=_("Tout annuler ce mois-ci")),
        legend=_legend(grid),
        has_open_days=bool(by_day),
        kept=kept,
        added=sum(change.act == Act.BOOK for change in kept),
        dropped=sum(change.act == Act.CANCEL for change in kept),
    )


def _shown(month: Month, is_open: bool) -> Month | None:
    return month if is_open else None


def _legend(grid: Grid) -> list[CellState]:
    drawn = {state.css: state for state in grid.states() if isinstance(state, CellState)}
    first = [CellState.FREE, CellState.BOOKED, CellState.LOCKED, CellState.ADD, CellState.REMOVE]
    return [*first, *(state for state in drawn.values() if state not in (*first, CellState.PAST, CellState.CLOSED))]


@dataclass(frozen=True, slots=True)
class _Drawing:
    family: Family
    days: Days
    changes: Mapping[tuple[int, int, date], Change]
    requests: Mapping[int, str]  # the numbers of those to answer, by line

    def met(self, by_day: Mapping[date, Sequence[DayState]]) -> list[Kid]:
        found = dict.fromkeys(state.enrolment.child_id for states in by_day.values() for state in states)
        return [self.family.kids[child] for child in found if child in self.family.kids]

    def tile(self, state: DayState, *, unit: str) -> Tile:
        found = override(state, self.days)
        change = self.changes.get(state.key)
        href, why = self._way_out(state)
        return Tile(
            key=tile_key(state),
            day=day_words(state.day),
            kid=self.family.kids.get(state.enrolment.child_id),
            unit=unit,
            state=_look(state, found, today=self.days.today),
            ticked=state.is_wanted if change is None else change.act == Act.BOOK,
            base=state.is_wanted,
            editable=found.is_allowed,
            note=_note(found),
            why=why if not found.is_allowed else "",
            href=href if not found.is_allowed else "",
        )

    def seen(self, states: Sequence[DayState]) -> str:
        return " ".join(f"{tile_key(state)}={state.was}" for state in states if override(state, self.days).is_allowed)

    def _way_out(self, state: DayState) -> tuple[str, str]:
        """Where the agent goes for a day that this page does not change, and why it does not."""
        booking = state.booking
        if booking is not None and booking.state in _ASKED and booking.line_id in self.requests:
            number = self.requests[booking.line_id]
            return reverse("office:request", args=[number]), _("à répondre dans la demande n° %(number)s") % {
                "number": number
            }
        if booking is not None and booking.state in _WAITS:
            slug = self.family.service.slug
            return reverse("office:waiting", args=[slug, state.day.isoformat()]), _("voir la liste d’attente")
        if booking is None and state.free == 0 and state.places:
            return "", _("complet, marge comprise")
        return "", ""


def _requests_about(by_day: Mapping[date, Sequence[DayState]]) -> dict[int, str]:
    lines = {
        state.booking.line_id
        for states in by_day.values()
        for state in states
        if state.booking is not None and state.booking.state in _ASKED
    }
    if not lines:
        return {}
    found = FamilyRequest.objects.filter(lines__in=lines).prefetch_related("lines")
    return {line.id: request.number for request in found for line in request.lines.all() if line.id in lines}


def _look(state: DayState, found: Override, *, today: date) -> State:
    look = recorded(state)
    if look is CellState.FREE and found.late is not None:
        return Mark(_("Libre, hors délai"), look.icon, look.css)
    if look is CellState.FREE and not found.is_allowed and state.day < today:
        return CellState.PAST
    if look is CellState.BOOKED and (found.late is not None or not found.is_allowed):
        return CellState.LOCKED
    return look


def _note(found: Override) -> str:
    """What a change would go past besides its limit, which the state tells, in a word or two."""
    if not found.is_allowed:
        return ""
    if found.over:
        return _("dépasse de %(n)d") % {"n": found.over}
    if found.waiting:
        return _("%(n)d en attente") % {"n": found.waiting}
    return _("pas ouvert") if found.early is not None else ""


# ── the choices, as forms carry them ────────────────────────────────────────────────────────────────────────────────


def ticked_changes(data: QueryDict) -> list[Change]:
    """What the posted boxes say against what their page showed, after the changes carried from other months. Raises
    Http404 for a form that is not ours."""
    changes = {change.key: change for change in carried_changes(data)}
    wanted = set(data.getlist("want"))
    for key, was in unpack_seen(data.getlist("seen")).items():
        ticked, base = key in wanted, was in (BookingState.BOOKED, BookingState.PENDING)
        change = _change(key, (Act.BOOK if ticked else Act.CANCEL).value, was)
        changes.pop(change.key, None)
        if ticked != base:
            changes[change.key] = change
    return _checked(list(changes.values()))


def carried_changes(data: QueryDict, name: str = "garde") -> list[Change]:
    """The changes that a page carries along: "child.unit.date=act=was", with spaces in between."""
    changes = []
    for text in data.get(name, "").split():
        parts = text.split("=")
        if len(parts) != 3:
            raise Http404
        changes.append(_change(*parts))
    return _checked(changes)


def packed(changes: Iterable[Change]) -> str:
    return " ".join(
        f"{change.child_id}.{change.unit_id}.{change.day.isoformat()}={change.act.value}={change.was}"
        for change in changes
    )


def _checked(changes: list[Change]) -> list[Change]:
    if len(changes) > MOST_CHANGES:
        raise Http404
    return changes


def _change(key: str, act: str, was: str) -> Change:
    try:
        child, unit, day = key.split(".")
        if len(child) > 12 or len(unit) > 12 or act not in (Act.BOOK, Act.CANCEL):
            raise Http404
        on = date.fromisoformat(day)
        if not 2000 <= on.year < 2100:
            raise Http404
        return Change(int(child), int(unit), on, Act(act), was[:12])
    except ValueError:
        raise Http404 from None


# ── the check ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedChange:
    """A change as a sentence ("Ajouter lundi 9 novembre"). `past`: each rule it goes past, in words; `problem`: what
    stops it all the same."""

    change: Change
    words: str
    unit: str
    site: str
    adds: bool
    past: tuple[str, ...]
    problem: str

    @property
    def anchor(self) -> str:
        return f"jour-{self.change.child_id}-{self.change.unit_id}-{self.change.day.isoformat()}"


@dataclass(frozen=True, slots=True)
class Group:
    kid: Kid
    lines: list[CheckedChange]


@dataclass(slots=True)
class Check:
    """`due`: the parts of their price, in per cent, that the town leaves due of the days cancelled late; empty without
    such a day. `ready`: how many changes can be made."""

    groups: list[Group]
    ready: int
    needs_reason: bool
    due: tuple[int, ...]
    problems: list[dict[str, str]] = field(default_factory=list)

    @property
    def due_words(self) -> str:
        """ "100 %", or "50 % à 100 %"."""
        found = [_("%(n)d %%") % {"n": n} for n in self.due]
        return found[0] if len(found) == 1 else _("%(least)s à %(most)s") % {"least": found[0], "most": found[-1]}


def read_check(family: Family, changes: Sequence[Change], *, at: datetime) -> Check:
    """Each change read again, by child. Raises Http404 for a child whom the agent does not answer for there."""
    children = {enrolment.child_id: enrolment.child for enrolment in family.enrolments}
    if any(change.child_id not in children or change.child_id not in family.kids for change in changes):
        raise Http404
    dates = dates_of(changes, family.enrolments, town=family.town)
    days = load_days(town=family.town, enrolments=family.enrolments, at=at, dates=dates)
    read = read_changes(changes, days)
    units = {unit.id: unit for unit in days.units[family.service.id]}
    if any(change.unit_id not in units for change in changes):
        raise Http404
    ranks = {child: rank for rank, child in enumerate(children)}
    lines, needs_reason, ready = [], False, 0
    due: set[int] = set()
    for change in sorted(changes, key=lambda one: (ranks[one.child_id], one.day, units[one.unit_id].position)):
        found, state = read[change.key], days.states.get(change.key)
        if found.is_allowed and state is not None:
            ready += 1
            needs_reason = needs_reason or found.needs_reason
            if found.late is not None and change.act == Act.CANCEL:
                due.add(late_still_due(state, days))
        words = _("Ajouter %(day)s") if change.act == Act.BOOK else _("Annuler %(day)s")
        lines.append(
            CheckedChange(
                change=change,
                words=words % {"day": day_words(change.day)},
                unit=units[change.unit_id].name if len(units) > 1 else "",
                site=state.enrolment.activity.site.name if state is not None else "",
                adds=change.act == Act.BOOK,
                past=tuple(_past(change, found, state, days)) if state is not None else (),
                problem=_problem(found, family.town),
            )
        )
    return Check(
        groups=[
            Group(family.kids[child], list(mine))
            for child, mine in groupby(lines, key=lambda line: line.change.child_id)
        ],
        ready=ready,
        needs_reason=needs_reason,
        due=tuple(sorted(due)),
    )


def _past(change: Change, found: Override, state: DayState, days: Days) -> Iterable[str]:
    tz = days.town.tz
    if found.late is not None:
        since = found.late.facts.get("since")
        if isinstance(since, datetime):
            yield _("Après la limite du %(moment)s") % {"moment": moment_words(since, tz)}
        else:
            yield _("Après la limite")
        if change.act == Act.BOOK and (surcharge := late_surcharge(state, days)) is not None:
            yield _("Majoration : %(amount)s") % {"amount": surcharge_words(surcharge)}
    if found.early is not None:
        yield sentence(found.early, tz)
    if found.rule is not None:
        yield sentence(found.rule, tz)
    if found.over:
        yield _("Complet : dépasse de %(n)d") % {"n": found.over}
    if found.waiting:
        yield ngettext(
            "Passe avant %(n)d enfant en liste d’attente", "Passe avant %(n)d enfants en liste d’attente", found.waiting
        ) % {"n": found.waiting}


def _problem(found: Override, town: Municipality) -> str:
    if found.is_allowed:
        return ""
    assert isinstance(found.decision, Refused)
    if found.decision.reason == Reason.FULL:
        return _("Complet, marge comprise")
    if found.decision.reason == Reason.PAST_LIMIT:
        return _("Cette période est terminée")
    return sentence(found.decision, town.tz)


def surcharge_words(surcharge: Surcharge) -> str:
    """ "+4,00 €", "+50 %", "prix × 2" or "prix de 12,00 €"."""
    if surcharge.add_cents is not None:
        return euros(surcharge.add_cents, signed=True)
    if surcharge.add_percent is not None:
        return _("+%(n)d %%") % {"n": surcharge.add_percent}
    if surcharge.times_hundredths is not None:
        return _("prix × %(n)s") % {"n": f"{surcharge.times_hundredths / 100:g}".replace(".", ",")}
    return _("prix de %(amount)s") % {"amount": euros(surcharge.price_cents or 0)}
