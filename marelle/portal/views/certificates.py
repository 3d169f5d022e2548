"""Attestations issued at once: asking for one, and those issued before."""

import uuid
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marelle.activities.models import BookingMode
from marelle.activities.queries import municipality
from marelle.attestations.models import Attestation, AttestationKind
from marelle.attestations.services import NotEnrolled, NothingToAttest, attest_attendance, attest_enrolment
from marelle.bookings.models import Enrolment
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.files.store import FileGone, respond
from marelle.foundation.sentences import midsentence
from marelle.foundation.typed import typed
from marelle.portal.tabs import tab_required
from marelle.rules.lifecycles import EnrolmentState
from marelle.townfile.town import Tab

PER_PAGE = 10
#: Two school years: what a family may need to prove.
LONGEST_DAYS = 800


@dataclass(slots=True, kw_only=True)
class Choice:
    """An enrolment of which something can be attested."""

    id: int
    words: str


def _choice(enrolment: Enrolment) -> Choice:
    what = midsentence(enrolment.activity.service.name)
    return Choice(id=enrolment.pk, words=f"{enrolment.child.first_name}, {what}, {enrolment.school_year.label}")


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def certificates(request: GuardianHttpRequest) -> HttpResponse:
    """POST `kind` issues one; the same asked twice in a day is the same. `page` turns the page of those issued."""
    town = municipality()
    household = request.household
    enrolments = list(
        Enrolment.objects.filter(household=household, state__in=(EnrolmentState.ACCEPTED, EnrolmentState.ENDED))
        .select_related("child", "activity__service", "school_year")
        .order_by("-school_year__first_day", "child__birth_date", "activity__service__position", "id")
    )
    form = {
        "kind": request.POST.get("kind", ""),
        "enrolment": typed(request.POST, "inscription", most=12),
        "first": typed(request.POST, "du", most=10),
        "last": typed(request.POST, "au", most=10),
    }
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        if form["kind"] not in list(AttestationKind):
            raise Http404
        problems = _issue(request, form)
        if not problems:
            return redirect(reverse("portal:certificates") + "#delivrees")
    issued = Attestation.objects.filter(household=household).select_related("child", "service", "file")
    return render(
        request,
        "portal/demarches/certificates.html",
        {
            "municipality": town,
            "choices": [_choice(one) for one in enrolments],
            "attended": [_choice(one) for one in enrolments if one.activity.service.booking_mode == BookingMode.DAYS],
            "form": form,
            "problems": problems,
            "page": Paginator(issued, PER_PAGE).get_page(request.GET.get("page")),
        },
        status=422 if problems else 200,
    )


def _issue(request: GuardianHttpRequest, form: dict[str, str]) -> list[dict[str, str]]:
    """Issue it, or what stops it."""
    kind, at = form["kind"], request.at
    who = {"town": municipality(), "household": request.household, "by": request.user, "at": at}
    if not form["enrolment"].isdecimal():
        return [{"text": _("Choisissez l’enfant et le service."), "href": f"#{kind}-inscription"}]
    enrolment = int(form["enrolment"])
    try:
        if kind == AttestationKind.ENROLMENT:
            attest_enrolment(enrolment_id=enrolment, **who)  # type: ignore[arg-type]
        else:
            first, last = _date(form["first"]), _date(form["last"])
            if first is None or last is None:
                field = "du" if first is None else "au"
                return [{"text": _("Indiquez une date qui existe, par exemple 01/09/2026."), "href": f"#{field}"}]
            if not 0 <= (last - first).days <= LONGEST_DAYS:
                return [{"text": _("La fin vient après le début, deux ans plus tard au plus."), "href": "#au"}]
            attest_attendance(enrolment_id=enrolment, first=first, last=last, **who)  # type: ignore[arg-type]
    except NotEnrolled:
        raise Http404 from None
    except NothingToAttest:
        words = _("Aucun jour réservé et passé entre ces deux dates : il n’y a rien à attester.")
        return [{"text": words, "href": "#du"}]
    messages.success(request, _("Attestation prête : téléchargez-la ci-dessous."))
    return []


def _date(said: str) -> date | None:
    try:
        return parse_date(said)
    except ValueError:
        return None


@require_safe
@guardian_required
def certificate(request: GuardianHttpRequest, id: uuid.UUID) -> HttpResponse:
    """The file, the same bytes each time, for the household that asked for it alone."""
    found = Attestation.objects.filter(household=request.household, pk=id).select_related("file").first()
    if found is None:
        raise Http404
    try:
        return respond(found.file, download=True)
    except FileGone:
        raise Http404 from None
