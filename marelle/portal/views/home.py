"""Where a family arrives."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marelle.activities.queries import municipality
from marelle.families.permissions import guardian_required
from marelle.portal.children import children_of
from marelle.portal.home import home as home_of


@require_safe
@guardian_required
def home(request: HttpRequest) -> HttpResponse:
    town = municipality()
    page = home_of(
        town=town,
        user=request.user,  # type: ignore[arg-type]
        household=request.household,  # type: ignore[attr-defined]
        children=children_of(request.household),  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
    )
    return render(request, "portal/home/home.html", {"page": page, "municipality": town})
