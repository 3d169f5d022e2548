"""Asking for the right to use services, for all the children at once."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marelle.activities.models import Municipality, OpeningDay, SchoolYear
from marelle.activities.queries import municipality, years_to_enrol
from marelle.bookings.services.enrolments import Asked, Unmet, ask_enrolments
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.sentences import midsentence
from marelle.foundation.typed import typed
from marelle.portal.children import children_of
from marelle.portal.enrolling import Asking, EnrolmentPage, enrolment_page, why_not, wishes_of
from marelle.portal.moments import opening_words
from marelle.portal.tabs import tab_required
from marelle.townfile.town import Tab

MESSAGE_MOST = 1000


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@tab_required(Tab.REQUESTS)
def enrol(request: GuardianHttpRequest) -> HttpResponse:
    """One form, one send, one numbered request. `annee` chooses among the school years open to enrolment."""
    town = municipality()
    household = request.household
    at = request.at
    open_years, later_years = years_to_enrol(today=at.astimezone(town.tz).date(), at=at)
    later = [
        (year.label, opening_words(year.enrolment_opens_at, at=at, town=town))
        for year in later_years
        if year.enrolment_opens_at is not None
    ]
    around = {"municipality": town, "years": open_years, "later_years": later}
    if not open_years:
        return render(request, "portal/demarches/enrol_closed.html", around)
    label = request.POST.get("annee") or request.GET.get("annee") or _offered_first(open_years, town=town, at=at).label
    year = next((year for year in open_years if year.label == label), None)
    if year is None:
        raise Http404
    children = children_of(household)
    asking = _asking(request) if request.method == "POST" else None
    page = enrolment_page(town=town, household=household, children=children, year=year, at=at, asking=asking)
    problems: list[dict[str, str]] = []
    send_key = uuid.uuid4()
    message = ""
    if asking is not None:
        try:
            send_key = uuid.UUID(request.POST.get("send_key", ""))
        except ValueError:
            raise Http404 from None
        message = typed(request.POST, "message")
        problems, asked = _ask(request, page, asking, town=town, send_key=send_key, message=message)
        if asked is not None and asked.request is not None:
            for unmet in asked.unmet:
                messages.warning(request, _unmet_words(unmet, town))
            return redirect(f"{reverse('portal:request', args=[asked.request.number])}?envoyee=1")
    return render(
        request,
        "portal/demarches/enrol.html",
        around
        | {
            "page": page,
            "children": children,
            "problems": problems,
            "send_key": send_key,
            "message": message,
            "message_most": MESSAGE_MOST,
        },
        status=422 if problems else 200,
    )


def _offered_first(years: list[SchoolYear], *, town: Municipality, at: datetime) -> SchoolYear:
    """The first of the years open to enrolment with a day still to come: in August, the one about to begin."""
    today = at.astimezone(town.tz).date()
    for year in years[:-1]:
        if OpeningDay.objects.filter(date__gte=today, date__lte=year.last_day).exists():
            return year
    return years[-1]


def _ask(
    request: GuardianHttpRequest,
    page: EnrolmentPage,
    asking: Asking,
    *,
    town: Municipality,
    send_key: uuid.UUID,
    message: str,
) -> tuple[list[dict[str, str]], Asked | None]:
    """What stops the send (the form's problems), or what came of it."""
    wishes, gone = wishes_of(page, asking)
    problems = []
    if len(message) > MESSAGE_MOST:
        words = _("Le message est trop long : %(most)d caractères au plus.") % {"most": MESSAGE_MOST}
        problems.append({"text": words, "href": "#message"})
    # A form sent twice finds its own enrolments in the way: the service knows its key, and answers with its request.
    if not wishes and not gone:
        first = next((choice for choice in page.choices.values() if choice.open), None)
        problems.append(
            {
                "text": _("Cochez au moins un service pour un enfant."),
                "href": f"#c-{first.key}" if first else "",
            }
        )
    if problems:
        return problems, None
    asked = ask_enrolments(
        town=town,
        user=request.user,
        household=request.household,
        school_year=page.year,
        wishes=wishes,
        # A guardian of two homes may send one page for each, from two windows: two requests.
        send_key=uuid.uuid5(send_key, str(request.household.pk)),
        at=request.at,
        message=message,
    )
    if asked.request is None:
        problems = [{"text": _unmet_words(unmet, town), "href": ""} for unmet in asked.unmet]
        problems += [
            {
                "text": _("%(service)s pour %(name)s : %(state)s")
                % {
                    "service": choice.activity.service.name,
                    "name": choice.child.name,
                    "state": choice.why or str(choice.look.word).lower(),
                },
                "href": f"#c-{choice.key}",
            }
            for choice in gone
        ]
    return problems, asked


def _unmet_words(unmet: Unmet, town: Municipality) -> str:
    return _("%(service)s pour %(name)s : %(why)s.") % {
        "service": unmet.wish.activity.service.name,
        "name": unmet.wish.child.first_name,
        "why": midsentence(why_not(unmet.refusal, town)),
    }


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
