"""One request, from its send to its answer, and taking it back."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.bookings.services.answers import DaysBegun, withdraw_request
from marelle.families.permissions import GuardianHttpRequest, before_acceptance, guardian_required
from marelle.portal.agenda import agenda
from marelle.portal.children import badges_of, children_of
from marelle.portal.thread import papers_of, thread_of
from marelle.portal.tracking import RequestPage, request_page, stamp_words
from marelle.requests.models import OF_SERVICES, FamilyRequest
from marelle.requests.queries import find_request
from marelle.requests.services import AlreadyAnswered
from marelle.requests.services import withdraw as withdraw_lines
from marelle.requests.thread import unread_threads


@require_safe
@guardian_required
@before_acceptance
def detail(request: GuardianHttpRequest, number: str) -> HttpResponse:
    """The same page just after the send (`?envoyee`: it says so, with a stamp) and ever after."""
    return shown(request, number)


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def withdraw(request: GuardianHttpRequest, number: str) -> HttpResponse:
    """GET asks, POST does it: every line that waits is taken back; those already answered, and the days that have
    begun, stay as they are."""
    town = municipality()
    page = _page(request, number, town)
    if request.method == "POST":
        try:
            take_back = withdraw_request if page.request.kind in OF_SERVICES else withdraw_lines
            take_back(request_id=page.request.pk, by=request.user, at=request.at)
            messages.success(request, _("Votre demande est retirée."))
        except AlreadyAnswered:
            messages.warning(request, _("Cette demande a déjà sa réponse : il n’y a plus rien à retirer."))
        except DaysBegun:
            messages.warning(request, _("Les jours qui attendent ont déjà commencé : écrivez au service."))
        return redirect("portal:request", number=number)
    if not page.pending:
        messages.info(request, _("Cette demande a déjà sa réponse : il n’y a plus rien à retirer."))
        return redirect("portal:request", number=number)
    return render(request, "portal/demarches/withdraw.html", {"municipality": town, "page": page})


@require_safe
@guardian_required
def calendar(request: GuardianHttpRequest, number: str) -> HttpResponse:
    """The request's days for the family's own diary."""
    found = found_or_404(request, number)
    text = agenda(found, town=municipality(), host=request.get_host(), at=request.at)
    return HttpResponse(
        text,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="demande-{number}.ics"'},
    )


def has_unread(request_id: int, request: GuardianHttpRequest) -> bool:
    """One query, only when something somewhere is unread."""
    household = request.household
    return bool(household.unread) and request_id in unread_threads(user=request.user, household=household)  # type: ignore[attr-defined]


def found_or_404(request: GuardianHttpRequest, number: str) -> FamilyRequest:
    found = find_request(number, household=request.household)
    if found is None:
        raise Http404
    return found


def _page(request: GuardianHttpRequest, number: str, town: Municipality) -> RequestPage:
    return request_page(
        found_or_404(request, number),
        town=town,
        badges=badges_of(children_of(request.household)),
        at=request.at,
    )


def shown(
    request: GuardianHttpRequest, number: str, *, typed: str = "", problem: str = "", send_key: str = ""
) -> HttpResponse:
    """The page of a request; `problem`: why the message that was `typed` is not sent (422)."""
    town = municipality()
    page = _page(request, number, town)
    unread = has_unread(page.request.pk, request)
    # Somebody has answered since: what there is to read comes before the receipt.
    just_sent = "envoyee" in request.GET and not unread
    thread = thread_of(
        page.request,
        town=town,
        user=request.user,
        household=request.household,
        unread=unread,
        send_key=send_key or str(uuid.uuid4()),
        at=request.at,
        typed=typed,
        problem=problem,
    )
    answer = render(
        request,
        "portal/demarches/request.html",
        {
            "municipality": town,
            "page": page,
            "thread": thread,
            "papers": papers_of(page.request, town=town),
            "just_sent": just_sent,
            "stamp": stamp_words(page.request.sent_at, town) if just_sent else "",
        },
        status=422 if problem else 200,
    )
    if page.request.is_health:
        answer["Cache-Control"] = "private, no-store"
    return answer
