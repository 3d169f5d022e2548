"""A family that comes by itself: it makes its space, gives its proof of address, and waits for the town hall."""

import uuid
from contextlib import suppress

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marelle.accounts.permissions import ArrivedHttpRequest
from marelle.accounts.views.door import come_in, newcomer_address
from marelle.activities.models import Site
from marelle.activities.queries import municipality, rules_of, takes_new_accounts
from marelle.documents.services.arrivals import NotAwaited, dossier_of, proof_of_address, send_dossier
from marelle.families.joining.newcomers import found_household
from marelle.families.permissions import GuardianHttpRequest, before_acceptance, guardian_required
from marelle.families.services import AddressInUse
from marelle.foundation.files.pages import judge_pages
from marelle.portal.arriving import Arrival, ProofForm
from marelle.portal.children import children_of
from marelle.requests.models import RequestLine
from marelle.rules.lifecycles import LineState, RequestState

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@sensitive_post_parameters("password")
@form_methods
def new_account(request: ArrivedHttpRequest) -> HttpResponse:
    """For who has proved an address that nobody knows. `more` asks for one more child's fields, keeping all that was
    typed but the password."""
    if request.user.is_authenticated:
        return redirect("/")
    town = municipality()
    email = newcomer_address(request.session)
    if not email or not takes_new_accounts(town):
        return redirect("accounts:door")
    schools = list(Site.objects.filter(kind=Site.Kind.SCHOOL, archived_at=None))
    form = Arrival(
        request.POST if request.method == "POST" else None,
        schools=schools,
        today=request.at.astimezone(town.tz).date(),
    )
    if request.method == "POST" and not form.more and form.is_valid():
        try:
            user = found_household(
                guardian=form.adult.guardian(email),
                address=form.adult.address(),
                children=form.new_children,
                password=form.password.cleaned_data["password"],
                at=request.at,
            )
        except AddressInUse:
            return redirect("accounts:door")
        except ValidationError as error:
            form.password.add_error("password", error)
        else:
            remember = form.password.cleaned_data["remember"]
            return come_in(request, user, email=email, remember=remember, next_path="/mon-dossier/")
    wrong = bool(form.problems)
    context = {"municipality": town, "form": form, "email": email, "has_paper": proof_of_address(town) is not None}
    return render(request, "portal/arrival/new_account.html", context, status=422 if wrong else 200)


@form_methods
@guardian_required
@before_acceptance
def arrival(request: GuardianHttpRequest) -> HttpResponse:
    """What is done, what is missing, what waits for whom; the proof of address is given here."""
    household = request.household
    if household.awaits_since is None:
        return redirect("/")
    town = municipality()
    today = request.at.astimezone(town.tz).date()
    paper = proof_of_address(town)
    sent = dossier_of(household)
    waits = sent is not None and sent.state == RequestState.SENT
    form = None
    if paper is not None and not waits:
        data = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        form = ProofForm(*data, paper=paper, today=today, judge=judge_pages)
    send_key = uuid.uuid4()
    if request.method == "POST":
        with suppress(ValueError):
            send_key = uuid.UUID(request.POST.get("send_key", ""))
    if request.method == "POST" and (form is None or form.is_valid()):
        with suppress(NotAwaited):
            send_dossier(
                household=household,
                town=town,
                by=request.user,
                at=request.at,
                send_key=send_key,
                judged=form.judged if form is not None else None,
                file_name=form.cleaned_data["file"].name if form is not None else "",
                issued_on=form.cleaned_data["issued_on"] if form is not None else None,
            )
        return redirect("portal:arrival")
    refusal = ""
    if sent is not None and not waits:
        refused = RequestLine.objects.filter(request=sent, state=LineState.REFUSED).first()
        refusal = refused.reason if refused is not None else ""
    return render(
        request,
        "portal/arrival/arrival.html",
        {
            "municipality": town,
            "household": household,
            "children": children_of(household),
            "paper": paper,
            "form": form,
            "sent": sent,
            "waits": waits,
            "refusal": refusal,
            "answer_days": rules_of(town).municipality.answer_working_days,
            "send_key": send_key,
        },
        status=422 if form is not None and form.errors else 200,
    )
