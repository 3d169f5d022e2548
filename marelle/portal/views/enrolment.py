"""Asking for the right to use services, for all the children at once, one question per page."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marelle.activities.models import Municipality, OpeningDay, SchoolYear
from marelle.activities.queries import municipality, years_to_enrol
from marelle.bookings.services.drafts import draft_of, drop_draft, keep_draft, send_draft
from marelle.bookings.services.enrolments import Unmet
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.sentences import midsentence
from marelle.foundation.typed import typed
from marelle.portal.children import children_of
from marelle.portal.enrolling.check import lacking_words, tasks_of
from marelle.portal.enrolling.details import ChildDetails, read_details
from marelle.portal.enrolling.papers import Papers, give_papers, papers_of
from marelle.portal.enrolling.services import Asking, why_not, wishes_of
from marelle.portal.enrolling.wizard import Step, Wizard, step_name
from marelle.portal.moments import near_moment_words, opening_words
from marelle.portal.tabs import tab_required
from marelle.requests.models import FamilyRequest
from marelle.townfile.town import Tab

MESSAGE_MOST = 1000
LATER = "plus-tard"


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def enrol(request: GuardianHttpRequest) -> HttpResponse:
    """The first step; `annee` chooses among the school years open to enrolment."""
    return _step(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def enrol_step(request: GuardianHttpRequest, step: str) -> HttpResponse:
    """One step: GET shows it as it was left, POST keeps it and goes on. A step that has nothing to ask leads on."""
    try:
        return _step(request, Step(step))
    except ValueError:
        raise Http404 from None


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def drop(request: GuardianHttpRequest) -> HttpResponse:
    """GET asks, POST forgets what was begun for the year."""
    town = municipality()
    label = typed(request.POST, "annee") or typed(request.GET, "annee")
    year = SchoolYear.objects.filter(label=label, archived_at=None).first()
    draft = draft_of(user=request.user, household=request.household, school_year=year) if year is not None else None
    if year is None:
        raise Http404
    if request.method == "POST":
        if drop_draft(user=request.user, household=request.household, school_year=year, at=request.at):
            messages.success(request, _("L’inscription commencée est abandonnée."))
        return redirect("portal:demarches")
    if draft is None:
        return redirect("portal:demarches")
    begun = near_moment_words(draft.changed_at, at=request.at, town=town)
    return render(request, "portal/demarches/enrol/drop.html", {"year": year, "begun": begun, "draft": draft})


@dataclass
class _Shown:
    """What a step's page is rendered with, beside what all share."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)


def _step(request: GuardianHttpRequest, step: Step | None) -> HttpResponse:
    town = municipality()
    open_years, later_years = years_to_enrol(today=request.at.astimezone(town.tz).date(), at=request.at)
    later = [
        (year.label, opening_words(year.enrolment_opens_at, at=request.at, town=town))
        for year in later_years
        if year.enrolment_opens_at is not None
    ]
    around = {"municipality": town, "years": open_years, "later_years": later}
    if not open_years:
        return render(request, "portal/demarches/enrol_closed.html", around)
    label = request.POST.get("annee") or request.GET.get("annee")
    label = label or _offered_first(open_years, town=town, request=request).label
    year = next((year for year in open_years if year.label == label), None)
    if year is None:
        raise Http404
    wizard = Wizard(
        town=town,
        user=request.user,
        household=request.household,
        children=children_of(request.household),
        year=year,
        at=request.at,
        draft=draft_of(user=request.user, household=request.household, school_year=year),
    )
    first = wizard.steps[0]
    step = step or first
    if step is Step.CHECK and request.method == "POST":
        return _send(request, wizard, around)
    if step not in wizard.steps or (step not in (Step.CHILDREN, Step.SERVICES) and not wizard.wishes):
        return redirect(_url(wizard, first))
    if request.method == "POST":
        answer = _STEPS[step].post(request, wizard)
        if isinstance(answer, HttpResponse):
            return answer
        return _page(request, wizard, step, answer, around, status=422)
    return _page(request, wizard, step, _STEPS[step].get(request, wizard), around)


def _url(wizard: Wizard, step: Step) -> str:
    return f"{reverse('portal:enrol_step', args=[step])}?annee={wizard.year.label}"


def _page(
    request: GuardianHttpRequest,
    wizard: Wizard,
    step: Step,
    shown: _Shown,
    around: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    before = wizard.before(step)
    following = wizard.after(step) if step is not Step.CHECK else None
    kept = wizard.draft.changed_at if wizard.draft is not None else None
    return render(
        request,
        f"portal/demarches/enrol/{shown.template}.html",
        around
        | {
            "wizard": wizard,
            "year": wizard.year,
            "children": wizard.children,
            "step": step,
            "names": [step_name(one) for one in wizard.steps],
            "position": wizard.steps.index(step) + 1,
            "back": (step_name(before), _url(wizard, before)) if before is not None else None,
            "next_name": step_name(following) if following is not None else "",
            "kept": near_moment_words(kept, at=request.at, town=wizard.town) if kept is not None else "",
            "here": _url(wizard, step),
            "problems": shown.problems,
        }
        | shown.context,
        status=status,
    )


def _keep(request: GuardianHttpRequest, wizard: Wizard, step: Step, **says: Any) -> Wizard:
    """Keep what the step says; the wizard as it is then."""
    draft = keep_draft(
        user=wizard.user,
        household=wizard.household,
        school_year=wizard.year,
        says=says,
        step=step,
        at=request.at,
    )
    return Wizard(
        town=wizard.town,
        user=wizard.user,
        household=wizard.household,
        children=wizard.children,
        year=wizard.year,
        at=wizard.at,
        draft=draft,
    )


def _go_on(request: GuardianHttpRequest, wizard: Wizard, step: Step, **says: Any) -> HttpResponse:
    """Keep the step and go to the next one, or leave for later."""
    if request.POST.get("do") == LATER:
        return _leave(request, wizard, step, **says)
    after = _keep(request, wizard, step, **says)
    following = after.after(step)
    keep_draft(
        user=wizard.user, household=wizard.household, school_year=wizard.year, says={}, step=following, at=request.at
    )
    return redirect(_url(wizard, following))


def _leave(request: GuardianHttpRequest, wizard: Wizard, step: Step, **says: Any) -> HttpResponse:
    _keep(request, wizard, step, **says)
    messages.success(request, _("Votre inscription est gardée. Reprenez-la quand vous voulez, sur tous vos appareils."))
    return redirect("portal:demarches")


# ── the steps ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _show_children(request: GuardianHttpRequest, wizard: Wizard) -> _Shown:
    return _Shown("children", {"ticked": {one.id for one in wizard.chosen}})


def _keep_children(request: GuardianHttpRequest, wizard: Wizard) -> HttpResponse | _Shown:
    known = {str(one.id): one.id for one in wizard.children}
    chosen = [known[value] for value in request.POST.getlist("child") if value in known]
    if not chosen and request.POST.get("do") != LATER:
        problem = {"text": _("Cochez au moins un enfant."), "href": f"#child-{wizard.children[0].id}"}
        return _Shown("children", {"ticked": set()}, [problem])
    everybody = len(chosen) == len(known)
    return _go_on(request, wizard, Step.CHILDREN, children=[] if everybody else chosen)


def _show_services(request: GuardianHttpRequest, wizard: Wizard) -> _Shown:
    return _Shown("services", {"page": wizard.page})


def _keep_services(request: GuardianHttpRequest, wizard: Wizard) -> HttpResponse | _Shown:
    asking = _asking(request)
    page = wizard.page_with(asking)
    wishes, gone = wishes_of(page, asking)
    says = {
        "wanted": [f"{wish.child.pk}.{wish.activity.pk}" for wish in wishes],
        "days": {f"{w.child.pk}.{w.activity.pk}": list(w.usual_weekdays) for w in wishes if w.usual_weekdays},
    }
    if wishes or request.POST.get("do") == LATER:
        return _go_on(request, wizard, Step.SERVICES, **says)
    problems = [
        {
            "text": _("%(service)s pour %(name)s : %(state)s")
            % {
                "service": choice.activity.service.name,
                "name": choice.child.name,
                "state": midsentence(choice.why) if choice.why else str(choice.look.word).lower(),
            },
            "href": f"#c-{choice.key}",
        }
        for choice in gone
    ]
    if not problems:
        first = next((choice for choice in page.choices.values() if choice.open), None)
        words = _("Cochez au moins un service pour un enfant.")
        problems = [{"text": words, "href": f"#c-{first.key}" if first else ""}]
    return _Shown("services", {"page": page}, problems)


def _asking(request: GuardianHttpRequest) -> Asking:
    """The boxes that came back. What is not of our making gives nothing."""
    days: dict[str, frozenset[int]] = {}
    for name in request.POST:
        if name.startswith("days-"):
            values = request.POST.getlist(name)
            days[name.removeprefix("days-")] = frozenset(
                int(value) for value in values if value in {"0", "1", "2", "3", "4", "5", "6"}
            )
    return Asking(wanted=frozenset(request.POST.getlist("want")), days=days)


def _show_details(request: GuardianHttpRequest, wizard: Wizard) -> _Shown:
    return _details_page(wizard.details)


def _details_page(details: tuple[ChildDetails, ...], problems: list[dict[str, str]] | None = None) -> _Shown:
    return _Shown("details", {"details": details}, problems or [])


def _keep_details(request: GuardianHttpRequest, wizard: Wizard) -> HttpResponse | _Shown:
    answers, problems, shown = read_details(request.POST, wizard.details, school_year=wizard.year)
    answers = wizard.content.answers | answers
    if request.POST.get("do") == LATER:
        return _leave(request, wizard, Step.DETAILS, answers=answers)
    if problems:
        return _details_page(shown, problems)
    return _go_on(request, wizard, Step.DETAILS, answers=answers)


def _show_papers(request: GuardianHttpRequest, wizard: Wizard) -> _Shown:
    return _papers_page(papers_of(wizard))


def _papers_page(papers: Papers, problems: list[dict[str, str]] | None = None) -> _Shown:
    return _Shown("papers", {"papers": papers, "send_key": uuid.uuid4()}, problems or [])


def _keep_papers(request: GuardianHttpRequest, wizard: Wizard) -> HttpResponse | _Shown:
    """What comes is kept as it comes; what may not wait and did not come holds the step. The script that sends each
    file as soon as it is chosen presses no button."""
    papers = papers_of(wizard)
    giving = give_papers(papers, request, wizard)
    if giving.given:
        messages.success(request, giving.given_words)
    if request.POST.get("do") == LATER:
        return _leave(request, wizard, Step.PAPERS)
    now = _keep(request, wizard, Step.PAPERS)
    left = papers_of(now)
    problems = giving.problems
    wrong = {item.key: item for item in giving.items if item.error}
    if not problems and request.POST.get("do"):
        problems = [
            {
                "text": _("Il manque : %(what)s, %(who)s.") % {"what": item.name, "who": item.who},
                "href": f"#f-{item.id}",
            }
            for item in left.needed
        ]
    if problems:
        return _papers_page(left.with_errors(wrong), problems)
    if not request.POST.get("do"):
        return redirect(_url(wizard, Step.PAPERS))
    return _go_on(request, now, Step.PAPERS)


def _show_terms(request: GuardianHttpRequest, wizard: Wizard) -> _Shown:
    return _Shown("terms", {"accepted": {terms.slug for terms in wizard.accepted}})


def _ticked_terms(request: GuardianHttpRequest, wizard: Wizard) -> dict[str, str]:
    """The regulations ticked, in the version that the page showed, when it is still today's."""
    shown = set(request.POST.getlist("terms"))
    return {terms.slug: terms.version for terms in wizard.terms if f"{terms.slug}@{terms.version}" in shown}


def _terms_problems(wizard: Wizard, ticked: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"text": _("Lisez et acceptez : %(name)s.") % {"name": terms.name}, "href": f"#t-{terms.slug}"}
        for terms in wizard.terms
        if terms.slug not in ticked
    ]


def _keep_terms(request: GuardianHttpRequest, wizard: Wizard) -> HttpResponse | _Shown:
    ticked = _ticked_terms(request, wizard)
    if request.POST.get("do") == LATER:
        return _leave(request, wizard, Step.TERMS, terms=wizard.content.terms | ticked)
    problems = _terms_problems(wizard, ticked)
    if problems:
        return _Shown("terms", {"accepted": set(ticked)}, problems)
    return _go_on(request, wizard, Step.TERMS, terms=wizard.content.terms | ticked)


def _show_check(request: GuardianHttpRequest, wizard: Wizard) -> _Shown:
    return _check_page(wizard, message=wizard.content.message)


def _check_page(wizard: Wizard, *, message: str, problems: list[dict[str, str]] | None = None) -> _Shown:
    return _Shown(
        "check",
        {
            "tasks": [(task, _url(wizard, task.step)) for task in tasks_of(wizard)],
            "lacking": lacking_words(wizard) if not wizard.accepts_on_check else [],
            "all_lack": all(wizard.lacks(wish) for wish in wizard.wishes),
            "accepted": {terms.slug for terms in wizard.accepted},
            "send_key": wizard.draft.send_key if wizard.draft is not None else "",
            "message": message,
            "message_most": MESSAGE_MOST,
        },
        problems or [],
    )


def _send(request: GuardianHttpRequest, wizard: Wizard, around: dict[str, Any]) -> HttpResponse:
    """Send what was begun. A page that was left open, or sent twice, finds the request that it made."""
    try:
        send_key = uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None
    done = FamilyRequest.objects.filter(send_key=send_key, household=request.household).first()
    if done is not None:
        return redirect(f"{reverse('portal:request', args=[done.number])}?envoyee=1")
    message = typed(request.POST, "message")
    if request.POST.get("do") == LATER:
        return _leave(request, wizard, Step.CHECK, message=message[:MESSAGE_MOST])
    if wizard.draft is None or not wizard.wishes:
        messages.info(request, _("Cette inscription n’attend plus : choisissez de nouveau, ou voyez vos demandes."))
        return redirect(_url(wizard, wizard.steps[0]))
    problems = []
    if len(message) > MESSAGE_MOST:
        words = _("Le message est trop long : %(most)d caractères au plus.") % {"most": MESSAGE_MOST}
        problems.append({"text": words, "href": "#message"})
    if wizard.accepts_on_check:
        ticked = _ticked_terms(request, wizard)
        problems += _terms_problems(wizard, ticked)
        wizard = _keep(request, wizard, Step.CHECK, terms=wizard.content.terms | ticked, message=message[:MESSAGE_MOST])
    if problems:
        shown = _check_page(wizard, message=message, problems=problems)
        return _page(request, wizard, Step.CHECK, shown, around, status=422)
    asked = send_draft(
        town=wizard.town,
        user=request.user,
        household=request.household,
        school_year=wizard.year,
        send_key=wizard.draft.send_key if wizard.draft is not None else send_key,
        wishes=wizard.wishes,
        accepts=wizard.accepted,
        message=message,
        at=request.at,
    )
    if asked.request is None:
        problems = [{"text": _unmet_words(unmet, wizard.town), "href": ""} for unmet in asked.unmet]
        shown = _check_page(wizard, message=message, problems=problems)
        return _page(request, wizard, Step.CHECK, shown, around, status=422)
    for unmet in asked.unmet:
        messages.warning(request, _unmet_words(unmet, wizard.town))
    return redirect(f"{reverse('portal:request', args=[asked.request.number])}?envoyee=1")


def _unmet_words(unmet: Unmet, town: Municipality) -> str:
    return _("%(service)s pour %(name)s : %(why)s.") % {
        "service": unmet.wish.activity.service.name,
        "name": unmet.wish.child.first_name,
        "why": midsentence(why_not(unmet.refusal, town)),
    }


def _offered_first(years: list[SchoolYear], *, town: Municipality, request: GuardianHttpRequest) -> SchoolYear:
    """The first of the years open to enrolment with a day still to come: in August, the one about to begin."""
    today = request.at.astimezone(town.tz).date()
    for year in years[:-1]:
        if OpeningDay.objects.filter(date__gte=today, date__lte=year.last_day).exists():
            return year
    return years[-1]


@dataclass(frozen=True)
class _Views:
    get: Callable[[GuardianHttpRequest, Wizard], _Shown]
    post: Callable[[GuardianHttpRequest, Wizard], HttpResponse | _Shown]


def _never(request: GuardianHttpRequest, wizard: Wizard) -> HttpResponse:
    raise AssertionError("the check is sent by _send")


_STEPS: dict[Step, _Views] = {
    Step.CHILDREN: _Views(_show_children, _keep_children),
    Step.SERVICES: _Views(_show_services, _keep_services),
    Step.DETAILS: _Views(_show_details, _keep_details),
    Step.PAPERS: _Views(_show_papers, _keep_papers),
    Step.TERMS: _Views(_show_terms, _keep_terms),
    Step.CHECK: _Views(_show_check, _never),
}
