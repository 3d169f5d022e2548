"""A family corrects what the town knows of it: one page for each thing, one send, one numbered request."""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marelle.activities.queries import municipality, rules_of
from marelle.documents.giving import Giving
from marelle.documents.proving import ask_with_proof
from marelle.families.facts import Subject
from marelle.families.labels import Topic
from marelle.families.models import Child, Guardian, Guardianship
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.families.services import set_unwanted
from marelle.portal.family.proof import proof_of
from marelle.requests.correction_forms import (
    AddressForm,
    AdultForm,
    ChildForm,
    CorrectionForm,
    InsuranceForm,
    LinkForm,
    MailsForm,
    QuotientForm,
)
from marelle.requests.corrections import pending_corrections, pending_of, take_back
from marelle.requests.models import FamilyRequest, RequestLine
from marelle.requests.services import AlreadyAnswered
from marelle.rules.lifecycles import RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One page of correction."""

    form: type[CorrectionForm]
    title: str
    lead: str
    paper: str | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def me(request: GuardianHttpRequest) -> HttpResponse:
    """One's own names, phones and address. The other adults have their own page."""
    sheet = Sheet(
        form=AdultForm,
        title=_("Mes coordonnées"),
        lead=_("Vos téléphones comptent tout de suite. Pour le reste, la mairie répond avant que cela change."),
    )
    return _correct(request, _myself(request), sheet)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def link(request: GuardianHttpRequest) -> HttpResponse:
    """What one is to the children of this home."""
    place = get_object_or_404(Guardianship, guardian__user=request.user, household=request.household)
    sheet = Sheet(
        form=LinkForm,
        title=_("Mon lien avec les enfants"),
        lead=_("La mairie répond avant que cela change. L’autorité parentale se corrige auprès d’elle."),
    )
    return _correct(request, place, sheet)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def address(request: GuardianHttpRequest) -> HttpResponse:
    sheet = Sheet(
        form=AddressForm,
        title=_("Adresse du foyer"),
        lead=_("L’ancienne adresse compte jusqu’à la réponse de la mairie."),
        paper=rules_of(municipality()).corrections.address_paper,
    )
    return _correct(request, request.household, sheet)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def insurance(request: GuardianHttpRequest) -> HttpResponse:
    sheet = Sheet(
        form=InsuranceForm,
        title=_("Assurance"),
        lead=_("L’assurance qui couvre vos enfants pendant les activités."),
    )
    return _correct(request, request.household, sheet)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def quotient(request: GuardianHttpRequest) -> HttpResponse:
    sheet = Sheet(
        form=QuotientForm,
        title=_("Quotient familial"),
        lead=_("Il sert à calculer vos tarifs. Un nouveau quotient compte à partir de sa date, une fois accepté."),
        paper=rules_of(municipality()).corrections.quotient_paper,
    )
    return _correct(request, request.household, sheet)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def child(request: GuardianHttpRequest, child_id: int) -> HttpResponse:
    """A child's names and birth date, where the town lets families correct them."""
    if not rules_of(municipality()).corrections.identity:
        raise Http404
    found = get_object_or_404(Child, pk=child_id, residences__household=request.household)
    sheet = Sheet(
        form=ChildForm,
        title=_("Identité de %(name)s") % {"name": found.first_name},
        lead=_("Telle qu’elle est écrite sur le livret de famille. La mairie répond avant que cela change."),
    )
    return _correct(request, found, sheet)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def mails(request: GuardianHttpRequest) -> HttpResponse:
    """Which e-mails one wants. It counts at once."""
    guardian = _myself(request)
    if request.method == "POST":
        form = MailsForm(request.POST)
        if form.is_valid():
            set_unwanted(guardian=guardian, unwanted=form.unwanted(), by=request.user.actor(), at=request.at)
            messages.success(request, _("C’est enregistré."))
            return redirect("portal:family")
    else:
        form = MailsForm(initial={"wanted": [topic.value for topic in Topic if topic not in guardian.unwanted]})
    return render(
        request,
        "portal/family/mails.html",
        {"municipality": municipality(), "form": form},
        status=422 if form.is_bound else 200,
    )


@require_POST
@guardian_required
def take_back_change(request: GuardianHttpRequest, line_id: int) -> HttpResponse:
    """Withdraw one change that waits."""
    try:
        take_back(household=request.household, line_id=line_id, by=request.user, at=request.at)
        messages.success(request, _("Ce changement est retiré."))
    except RequestLine.DoesNotExist:
        raise Http404 from None
    except AlreadyAnswered:
        messages.warning(request, _("Ce changement a déjà sa réponse : il n’y a plus rien à retirer."))
    child = request.POST.get("enfant", "")
    return redirect("portal:child", int(child)) if child.isdecimal() else redirect("portal:family")


def _myself(request: GuardianHttpRequest) -> Guardian:
    return get_object_or_404(Guardian, user=request.user, households=request.household)


def _correct(request: GuardianHttpRequest, subject: Subject, sheet: Sheet) -> HttpResponse:
    town = municipality()
    today = request.at.astimezone(town.tz).date()
    waiting = pending_of(pending_corrections(request.household), subject)
    data = request.POST if request.method == "POST" else None
    form = sheet.form(subject=subject, waiting=waiting, today=today, data=data)
    proof = proof_of(sheet.paper, town=town, household=request.household, today=today)
    problems: list[dict[str, str]] = []
    send_key = uuid.uuid4()
    if data is not None:
        try:
            send_key = uuid.UUID(data.get("send_key", ""))
        except ValueError:
            raise Http404 from None
        if form.is_valid():
            changes = form.changes()
            if proof is not None and changes:
                proof = proof.read(request, today=today)
                problems = proof.problems
            if not problems:
                asked = ask_with_proof(
                    household=request.household,
                    changes=changes,
                    proof=proof.giving if proof is not None else Giving(items=[]),
                    by=request.user,
                    at=request.at,
                    # A guardian of two homes may send one page for each, from two windows: two requests.
                    send_key=uuid.uuid5(send_key, str(request.household.pk)),
                )
                _tell(request, asked)
                return redirect("portal:family")
    return render(
        request,
        "portal/family/correct.html",
        {
            "municipality": town,
            "sheet": sheet,
            "form": form,
            "proof": proof,
            "problems": problems,
            "waiting": [waiting[name] for name in sheet.form.names if name in waiting],
            "send_key": send_key,
        },
        status=422 if form.is_bound else 200,
    )


def _tell(request: GuardianHttpRequest, asked: FamilyRequest | None) -> None:
    if asked is None:
        messages.info(request, _("Rien n’a changé."))
    elif asked.state == RequestState.SENT:
        messages.success(
            request,
            _("Demande n° %(number)s envoyée. L’ancienne valeur compte jusqu’à la réponse de la mairie.")
            % {"number": asked.number},
        )
    else:
        messages.success(request, _("C’est enregistré."))
