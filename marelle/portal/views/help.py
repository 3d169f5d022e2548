"""Help and the pages that the law asks for. Open to everybody: who cannot sign in needs them most."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marelle.activities.models import Municipality
from marelle.activities.queries import municipality
from marelle.families.permissions import current_of, households_of


def _town() -> Municipality | None:
    try:
        return municipality()
    except Municipality.DoesNotExist:
        return None


def _page(request: HttpRequest, template: str) -> HttpResponse:
    if request.user.is_authenticated:
        # A guardian keeps their navigation here; everybody else reads the page without.
        households = list(households_of(request.user))
        request.households = households  # type: ignore[attr-defined]
        request.household = current_of(households, request.session)  # type: ignore[attr-defined]
    town = _town()
    texts = town.texts if town is not None and isinstance(town.texts, dict) else {}
    return render(request, template, {"municipality": town, "texts": texts})


@require_safe
def help(request: HttpRequest) -> HttpResponse:
    return _page(request, "portal/help/help.html")


@require_safe
def legal(request: HttpRequest) -> HttpResponse:
    return _page(request, "portal/help/legal.html")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return _page(request, "portal/help/privacy.html")


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return _page(request, "portal/help/accessibility.html")
