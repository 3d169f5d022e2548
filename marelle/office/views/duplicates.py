"""Families registered twice: look at them two by two, say that they are not the same, or make one of them."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.families.doubles.merging import AlreadyMerged, CannotMerge, merge_households, merged_already
from marelle.families.doubles.pairs import pairs, say_distinct
from marelle.families.permissions import households_for
from marelle.office.duplicates import SIGN_WORDS, side_by_side
from marelle.office.mails import DESK

PAGE = 20


@require_safe
@agent_required(*DESK)
def index(request: AgentHttpRequest) -> HttpResponse:
    page = Paginator(pairs(households_for(request.agent, at=request.at)), PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "office/families/duplicates.html",
        {
            "page": page,
            "rows": [
                {
                    "pair": pair,
                    "signs": [(SIGN_WORDS[sign], ", ".join(names)) for sign, names in pair.signs.items()],
                }
                for pair in page
            ],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required(*DESK)
def merge(request: AgentHttpRequest, kept_id: int, gone_id: int) -> HttpResponse:
    """`do`: "distinct" tells them apart, "merge" makes one of them once `sure` is ticked. Whoever comes after it
    was done (a form sent twice, a colleague) is led to the family that stays."""
    if kept_id == gone_id:
        raise Http404
    seen = households_for(request.agent, at=request.at)
    stays = merged_already(kept_id, gone_id)
    if stays is not None and seen.filter(pk=stays.pk).exists():
        return _done_already(request, AlreadyMerged(stays))
    kept, gone = get_object_or_404(seen, pk=kept_id), get_object_or_404(seen, pk=gone_id)
    actor = request.user.actor(as_agent=True)
    sides = side_by_side(kept, gone, request.POST if request.method == "POST" else None)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        if request.POST.get("do") == "distinct":
            say_distinct(one=kept, other=gone, by=actor, at=request.at)
            messages.success(request, _("Ces deux familles ne sont plus montrées ensemble."))
            return redirect("office:duplicates")
        if not request.POST.get("sure"):
            problems = [{"text": _("Cochez la case : réunir deux familles ne s’annule pas."), "href": "#sure"}]
        else:
            try:
                merge_households(merge=sides.merge(), chosen=sides.chosen(), by=actor, at=request.at)
            except AlreadyMerged as first:
                return _done_already(request, first)
            except CannotMerge as fault:
                problems = [{"text": str(fault), "href": ""}]
            else:
                messages.success(
                    request,
                    _("Les deux familles n’en font plus qu’une : %(name)s.") % {"name": sides.kept.name},
                )
                return redirect("office:family", kept_id)
    return render(
        request,
        "office/families/merge.html",
        {"sides": sides, "problems": problems},
        status=422 if problems else 200,
    )


def _done_already(request: AgentHttpRequest, first: AlreadyMerged) -> HttpResponse:
    messages.info(request, str(first))
    return redirect("office:family", first.kept.pk)
