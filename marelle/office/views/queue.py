"""The queue of requests: find one, open it, answer it, or accept several at once."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_update
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts.models import AgentRole
from marelle.accounts.permissions import agent_required
from marelle.activities.models import Municipality, Service, Site
from marelle.activities.queries import municipality
from marelle.bookings.services.answers import answer_request
from marelle.bookings.services.completing import ask_more
from marelle.foundation.sentences import day_words, list_words, moment_words, time_words
from marelle.foundation.typed import typed
from marelle.office.answer_form import AnswerForm
from marelle.office.examination import Examination, Side, examine
from marelle.office.kinds import Answering, kind_of
from marelle.office.queue import Readings, line_words, must_be_read, sites_of, waiting_words
from marelle.office.refusals import MODELS, reason_from
from marelle.office.remainders import left_alone
from marelle.office.thread import Thread, thread_of
from marelle.requests.models import OF_SERVICES, Act, FamilyRequest, RequestKind, RequestLine
from marelle.requests.queries import Pile, Sought, find_among, pile_counts, queue, visible, waiting, with_lines
from marelle.requests.services import AlreadyAnswered, Answer, Unsettled, Verdict, mark_opened
from marelle.rules.lifecycles import LineState

PAGE = 20
#: How far "previous" and "next" look.
NEIGHBOURS = 1000
KEYS = "keys"
#: Piles that make no chip of their own while they are empty.
SHOWN_WHEN_NEEDED = frozenset({Pile.PAPERS, Pile.FAMILIES, Pile.QUESTIONS, Pile.MINE, Pile.MESSAGES})


@dataclass
class Desk:
    """An agent before the queue: who, when, which part of it. Read from the request and from the address."""

    request: HttpRequest
    town: Municipality = field(default_factory=municipality)

    @cached_property
    def sites(self) -> tuple[int, ...]:
        return sites_of(self.request.agent)  # type: ignore[attr-defined]

    @property
    def agent(self) -> AgentRole:
        role: AgentRole = self.request.agent  # type: ignore[attr-defined]
        return role

    @property
    def reader(self) -> int:
        return self.request.user.pk or 0

    @cached_property
    def today(self) -> date:
        return self.request.at.astimezone(self.town.tz).date()  # type: ignore[attr-defined]

    @cached_property
    def sought(self) -> Sought:
        asked = {name: str(value).replace("\x00", "") for name, value in self.request.GET.items()}
        pile = asked.get("voir", "")
        return Sought(
            pile=Pile(pile) if pile in set(Pile) else Pile.WAITING,
            service=asked.get("service", ""),
            site=asked.get("site", ""),
            words=asked.get("q", "").strip()[:100],
            reader=self.reader,
        )

    @cached_property
    def query(self) -> str:
        """The address's part that keeps the agent where they are in the queue: "?voir=…&page=2", or ""."""
        return self.query_with()

    def query_with(self, **changes: str) -> str:
        said = {
            "voir": "" if self.sought.pile == Pile.WAITING else self.sought.pile.value,
            "service": self.sought.service,
            "site": self.sought.site,
            "q": self.sought.words,
            "page": self.request.GET.get("page", ""),
        } | changes
        kept = {key: value for key, value in said.items() if value}
        return f"?{urlencode(kept)}" if kept else ""

    @cached_property
    def found(self) -> "QuerySet[FamilyRequest]":
        return queue(
            self.sought,
            today=self.today,
            tz=self.town.tz,
            answer_days=self.town.answer_working_days,
            sites=self.sites,
        )

    def readings(self, requests: Sequence[FamilyRequest]) -> Readings:
        return Readings(requests, town=self.town, at=self.request.at, sites=self.sites)  # type: ignore[attr-defined]

    def load(self, number: str) -> FamilyRequest:
        """The request of this number with its lines, if this agent may see it; 404 otherwise."""
        found = find_among(with_lines(visible(self.sites)), number)
        if found is None:
            raise Http404
        return found

    def neighbours(self, current: int) -> tuple[str, str]:
        """The numbers of the requests before and after this one in the queue as sought, "" where there is none."""
        listed = self.found.values_list("id", "sent_year")[:NEIGHBOURS]
        order = [FamilyRequest(id=id, sent_year=year) for id, year in listed]
        at = next((n for n, one in enumerate(order) if one.pk == current), -1)
        before = order[at - 1].number if at > 0 else ""
        return before, order[at + 1].number if at + 1 < len(order) else ""


@csp_update({"frame-src": ["'self'"]})
@require_safe
@agent_required()
def index(request: HttpRequest) -> HttpResponse:
    """The list and, beside it, the request that presses most."""
    return _page(Desk(request))


@csp_update({"frame-src": ["'self'"]})
@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def detail(request: HttpRequest, number: str) -> HttpResponse:
    """One request: read it, and answer it whole or line by line.

    A refusal without a reason comes back with what was typed (422); a request answered meanwhile is shown as it is now,
    with who answered (409).
    """
    desk = Desk(request)
    opened = desk.load(number)
    if request.method != "POST":
        return _page(desk, opened=opened)
    return _answer(desk, opened)


@require_POST
@agent_required()
def hold(request: HttpRequest, number: str) -> HttpResponse:
    """Say to the other agents that one is looking at this request. The page's script sends it when it opens."""
    desk = Desk(request)
    opened = desk.load(number)
    mark_opened(request_id=opened.id, by=request.user, at=request.at)  # type: ignore[arg-type,attr-defined]
    return redirect(_address(opened.number, desk))


@require_POST
@agent_required()
def accept_several(request: HttpRequest) -> HttpResponse:
    """Accept all that the ticked requests still ask, or refuse it with one reason (`do` is "refuser"); each in a
    transaction of its own. What must be read first is left, and said, as is what could not be."""
    desk = Desk(request)
    ids = [int(id) for id in request.POST.getlist("d") if id.isascii() and id.isdecimal() and len(id) < 13][:100]
    back = redirect(reverse("office:queue") + desk.query_with(page=""))
    if not ids:
        messages.warning(request, _("Cochez d’abord les demandes."))
        return back
    refusing = request.POST.get("do") == "refuser"
    reason = reason_from(kind=RequestKind.QUESTION, slug="", words=typed(request.POST, "motif", most=500))
    if refusing and not reason:
        messages.warning(request, _("Indiquez le motif du refus : les familles le lisent."))
        return back
    verdict = Verdict(accept=not refusing, reason=reason if refusing else "")
    requests = {found.id: found for found in with_lines(visible(desk.sites)).filter(id__in=ids)}
    readings = desk.readings(list(requests.values()))
    accepted = 0
    for id in ids:
        if id not in requests:
            continue
        if must_be_read(requests[id]):
            messages.warning(request, one_by_one_words(requests[id]))
            continue
        try:
            answer = _answer_whole(desk, requests[id], readings.pending_lines(requests[id]), verdict)
        except AlreadyAnswered as first:
            messages.warning(request, already_words(first, desk.town))
            continue
        except Unsettled as fault:
            said = {"number": requests[id].number, "why": fault}
            messages.warning(request, _("Demande n° %(number)s : %(why)s") % said)
            continue
        if answer.without_place:
            messages.warning(request, without_place_words(answer))
        accepted += bool(answer.answered)
    if accepted:
        if refusing:
            done = ngettext("%(n)d demande refusée.", "%(n)d demandes refusées.", accepted)
        else:
            done = ngettext("%(n)d demande acceptée.", "%(n)d demandes acceptées.", accepted)
        messages.success(request, done % {"n": accepted})
    return back


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def keys(request: HttpRequest) -> HttpResponse:
    """The keyboard's shortcuts, and whether they are on in this session."""
    if request.method == "POST":
        request.session[KEYS] = "on" if request.POST.get("actifs") else "off"
        return redirect("office:queue")
    return render(request, "office/queue/keys.html", {"keys_on": request.session.get(KEYS) != "off"})


def _answer_whole(desk: Desk, request: FamilyRequest, lines: Sequence[RequestLine], verdict: Verdict) -> Answer:
    if not lines:
        raise AlreadyAnswered(request, _last_answer(request), request.answered_at)
    return answering(request)(
        request_id=request.id,
        verdicts={line.id: verdict for line in lines},
        by=desk.request.user,  # type: ignore[arg-type]
        at=desk.request.at,  # type: ignore[attr-defined]
    )


def answering(request: FamilyRequest) -> Answering:
    """Who carries out the answers to this request."""
    return answer_request if request.kind in OF_SERVICES else kind_of(request).answer


def _answer(desk: Desk, opened: FamilyRequest) -> HttpResponse:
    """Do what the form says; afterwards go to the next request of the queue, or back to the page of the day."""
    request = desk.request
    do = request.POST.get("do", "")
    if do not in ("accepter", "refuser", "lignes", "demander"):
        return HttpResponseBadRequest()
    readings = desk.readings([opened])
    examination = examine(readings, opened, agent=desk.agent)
    form = AnswerForm.sent(request.POST, examination)
    shown = {int(id) for id in request.POST.get("lues", "").split() if id.isdecimal() and len(id) < 13}
    waits = {choice.row.line.id for choice in form.choices}
    gone = shown - waits
    if gone or not waits:
        # Another answer came between this page and its form: nothing is done, the agent reads what stands now.
        line = next((row.line for row in examination.lines if row.line.id in gone), None)
        fault = AlreadyAnswered(
            opened,
            line.answered_by_label if line else _last_answer(opened),
            line.answered_at if line else opened.answered_at,
        )
        return _page(desk, opened=opened, already=fault, status=409)
    if do == "demander":
        return _ask_more(desk, opened, form, examination)
    if do == "refuser":
        form.refuse_all()
    verdicts: Mapping[int, Verdict] = form.accept_all() if do == "accepter" else form.verdicts()
    if not verdicts:
        return _page(desk, opened=opened, form=form, status=422)
    if opened.kind in OF_SERVICES and not form.anyway:
        facts = readings.facts[opened.id]
        form.hold_back(left_alone(facts, verdicts, town=desk.town, at=request.at))  # type: ignore[attr-defined]
        if form.breaks:
            return _page(desk, opened=opened, form=form, status=422)
    _before, after = desk.neighbours(opened.id)
    try:
        answer = answering(opened)(
            request_id=opened.id,
            verdicts=verdicts,
            by=request.user,  # type: ignore[arg-type]
            at=request.at,  # type: ignore[attr-defined]
        )
    except AlreadyAnswered as fault:
        return _page(desk, opened=desk.load(opened.number), already=fault, status=409)
    except Unsettled as fault:
        form.problems = [{"text": str(fault), "href": "#reponse"}]
        return _page(desk, opened=opened, form=form, status=422)
    if answer.answered:
        messages.success(request, answered_words(opened, answer))
    if answer.without_place:
        messages.warning(request, without_place_words(answer))
        return redirect(_address(opened.number, desk))
    if request.POST.get("retour") == "jour":
        return redirect("office:home")
    return redirect(_address(after, desk) if after else reverse("office:queue") + desk.query_with(page=""))


def _ask_more(desk: Desk, opened: FamilyRequest, form: AnswerForm, examination: Examination) -> HttpResponse:
    """Ask the family for what its enrolments lack; they stay to be answered."""
    request = desk.request
    if not examination.asked.can_ask_more:
        return HttpResponseBadRequest()
    form.more = typed(request.POST, "complement", most=500)
    if not form.more:
        form.more_error = _("Indiquez ce qui manque : la famille le lit.")
        form.problems = [{"text": form.more_error, "href": "#complement"}]
        return _page(desk, opened=opened, form=form, status=422)
    lines = [choice.row.line.id for choice in form.choices if choice.row.line.act == Act.ENROL]
    try:
        ask_more(request_id=opened.id, line_ids=lines, what=form.more, by=request.user, at=request.at)  # type: ignore[arg-type, attr-defined]
    except AlreadyAnswered as fault:
        return _page(desk, opened=desk.load(opened.number), already=fault, status=409)
    messages.success(request, _("Complément demandé à la famille : elle reçoit un e-mail."))
    return redirect(_address(opened.number, desk))


def _address(number: str, desk: Desk) -> str:
    return reverse("office:request", args=[number]) + desk.query + "#detail"


def show(desk: Desk, opened: FamilyRequest, *, model: str, words: str, problem: str, send_key: str) -> HttpResponse:
    """The page of a request whose message is not sent: `problem` says why, what was typed stands (422)."""
    said = {"model": model, "typed": words, "problem": problem, "send_key": send_key}
    return _page(desk, opened=opened, message=said, status=422)


def _thread(desk: Desk, examination: Examination, message: Mapping[str, str]) -> Thread:
    opened = examination.request
    return thread_of(
        opened,
        town=desk.town,
        agent=desk.agent,
        can_close=opened.kind == RequestKind.QUESTION and examination.is_open,
        at=desk.request.at,  # type: ignore[attr-defined]
        **{"send_key": str(uuid.uuid4())} | dict(message),
    )


def _page(
    desk: Desk,
    *,
    opened: FamilyRequest | None = None,
    form: AnswerForm | None = None,
    already: AlreadyAnswered | None = None,
    message: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    request, town = desk.request, desk.town
    at, reader = request.at, desk.reader  # type: ignore[attr-defined]
    page: Page[Any] = Paginator(with_lines(desk.found), PAGE).get_page(request.GET.get("page"))
    listed = list(page)
    chosen = opened is not None
    if opened is None:
        # What tells of health is opened by who means to read it: each reading is written down.
        opened = next((one for one in listed if not one.is_health), None)
    read = listed if opened is None or opened in listed else [*listed, opened]
    if chosen and opened is not None:
        # As the caller loaded it: after a clash, the list may hold it older.
        read = [opened if one == opened else one for one in read]
    readings = desk.readings(read)
    side = Side(request.GET["vue"]) if request.GET.get("vue") in set(Side) else Side.CHANGES
    examination = examine(readings, opened, agent=desk.agent, side=side) if opened is not None else None
    before, after = desk.neighbours(opened.id) if opened is not None else ("", "")
    counts = pile_counts(desk.sought, sites=desk.sites)
    all_waiting = waiting(desk.sites)
    services = Service.objects.filter(archived_at=None)
    sites = Site.objects.filter(archived_at=None)
    if desk.sites:
        sites = sites.filter(id__in=desk.sites)
    answer = render(
        request,
        "office/queue/index.html",
        {
            "municipality": town,
            "page": page,
            "rows": [readings.row(one, reader=reader) for one in listed],
            "examination": examination,
            "is_detail": chosen,
            "thread": _thread(desk, examination, message or {}) if examination is not None else None,
            "form": (form or AnswerForm.blank(examination))
            if examination is not None and examination.is_open
            else None,
            "models": (MODELS.get(opened.kind) or kind_of(opened).refusals) if opened is not None else (),
            "already": already_words(already, town) if already is not None else "",
            "previous": before,
            "next": after,
            "sought": desk.sought,
            "piles": _piles(desk, counts),
            "services": services,
            "sites": sites,
            "query": desk.query,
            "sides": _sides(desk, examination),
            "now_words": _("%(day)s, %(time)s")
            % {"day": day_words(desk.today), "time": time_words(at.astimezone(town.tz).time())},
            "waiting": all_waiting,
            "oldest": waiting_words(at - all_waiting.oldest) if all_waiting.oldest else "",
            "opened_words": _opened_words(examination, desk),
            "keys_on": request.session.get(KEYS) != "off",
        },
        status=status,
    )
    if opened is not None and opened.is_health:
        answer["Cache-Control"] = "private, no-store"
    return answer


def _piles(desk: Desk, counts: Mapping[Pile, int]) -> list[dict[str, Any]]:
    labels = {
        Pile.WAITING: _("À traiter"),
        Pile.BOOKINGS: _("Réservations"),
        Pile.ENROLMENTS: _("Inscriptions"),
        Pile.PAPERS: _("Pièces"),
        Pile.FAMILIES: _("Familles"),
        Pile.QUESTIONS: _("Autres demandes"),
        Pile.MINE: _("Mes demandes"),
        Pile.MESSAGES: _("Messages non lus"),
        Pile.ANSWERED: _("Répondues"),
    }
    return [
        {
            "label": label,
            "count": counts[pile],
            "current": pile == desk.sought.pile,
            "url": reverse("office:queue") + desk.query_with(voir="" if pile == Pile.WAITING else pile.value, page=""),
        }
        for pile, label in labels.items()
        if pile not in SHOWN_WHEN_NEEDED or counts[pile] or pile == desk.sought.pile
    ]


def _sides(desk: Desk, examination: Examination | None) -> list[dict[str, Any]]:
    if examination is None or not examination.grids:
        return []
    address = reverse("office:request", args=[examination.request.number])
    labels = {Side.BEFORE: _("Avant"), Side.CHANGES: _("Changements"), Side.AFTER: _("Après")}
    return [
        {
            "label": label,
            "current": side == examination.side,
            "url": address + desk.query_with(vue="" if side == Side.CHANGES else side.value) + "#detail",
        }
        for side, label in labels.items()
    ]


def _opened_words(examination: Examination | None, desk: Desk) -> str:
    if examination is None or examination.row.opened is None or examination.row.opened.is_me:
        return ""
    opened = examination.row.opened
    age = waiting_words(desk.request.at - opened.since)  # type: ignore[attr-defined]
    return _("Ouvert par %(who)s, il y a %(age)s.") % {"who": opened.label, "age": age}


def _last_answer(request: FamilyRequest) -> str:
    answered = [line for line in request.lines.all() if line.answered_at is not None]
    return max(answered, key=lambda line: line.answered_at or request.sent_at).answered_by_label if answered else ""


def already_words(fault: AlreadyAnswered, town: Municipality) -> str:
    """ "Malika Roux a déjà répondu à la demande n° 2026-000012 le vendredi 20 novembre, 9 h." """
    facts = {"who": fault.by, "number": fault.request.number}
    if fault.when is None:
        return _("La demande n° %(number)s a déjà sa réponse.") % facts
    facts["when"] = moment_words(fault.when, town.tz)
    if not fault.by:
        return _("La demande n° %(number)s a déjà sa réponse, du %(when)s.") % facts
    return _("%(who)s a déjà répondu à la demande n° %(number)s, le %(when)s.") % facts


def answered_words(request: FamilyRequest, answer: Answer) -> str:
    """What was done, in a sentence: "Famille Benali : 3 lignes acceptées, 1 refusée. La famille est prévenue." """
    accepted = sum(line.state == LineState.ACCEPTED for line in answer.answered)
    refused = len(answer.answered) - accepted
    left = sum(line.state == LineState.PENDING for line in request.lines.all()) - len(answer.answered)
    if left <= 0 and not refused:
        what = _("demande acceptée")
    elif left <= 0 and not accepted:
        what = _("demande refusée")
    else:
        parts = []
        if accepted:
            parts.append(ngettext("%(n)d ligne acceptée", "%(n)d lignes acceptées", accepted) % {"n": accepted})
        if refused:
            parts.append(ngettext("%(n)d ligne refusée", "%(n)d lignes refusées", refused) % {"n": refused})
        if left > 0:
            parts.append(ngettext("%(n)d ligne à traiter", "%(n)d lignes à traiter", left) % {"n": left})
        what = ", ".join(parts)
    return _("Famille %(family)s, n° %(number)s : %(what)s. La famille est prévenue.") % {
        "family": request.household.name,
        "number": request.number,
        "what": what,
    }


def one_by_one_words(request: FamilyRequest) -> str:
    return _("La demande n° %(number)s se lit avant la réponse : ouvrez-la.") % {"number": request.number}


def without_place_words(answer: Answer) -> str:
    days = list_words(line_words(line) for line in answer.without_place)
    return _("Demande n° %(number)s, plus de place : %(days)s. Ces jours restent à traiter.") % {
        "number": answer.request.number,
        "days": days,
    }
