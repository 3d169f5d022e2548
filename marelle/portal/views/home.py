"""Where a family arrives."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marelle.activities.queries import municipality
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.portal.children import children_of
from marelle.portal.home.page import home as home_of


@require_safe
@guardian_required
def home(request: GuardianHttpRequest) -> HttpResponse:
    town = municipality()
    page = home_of(
        town=town,
        user=request.user,
        household=request.household,
        children=children_of(request.household),
        at=request.at,
    )
    return render(request, "portal/home/home.html", {"page": page, "municipality": town})
