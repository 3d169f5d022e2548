"""What a family can ask for, and where its requests stand."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marelle.activities.queries import municipality
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.typed import typed
from marelle.portal.asking.page import asking
from marelle.portal.children import children_of
from marelle.portal.tabs import tab_required
from marelle.portal.tracking import FILTERS, counted, filtered, requests_of, rows_of
from marelle.requests.thread import unread_threads
from marelle.townfile.town import Tab

PER_PAGE = 10


@require_safe
@guardian_required
@tab_required(Tab.REQUESTS)
def demarches(request: GuardianHttpRequest) -> HttpResponse:
    """`etat` filters, `q` searches, `page` turns the page; what makes no sense is taken as not said."""
    town = municipality()
    household = request.household
    at = request.at
    words = typed(request.GET, "q", most=80)
    state = request.GET.get("etat", "")
    state = state if state in FILTERS else ""
    found = requests_of(household, words=words)
    counts = counted(found)
    page = Paginator(filtered(found, state), PER_PAGE).get_page(request.GET.get("page"))
    offered = asking(town=town, user=request.user, household=household, children=children_of(household), at=at)
    unread = unread_threads(user=request.user, household=household)
    return render(
        request,
        "portal/demarches/demarches.html",
        {
            "municipality": town,
            "groups": offered.groups,
            "resumes": offered.resumes,
            "rows": rows_of(page.object_list, town=town, at=at, unread=unread),
            "page": page,
            "chips": _chips(counts, state=state, words=words),
            "any": bool(counts[""]),
            "state": state,
            "words": words,
        },
    )


def _chips(counts: dict[str, int], *, state: str, words: str) -> list[dict[str, object]]:
    """The filters with their counts; those that are empty are left out, except the first and the current one."""
    labels = {
        "": _("Toutes"),
        "en-cours": _("En cours"),
        "acceptees": _("Acceptées"),
        "refusees": _("Refusées"),
        "retirees": _("Retirées"),
        "messages": _("Avec des messages"),
    }
    here = reverse("portal:demarches")
    chips = []
    for name in FILTERS:
        if name and name != state and not counts[name]:
            continue
        query = urlencode({key: value for key, value in (("etat", name), ("q", words)) if value})
        chips.append(
            {
                "label": labels[name],
                "count": counts[name],
                "url": f"{here}{'?' if query else ''}{query}#suivre",
                "current": name == state,
            }
        )
    return chips
