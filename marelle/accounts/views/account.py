"""One's own account, whoever one is."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marelle.accounts.forms import ProofForm
from marelle.accounts.permissions import AccountHttpRequest, account_required, landing, mark_proved, safe_next
from marelle.activities.queries import municipality

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@sensitive_post_parameters("password")
@form_methods
@account_required
def proof(request: AccountHttpRequest) -> HttpResponse:
    """Asks the password again before a page that `proof_required` guards, then goes back there."""
    next_path = safe_next(request, request.POST.get("next") or request.GET.get("next"))
    email = request.user.email
    data = request.POST if request.method == "POST" else None
    form = ProofForm(data, request=request, email=email, phone=municipality().phone)
    if request.method == "POST" and form.is_valid():
        mark_proved(request)
        return HttpResponseRedirect(next_path or landing(request.user))
    status = 422 if form.errors else 200
    return render(request, "accounts/proof.html", {"form": form, "email": email, "next": next_path}, status=status)
