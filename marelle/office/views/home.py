from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from marelle.accounts.permissions import agent_required


@require_safe
@agent_required()
def home(request: HttpRequest) -> HttpResponse:
    """Where an agent arrives: the families, until there is a page of the day."""
    return redirect("office:families")
