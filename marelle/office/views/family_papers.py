"""The papers of one family: where each stands, asking for those that are missing, and taking one at the counter."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.queries import municipality
from marelle.documents.giving import give
from marelle.documents.labels import guarded_name
from marelle.documents.services import ask_papers
from marelle.families.permissions import households_for
from marelle.families.queries import addressees
from marelle.office.papers import all_items, handed_in, home_papers, may_see
from marelle.office.views.queue import already_words
from marelle.requests.services import AlreadyAnswered, Unsettled, Verdict, answer


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def papers(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """The page, and its form: a paper brought to the counter is kept for the family and, unless the agent says
    otherwise, accepted with the end that the town's rule proposes. `donner` names the item whose form is shown."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    town = municipality()
    home = home_papers(household, role=request.agent, town=town, at=request.at)
    items = all_items(home, request.agent)
    chosen = next((item for item in items if item.key == request.GET.get("donner", "")), None)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        wanted = [item for item in items if item.key in request.POST.getlist("item")][:1]
        if not wanted:
            raise Http404
        giving = give(
            request.POST,
            request.FILES,
            items=wanted,
            household=household,
            by=request.user,
            at=request.at,
            today=home.today,
            by_agent=True,
        )
        chosen, problems = giving.items[0], giving.problems
        if not giving.sent:
            problems = [{"text": _("Choisissez un fichier."), "href": f"#f-{chosen.id}"}]
        if giving.given:
            document = giving.given[0][1]
            if request.POST.get("accepter") and document.review is not None:
                _accept(request, document.review.request_id, document.review.pk)
            messages.success(request, giving.given_words)
            return redirect("office:family_papers", household.pk)
    return render(
        request,
        "office/papers/papers.html",
        {
            "municipality": town,
            "household": household,
            "asked": [item for item in items if item.services],
            "others": [item for item in items if not item.services],
            "handed": handed_in(household, role=request.agent, town=town, at=request.at),
            "chosen": [chosen] if chosen is not None else [],
            "problems": problems,
            "send_key": uuid.uuid4(),
            "reachable": bool(addressees(household)),
        },
        status=422 if problems else 200,
    )


@require_POST
@agent_required()
def ask(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """Write to the family for the papers ticked; `k` is the key of the page, so that one page writes once."""
    household = get_object_or_404(households_for(request.agent, at=request.at), pk=household_id)
    home = home_papers(household, role=request.agent, town=municipality(), at=request.at)
    ticked = set(request.POST.getlist("p"))
    wanted = [item for item in home.asked() if item.key in ticked and may_see(item, request.agent)]
    try:
        key = uuid.UUID(request.POST.get("send_key", ""))
    except ValueError:
        raise Http404 from None
    what = [(f"{guarded_name(item.paper)} {item.school_year}".strip(), item.who) for item in wanted]
    if not wanted:
        messages.warning(request, _("Cochez d’abord les pièces à demander."))
    elif sent := ask_papers(household=household, what=what, send_key=key, by=request.user, at=request.at):
        messages.success(
            request,
            ngettext("E-mail envoyé à %(n)d responsable.", "E-mail envoyé à %(n)d responsables.", sent) % {"n": sent},
        )
    else:
        messages.info(request, _("Rien n’est parti : l’e-mail l’est déjà, ou la famille n’a pas d’adresse."))
    return redirect("office:family_papers", household.pk)


def _accept(request: AgentHttpRequest, request_id: int, line_id: int) -> None:
    try:
        answer(request_id=request_id, verdicts={line_id: Verdict(accept=True)}, by=request.user, at=request.at)
    except AlreadyAnswered as fault:
        messages.warning(request, already_words(fault, municipality()))
    except Unsettled as fault:
        messages.warning(request, str(fault))
