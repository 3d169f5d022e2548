"""The home page's content: today in a sentence, what is to do, the week, what closes soon, the last requests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import User
from marelle.activities.models import BookingMode, Municipality, Period, Service
from marelle.activities.queries import calendar_of
from marelle.bookings.labels import ABSENT_LOOK, BOOKING_LOOKS, Look
from marelle.bookings.models import LIVE_BOOKINGS, LIVE_ENROLMENTS, BasketLine, Booking, Enrolment
from marelle.bookings.queries.cells import closed_as
from marelle.bookings.queries.days import Days, DayState, basket_lines_among, load_days
from marelle.bookings.queries.openings import own_opening
from marelle.bookings.queries.waiting import offers_to
from marelle.families.models import Household
from marelle.foundation.sentences import day_words, list_words, weekday_words
from marelle.portal.children import HouseholdChild
from marelle.portal.moments import ONE_DAY, midsentence, near_day_words, near_moment_words, opening_words
from marelle.portal.tracking import RequestRow, requests_of, rows_of
from marelle.requests.models import Act
from marelle.rules.calendars import BeyondCalendar, SchoolCalendar
from marelle.rules.decisions import Allowed
from marelle.rules.lifecycles import BookingState, EnrolmentState

AHEAD = timedelta(days=27)  # four weeks: enough to see past any holidays but summer's
SOON = timedelta(hours=24)
REFUSAL_SHOWN = timedelta(days=60)
EXPECTED = (BookingState.BOOKED, BookingState.CANCELLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing to do. `hidden` completes the button's word for screen readers; no `url`: only told."""

    title: str
    text: str
    icon: str
    accent: int = 0
    url: str = ""
    action: str = ""
    hidden: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    label: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """A service and who goes there that day, in words."""

    service: str
    names: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One booked unit in the week: the service's icon and word, the state's word and look."""

    icon: str
    word: str
    state: str
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekCell:
    """`none`: why nothing stands there, in words; `mark`: the same in little room ("Férié", "–")."""

    today: bool
    slots: tuple[Slot, ...] = ()
    none: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekHead:
    short: str
    number: str
    words: str
    today: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRow:
    child: HouseholdChild
    about: str
    cells: tuple[WeekCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekStrip:
    """The children × weekdays of one week. `is_present`: it is the week of today, else the next one with something."""

    title: str
    caption: str
    heads: tuple[WeekHead, ...]
    rows: tuple[WeekRow, ...]
    is_present: bool
    pending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """ "Cantine de", "jeudi 12", "aujourd’hui, 9 h"."""

    service: str
    days: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    today: str
    first_name: str
    attendances: tuple[Attendance, ...]
    rest: str
    todo: tuple[Todo, ...]
    shortcuts: tuple[Shortcut, ...]
    week: WeekStrip | None
    deadlines: tuple[Deadline, ...]
    requests: tuple[RequestRow, ...]
    has_children: bool
    has_enrolments: bool


def home(
    *, town: Municipality, user: User, household: Household, children: Sequence[HouseholdChild], at: datetime
) -> Home:
    """Everything the home page says, in a number of queries that neither children nor requests change."""
    today = at.astimezone(town.tz).date()
    enrolments = list(
        Enrolment.objects.filter(
            Q(state__in=LIVE_ENROLMENTS) | Q(state=EnrolmentState.REFUSED),
            household=household,
            child__residences__household=household,
            school_year__last_day__gte=today,
            activity__archived_at=None,
        )
        .select_related("child", "activity__service", "activity__site", "group", "school_year", "line__request")
        .order_by("child__birth_date", "child_id", "activity__service__position", "id")
    )
    accepted = [e for e in enrolments if e.state == EnrolmentState.ACCEPTED]
    for enrolment in enrolments:
        enrolment.household = household
    bookable = [e for e in accepted if e.activity.service.booking_mode == BookingMode.DAYS]
    monday = today - timedelta(days=today.weekday())
    days = load_days(town=town, enrolments=bookable, at=at, first=monday, last=monday + AHEAD, glance=True)
    calendar = calendar_of(town)
    attendances = _attendances(days, today, children)
    requests = tuple(rows_of(requests_of(household)[:3], town=town, at=at))
    return Home(
        today=day_words(today),
        first_name=_first_name(user),
        attendances=attendances,
        rest="" if attendances or not bookable else _no_attendance(days, today, calendar, children),
        todo=tuple(
            _todo(
                town=town,
                user=user,
                household=household,
                children=children,
                enrolments=enrolments,
                bookable=bookable,
                days=days,
                today=today,
                at=at,
            )
        ),
        shortcuts=_shortcuts(children, bookable, has_requests=bool(requests)),
        week=_week(days, children, today, calendar) if bookable else None,
        deadlines=_deadlines(days, town, at),
        requests=requests,
        has_children=bool(children),
        has_enrolments=bool(enrolments),
    )


def _first_name(user: User) -> str:
    guardian = getattr(user, "guardian", None)
    return guardian.first_name if guardian is not None else str(user)


# ── today ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _is_expected(state: DayState) -> bool:
    booking = state.booking
    return booking is not None and booking.state in EXPECTED and booking.absence_id is None


def _attendances(days: Days, day: date, children: Sequence[HouseholdChild]) -> tuple[Attendance, ...]:
    """Who is expected where on that day, in the services' order."""
    names = {one.id: one.name for one in children}
    found: dict[int, dict[int, str]] = {}
    services: dict[int, Service] = {}
    for state in days.states.values():
        if state.day == day and _is_expected(state):
            service = state.enrolment.activity.service
            services[service.pk] = service
            child_id = state.enrolment.child_id
            if child_id in names:
                found.setdefault(service.pk, {})[child_id] = names[child_id]
    return tuple(
        Attendance(
            service=midsentence(service.name),
            names=list_words(found[service.pk][child_id] for child_id in names if child_id in found[service.pk]),
        )
        for service in sorted(services.values(), key=lambda service: (service.position, service.pk))
        if service.pk in found
    )


def _no_attendance(days: Days, today: date, calendar: SchoolCalendar, children: Sequence[HouseholdChild]) -> str:
    """Why nobody is expected today, then the next day when somebody is."""
    try:
        holiday = calendar.public_holiday(today)
        period = calendar.holiday_period(today)
    except BeyondCalendar:
        holiday, period = None, None
    if holiday:
        why = _("Aujourd’hui est férié (%(name)s).") % {"name": holiday}
    elif period is not None:
        why = _("C’est le temps des vacances (%(name)s).") % {"name": midsentence(period.name)}
    elif today.weekday() >= 5:
        why = _("C’est le week-end.")
    else:
        why = _("Rien n’est réservé aujourd’hui.")
    booked = [s.day for s in days.states.values() if s.day > today and _is_expected(s)]
    if not booked:
        return why
    following = min(booked)
    what = "\N{NARROW NO-BREAK SPACE}; ".join(
        _("%(service)s pour %(names)s") % {"service": attendance.service, "names": attendance.names}
        for attendance in _attendances(days, following, children)
    )
    return _("%(why)s Prochain jour : %(day)s, %(what)s.") % {
        "why": why,
        "day": near_day_words(following, today=today),
        "what": what,
    }


# ── to do ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _todo(
    *,
    town: Municipality,
    user: User,
    household: Household,
    children: Sequence[HouseholdChild],
    enrolments: Sequence[Enrolment],
    bookable: Sequence[Enrolment],
    days: Days,
    today: date,
    at: datetime,
) -> Iterable[Todo]:
    if unsent := basket_lines_among(bookable, user=user, household=household):
        limit = _soonest(unsent, days)
        yield Todo(
            title=ngettext("%(n)d changement n’est pas envoyé", "%(n)d changements ne sont pas envoyés", len(unsent))
            % {"n": len(unsent)},
            text=_("Premier délai : %(moment)s") % {"moment": near_moment_words(limit, at=at, town=town)}
            if limit
            else _("Rien n’est réservé tant que vous ne l’envoyez pas."),
            icon="send",
            url=reverse("portal:check"),
            action=_("Vérifier"),
            hidden=_(" et envoyer mes choix"),
        )
    yield from _to_answer(household, town=town, at=at)
    yield from _to_correct(enrolments, at)
    yield from _to_reserve(bookable, town=town, today=today, at=at)
    live = {e.child_id for e in enrolments if e.state in LIVE_ENROLMENTS}
    asked = {e.child_id for e in enrolments}
    new = [one.name for one in children if one.id not in live | asked]
    if new:
        yield Todo(
            title=_("Inscrivez %(names)s à un premier service") % {"names": list_words(new)},
            text=_("Cantine, accueil, centre de loisirs : l’inscription ouvre le droit de réserver."),
            icon="clipboard-list",
            url=reverse("portal:enrol"),
            action=_("Inscrire"),
            hidden=_(" %(names)s") % {"names": list_words(new)},
        )


def _soonest(lines: Sequence[BasketLine], days: Days) -> datetime | None:
    """The first limit of choices not sent, among the days that the page has read: what lies further closes later."""
    limits = []
    for line in lines:
        state = days.states.get((line.child_id, line.unit_id, line.date))
        if state is not None and state.was == line.was:
            verdict = state.may_add() if line.act == Act.BOOK else state.may_remove()
            if isinstance(verdict, Allowed) and verdict.until is not None:
                limits.append(verdict.until)
    return min(limits, default=None)


def _to_answer(household: Household, *, town: Municipality, at: datetime) -> Iterable[Todo]:
    """Places held until the family answers."""
    for booking in offers_to(household):
        if booking.waits_until is None or booking.waits_until <= at:
            continue
        yield Todo(
            title=_("Une place se libère %(day)s pour %(name)s")
            % {"day": day_words(booking.date), "name": booking.child.first_name},
            text=_("%(service)s. Répondez avant %(moment)s")
            % {
                "service": booking.unit.service.short_name,
                "moment": near_moment_words(booking.waits_until, at=at, town=town),
            },
            icon="list-ordered",
            accent=booking.unit.service.accent,
            url=reverse("portal:place", args=[booking.pk]),
            action=_("Répondre"),
            hidden=_(" pour la place %(day)s") % {"day": day_words(booking.date)},
        )


def _to_correct(enrolments: Sequence[Enrolment], at: datetime) -> Iterable[Todo]:
    """Refused lately, and not asked again since."""
    last: dict[tuple[int, int, int], Enrolment] = {}
    for enrolment in enrolments:
        key = enrolment.child_id, enrolment.activity_id, enrolment.school_year_id
        if key not in last or enrolment.pk > last[key].pk:
            last[key] = enrolment
    for enrolment in last.values():
        if enrolment.state == EnrolmentState.REFUSED and enrolment.changed_at > at - REFUSAL_SHOWN:
            service = enrolment.activity.service
            yield Todo(
                title=_("%(service)s pour %(name)s : inscription refusée")
                % {"service": service.short_name, "name": enrolment.child.first_name},
                text=enrolment.reason,
                icon=service.icon,
                accent=service.accent,
                url=f"{reverse('portal:enrol')}?annee={enrolment.school_year.label}#s-{service.slug}",
                action=_("Corriger"),
                hidden=_(" l’inscription pour %(name)s : %(service)s")
                % {"name": enrolment.child.first_name, "service": midsentence(service.name)},
            )


def _to_reserve(bookable: Sequence[Enrolment], *, town: Municipality, today: date, at: datetime) -> Iterable[Todo]:
    """Accepted, and no day asked yet: what remains to be done, once reservations are open."""
    if not bookable:
        return
    begun = dict(
        Booking.objects.filter(enrolment__in=bookable, state__in=LIVE_BOOKINGS)
        .order_by()
        .values_list("enrolment_id")
        .annotate(Max("date"))
    )
    idle: dict[int, list[Enrolment]] = {}
    for enrolment in bookable:
        if enrolment.pk not in begun:
            idle.setdefault(enrolment.activity.service_id, []).append(enrolment)
    periods: dict[int, list[Period]] = {}
    for period in Period.objects.filter(
        service__in={e.activity.service_id for e in bookable}, archived_at=None, last_day__gte=today
    ).order_by("first_day"):
        periods.setdefault(period.service_id, []).append(period)
    for service_id, mine in idle.items():
        service = mine[0].activity.service
        names = list_words(e.child.first_name for e in mine)
        coming = periods.get(service_id, [])
        opens_at = {period.pk: own_opening(period, mine[0].household.audiences) for period in coming}
        first = next(iter(opens_at.values()), None)
        if any(instant is None or instant <= at for instant in opens_at.values()):
            yield Todo(
                title=_("Il reste à réserver les jours : %(service)s") % {"service": midsentence(service.name)},
                text=_("Inscription acceptée pour %(names)s") % {"names": names},
                icon=service.icon,
                accent=service.accent,
                url=reverse("portal:planning", args=[service.slug]),
                action=_("Réserver"),
                hidden=_(" les jours : %(service)s") % {"service": midsentence(service.name)},
            )
        elif first is not None:
            opens = opening_words(first, at=at, town=town)
            yield Todo(
                title=_("%(service)s : %(period)s") % {"service": service.short_name, "period": coming[0].name},
                text=_("Réservations ouvertes à partir du %(moment)s") % {"moment": opens},
                icon=service.icon,
                accent=service.accent,
                url=f"{reverse('portal:planning', args=[service.slug])}?periode={coming[0].slug}",
                action=_("Voir"),
                hidden=_(" l’ouverture : %(period)s") % {"period": coming[0].name},
            )


def _shortcuts(
    children: Sequence[HouseholdChild], bookable: Sequence[Enrolment], *, has_requests: bool
) -> tuple[Shortcut, ...]:
    """Only the ways that lead somewhere today."""
    enrol = Shortcut(label=_("Inscrire à un service"), icon="clipboard-list", url=reverse("portal:enrol"))
    found = []
    if bookable:
        found.append(Shortcut(label=_("Réserver ou annuler"), icon="calendar-plus", url=reverse("portal:plannings")))
        found.append(Shortcut(label=_("Signaler une absence"), icon="user-x", url=reverse("portal:absence")))
    if children:
        found.append(enrol)
    if has_requests:
        found.append(
            Shortcut(label=_("Suivre mes demandes"), icon="inbox", url=f"{reverse('portal:demarches')}#suivre")
        )
    found.append(Shortcut(label=_("Aide et contact"), icon="circle-question-mark", url=reverse("portal:help")))
    return tuple(found)


# ── the week ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _week(days: Days, children: Sequence[HouseholdChild], today: date, calendar: SchoolCalendar) -> WeekStrip | None:
    """This week; when nothing is left open in it, the next one that has something. None when four weeks hold
    nothing."""
    present = today - timedelta(days=today.weekday())
    open_days = {state.day for state in days.states.values() if state.places or state.booking}
    if any(today <= day < present + timedelta(days=7) for day in open_days):
        monday = present
    else:
        coming = [day for day in open_days if day > today]
        if not coming:
            return None
        monday = min(coming) - timedelta(days=min(coming).weekday())
    dates = [monday + ONE_DAY * n for n in range(7)]
    dates = [day for day in dates if day.weekday() < 5 or day in open_days]
    by_cell: dict[tuple[int, date], list[DayState]] = {}
    for state in days.states.values():
        if state.booking is not None and monday <= state.day <= dates[-1]:
            by_cell.setdefault((state.enrolment.child_id, state.day), []).append(state)
    rows = tuple(
        WeekRow(
            child=one,
            about=one.child.level or one.child.class_name,
            cells=tuple(
                _cell(by_cell.get((one.id, day), ()), day, days=days, today=today, calendar=calendar) for day in dates
            ),
        )
        for one in children
    )
    return WeekStrip(
        title=_("Cette semaine") if monday == present else _("Semaine du %(day)s") % {"day": day_words(monday)},
        caption=_("Présences prévues du %(first)s au %(last)s")
        % {"first": day_words(dates[0]), "last": day_words(dates[-1])},
        heads=tuple(
            WeekHead(
                short=f"{weekday_words(day.weekday())[:3]}.",
                number=str(day.day),
                words=day_words(day),
                today=day == today,
            )
            for day in dates
        ),
        rows=rows,
        is_present=monday == present,
        pending=any("wait" in slot.css for row in rows for cell in row.cells for slot in cell.slots),
    )


def _cell(states: Sequence[DayState], day: date, *, days: Days, today: date, calendar: SchoolCalendar) -> WeekCell:
    if states:
        ordered = sorted(states, key=lambda s: (s.enrolment.activity.service.position, s.unit.position, s.unit.pk))
        return WeekCell(today=day == today, slots=tuple(_slot(state, days=days, past=day < today) for state in ordered))
    try:
        holiday = calendar.public_holiday(day)
        period = calendar.holiday_period(day)
    except BeyondCalendar:
        holiday, period = None, None
    if holiday:
        return WeekCell(today=day == today, none=_("Férié : %(name)s") % {"name": holiday}, mark=_("Férié"))
    if period is not None:
        return WeekCell(today=day == today, none=period.name, mark="–")
    return WeekCell(today=day == today, none=_("Rien de réservé"), mark="–")


_SLOT_CSS = {"ok": "slot--ok", "wait": "slot--wait", "off": "slot--past", "stop": "slot--stop", "queue": "slot--queue"}


def _slot(state: DayState, *, days: Days, past: bool) -> Slot:
    assert state.booking is not None
    service = state.enrolment.activity.service
    booking = BookingState(state.booking.state)
    absent = state.booking.absence_id is not None and booking == BookingState.BOOKED
    look: Look = ABSENT_LOOK if absent else BOOKING_LOOKS[booking]
    several = len(days.units.get(service.pk, ())) > 1
    settled = booking == BookingState.BOOKED and not absent
    return Slot(
        icon=service.icon if settled else look.icon,
        word=state.unit.name if several else service.short_name,
        state=str(closed_as(state.closure).word if state.closure is not None else look.word),
        css="slot--absent" if absent else "slot--past" if past and settled else _SLOT_CSS.get(look.css, "slot--ok"),
    )


# ── what closes soon ────────────────────────────────────────────────────────────────────────────────────────────────


def _deadlines(days: Days, town: Municipality, at: datetime) -> tuple[Deadline, ...]:
    """What can still be changed for less than a day, soonest first."""
    closing: dict[tuple[datetime, int], set[date]] = {}
    services: dict[int, Service] = {}
    for state in days.states.values():
        verdict = state.may_add() if state.booking is None else state.may_remove()
        if isinstance(verdict, Allowed) and verdict.until is not None and at < verdict.until <= at + SOON:
            service = state.enrolment.activity.service
            services[service.pk] = service
            closing.setdefault((verdict.until, service.pk), set()).add(state.day)
    found = []
    for (until, service_id), dates in sorted(closing.items(), key=lambda pair: pair[0][0])[:2]:
        ordered = sorted(dates)
        if len(ordered) > 3:
            words = _("%(first)s à %(last)s") % {"first": day_words(ordered[0]), "last": day_words(ordered[-1])}
        else:
            words = list_words(day_words(day) for day in ordered)
        found.append(
            Deadline(
                service=services[service_id].short_name,
                days=words,
                until=near_moment_words(until, at=at, town=town),
            )
        )
    return tuple(found)
