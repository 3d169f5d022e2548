"""From the grid to the numbered request: choose, check, send."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from marelle.activities.models import BookingMode, Municipality, Service
from marelle.activities.queries import limits_of, municipality
from marelle.bookings.models import BasketLine, Enrolment
from marelle.bookings.queries.baskets import basket_lines
from marelle.bookings.queries.days import Days, DayState, basket_lines_among, live_enrolments, load_days
from marelle.bookings.services.baskets import (
    Clash,
    Key,
    Shown,
    add_days,
    basket_of,
    empty_basket,
    fill_basket,
    remove_line,
)
from marelle.bookings.services.sending import send_basket
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.queries import kids_of
from marelle.foundation.components.grid import Kid, unpack_seen
from marelle.foundation.sentences import day_words, limit_words, moment_words, sentence
from marelle.portal.navigation import tell_basket
from marelle.portal.planning import Month, MonthPage, is_editable, month_page, open_span, whole_menu
from marelle.requests.models import Act
from marelle.requests.queries import find_request
from marelle.rules.calendars import BeyondCalendar
from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.lifecycles import EnrolmentState
from marelle.rules.recurrence import days_of_week_template

SHOWN = (EnrolmentState.ACCEPTED, EnrolmentState.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Tab:
    service: Service
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a family stands in a service: all that the planning's views share."""

    town: Municipality
    service: Service
    tabs: list[Tab]
    live: list[Enrolment]  # accepted or asked, of all services
    enrolments: list[Enrolment]  # accepted, of this service
    waiting: list[Enrolment]  # asked, not answered yet
    kids: dict[int, Kid]

    @property
    def missing(self) -> list[Kid]:
        """The children of the household who have no enrolment in this service, even asked."""
        known = {enrolment.child_id for enrolment in (*self.enrolments, *self.waiting)}
        return [kid for child, kid in self.kids.items() if child not in known]


@require_safe
@guardian_required
def plannings(request: GuardianHttpRequest) -> HttpResponse:
    """The first service that the family may reserve; else the page that says how to begin."""
    enrolments = live_enrolments(household=request.household, states=SHOWN)
    services = sorted(
        {enrolment.activity.service for enrolment in enrolments},
        key=lambda service: (service.booking_mode != BookingMode.DAYS, service.position, service.id),
    )
    if services:
        return redirect("portal:planning", service=services[0].slug)
    return render(request, "portal/planning/none.html", {"waiting": False})


@guardian_required
def planning(request: GuardianHttpRequest, service: str) -> HttpResponse:
    """The month of a service. POST brings the basket to what the boxes say, then does what the pressed button asks."""
    place = _place(request, service)
    if place.service.booking_mode != BookingMode.DAYS or not place.enrolments:
        if request.method == "POST":
            raise Http404
        return render(request, "portal/planning/closed.html", {"place": place})
    if request.method == "POST":
        return _planning_post(request, place)
    month = _month(request, place)
    if isinstance(month, HttpResponse):
        return month
    lines = basket_lines_among(place.live, user=request.user, household=request.household)
    tell_basket(request, len(lines))
    try:
        page = month_page(
            town=place.town,
            service=place.service,
            enrolments=place.enrolments,
            kids=place.kids,
            basket=lines,
            month=month,
            at=request.at,
            unfolded="tout" in request.GET,
        )
    except BeyondCalendar as fault:
        return render(request, "portal/planning/beyond.html", {"place": place, "fault": fault}, status=404)
    context = (
        _panel(place, lines, page.days.states.keys())
        | _month_links(place, page, request)
        | {
            "municipality": place.town,
            "place": place,
            "page": page,
            "menu": whole_menu(month),
            "legend": page.legend,
            "limit": limit_words(limits_of(place.town, place.service, page.days.units[place.service.id][0]).book),
            "template": template_form(place, page.days, month),
            "contacts": contacts_of(place),
        }
    )
    return render(request, "portal/planning/month.html", context)


@dataclass(frozen=True, slots=True)
class Contact:
    name: str
    email: str
    phone: str


def contacts_of(place: Place) -> list[Contact]:
    """Whom to write to for what cannot be done on line: the service's own address, else the children's sites', else the
    town's."""
    service, town = place.service, place.town
    if service.contact_email or service.contact_phone:
        return [Contact(service.name, service.contact_email, service.contact_phone)]
    sites = {e.activity.site_id: e.activity.site for e in place.enrolments if e.activity.site.email}
    if sites:
        return [Contact(site.name, site.email, site.phone) for site in sites.values()]
    return [Contact(town.department_name or town.name, town.email, town.phone)]


def _planning_post(request: GuardianHttpRequest, place: Place) -> HttpResponse:
    month = Month.parse(request.POST.get("mois", "")) or Month.of(request.at.astimezone(place.town.tz).date())
    shown = _shown(request, place)
    dates = {day for _child, _unit, day in shown}
    action = request.POST.get("do", "save")
    if action.startswith(("row", "col", "all")):
        days = load_days(
            town=place.town, enrolments=place.enrolments, at=request.at, first=month.first, last=month.last
        )
    else:
        days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, dates=dates)
    if any(key not in days.states for key in shown):
        # A day that closed since the page was drawn is told as such; another family's child is nobody's business.
        children = {enrolment.child_id for enrolment in place.enrolments}
        units = {unit.id for unit in days.units[place.service.id]}
        if any(child not in children or unit not in units for child, unit, _day in shown):
            raise Http404
        gone = [key for key in shown if key not in days.states]
        for key in gone:
            if shown[key].ticked and shown[key].was == "free":
                messages.warning(request, _("%(day)s : ce jour a fermé entre-temps.") % {"day": day_words(key[2])})
            del shown[key]
    _basket, clashes = fill_basket(
        user=request.user, household=request.household, days=days, shown=shown, at=request.at
    )
    _tell_clashes(request, clashes, place)
    if action == "keep":  # sent by the page as it closes: nobody reads the answer
        return HttpResponse(status=204)
    here = f"{reverse('portal:planning', args=[place.service.slug])}?mois={month}"
    if action == "check":
        return redirect("portal:check")
    if action == "undo":
        count = empty_basket(user=request.user, household=request.household, service_id=place.service.id)
        messages.info(request, ngettext("%(n)d changement effacé.", "%(n)d changements effacés.", count) % {"n": count})
        return redirect(here)
    if action.startswith("go:"):
        return redirect(request.path + f"?mois={Month.parse(action[3:]) or month}")
    if action.startswith("tab:"):
        return redirect("portal:planning", service=action[4:])
    if action == "template":
        return redirect(f"{reverse('portal:week_template', args=[place.service.slug])}?mois={month}")
    if action.startswith(("row", "col", "all")):
        _bulk(request, place, days, action)
    return redirect(here)


def _bulk(request: GuardianHttpRequest, place: Place, days: Days, action: str) -> None:
    """A menu's act on the displayed days, for who has no JavaScript: recorded days are only unticked by "off"."""
    parts = action.split("-")
    what, sets = parts[0], "off" if "off" in parts else "on"
    only = int(parts[-1]) if what == "col" and parts[-1].isdigit() and len(parts) == 4 else None
    chosen: dict[Key, Shown] = {}
    skipped: list[tuple[DayState, Decision]] = []
    for state in days.states.values():
        if what == "col" and str(state.day.weekday()) != parts[1]:
            continue
        if what == "row" and state.day.isocalendar()[:2] != _week_of("-".join(parts[1:4])):
            continue
        if only is not None and state.enrolment.child_id != only:
            continue
        if not is_editable(state, today=days.today) or state.refusal is not None:
            if sets == "on" and state.booking is None and state.day >= days.today:
                skipped.append((state, state.may_add()))
            continue
        chosen[state.key] = Shown(was=state.was, ticked=sets == "on")
    fill_basket(user=request.user, household=request.household, days=days, shown=chosen, at=request.at)
    count = len(chosen)
    text = (
        ngettext("%(n)d jour coché.", "%(n)d jours cochés.", count)
        if sets == "on"
        else ngettext("%(n)d jour décoché.", "%(n)d jours décochés.", count)
    ) % {"n": count}
    messages.success(request, text)
    _tell_skipped(request, skipped, place)


def _week_of(text: str) -> tuple[int, int]:
    try:
        year, week, _weekday = date.fromisoformat(text).isocalendar()
    except ValueError:
        raise Http404 from None
    return year, week


@guardian_required
def week_template(request: GuardianHttpRequest, service: str) -> HttpResponse:
    """The typical week: tick weekdays for each child, and the free days of the chosen span go in the basket."""
    place = _place(request, service)
    if place.service.booking_mode != BookingMode.DAYS or not place.enrolments:
        raise Http404
    source = request.POST if request.method == "POST" else request.GET
    month = Month.parse(source.get("mois", "")) or open_span(
        enrolments=place.enrolments, today=request.at.astimezone(place.town.tz).date()
    ).default_month(request.at.astimezone(place.town.tz).date())
    today = request.at.astimezone(place.town.tz).date()
    if request.method == "POST":
        first, last = _template_span(place, month, request.POST.get("span", "month"), today=today)
        days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, first=first, last=last)
        return _apply_template(request, place, days, month, first=first, last=last)
    days = load_days(town=place.town, enrolments=place.enrolments, at=request.at, first=month.first, last=month.last)
    return render(
        request,
        "portal/planning/week_template.html",
        {"place": place, "month": month, "template": template_form(place, days, month)},
    )


@dataclass(frozen=True, slots=True)
class TemplateBox:
    name: str
    weekday: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class TemplateRow:
    kid: Kid
    unit: str
    boxes: list[TemplateBox | None]


@dataclass(frozen=True, slots=True)
class TemplateForm:
    weekdays: list[str]
    rows: list[TemplateRow]
    month: str
    month_words: str
    year_label: str


def template_form(place: Place, days: Days, month: Month) -> TemplateForm:
    """Children × weekdays, ticked as the enrolment's usual days say; the weekdays are those of the months shown."""
    weekdays = sorted({state.day.weekday() for state in days.states.values() if state.places}) or [0, 1, 3, 4]
    units = days.units[place.service.id]
    rows = []
    for enrolment in place.enrolments:
        kid = place.kids.get(enrolment.child_id)
        if kid is None or not (
            enrolment.school_year.first_day <= month.last and month.first <= enrolment.school_year.last_day
        ):
            continue
        for unit in units:
            rows.append(
                TemplateRow(
                    kid=kid,
                    unit=unit.name if len(units) > 1 else "",
                    boxes=[
                        TemplateBox(
                            name=f"{enrolment.child_id}.{unit.id}.{weekday}",
                            weekday=str(WEEKDAYS[weekday]),
                            ticked=weekday in enrolment.usual_weekdays,
                        )
                        for weekday in weekdays
                    ],
                )
            )
    year = place.enrolments[0].school_year
    return TemplateForm(
        weekdays=[str(WEEKDAYS[weekday]).capitalize() for weekday in weekdays],
        rows=rows,
        month=str(month),
        month_words=month.words,
        year_label=year.label,
    )


def _template_span(place: Place, month: Month, span: str, *, today: date) -> tuple[date, date]:
    years = [enrolment.school_year for enrolment in place.enrolments]
    if span == "year":
        return max(today, min(year.first_day for year in years)), max(year.last_day for year in years)
    return max(today, month.first_day), month.last_day


def _apply_template(
    request: GuardianHttpRequest, place: Place, days: Days, month: Month, *, first: date, last: date
) -> HttpResponse:
    wanted: dict[tuple[int, int], set[int]] = {}
    for value in request.POST.getlist("day"):
        try:
            child, unit, weekday = (int(part) for part in value.split("."))
        except ValueError:
            raise Http404 from None
        wanted.setdefault((child, unit), set()).add(weekday)
    children = {enrolment.child_id for enrolment in place.enrolments}
    units = {unit.id for unit in days.units[place.service.id]}
    if any(child not in children or unit not in units for child, unit in wanted):
        raise Http404
    here = f"{reverse('portal:planning', args=[place.service.slug])}?mois={month}"
    if not wanted:
        messages.error(request, _("Cochez au moins un jour de la semaine type."))
        return redirect(f"{reverse('portal:week_template', args=[place.service.slug])}?mois={month}")
    added: list[DayState] = []
    skipped: list[tuple[DayState, Decision]] = []
    for (child, unit), weekdays in wanted.items():
        mine = {state.day: state for key, state in days.states.items() if key[:2] == (child, unit)}
        for day in days_of_week_template(weekdays=weekdays, first=first, last=last, open_days=mine.keys()):
            state = mine[day]
            if state.booking is not None or state.day < days.today:
                continue
            verdict = state.may_add()
            if isinstance(verdict, Allowed) and state.refusal is None:
                added.append(state)
            elif isinstance(verdict, Refused):
                skipped.append((state, verdict))
    add_days(user=request.user, household=request.household, states=added, at=request.at)
    noun = place.service.unit_noun if len(added) == 1 else place.service.unit_noun_plural
    if added:
        messages.success(
            request,
            _("%(n)d %(noun)s à ajouter. Vérifiez, puis envoyez.") % {"n": len(added), "noun": noun},
        )
    else:
        messages.info(request, _("Rien à ajouter : ces jours sont déjà demandés, ou ne peuvent plus l’être."))
    _tell_skipped(request, skipped, place)
    return redirect(here)


@require_safe
@guardian_required
def check(request: GuardianHttpRequest) -> HttpResponse:
    """Everything in the basket, as sentences, with each day's limit and what would be refused now."""
    town = municipality()
    household = request.household
    lines = basket_lines(user=request.user, household=household)
    tell_basket(request, len(lines))
    basket = lines[0].basket if lines else basket_of(user=request.user, household=household, at=request.at)
    days = load_days(
        town=town,
        enrolments=list({line.enrolment_id: line.enrolment for line in lines}.values()),
        at=request.at,
        dates={line.date for line in lines},
    )
    kids = kids_of(household)
    checked = [_checked(line, days, town, kids) for line in lines]
    groups = [
        {"kid": kid, "lines": list(found)} for kid, found in groupby(checked, key=lambda line: kids[line.line.child_id])
    ]
    problems = [line for line in checked if line.problem]
    return render(
        request,
        "portal/planning/check.html",
        {
            "municipality": town,
            "steps": [_("Choisir"), _("Vérifier"), _("Terminé")],
            "groups": groups,
            "problems": problems,
            "ready": len(checked) - len(problems),
            "send_key": basket.send_key,
            "sent_number": _own_number(request),
            "asked": any(line.asked for line in checked if not line.problem),
        },
    )


def _own_number(request: GuardianHttpRequest) -> str:
    """The number of the request just sent, when some of its lines stayed here; nothing for one that is not theirs."""
    number = request.GET.get("envoyee", "")
    return number if number and find_request(number, household=request.household) else ""


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line of the check: `sentence` ("Ajouter lundi 23 novembre"), `until` in words, or the `problem` that stops
    it."""

    line: BasketLine
    kid: Kid
    adds: bool
    sentence: str
    service: str
    site: str
    unit: str
    until: str
    problem: str
    asked: bool


def _checked(line: BasketLine, days: Days, town: Municipality, kids: Mapping[int, Kid]) -> CheckedLine:
    adds = line.act == Act.BOOK
    state = days.states.get((line.child_id, line.unit_id, line.date))
    verdict: Decision
    if state is None:
        verdict = Refused(Reason.CLOSED)
    elif state.was != line.was:
        verdict = Refused(Reason.CHANGED_MEANWHILE, {"state": state.was})
    else:
        verdict = state.may_add() if adds else state.may_remove()
    service = line.enrolment.activity.service
    day = day_words(line.date)
    until = moment_words(verdict.until, town.tz) if isinstance(verdict, Allowed) and verdict.until else ""
    withdraws = line.was == "pending"
    words = _("Ajouter %(day)s") if adds else _("Retirer %(day)s") if withdraws else _("Annuler %(day)s")
    return CheckedLine(
        line=line,
        kid=kids[line.child_id],
        adds=adds,
        sentence=words % {"day": day},
        service=service.short_name,
        site=line.enrolment.activity.site.name,
        unit=line.unit.name if len(days.units.get(service.id, ())) > 1 else "",
        until=until,
        problem=sentence(verdict, town.tz) if isinstance(verdict, Refused) else "",
        asked=(service.validation_book if adds else service.validation_cancel) == "asked" and not withdraws,
    )


@require_POST
@guardian_required
def send(request: GuardianHttpRequest) -> HttpResponse:
    """Send what the check showed. A repeated send lands on the same request."""
    try:
        key = uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None
    sending = send_basket(
        town=municipality(), user=request.user, household=request.household, send_key=key, at=request.at
    )
    if sending.request is None:
        if not sending.unsent:
            messages.info(request, _("Il n’y a rien à envoyer : votre demande est déjà partie, ou elle est vide."))
            return redirect("portal:check")
        messages.error(request, _("Aucun jour n’a pu être envoyé. Voici pourquoi."))
        return redirect("portal:check")
    if sending.unsent:
        messages.warning(
            request,
            ngettext(
                "%(n)d jour n’a pas pu être envoyé : il reste dans votre sélection, avec la raison.",
                "%(n)d jours n’ont pas pu être envoyés : ils restent dans votre sélection, avec la raison.",
                len(sending.unsent),
            )
            % {"n": len(sending.unsent)},
        )
        return redirect(f"{reverse('portal:check')}?envoyee={sending.request.number}")
    return redirect(f"{reverse('portal:request', args=[sending.request.number])}?envoyee=1")


@require_POST
@guardian_required
def remove(request: GuardianHttpRequest, line: int) -> HttpResponse:
    remove_line(user=request.user, household=request.household, line_id=line)
    return redirect("portal:check")


# ── what the views share ────────────────────────────────────────────────────────────────────────────────────────────


def _place(request: GuardianHttpRequest, slug: str) -> Place:
    """The service as this household stands in it; a service that the town does not have is a 404."""
    town = municipality()
    enrolments = live_enrolments(household=request.household, states=SHOWN)
    services = {e.activity.service_id: e.activity.service for e in enrolments}
    ordered = sorted(services.values(), key=lambda service: (service.position, service.id))
    service = next((found for found in ordered if found.slug == slug), None)
    if service is None:
        service = Service.objects.filter(slug=slug, archived_at=None).first()
        if service is None:
            raise Http404
    mine = [e for e in enrolments if e.activity.service_id == service.id]
    return Place(
        town=town,
        service=service,
        tabs=[
            Tab(service=found, url=reverse("portal:planning", args=[found.slug]), current=found.id == service.id)
            for found in ordered
        ],
        live=enrolments,
        enrolments=[e for e in mine if e.state == EnrolmentState.ACCEPTED],
        waiting=[e for e in mine if e.state == EnrolmentState.SUBMITTED],
        kids=kids_of(request.household),
    )


def _month(request: GuardianHttpRequest, place: Place) -> Month | HttpResponse:
    asked = request.GET.get("mois", "")
    month = Month.parse(asked)
    if month is None:
        today = request.at.astimezone(place.town.tz).date()
        month = open_span(enrolments=place.enrolments, today=today).default_month(today)
        if asked:
            return redirect(f"{request.path}?mois={month}")
    return month


def _month_links(place: Place, page: MonthPage, request: GuardianHttpRequest) -> dict[str, object]:
    today = page.days.today
    years = [enrolment.school_year for enrolment in place.enrolments]
    first, last = min(year.first_day for year in years), max(year.last_day for year in years)
    before, after = page.month.shifted(-1), page.month.shifted(1)
    return {
        "month": page.month,
        "before": before if before.last_day >= first else None,
        "after": after if after.first_day <= last else None,
        "is_current": page.month == Month.of(today),
        "current": Month.of(today) if first <= today <= last else None,
    }


def _shown(request: GuardianHttpRequest, place: Place) -> dict[Key, Shown]:
    """The cells that the page showed, and how they came back. A form that is not ours is a 404."""
    ticked = set(request.POST.getlist("want"))
    shown: dict[Key, Shown] = {}
    for packed, css in unpack_seen(request.POST.getlist("seen")).items():
        try:
            child, unit, day = packed.split(".")
            key = int(child), int(unit), date.fromisoformat(day)
        except ValueError:
            raise Http404 from None
        # A refused day is free again: the page shows the refusal, the basket sees a free day.
        shown[key] = Shown(was=css if css in {"pending", "booked"} else "free", ticked=packed in ticked)
    return shown


def _panel(place: Place, lines: Sequence[BasketLine], shown: Collection[Key]) -> dict[str, object]:
    """The basket beside the grid: the lines of the cells shown, and in a few words those of other months and
    services."""
    here = [line for line in lines if (line.child_id, line.unit_id, line.date) in shown]
    elsewhere = [line for line in lines if (line.child_id, line.unit_id, line.date) not in shown]
    words = []
    by_month = sorted(elsewhere, key=lambda line: (line.enrolment.activity.service.position, line.date))
    for (service, month), found in groupby(
        by_month, key=lambda line: (line.enrolment.activity.service.short_name, Month.of(line.date))
    ):
        what = _change_words(list(found))
        words.append(_("%(service)s, %(month)s : %(what)s") % {"service": service, "month": month.words, "what": what})
    return {
        "basket_lines": [
            {
                "kid": place.kids.get(line.child_id),
                "adds": line.act == Act.BOOK,
                "day": day_words(line.date),
                "cents": None,
            }
            for line in here
        ],
        "basket_elsewhere": words,
        "basket_extra_add": sum(line.act == Act.BOOK for line in elsewhere),
        "basket_extra_drop": sum(line.act == Act.CANCEL for line in elsewhere),
        "basket_summary": _change_words(lines),
    }


def _change_words(lines: Sequence[BasketLine]) -> str:
    """ "3 ajouts, 1 annulation"."""
    added = sum(line.act == Act.BOOK for line in lines)
    removed = len(lines) - added
    parts = []
    if added:
        parts.append(ngettext("%(n)d ajout", "%(n)d ajouts", added) % {"n": added})
    if removed:
        parts.append(ngettext("%(n)d annulation", "%(n)d annulations", removed) % {"n": removed})
    return ", ".join(parts)


def _tell_clashes(request: GuardianHttpRequest, clashes: Sequence[Clash], place: Place) -> None:
    for clash in clashes[:5]:
        kid = place.kids.get(clash.key[0])
        messages.warning(
            request,
            _("%(day)s, %(name)s : %(why)s.")
            % {
                "day": day_words(clash.key[2]).capitalize(),
                "name": kid.name if kid else "",
                "why": sentence(clash.refusal, place.town.tz),
            },
        )


def _tell_skipped(request: GuardianHttpRequest, skipped: Sequence[tuple[DayState, Decision]], place: Place) -> None:
    if not skipped:
        return
    state, verdict = skipped[0]
    kid = place.kids.get(state.enrolment.child_id)
    why = sentence(verdict, place.town.tz) if isinstance(verdict, Refused) else _("déjà refusé")
    messages.info(
        request,
        ngettext("%(n)d jour laissé de côté : %(day)s, %(name)s : %(why)s.",
                 "%(n)d jours laissés de côté, le premier %(day)s, %(name)s : %(why)s.", len(skipped))
        % {"n": len(skipped), "day": day_words(state.day), "name": kid.name if kid else "", "why": why},
    )  # fmt: skip
