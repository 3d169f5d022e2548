"""One's own account, whoever one is: address, password, second step, devices, colours."""

import base64

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts import totp
from marelle.accounts.addresses import AddressTaken, CannotUndo, change_address, change_in, undo_change
from marelle.accounts.codes import Typed, try_code
from marelle.accounts.forms import (
    AddressCodeForm,
    NewAddressForm,
    NewPasswordForm,
    ProofForm,
    SecondFactorForm,
    ThemeForm,
)
from marelle.accounts.models import CodePurpose, SecondFactor
from marelle.accounts.permissions import (
    AccountHttpRequest,
    ArrivedHttpRequest,
    account_required,
    landing,
    mark_proved,
    proof_required,
    safe_next,
)
from marelle.accounts.second_factor import (
    WrongCode,
    add_second_factor,
    end_sessions_without,
    remove_second_factor,
    renew_recovery_codes,
)
from marelle.accounts.services import change_password, choose_theme, close_sessions, send_code
from marelle.accounts.sessions import other_sessions, sessions_of
from marelle.accounts.square_code import square_code
from marelle.accounts.views.door import let_choose, too_often
from marelle.activities.queries import municipality
from marelle.foundation.sealing import seal, unseal

# What the session holds meanwhile.
ADDRESS_CODE = "account_address_code"
NEW_ADDRESS = "account_new_address"
PROOF_CODE = "account_proof_code"
SECRET = "account_totp_secret"

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def page(request: HttpRequest, name: str, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    """With the families' destinations around it, or the agents'."""
    base = "foundation/base_staff.html" if hasattr(request, "agent") else "foundation/base_family.html"
    return render(request, f"accounts/account/{name}.html", {"base": base, **context}, status=status)


@never_cache
@require_safe
@account_required
def account(request: AccountHttpRequest) -> HttpResponse:
    sessions = list(sessions_of(request.user))
    return page(
        request,
        "account",
        {
            "sessions": [(one, one.session_key == request.session.session_key) for one in sessions],
            "others": len(sessions) - 1,
            "factor": SecondFactor.objects.filter(user=request.user).first(),
            "form": ThemeForm(initial={"theme": request.user.theme}),
        },
    )


@never_cache
@require_POST
@account_required
def theme(request: AccountHttpRequest) -> HttpResponse:
    form = ThemeForm(request.POST)
    if form.is_valid():
        choose_theme(user=request.user, theme=form.cleaned_data["theme"])
        messages.success(request, _("C’est enregistré."))
    return redirect("accounts:account")


@never_cache
@require_POST
@account_required
def close(request: AccountHttpRequest) -> HttpResponse:
    """Ends a session open elsewhere (`which`: the row's public name), or all but this one. Closing what is closed
    already changes nothing."""
    others = other_sessions(request.user, request.session)
    if which := request.POST.get("which", ""):
        wanted = [one.session_key for one in others if one.public_name == which]
        others = others.filter(session_key__in=wanted)
    close_sessions(user=request.user, sessions=others, at=request.at)
    messages.success(request, _("C’est fermé : il faut se connecter à nouveau sur cet appareil."))
    return redirect("accounts:account")


@never_cache
@sensitive_post_parameters("password")
@form_methods
@account_required
@proof_required
def password(request: AccountHttpRequest) -> HttpResponse:
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            user = change_password(user=request.user, password=form.cleaned_data["password"], at=request.at)
        except ValidationError as error:
            form.add_error("password", error)
        else:
            update_session_auth_hash(request, user)
            end_sessions_without(user, request.session.session_key)
            messages.success(request, _("Votre mot de passe est changé. Vos autres appareils sont déconnectés."))
            return redirect("accounts:account")
    return page(request, "password", {"form": form}, status=422 if form.errors else 200)


@never_cache
@form_methods
@account_required
@proof_required
def new_address(request: AccountHttpRequest) -> HttpResponse:
    """The address wanted. What follows is the same whether it is free or somebody's: only the e-mail there differs."""
    form = NewAddressForm(request.POST if request.method == "POST" else None, current=request.user.email)
    if form.is_valid():
        return send_address_code(request, form.cleaned_data["email"])
    return page(request, "address", {"form": form}, status=422 if form.errors else 200)


def send_address_code(request: AccountHttpRequest, email: str) -> HttpResponse:
    if not ratelimit.consume(request, action="reset_password", key=email):
        return too_often(request, "")
    sent = send_code(email=email, purpose=CodePurpose.ADDRESS, user=request.user, at=request.at)
    request.session[ADDRESS_CODE], request.session[NEW_ADDRESS] = str(sent.pk), email
    return redirect("accounts:address_code")


@never_cache
@form_methods
@account_required
@proof_required
def address_code(request: AccountHttpRequest) -> HttpResponse:
    """Where the code that went to the new address is typed; `again` sends another."""
    email = request.session.get(NEW_ADDRESS)
    if not email:
        return redirect("accounts:new_address")
    if "again" in request.POST:
        return send_address_code(request, email)
    form = AddressCodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not may_try_a_code(request):
            return too_often(request, "")
        outcome, sent = try_code(request.session[ADDRESS_CODE], form.cleaned_data["code"], purpose=CodePurpose.ADDRESS)
        if sent is not None and sent.user_id == request.user.pk:
            try:
                change_address(user=request.user, email=sent.email, at=request.at)
            except AddressTaken:
                outcome = Typed.OVER
            else:
                for key in (ADDRESS_CODE, NEW_ADDRESS):
                    request.session.pop(key, None)
                messages.success(request, _("Votre adresse de connexion est %(email)s.") % {"email": sent.email})
                return redirect("accounts:account")
        form.say(outcome)
    return page(request, "address_code", {"form": form, "email": email}, status=422 if form.errors else 200)


@never_cache
@form_methods
def undo_address(request: ArrivedHttpRequest, token: str) -> HttpResponse:
    """For who holds the old address: a page with a button, then another password is chosen. The link is the proof."""
    change = change_in(token)
    if change is None:
        return render(request, "accounts/undo_over.html", status=410)
    if request.method == "POST":
        try:
            user = undo_change(token=token, at=request.at)
        except CannotUndo:
            return render(request, "accounts/undo_over.html", status=410)
        request.session.flush()
        let_choose(request.session, user)
        return redirect("accounts:choose_password")
    return render(request, "accounts/undo_address.html", {"change": change})


@never_cache
@sensitive_post_parameters("password")
@form_methods
@account_required
def proof(request: AccountHttpRequest) -> HttpResponse:
    """Asks the password again, or a code by e-mail from who came in by one, before a page that `proof_required` guards;
    then goes back there."""
    next_path = safe_next(request, request.POST.get("next") or request.GET.get("next"))
    email, do = request.user.email, request.POST.get("do", "")
    if do == "send":
        if not ratelimit.consume(request, action="reset_password", key=email):
            return too_often(request, next_path)
        sent = send_code(email=email, purpose=CodePurpose.PROOF, user=request.user, at=request.at)
        request.session[PROOF_CODE] = str(sent.pk)
    asked = PROOF_CODE in request.session
    data = request.POST if request.method == "POST" and do != "send" else None
    form = ProofForm(data if do != "code" else None, request=request, email=email, phone=municipality().phone)
    code_form = AddressCodeForm(data if do == "code" else None)
    if asked and code_form.is_valid() and not may_try_a_code(request):
        return too_often(request, next_path)
    if form.is_valid() or (asked and code_form.is_valid() and code_is_right(request, code_form)):
        request.session.pop(PROOF_CODE, None)
        mark_proved(request)
        return HttpResponseRedirect(next_path or landing(request.user))
    context = {"form": form, "code_form": code_form, "asked": asked, "email": email, "next": next_path}
    return render(request, "accounts/proof.html", context, status=422 if form.errors or code_form.errors else 200)


def may_try_a_code(request: AccountHttpRequest) -> bool:
    """Whoever asks for one code after the other tries no more of them: so many for a person, so many from one place."""
    return bool(ratelimit.consume(request, action="code_tried", key=f"user:{request.user.pk}"))


def code_is_right(request: AccountHttpRequest, form: AddressCodeForm) -> bool:
    outcome, sent = try_code(request.session[PROOF_CODE], form.cleaned_data["code"], purpose=CodePurpose.PROOF)
    form.say(outcome)
    return sent is not None and sent.user_id == request.user.pk


@never_cache
@form_methods
@account_required
@proof_required
def second_factor(request: AccountHttpRequest) -> HttpResponse:
    """Without one: the square code to show to an application, then its first code. With one: what is left of the
    recovery codes, others, or the end of it."""
    factor = SecondFactor.objects.filter(user=request.user).first()
    if factor is not None:
        return page(request, "second_factor", {"factor": factor, "left": len(factor.recovery)})
    if SECRET not in request.session:
        sealed = seal(totp.new_secret(), bound_to=f"{SECRET}:{request.user.pk}")
        request.session[SECRET] = base64.b64encode(sealed).decode()
    secret = unseal(base64.b64decode(request.session[SECRET]), bound_to=f"{SECRET}:{request.user.pk}")
    form = SecondFactorForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not ratelimit.consume(request, action="second_tried", key=str(request.user.pk)):
            return too_often(request, "")
        try:
            codes = add_second_factor(user=request.user, secret=secret, digits=form.cleaned_data["code"], at=request.at)
        except WrongCode:
            form.add_error("code", _("Ce n’est pas le code de l’application. Attendez le suivant, puis tapez-le."))
        else:
            request.session.pop(SECRET)
            end_sessions_without(request.user, request.session.session_key)
            return page(request, "recovery_codes", {"codes": codes, "first": True})
    town = municipality()
    address = totp.address(secret, issuer=town.short_name or town.name, label=request.user.email)
    context = {
        "form": form,
        "secret": totp.written(secret),
        "address": address,
        "picture": square_code(address, words=_("Code carré à montrer à votre application")),
    }
    return page(request, "add_second_factor", context, status=422 if form.errors else 200)


@never_cache
@require_POST
@account_required
@proof_required
def recovery_codes(request: AccountHttpRequest) -> HttpResponse:
    """Others, shown once, in this very answer."""
    try:
        codes = renew_recovery_codes(user=request.user, at=request.at)
    except SecondFactor.DoesNotExist:
        raise Http404 from None
    return page(request, "recovery_codes", {"codes": codes, "first": False})


@never_cache
@form_methods
@account_required
@proof_required
def end_second_factor(request: AccountHttpRequest) -> HttpResponse:
    """Asked before it is done."""
    if request.method == "POST":
        remove_second_factor(user=request.user, by=request.user.actor(), at=request.at)
        messages.success(request, _("La deuxième étape est retirée."))
        return redirect("accounts:account")
    return page(request, "end_second_factor", {})
