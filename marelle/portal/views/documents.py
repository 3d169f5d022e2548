"""The home's documents: what is to give, what was given, and giving it."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marelle.activities.queries import municipality
from marelle.bookings.queries.papers import HomePapers
from marelle.documents.giving import Item, give
from marelle.documents.permissions import documents_of
from marelle.documents.queries import find_paper
from marelle.documents.services import NotWaiting
from marelle.documents.services import withdraw as withdraw_service
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation.typed import typed
from marelle.portal.children import children_of
from marelle.portal.documents import ORDERS, documents_page
from marelle.rules.papers import DocumentState

#: More items than a home can be asked for at once.
MOST = 100


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def documents(request: GuardianHttpRequest) -> HttpResponse:
    """The page (`donner` names a paper to give; `q` searches the list, `tri` sorts it, `page` turns it), and its form:
    each file that is good is kept, whatever is wrong with the others; then those come back with what is wrong
    (422)."""
    town = municipality()
    home = HomePapers(
        town=town,
        household=request.household,
        children=[(one.child, one.kid) for one in children_of(request.household)],
        at=request.at,
    )
    chosen = request.GET.get("donner", "")
    problems: list[dict[str, str]] = []
    wrong: list[Item] = []
    if request.method == "POST":
        giving = give(
            request.POST,
            request.FILES,
            items=_items(request, home),
            household=home.household,
            by=request.user,
            at=request.at,
            today=home.today,
        )
        problems, wrong = giving.problems, [item for item in giving.items if item.error]
        if giving.given:
            messages.success(request, giving.given_words)
            given = {item.key for item, _document in giving.given}
            chosen = "" if chosen in given else chosen
        if not giving.sent:
            problems = [{"text": _("Choisissez un fichier, ou prenez une photo."), "href": "#a-donner"}]
        if not problems:
            return redirect("portal:documents")
    words, order = typed(request.GET, "q", most=80), request.GET.get("tri", "")
    order = order if order in ORDERS else ""
    page = documents_page(home, chosen=chosen, number=request.GET.get("page"), words=words, order=order)
    return render(
        request,
        "portal/documents/documents.html",
        {
            "municipality": town,
            "shown": page.with_items(wrong),
            "page": page.page,
            "problems": problems,
            "send_key": uuid.uuid4(),
            "chosen": chosen,
            "words": words,
            "order": order,
            "orders": ORDERS.items(),
        },
        status=422 if problems else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
def withdraw(request: GuardianHttpRequest, document_id: uuid.UUID) -> HttpResponse:
    """Ask whether to take a document back, and do it while nobody has answered it."""
    town = municipality()
    document = get_object_or_404(
        documents_of(request.household).select_related("child", "guardian", "household"), pk=document_id
    )
    if request.method == "POST":
        try:
            withdraw_service(document=document, town=town, by=request.user, at=request.at)
        except NotWaiting:
            messages.warning(request, _("Ce document a déjà sa réponse : il ne peut plus être retiré."))
        else:
            messages.success(request, _("Document retiré."))
        return redirect("portal:documents")
    if document.state != DocumentState.TO_REVIEW:
        messages.info(request, _("Ce document a déjà sa réponse : il ne peut plus être retiré."))
        return redirect("portal:documents")
    paper = find_paper(town, document.paper)
    return render(
        request,
        "portal/documents/withdraw.html",
        {"municipality": town, "document": document, "name": paper.name if paper is not None else document.paper},
    )


def _items(request: GuardianHttpRequest, home: HomePapers) -> list[Item]:
    """The items that the form names; one that is not this home's to give is not found."""
    keys = list(dict.fromkeys(request.POST.getlist("item")))
    found = [home.item_of(key) for key in keys[:MOST]]
    if len(keys) > MOST or any(item is None for item in found):
        raise Http404
    return [item for item in found if item is not None]
