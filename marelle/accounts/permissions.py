"""Who may come in, and how a view asks. What needs a household is in `marelle.families.permissions`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.module_loading import import_string

from marelle.accounts.models import AgentRole, SecondFactor, User

View = Callable[..., HttpResponse]

PROVED = "proved_at"
PROOF_LASTS = timedelta(minutes=15)


class ArrivedHttpRequest(HttpRequest):
    """Any request, for types: `at` is when it arrived, on the portal's clock (ClockMiddleware)."""

    at: datetime


class AccountHttpRequest(ArrivedHttpRequest):
    """What a view under `account_required` gets."""

    user: User


class AgentHttpRequest(ArrivedHttpRequest):
    """What a view under `agent_required` gets."""

    user: User
    agent: AgentRole


def safe_next(request: HttpRequest, url: str | None) -> str:
    """`url` as a path of this portal, or "" when it leads elsewhere or a browser could read another host in it."""
    host = request.get_host()
    if not url or not url_has_allowed_host_and_scheme(url, {host}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(url)
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else ""


def page_left(request: HttpRequest) -> str:
    """Where to bring somebody back to who is sent elsewhere first: the page they asked for, or the one whose form they
    sent; "" when it is no page of ours."""
    htmx = getattr(request, "htmx", None)
    if htmx:
        page = htmx.current_url_abs_path or ""
    elif request.method in {"GET", "HEAD"}:
        page = request.get_full_path()
    else:
        page = request.headers.get("Referer", "")
    return safe_next(request, page)


def sent_to(request: HttpRequest, address: str) -> HttpResponse:
    """Send the whole page there, whether the browser or htmx asked."""
    if getattr(request, "htmx", None):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def to_the_door(request: HttpRequest, *, page: str = "") -> HttpResponse:
    """Send a stranger to the door and, from there, back to their page (`page`, when the view knows it). Who had a
    session is told that it is over."""
    query = {}
    if page := safe_next(request, page) if page else page_left(request):
        query["next"] = page
    if settings.SESSION_COOKIE_NAME in request.COOKIES and request.session.is_empty():
        query["fin"] = "1"
    return sent_to(request, reverse("accounts:door") + (f"?{urlencode(query)}" if query else ""))


def mark_proved(request: HttpRequest) -> None:
    """Note that whoever holds the session has just proved who they are: on the real clock, as sessions are."""
    request.session[PROVED] = datetime.now(UTC).timestamp()


def recently_proved(request: HttpRequest) -> bool:
    """Whether a password or a code was given in this session within the last `PROOF_LASTS`: a telephone left on the
    kitchen table, or a session of thirty days, shows neither health data nor the account. An agent who looks at a
    family's space (`request.seen`) proved to be an agent, not the family."""
    if getattr(request, "seen", None) is not None:
        return False
    age = datetime.now(UTC).timestamp() - request.session.get(PROVED, 0)
    return 0 <= age < PROOF_LASTS.total_seconds()


def to_the_proof(request: HttpRequest) -> HttpResponse:
    """Send to the page that asks the password again and, from there, back."""
    query = {"next": page} if (page := page_left(request)) else {}
    return sent_to(request, reverse("accounts:proof") + (f"?{urlencode(query)}" if query else ""))


def proof_required(view: View) -> View:
    """For pages that ask who one is once more. Stands under `guardian_required` or `agent_required`, which answer
    first: a stranger learns nothing of it. Without a recent proof nothing is shown and nothing is done: the password is
    asked, then the page again."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if recently_proved(request) else to_the_proof(request)

    return guarded


def account_required(view: View) -> View:
    """For whoever is signed in, as a guardian, as an agent or as neither yet, with what they know around the page. A
    stranger is sent to the door."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return to_the_door(request)
        import_string(settings.SETTLE)(request)
        return view(request, *args, **kwargs)

    return guarded


def landing(user: Any) -> str:
    """Where this user arrives after the door, as the function that `settings.LANDING` names says."""
    path: str = import_string(settings.LANDING)(user)
    return path


def role_of(user: Any) -> AgentRole | None:
    """The user's role as an agent, None for everybody else."""
    if not isinstance(user, User) or not user.is_active:
        return None
    return AgentRole.objects.filter(user=user).first()


def lacks_second_step(role: AgentRole) -> bool:
    """Whether the town asks a second step of its agents that this one has not chosen yet: they do nothing before."""
    return bool(settings.AGENTS_SECOND_FACTOR) and not SecondFactor.objects.filter(user=role.user_id).exists()


def agent_required(*kinds: AgentRole.Kind) -> Callable[[View], View]:
    """For agents only, of one of these kinds (none named: any). The view finds its AgentRole in `request.agent`.

    A stranger is sent to the door, who is signed in without being an agent finds nothing there (404), and an agent of
    another kind is refused (403).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return to_the_door(request)
            role = role_of(request.user)
            if role is None:
                raise Http404
            if kinds and role.kind not in kinds:
                raise PermissionDenied
            if lacks_second_step(role):
                return sent_to(request, reverse("accounts:second_factor"))
            request.agent = role  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        return guarded

    return decorate
