"""Joining a household, and going from one to another: what no page of a household owns."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from marelle.accounts.models import User
from marelle.accounts.permissions import ArrivedHttpRequest, to_the_door
from marelle.accounts.views.door import let_choose
from marelle.families.joining.adults import InvitationOver, join_household
from marelle.families.joining.links import invitation_in
from marelle.families.permissions import GuardianHttpRequest, before_acceptance, choose_household, guardian_required


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: ArrivedHttpRequest, token: str) -> HttpResponse:
    """Where the link of an adult's invitation arrives: a page with a button. Who comes in with this address already
    does so first; the others choose a password next."""
    invitation = invitation_in(token)
    if invitation is None:
        return render(request, "families/join_over.html", status=410)
    owner = User.objects.filter(email=invitation.email, is_active=True).first()
    if owner is not None and not request.user.is_authenticated:
        return to_the_door(request, page=request.path)
    if request.user.is_authenticated and request.user != owner:
        return render(request, "families/join_other.html", {"invitation": invitation}, status=403)
    if request.method == "POST":
        try:
            user = join_household(invitation=invitation, at=request.at)
        except InvitationOver:
            return render(request, "families/join_over.html", status=410)
        if not user.is_active:
            let_choose(request.session, user)
            return redirect("accounts:choose_password")
        choose_household(user, request.session, invitation.household_id)
        return redirect("/")
    return render(request, "families/join.html", {"invitation": invitation})


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
