"""A child's health file, for its guardians: read, filled in, confirmed each school year. The password is asked again;
every opening is written down. Nothing of it goes into an address, a message or a title, and no browser keeps it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts.permissions import proof_required, recently_proved, to_the_proof
from marelle.activities.queries import municipality, rules_of
from marelle.families.health.files import ChangedMeanwhile, Opened, confirm_health, open_health, save_health
from marelle.families.models import HealthFile, HealthReading, ReadingReason
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.queries import HealthState, health_standing, year_of
from marelle.foundation.sentences import day_words, moment_words
from marelle.portal.child.forms import HealthForm
from marelle.portal.child.opened import may_send, opened
from marelle.portal.child.page import HEALTH_LOOKS, others
from marelle.portal.children import HouseholdChild, children_of
from marelle.portal.views.child import child_among

READINGS = 25
private = cache_control(private=True, no_store=True)


@require_safe
@guardian_required
@proof_required
@private
@sensitive_variables()
def health(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    town = municipality()
    one = child_among(children_of(request.household), child_id)
    found = _open(request, one, ReadingReason.OWN)
    if found is None:
        return redirect("portal:edit_health", one.id)
    today = request.at.astimezone(town.tz).date()
    year = year_of(town, today=today)
    standing = health_standing([one.child], year, today=today)[one.id] if year else None
    file = found.file
    return render(
        request,
        "portal/child/health.html",
        {
            "municipality": town,
            "one": one,
            "content": found.content,
            "file": file,
            "has_papers": any(paper.health for paper in rules_of(town).papers),
            "standing": standing,
            "look": HEALTH_LOOKS[standing.state if standing else HealthState.UP_TO_DATE],
            "confirmed": day_words(file.confirmed_at.astimezone(town.tz).date(), year=True),
            "plan_until": day_words(file.plan_until, year=True) if file.plan_until else "",
            "vaccinated_on": day_words(found.content.vaccinated_on, year=True) if found.content.vaccinated_on else "",
        },
    )


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@private
def edit_health(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    """The whole file in one form, filled with what it says. Sending it confirms it for the school year."""
    children = children_of(request.household)
    one = child_among(children, child_id)
    what = f"health:{one.id}"
    town = municipality()
    today = request.at.astimezone(town.tz).date()
    if request.method == "POST":
        if not may_send(request, what):
            return to_the_proof(request)
        form = HealthForm(request.POST, today=today)
        version = _version(request)
        status = 422
        if form.is_valid():
            try:
                save_health(
                    child=one.child,
                    household=request.household,
                    content=form.content(),
                    has_plan=form.has_pai,
                    plan_until=form.cleaned_data["plan_until"],
                    version=version,
                    by=request.user,
                    at=request.at,
                )
                return _saved(request, children, one)
            except ChangedMeanwhile:
                status = 409
                version = HealthFile.objects.filter(child=one.child).values_list("version", flat=True).first() or 0
        return _form(request, one, form, version=version, what=what, status=status)
    if not recently_proved(request):
        return to_the_proof(request)
    found = _open(request, one, ReadingReason.EDIT)
    if found is None:
        return _form(request, one, HealthForm(today=today), version=0, what=what)
    form = HealthForm.filled(found.content, has_plan=found.file.has_plan, plan_until=found.file.plan_until, today=today)
    return _form(request, one, form, version=found.version, what=what)


@require_POST
@guardian_required
@proof_required
def confirm(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    """Nothing changed in the file shown: it counts for the school year."""
    children = children_of(request.household)
    one = child_among(children, child_id)
    try:
        confirm_health(
            child=one.child, household=request.household, version=_version(request), by=request.user, at=request.at
        )
    except ChangedMeanwhile:
        messages.warning(request, _("La fiche a été modifiée entre-temps. Relisez-la, puis confirmez."))
        return redirect("portal:health", one.id)
    return _saved(request, children, one)


@require_safe
@guardian_required
@private
def readings(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    """Who opened the child’s file, when, why; nothing of what it holds. The other home’s guardians are not named."""
    town = municipality()
    one = child_among(children_of(request.household), child_id)
    found = HealthReading.objects.filter(child=one.child, what=HealthReading.What.FILE)
    page = Paginator(found, READINGS).get_page(request.GET.get("page"))
    rows = [
        {
            "who": reading.reader_label
            if reading.by_agent or reading.household_id == request.household.pk
            else _("L’autre foyer"),
            "by_agent": reading.by_agent,
            "why": reading.get_why_display(),
            "when": moment_words(reading.at, town.tz, year=True),
            "at": reading.at,
        }
        for reading in page
    ]
    return render(request, "portal/child/readings.html", {"municipality": town, "one": one, "page": page, "rows": rows})


def _open(request: GuardianHttpRequest, one: HouseholdChild, why: ReadingReason) -> Opened | None:
    return open_health(child=one.child, reader=request.user, household=request.household, why=why, at=request.at)


@sensitive_variables()
def _form(
    request: GuardianHttpRequest,
    one: HouseholdChild,
    form: HealthForm,
    *,
    version: int,
    what: str,
    status: int = 200,
) -> HttpResponse:
    problems = []
    if status == 409:
        words = _(
            "La fiche a été modifiée entre-temps, dans une autre fenêtre ou par l’autre foyer. Ouvrez-la à côté pour "
            "comparer ; si vous enregistrez ici, vos réponses la remplacent."
        )
        problems.append({"text": words, "href": ""})
    return render(
        request,
        "portal/child/edit_health.html",
        {
            "municipality": municipality(),
            "one": one,
            "form": form,
            "problems": problems,
            "version": version,
            "opened": opened(request, what),
        },
        status=status,
    )


def _version(request: GuardianHttpRequest) -> int:
    said = request.POST.get("version", "")
    return int(said) if said.isdecimal() and len(said) < 9 else 0


def _saved(request: GuardianHttpRequest, children: list[HouseholdChild], one: HouseholdChild) -> HttpResponse:
    """To the child's page; to the next child whose file is to be filled in or confirmed, when there is one."""
    messages.success(request, _("Fiche santé à jour : %(name)s.") % {"name": one.name})
    town = municipality()
    today = request.at.astimezone(town.tz).date()
    year = year_of(town, today=today)
    if year is not None:
        rest = others(children, one)
        standings = health_standing([other.child for other in rest], year, today=today)
        waiting = [other for other in rest if not standings[other.id].is_up_to_date]
        if waiting:
            messages.info(
                request, _("Il reste la fiche santé à remplir ou à confirmer : %(name)s.") % {"name": waiting[0].name}
            )
            return redirect("portal:child", waiting[0].id)
    return redirect("portal:child", one.id)
