"""Trips, strikes and closures: what is announced, announcing one, undoing it."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.activities.queries import municipality, offer_of
from marelle.bookings.queries.closures import extent_of, seen_from
from marelle.bookings.services.closures import DaysBegun, NothingToClose, close_days, days_to_come, reopen_days
from marelle.foundation.sentences import list_words, short_day_words, span_words
from marelle.foundation.typed import typed
from marelle.office.closures import (
    ClosureForm,
    by_site,
    days_of,
    row,
    rows_of,
    searched,
    totals,
    undoable,
    units_words,
    warnings,
    whom_words,
)
from marelle.office.queue import sites_of

PAGE = 25


@require_safe
@agent_required()
def index(request: AgentHttpRequest) -> HttpResponse:
    words = typed(request.GET, "q", most=100)
    past = request.GET.get("voir") == "passees"
    today = request.at.astimezone(municipality().tz).date()
    found = searched(seen_from(sites_of(request.agent)), words)
    found = found.filter(last_day__lt=today) if past else found.filter(last_day__gte=today)
    order = ("-last_day", "-id") if past else ("first_day", "id")
    # An undone closure cancels nothing any more; what it had cancelled is told on its page.
    shown = found.annotate(days_closed=Count("closed", filter=Q(closed__after=""))).order_by(*order)
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "closure": closure,
            "whom": whom_words(closure),
            "when": span_words(closure.first_day, closure.last_day),
        }
        for closure in page
    ]
    return render(request, "office/closures/index.html", {"page": page, "rows": rows, "q": words, "past": past})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def new(request: AgentHttpRequest) -> HttpResponse:
    """The form; with its fields in the address, what it would do; POST does it. `cle` makes a repeated POST the same
    closure."""
    town = municipality()
    data = request.POST if request.method == "POST" else request.GET
    role, today = request.agent, request.at.astimezone(town.tz).date()
    if request.method != "POST" and "whom" not in data:
        blank = ClosureForm(town=town, role=role, today=today, initial={"kind": "outing"})
        return render(request, "office/closures/new.html", {"form": blank})
    form = ClosureForm(data, town=town, role=role, today=today)
    if not form.is_valid() or "modifier" in data:
        return render(request, "office/closures/new.html", {"form": form})
    reach, days = form.reach(), form.days()
    if request.method == "POST" and (key := _key(typed(request.POST, "cle"))) is not None:
        return _close(request, form, key)
    extent = extent_of(reach.bookings(days))
    return render(
        request,
        "office/closures/preview.html",
        {
            "form": form,
            "title": dict(form.fields["kind"].choices)[form.cleaned_data["kind"]],  # type: ignore[attr-defined]
            "whom": form.reaches[form.cleaned_data["whom"]][2],
            "starts_today": today in days,
            "when": list_words(short_day_words(day) for day in days),
            "units": list_words(dict(form.fields["units"].choices)[u] for u in form.cleaned_data["units"]),  # type: ignore[attr-defined]
            "extent": extent,
            "children": [{"child": one.child, "days": days_of(one.bookings)} for one in extent.children],
            "warnings": warnings(extent),
            "fields": [(name, value) for name in form.fields for value in data.getlist(name)],
            "key": uuid4(),
        },
    )


def _key(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None


def _close(request: AgentHttpRequest, form: ClosureForm, key: UUID) -> HttpResponse:
    try:
        closed = close_days(
            kind=form.cleaned_data["kind"],
            reach=form.reach(),
            days=form.days(),
            words=typed(request.POST, "words", most=300),
            key=key,
            by=request.user,
            at=request.at,
        )
    except NothingToClose:
        messages.warning(request, _("Ce jour est passé."))
        return redirect("office:closures")
    if closed.repeated:
        messages.info(request, _("C’est déjà annoncé : rien n’a été fait deux fois."))
    else:
        told = ngettext(
            "C’est annoncé : %(n)d réservation annulée, la famille reçoit un e-mail.",
            "C’est annoncé : %(n)d réservations annulées, les familles reçoivent un e-mail.",
            closed.bookings,
        )
        messages.success(request, told % {"n": closed.bookings} if closed.bookings else _("C’est annoncé."))
    return redirect("office:closure", closed.closure.pk)


@require_safe
@agent_required()
def detail(request: AgentHttpRequest, closure_id: int) -> HttpResponse:
    town, sites = municipality(), sites_of(request.agent)
    closure = get_object_or_404(seen_from(sites), pk=closure_id)
    rows = rows_of(closure, sites=sites)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    standing = closure.undone_at is None
    return render(
        request,
        "office/closures/detail.html",
        {
            "closure": closure,
            "whom": whom_words(closure),
            "when": span_words(closure.first_day, closure.last_day),
            "units": units_words(closure, offer_of(town)),
            "page": page,
            "rows": [row(one) for one in page],
            "totals": totals(rows),
            "sites": by_site(rows),
            "may_undo": standing
            and undoable(request.agent).filter(pk=closure.pk).exists()
            and bool(days_to_come(closure, town=town, at=request.at)),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_required()
def undo(request: AgentHttpRequest, closure_id: int) -> HttpResponse:
    """Asks, then undoes: the days that have not begun come back."""
    town = municipality()
    closure = get_object_or_404(undoable(request.agent).select_related("site", "service", "group"), pk=closure_id)
    if request.method == "POST":
        try:
            done = reopen_days(closure_id=closure.pk, by=request.user, at=request.at)
        except DaysBegun:
            messages.warning(request, _("Ces jours ont commencé : la fermeture reste."))
            return redirect("office:closure", closure.pk)
        if done.repeated:
            messages.info(request, _("Cette fermeture est déjà annulée."))
        else:
            messages.success(request, _("La fermeture est annulée, les familles reçoivent un e-mail."))
            if done.lost:
                lost = ngettext(
                    "%(n)d journée n’a pas pu revenir : la liste le dit.",
                    "%(n)d journées n’ont pas pu revenir : la liste le dit.",
                    done.lost,
                )
                messages.warning(request, lost % {"n": done.lost})
        return redirect("office:closure", closure.pk)
    days = days_to_come(closure, town=town, at=request.at)
    return render(
        request,
        "office/closures/undo.html",
        {
            "closure": closure,
            "whom": whom_words(closure),
            "when": list_words(short_day_words(day) for day in days),
            "possible": bool(days) and closure.undone_at is None,
            "totals": totals(closure.closed.filter(after="", booking__date__in=days)),
        },
    )
