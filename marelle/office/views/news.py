"""Actualités: the list, writing one, withdrawing it."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.communication.labels import PostState
from marelle.communication.models import NewsPost
from marelle.communication.queries import reach, standing
from marelle.communication.services.posts import (
    ChangedMeanwhile,
    delete_draft,
    edit_post,
    publish_new_post,
    publish_post,
    put_back_post,
    withdraw_post,
    write_post,
)
from marelle.foundation import prose
from marelle.foundation.models import AuditLine
from marelle.foundation.sentences import moment_words
from marelle.foundation.typed import typed
from marelle.office.news import NewsForm, chosen, counted, initial, may_write, posts_for, searched

PAGE = 20
ORDERS = {"": ("-changed_at", "-id"), "titre": ("title", "id"), "publication": ("-published_at", "-id")}


@require_safe
@agent_required()
def index(request: AgentHttpRequest) -> HttpResponse:
    """`voir` narrows to a state, `q` searches, `tri` orders, `page` turns the page."""
    words = typed(request.GET, "q", most=100)
    states = {state.value: state for state in PostState}
    state = states.get(request.GET.get("voir", ""))
    order = request.GET.get("tri", "")
    order = order if order in ORDERS else ""
    found = searched(posts_for(request.agent), words)
    if state is not None:
        found = found.filter(standing(state, at=request.at))
    page = Paginator(counted(found).order_by(*ORDERS[order]), PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "office/news/index.html",
        {
            "page": page,
            "rows": [{"post": post, "look": post.state_at(request.at).look} for post in page],
            "states": [(one.value, one.look.word) for one in PostState],
            "state": state.value if state else "",
            "order": order,
            "q": words,
            "may_write": may_write(request.agent),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def new(request: AgentHttpRequest) -> HttpResponse:
    """Write a piece of news. `do`: preview (nothing is kept), save (a draft), publish. `key` makes a repeated POST the
    same one."""
    if not may_write(request.agent):
        raise Http404
    town, at = municipality(), request.at
    if request.method != "POST":
        own = list(request.agent.sites.all())
        first: dict[str, Any] = {"author": town.department_name or town.name, "when": "now"}
        if len(own) == 1:
            first |= {"author": own[0].name, "sites": [own[0].pk]}
        form = NewsForm(town=town, role=request.agent, at=at, initial=first)
        return _form(request, form, town=town, key=str(uuid4()))
    form = NewsForm(request.POST, town=town, role=request.agent, at=at)
    key = _key(request)
    if not form.is_valid():
        return _form(request, form, town=town, key=str(key), status=422)
    by = request.user.actor(as_agent=True)
    match request.POST.get("do", ""):
        case "publish":
            post = publish_new_post(key=key, content=form.content(), published_at=form.published(), by=by, at=at)
            _say_published(request, post, town)
        case "save":
            post = write_post(key=key, content=form.content(), by=by, at=at)
            messages.success(request, _("Brouillon enregistré. Les familles ne le voient pas."))
        case _:
            return _form(request, form, town=town, key=str(key))
    return redirect("office:news_post", post.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def post(request: AgentHttpRequest, post_id: int) -> HttpResponse:
    """Read and change a piece of news; `edition` refuses to write over what a colleague has changed meanwhile."""
    town, at = municipality(), request.at
    found = get_object_or_404(posts_for(request.agent).prefetch_related("sites", "services"), pk=post_id)
    if request.method != "POST":
        form = NewsForm(town=town, role=request.agent, at=at, post=found, initial=initial(found, town=town, at=at))
        return _form(request, form, town=town, post=found, edition=str(found.edition))
    form = NewsForm(request.POST, town=town, role=request.agent, at=at, post=found)
    edition = typed(request.POST, "edition", most=10)
    if not form.is_valid():
        return _form(request, form, town=town, post=found, edition=edition, status=422)
    by = request.user.actor(as_agent=True)
    seen = int(edition) if edition.isdecimal() else 0
    try:
        match request.POST.get("do", ""):
            case "publish":
                state = found.state_at(at)
                done = publish_post(
                    post_id=found.pk,
                    edition=seen,
                    content=form.content(),
                    published_at=form.published(),
                    by=by,
                    at=at,
                )
                if state in (PostState.DRAFT, PostState.SCHEDULED):
                    _say_published(request, done, town)
                else:
                    messages.success(request, _("Actualité modifiée."))
            case "save":
                edit_post(post_id=found.pk, edition=seen, content=form.content(), by=by, at=at)
                messages.success(request, _("Actualité enregistrée."))
            case _:
                return _form(request, form, town=town, post=found, edition=edition)
    except ChangedMeanwhile:
        found.refresh_from_db()
        changed = _("%(who)s a modifié cette actualité entre-temps. Relisez la vôtre, puis enregistrez à nouveau.")
        form.add_error(None, changed % {"who": found.changed_by})
        return _form(request, form, town=town, post=found, edition=str(found.edition), status=422)
    return redirect("office:news_post", found.pk)


@require_POST
@agent_required()
def withdraw(request: AgentHttpRequest, post_id: int) -> HttpResponse:
    """Take it off the families' pages; `do=put_back` undoes it."""
    found = get_object_or_404(posts_for(request.agent), pk=post_id)
    by = request.user.actor(as_agent=True)
    if request.POST.get("do") == "put_back":
        if put_back_post(post_id=found.pk, by=by, at=request.at):
            messages.success(request, _("Actualité remise en ligne. Aucun e-mail ne repart."))
    elif withdraw_post(post_id=found.pk, by=by, at=request.at):
        messages.success(request, _("Actualité retirée. Vous pouvez la remettre en ligne."))
    return redirect("office:news_post", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def delete(request: AgentHttpRequest, post_id: int) -> HttpResponse:
    """Asks, then deletes a draft."""
    drafts = posts_for(request.agent).filter(standing(PostState.DRAFT, at=request.at))
    found = get_object_or_404(drafts, pk=post_id)
    if request.method == "POST":
        if delete_draft(post_id=found.pk, by=request.user.actor(as_agent=True), at=request.at):
            messages.success(request, _("Brouillon supprimé."))
        return redirect("office:news")
    return render(request, "office/news/delete.html", {"post": found})


def _form(
    request: AgentHttpRequest,
    form: NewsForm,
    *,
    town: Municipality,
    post: NewsPost | None = None,
    key: str = "",
    edition: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of one piece of news, beside what a family sees of it and how many are concerned."""
    sites, services = chosen(form)
    today = request.at.astimezone(town.tz).date()
    state = post.state_at(request.at) if post is not None else PostState.DRAFT
    said: dict[str, Any] = {name: form[name].value() or "" for name in ("title", "summary", "body", "author")}
    return render(
        request,
        "office/news/form.html",
        {
            "municipality": town,
            "form": form,
            "post": post,
            "key": key,
            "edition": edition,
            "look": state.look if post is not None else None,
            "is_draft": state == PostState.DRAFT,
            "is_new": state in (PostState.DRAFT, PostState.SCHEDULED),
            "is_withdrawn": state == PostState.WITHDRAWN,
            "said": said,
            "said_urgent": form["urgent"].value(),
            "body": prose.html(said["body"]),
            "day": today,
            "reach": reach(sites=sites, services=services, today=today),
            "readers": post.readings.count() if post is not None and post.urgent else 0,
            "told": post.notices.count() if post is not None and post.by_mail else 0,
            "history": AuditLine.objects.filter(subject_type=NewsPost._meta.label_lower, subject_id=str(post.pk))[:8]
            if post is not None
            else (),
        },
        status=status,
    )


def _key(request: AgentHttpRequest) -> UUID:
    try:
        return UUID(typed(request.POST, "key"))
    except ValueError:
        raise Http404 from None


def _say_published(request: AgentHttpRequest, post: NewsPost, town: Municipality) -> None:
    if post.published_at is not None and post.published_at > request.at:
        when = moment_words(post.published_at, town.tz)
        messages.success(request, _("Actualité programmée : %(when)s.") % {"when": when})
    else:
        messages.success(request, _("Actualité en ligne."))
