"""Going from one household to another: the one thing about households that no page owns."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from marelle.families.permissions import GuardianHttpRequest, before_acceptance, choose_household, guardian_required


@require_http_methods(["GET", "HEAD", "POST"])
@guardian_required
@before_acceptance
def switch(request: GuardianHttpRequest) -> HttpResponse:
    """GET shows the guardian's households, POST `household` (id) goes to one and to its home page."""
    if request.method == "POST":
        try:
            choose_household(request.user, request.session, int(request.POST.get("household", "")))
        except ValueError as error:
            raise Http404 from error
        return redirect("/")
    return render(request, "families/switch.html")
