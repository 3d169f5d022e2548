"""Looking at a family's own pages, and coming back."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from marelle.accounts.permissions import AgentHttpRequest, agent_required
from marelle.families.models import Guardian
from marelle.families.permissions import SEERS, seeable_by
from marelle.families.seeing import leave_space, open_space


@require_POST
@agent_required(*SEERS)
def see(request: AgentHttpRequest, household_id: int) -> HttpResponse:
    """Open the family's home page as `guardian`, one of its adults who has an account."""
    household = get_object_or_404(seeable_by(request.agent, at=request.at), pk=household_id)
    number = request.POST.get("guardian", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 13):
        raise Http404
    guardian = get_object_or_404(Guardian, pk=int(number), households=household, user__isnull=False)
    open_space(household=household, guardian=guardian, session=request.session, by=request.user, at=request.at)
    return redirect("/")


@require_POST
@agent_required()
def leave(request: AgentHttpRequest) -> HttpResponse:
    household = leave_space(session=request.session, by=request.user, at=request.at)
    if household is None:
        return redirect("office:families")
    messages.success(request, _("Vous avez quitté l’espace de la famille."))
    return redirect("office:family", household)
