"""Who the family is, as the town knows it, and what of it waits to be corrected."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marelle.activities.queries import municipality
from marelle.families.joining.adults import open_invitations
from marelle.families.permissions import GuardianHttpRequest, guardian_required
from marelle.portal.family.page import family_page


@require_safe
@guardian_required
def family(request: GuardianHttpRequest) -> HttpResponse:
    """This household only: a child's other home is not said, nor that there is one."""
    town = municipality()
    return render(
        request,
        "portal/family/family.html",
        {
            "municipality": town,
            "household": request.household,
            "invited": open_invitations(request.household),
            "page": family_page(town=town, household=request.household, user=request.user, at=request.at),
        },
    )
