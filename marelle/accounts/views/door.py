"""The door: an address, then a password or a code. Every address gets the same pages and the same answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marelle.accounts import waiting
from marelle.accounts.codes import address_in, try_code
from marelle.accounts.forms import AddressForm, CodeForm, NewPasswordForm, PasswordForm, SecondFactorForm, too_many
from marelle.accounts.links import LinkState, read_link
from marelle.accounts.models import CodePurpose, User
from marelle.accounts.permissions import ArrivedHttpRequest, landing, mark_proved, safe_next
from marelle.accounts.second_factor import has_second_factor, take_code
from marelle.accounts.services import AccountClosed, LinkSpent, choose_first_or_new_password, send_code
from marelle.accounts.services import choose_password as choose
from marelle.accounts.sessions import say_device
from marelle.activities.queries import municipality, takes_new_accounts

# What the session holds while someone stands at the door.
ADDRESS = "door_address"  # typed here
LINK = "door_link"  # of an e-mail, to choose a password
ADDRESS_LINK = "door_address_link"  # of an e-mail, to prove an address without an account
CODE = "door_code"  # the row of the code that was sent last
SENT_TO = "door_sent_to"  # and the address it went to
FORGOTTEN = "door_forgotten"  # whether a new password is wanted
CHOOSING = "door_choosing"  # who proved their address and chooses a password
NEWCOMER = "door_newcomer"  # an address proved by somebody whom nobody knows
SECOND = "door_second"  # whose second step is awaited
SECOND_LASTS = timedelta(minutes=10)
CHOOSING_LASTS = timedelta(minutes=30)
NEWCOMER_LASTS = timedelta(hours=2)

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def next_of(request: HttpRequest) -> str:
    """Where to go once inside; never another site, never the door itself."""
    path = safe_next(request, request.POST.get("next") or request.GET.get("next"))
    return "" if path.startswith(reverse("accounts:door")) else path


def to(name: str, next_path: str) -> HttpResponseRedirect:
    query = f"?{urlencode({'next': next_path})}" if next_path else ""
    return HttpResponseRedirect(reverse(name) + query)


def come_in(request: ArrivedHttpRequest, user: User, *, email: str, remember: bool, next_path: str) -> HttpResponse:
    """The first step is done. Whoever chose a second one is asked for it, the others are in."""
    if not has_second_factor(user):
        return enter(request, user, email=email, remember=remember, next_path=next_path)
    request.session[SECOND] = {"user": user.pk, "remember": remember, "until": until(SECOND_LASTS)}
    for key in (LINK, ADDRESS_LINK, CODE, SENT_TO, FORGOTTEN, CHOOSING):
        request.session.pop(key, None)
    request.session.set_expiry(0)
    return to("accounts:second_step", next_path)


@never_cache
@csrf_protect
@form_methods
def second_step(request: ArrivedHttpRequest) -> HttpResponse:
    """The code of the application, or a recovery code."""
    next_path = next_of(request)
    if request.user.is_authenticated:
        return inside(request, next_path)
    held = still(request.session, SECOND)
    user = User.objects.filter(pk=held["user"], is_active=True).first() if held else None
    if user is None:
        return to("accounts:door", next_path)
    form = SecondFactorForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not ratelimit.consume(request, action="second_tried", key=str(user.pk)):
            return too_often(request, next_path)
        if take_code(user=user, typed=form.cleaned_data["code"], at=request.at):
            return enter(request, user, email=user.email, remember=held["remember"], next_path=next_path)
        form.add_error("code", _("Ce code n’ouvre pas. Attendez le suivant de votre application, puis tapez-le."))
    context = {"form": form, "next": next_path}
    return render(request, "accounts/second_step.html", context, status=422 if form.errors else 200)


def enter(request: ArrivedHttpRequest, user: User, *, email: str, remember: bool, next_path: str) -> HttpResponse:
    """Open the session: until the browser closes, or for thirty days on a device of one's own. What this user sent
    after their last session had ended is taken up."""
    response = perform_login(request, user, email=email, redirect_url=next_path or landing(user))
    for key in (ADDRESS, LINK, ADDRESS_LINK, CODE, SENT_TO, FORGOTTEN, CHOOSING, NEWCOMER, SECOND):
        request.session.pop(key, None)
    request.session.set_expiry(settings.SESSION_COOKIE_AGE if remember else 0)
    say_device(request, at=request.at)
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
    form = AddressForm(
        request.POST if request.method == "POST" else None, initial={"email": request.session.get(ADDRESS, "")}
    )
    if form.is_valid():
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
def request_code(request: ArrivedHttpRequest) -> HttpResponse:
    """Ask for a code: for the address given at the door, for one typed here, or for who holds a link grown too old."""
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
    elif "again" in request.POST:
        email = request.session.get(SENT_TO) or request.session.get(ADDRESS, "")
    else:
        email = request.session.get(ADDRESS, "")
    if not email:
        return to("accounts:door", next_path)
    if not ratelimit.consume(request, action="reset_password", key=email):
        return too_often(request, next_path)
    request.session[CODE] = str(send_code(email=email, at=request.at, next_path=next_path).pk)
    request.session[SENT_TO] = email
    if "again" not in request.POST:
        request.session[FORGOTTEN] = "forgotten" in request.POST
    request.session.set_expiry(0)
    return to("accounts:code", next_path)


def too_often(request: HttpRequest, next_path: str) -> HttpResponse:
    context = {"sentence": too_many(municipality().phone), "next": next_path}
    return render(request, "accounts/too_many.html", context, status=429)


@never_cache
@csrf_protect
@form_methods
def code(request: ArrivedHttpRequest) -> HttpResponse:
    """Where the code is typed: the same page for every address, and the same answer to a code that is not the right
    one. It names only an address that was typed here, not that of an expired link."""
    next_path = next_of(request)
    if request.user.is_authenticated:
        return inside(request, next_path)
    if CODE not in request.session:
        return to("accounts:door", next_path)
    data = request.POST if request.method == "POST" else None
    form = CodeForm(data, initial={"new_password": request.session.get(FORGOTTEN, False)})
    if form.is_valid():
        if not ratelimit.consume(request, action="code_tried", key=request.session.get(SENT_TO, "")):
            return too_often(request, next_path)
        outcome, sent = try_code(request.session[CODE], form.cleaned_data["code"], purpose=CodePurpose.DOOR)
        if sent is not None:
            return proved(
                request,
                sent.email,
                next_path,
                new_password=form.cleaned_data["new_password"],
                remember=form.cleaned_data["remember"],
            )
        form.say(outcome)
    context = {"form": form, "email": request.session.get(ADDRESS, ""), "next": next_path, "steps": door_steps()}
    return render(request, "accounts/code.html", context, status=422 if form.errors else 200)


def proved(
    request: ArrivedHttpRequest, email: str, next_path: str, *, new_password: bool = False, remember: bool = False
) -> HttpResponse:
    """Whoever stands here reads what is sent to this address. Who has a password comes in, or chooses another; who has
    none yet chooses one, a guardian whom only an import or an agent knew as well as an invited one; whom nobody knows
    asks for an account, where the town takes new ones."""
    user: User | None = import_string(settings.WELCOME)(email, at=request.at)
    for key in (CODE, SENT_TO, FORGOTTEN, ADDRESS_LINK):
        request.session.pop(key, None)
    if user is None and takes_new_accounts(municipality()):
        request.session[NEWCOMER] = {"email": email, "until": until(NEWCOMER_LASTS)}
        return to(settings.NEW_ACCOUNT, "")
    if user is None or user.is_closed:
        return render(request, "accounts/unknown.html", {"email": email}, status=403)
    if user.is_active and not new_password:
        return come_in(request, user, email=email, remember=remember, next_path=next_path)
    let_choose(request.session, user)
    request.session.pop(LINK, None)
    return to("accounts:choose_password", next_path)


def let_choose(session: SessionBase, user: User) -> None:
    """Whoever holds this session has just proved this user's address, and may choose a password: as long as the address
    and the password are those of now. What happens to the account meanwhile (an address put back) ends it."""
    session[CHOOSING] = {
        "user": user.pk,
        "email": user.email,
        "password": user.get_session_auth_hash(),
        "until": until(CHOOSING_LASTS),
    }
    session.set_expiry(0)


def until(lasts: timedelta) -> float:
    return (datetime.now(UTC) + lasts).timestamp()


def still(session: SessionBase, key: str) -> dict[str, Any]:
    """What the session holds under this key, while it lasts; nothing else."""
    held: dict[str, Any] = session.get(key) or {}
    return held if held.get("until", 0) > datetime.now(UTC).timestamp() else {}


def newcomer_address(session: SessionBase) -> str:
    """The address that a family without an account has proved in this session, "" when there is none."""
    return str(still(session, NEWCOMER).get("email", ""))


@never_cache
@require_safe
def address_link(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link arrives that proves an address without an account. It changes nothing but the session."""
    request.session[ADDRESS_LINK] = token
    request.session.set_expiry(0)
    return to("accounts:address", next_of(request))


@never_cache
@csrf_protect
@form_methods
def address(request: ArrivedHttpRequest) -> HttpResponse:
    """The button behind that link: scanners of e-mails follow links, and press no button."""
    next_path = next_of(request)
    email = address_in(request.session.get(ADDRESS_LINK, ""))
    if email is None:
        if request.user.is_authenticated:
            return inside(request, next_path)
        return worthless(request, LinkState.WORTHLESS, next_path)
    if request.method == "POST":
        return proved(request, email, next_path)
    return render(request, "accounts/address.html", {"email": email, "next": next_path})


@never_cache
@require_safe
def link(request: HttpRequest, who: str, token: str) -> HttpResponse:
    """Where an e-mail's link arrives. It changes nothing but the session, which takes the link out of the address bar:
    scanners of e-mails follow links, and pages are shown on screens and kept in histories."""
    request.session[LINK] = [who, token]
    request.session.pop(CHOOSING, None)
    request.session.set_expiry(0)
    return to("accounts:choose_password", next_of(request))


@never_cache
@csrf_protect
@sensitive_post_parameters("password")
@form_methods
def choose_password(request: ArrivedHttpRequest) -> HttpResponse:
    """For who followed a link, or typed a code."""
    next_path = next_of(request)
    chooser, state = choosing(request.session)
    if chooser is None:
        if LINK not in request.session and request.user.is_authenticated:
            return inside(request, next_path)
        return worthless(request, state, next_path)
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            user = keep_password(request, chooser, form.cleaned_data["password"])
        except (LinkSpent, AccountClosed):
            return worthless(request, LinkState.WORTHLESS, next_path)
        except ValidationError as error:
            form.add_error("password", error)
        else:
            return come_in(request, user, email=user.email, remember=form.cleaned_data["remember"], next_path=next_path)
    context = {"form": form, "email": chooser.email, "next": next_path, "steps": door_steps()}
    return render(request, "accounts/choose_password.html", context, status=422 if form.errors else 200)


def choosing(session: SessionBase) -> tuple[User | None, LinkState]:
    """Who may choose a password here, and what their link is worth when they may not."""
    if held := still(session, CHOOSING):
        user = User.objects.filter(pk=held["user"], email=held.get("email")).first()
        same = user is not None and constant_time_compare(user.get_session_auth_hash(), held.get("password", ""))
        return (
            (user, LinkState.GOOD) if user is not None and same and not user.is_closed else (None, LinkState.WORTHLESS)
        )
    user, state = read_link(*(session.get(LINK) or ("", "")))
    return (user if state is LinkState.GOOD else None), state


def keep_password(request: ArrivedHttpRequest, user: User, password: str) -> User:
    if still(request.session, CHOOSING):
        return choose_first_or_new_password(user=user, password=password, at=request.at)
    who, token = request.session[LINK]
    return choose(who=who, token=token, password=password, at=request.at)


def door_steps() -> list[str]:
    return [_("Adresse"), _("Code"), _("Mot de passe")]


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
