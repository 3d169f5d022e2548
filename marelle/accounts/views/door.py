"""The door: an address, then a password or a link. Every address gets the same pages and the same answers."""

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts import waiting
from marelle.accounts.forms import AddressForm, NewPasswordForm, PasswordForm, too_many
from marelle.accounts.links import LinkState, read_link
from marelle.accounts.models import User
from marelle.accounts.permissions import ArrivedHttpRequest, landing, mark_proved, safe_next
from marelle.accounts.services import LinkSpent, send_link
from marelle.accounts.services import choose_password as choose
from marelle.accounts.sessions import say_device
from marelle.activities.queries import municipality

# What the session holds while someone stands at the door.
ADDRESS = "door_address"
LINK = "door_link"

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def next_of(request: HttpRequest) -> str:
    """Where to go once inside; never another site, never the door itself."""
    path = safe_next(request, request.POST.get("next") or request.GET.get("next"))
    return "" if path.startswith(reverse("accounts:door")) else path


def to(name: str, next_path: str) -> HttpResponseRedirect:
    query = f"?{urlencode({'next': next_path})}" if next_path else ""
    return HttpResponseRedirect(reverse(name) + query)


def come_in(request: ArrivedHttpRequest, user: User, *, email: str, remember: bool, next_path: str) -> HttpResponse:
    """Open the session: until the browser closes, or for thirty days on a device of one's own. What this user sent
    after their last session had ended is taken up."""
    response = perform_login(request, user, email=email, redirect_url=next_path or landing(user))
    for key in (ADDRESS, LINK):
        request.session.pop(key, None)
    request.session.set_expiry(settings.SESSION_COOKIE_AGE if remember else 0)
    say_device(request)
    mark_proved(request)
    if waited := waiting.take(request.session, user, at=request.at):
        import_string(settings.TAKE_UP)(request, user, waited)
    return response


def inside(request: HttpRequest, next_path: str) -> HttpResponse:
    return HttpResponseRedirect(next_path or landing(request.user))


@never_cache
@csrf_protect
@form_methods
def door(request: HttpRequest) -> HttpResponse:
    next_path = next_of(request)
    if request.user.is_authenticated:
        return inside(request, next_path)
    form = AddressForm(request.POST or None, initial={"email": request.session.get(ADDRESS, "")})
    if request.method == "POST" and form.is_valid():
        request.session[ADDRESS] = form.cleaned_data["email"]
        request.session.set_expiry(0)
        return to("accounts:password", next_path)
    ended = "fin" in request.GET or waiting.waits(request.session)
    return render(request, "accounts/door.html", {"form": form, "next": next_path, "ended": ended})


@never_cache
@csrf_protect
@sensitive_post_parameters("password")
@form_methods
def password(request: ArrivedHttpRequest) -> HttpResponse:
    next_path = next_of(request)
    if request.user.is_authenticated:
        return inside(request, next_path)
    email = request.session.get(ADDRESS)
    if not email:
        return to("accounts:door", next_path)
    form = PasswordForm(request.POST or None, request=request, email=email, phone=municipality().phone)
    if request.method == "POST" and form.is_valid():
        return come_in(request, form.user, email=email, remember=form.cleaned_data["remember"], next_path=next_path)
    return render(request, "accounts/password.html", {"form": form, "email": email, "next": next_path})


@never_cache
@csrf_protect
@require_POST
def request_link(request: ArrivedHttpRequest) -> HttpResponse:
    """Ask for a link: for the address given at the door, for one typed here, or for who holds a link grown too old."""
    next_path = next_of(request)
    expired = request.session.get(LINK) if "expired" in request.POST else None
    if expired:
        user, state = read_link(*expired)
        email = user.email if user is not None and state is LinkState.EXPIRED else ""
        request.session.pop(ADDRESS, None)  # the page that follows does not say whose link it was
    elif "email" in request.POST:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return render(request, "accounts/link_worthless.html", {"form": form, "expired": False, "next": next_path})
        email = request.session[ADDRESS] = form.cleaned_data["email"]
    else:
        email = request.session.get(ADDRESS, "")
    if not email:
        return to("accounts:door", next_path)
    if not ratelimit.consume(request, action="reset_password", key=email):
        return render(
            request,
            "accounts/too_many.html",
            {"sentence": too_many(municipality().phone), "next": next_path},
            status=429,
        )
    send_link(email=email, at=request.at, next_path=next_path)
    return to("accounts:link_sent", next_path)


@never_cache
@require_safe
def link_sent(request: HttpRequest) -> HttpResponse:
    """The same page for every address. It names only an address that was typed here, not that of an expired link."""
    context = {"email": request.session.get(ADDRESS, ""), "next": next_of(request)}
    return render(request, "accounts/link_sent.html", context)


@never_cache
@require_safe
def link(request: HttpRequest, who: str, token: str) -> HttpResponse:
    """Where an e-mail's link arrives. It changes nothing but the session, which takes the link out of the address bar:
    scanners of e-mails follow links, and pages are shown on screens and kept in histories."""
    request.session[LINK] = [who, token]
    request.session.set_expiry(0)
    return to("accounts:choose_password", next_of(request))


@never_cache
@csrf_protect
@sensitive_post_parameters("password")
@form_methods
def choose_password(request: ArrivedHttpRequest) -> HttpResponse:
    next_path = next_of(request)
    who, token = request.session.get(LINK) or ("", "")
    user, state = read_link(who, token)
    if user is None or state is not LinkState.GOOD:
        if not who and request.user.is_authenticated:
            return inside(request, next_path)
        return worthless(request, state, next_path)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = choose(
                who=who,
                token=token,
                password=form.cleaned_data["password"],
                at=request.at,
            )
        except LinkSpent:
            return worthless(request, LinkState.WORTHLESS, next_path)
        except ValidationError as error:
            form.add_error("password", error)
        else:
            return come_in(request, user, email=user.email, remember=form.cleaned_data["remember"], next_path=next_path)
    return render(request, "accounts/choose_password.html", {"form": form, "email": user.email, "next": next_path})


def worthless(request: HttpRequest, state: LinkState, next_path: str) -> HttpResponse:
    form = AddressForm(initial={"email": request.session.get(ADDRESS, "")})
    context = {"form": form, "expired": state is LinkState.EXPIRED, "next": next_path}
    return render(request, "accounts/link_worthless.html", context, status=410)


@never_cache
@csrf_protect
@form_methods
def sign_out(request: ArrivedHttpRequest) -> HttpResponse:
    """Who has choices that are not sent is asked first what becomes of them: `choix` is "garder" or "effacer"."""
    count = unsent_choices(request.user)
    if request.method == "POST":
        answer = request.POST.get("choix", "")
        if count and answer not in ("garder", "effacer"):
            return redirect("accounts:sign_out")
        if count and answer == "effacer":
            import_string(settings.ERASE_UNSENT)(request.user, at=request.at)
        logout(request)
        return redirect("accounts:door")
    return render(request, "accounts/sign_out.html", {"unsent": count})


def unsent_choices(user: object) -> int:
    """What this user has not sent, as the function that `settings.UNSENT` names says; nothing for a stranger."""
    count: int = import_string(settings.UNSENT)(user) if isinstance(user, User) else 0
    return count
