"""What the town tells families."""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from marelle.accounts.permissions import safe_next
from marelle.activities.queries import municipality
from marelle.communication.queries import has_news
from marelle.communication.services.posts import mark_read
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.foundation import prose
from marelle.foundation.typed import typed
from marelle.portal.news import MINE, TOWN, narrowed, news_of, row_of, rows_of
from marelle.portal.tabs import tab_required
from marelle.townfile.town import Tab

PER_PAGE = 8


@require_safe
@guardian_required
@tab_required(Tab.NEWS)
def index(request: GuardianHttpRequest) -> HttpResponse:
    """`pour` narrows, `q` searches, `page` turns the page; what makes no sense is taken as not said."""
    town = municipality()
    if not has_news(town):
        raise Http404
    words = typed(request.GET, "q", most=80)
    to = request.GET.get("pour", "")
    to = to if to in (MINE, TOWN) else ""
    mine = news_of(request.household, town=town, at=request.at)
    page = Paginator(narrowed(mine, to=to, words=words), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/news/index.html",
        {
            "municipality": town,
            "page": page,
            "rows": rows_of(page.object_list, town=town),
            "to": to,
            "words": words,
            "any": page.paginator.count > 0 or mine.exists(),
        },
    )


@require_safe
@guardian_required
@tab_required(Tab.NEWS)
def post(request: GuardianHttpRequest, post_id: int) -> HttpResponse:
    town = municipality()
    found = get_object_or_404(news_of(request.household, town=town, at=request.at), pk=post_id)
    return render(
        request,
        "portal/news/post.html",
        {"municipality": town, "row": row_of(found, town=town), "body": prose.html(found.body)},
    )


@require_POST
@guardian_required
@tab_required(Tab.NEWS)
def read(request: GuardianHttpRequest, post_id: int) -> HttpResponse:
    """ "J’ai lu": back to the page that the banner stood on."""
    town = municipality()
    found = get_object_or_404(news_of(request.household, town=town, at=request.at), pk=post_id)
    mark_read(post=found, user=request.user, at=request.at)
    if back := safe_next(request, typed(request.POST, "next")):
        return HttpResponseRedirect(back)
    return redirect(reverse("portal:news"))
