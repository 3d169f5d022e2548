"""Which household a guardian is in, and who may see which."""

from collections.abc import Iterable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Subquery, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marelle.accounts.models import AgentRole, User
from marelle.accounts.permissions import (
    ArrivedHttpRequest,
    View,
    lacks_second_step,
    role_of,
    sent_to,
    to_the_door,
)
from marelle.activities.models import Municipality
from marelle.families.models import Child, Guardian, Household, Residence
from marelle.families.seeing import MARK, Seen, mark_in
from marelle.foundation.by_heart import by_heart
from marelle.foundation.read_only import Written, read_only

CURRENT = "household"
#: The agents who may look at a family's own pages, with the right to read health.
SEERS = (AgentRole.Kind.ADMINISTRATOR, AgentRole.Kind.OFFICE)


class GuardianHttpRequest(ArrivedHttpRequest):
    """What a view under `guardian_required` gets."""

    user: User
    household: Household
    households: list[Household]


def households_of(user: User) -> "QuerySet[Household]":
    """The households that this user is a guardian of, in the order of their names."""
    return Household.objects.filter(guardians__user=user)


def homes_of(user: User) -> list[Household]:
    """The user's households, with what every page needs beside them, in the same query: `document_hash`, which town's
    rules stand, and what the rooms above ask for (`settings.ARRIVALS`: `(households, user's id) -> households`)."""
    return _homes(user.pk)


@by_heart
def _homes(user: int) -> "QuerySet[Household]":
    rules = Municipality.objects.filter(id=1).values("document_hash")
    found = Household.objects.filter(guardians__user=user).annotate(document_hash=Subquery(rules))
    for path in settings.ARRIVALS:
        found = import_string(path)(found, user)
    return found


def household_of(user: User, session: SessionBase) -> Household | None:
    """The household the user is in now: the one they chose in this session, else their first; None for who has none."""
    return current_of(list(households_of(user)), session)


def current_of(households: list[Household], session: SessionBase) -> Household | None:
    chosen = session.get(CURRENT)
    return next((one for one in households if one.pk == chosen), households[0] if households else None)


def choose_household(user: User, session: SessionBase, household_id: int) -> Household:
    """Go to another of one's households. Raises Http404 when it is not one's own."""
    household = households_of(user).filter(pk=household_id).first()
    if household is None:
        raise Http404
    session[CURRENT] = household.pk
    return household


def before_acceptance(view: View) -> View:
    """A page that a family may read although no agent has accepted it yet. Stands under `guardian_required`."""
    view.before_acceptance = True  # type: ignore[attr-defined]
    return view


def guardian_required(view: View) -> View:
    """For guardians only. The view finds the current household in `request.household`, and all of the guardian's, for
    the switcher, in `request.households`.

    A stranger is sent to the door; who is signed in without a household finds nothing there (404). A family that came
    by itself and that no agent has accepted is sent to its dossier, from everywhere but the pages that say
    `before_acceptance`. An agent who looks at a family's space (`families.seeing`) is shown what one of its adults
    sees, and changes nothing there: `request.seen` says so."""
    open_to_all = getattr(view, "before_acceptance", False)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return to_the_door(request)
        if MARK in request.session:
            return _shown_to_agent(request, view, args, kwargs)
        households = homes_of(request.user)
        household = current_of(households, request.session)
        if household is None:
            raise Http404
        request.household, request.households = household, households  # type: ignore[attr-defined]
        if household.awaits_since is not None and not open_to_all:
            return sent_to(request, reverse("portal:arrival"))
        return view(request, *args, **kwargs)

    return guarded


def seeable_by(role: AgentRole, *, at: datetime) -> "QuerySet[Household]":
    """The households whose own pages an agent may look at: those whose every child is the agent's to see, for the
    office and the administrators who may read health (what a family's pages say of it in passing is not kept from
    them)."""
    if role.kind not in SEERS or not role.reads_health:
        return Household.objects.none()
    seen = households_for(role, at=at)
    if not _sites_of(role):
        return seen
    others = Residence.objects.exclude(child__in=children_for(role, at=at))
    return seen.exclude(pk__in=others.values("household"))


def _seen_by(request: ArrivedHttpRequest) -> Seen | None:
    """Whose space the agent of this session looks at, if they still may; None when it is over."""
    mark, role = mark_in(request.session), role_of(request.user)
    if mark is None or mark.is_over or role is None or lacks_second_step(role):
        return None
    guardian = Guardian.objects.filter(
        pk=mark.guardian, user__isnull=False, households__in=seeable_by(role, at=request.at).filter(pk=mark.household)
    ).select_related("user")
    adult = guardian.first()
    if adult is None or adult.user is None:
        return None
    household = next((one for one in homes_of(adult.user) if one.pk == mark.household), None)
    return Seen(household=household, user=adult.user) if household is not None else None


def _shown_to_agent(request: HttpRequest, view: View, args: Any, kwargs: Any) -> HttpResponse:
    """The page as the adult would read it. Nothing is written, whatever the view does; what only the adult may open,
    with a password or under their name, stays closed."""
    agent, seen = request.user, _seen_by(request)  # type: ignore[arg-type]
    if seen is None:
        del request.session[MARK]
        messages.info(request, _("L’espace de la famille est refermé : il reste ouvert 30 minutes au plus."))
        return sent_to(request, landing(agent))  # type: ignore[arg-type]
    request.seen, request.user = seen, seen.user  # type: ignore[attr-defined]
    request.household, request.households = seen.household, [seen.household]  # type: ignore[attr-defined]
    try:
        if request.method not in {"GET", "HEAD"}:
            return _closed(request, "write")
        if seen.household.awaits_since is not None and not getattr(view, "before_acceptance", False):
            return sent_to(request, reverse("portal:arrival"))
        with read_only():
            answer = view(request, *args, **kwargs)
        if any(answer.get(name, "").startswith(reverse("accounts:proof")) for name in ("Location", "HX-Redirect")):
            answer = _closed(request, "read")
    except Written:
        answer = _closed(request, "read")
    finally:
        request.user = agent
    answer["Cache-Control"] = "private, no-store"
    return answer


def _closed(request: HttpRequest, why: str) -> HttpResponse:
    return render(request, "families/seen_only.html", {"why": why}, status=403)


def settle(request: HttpRequest) -> None:
    """Put around a page that is neither the families' nor the agents' what its reader knows (`settings.SETTLE`): the
    current household, or the desk of an agent who is no guardian here."""
    households = homes_of(request.user)  # type: ignore[arg-type]
    if household := current_of(households, request.session):
        request.household, request.households = household, households  # type: ignore[attr-defined]
    elif role := role_of(request.user):
        request.agent = role  # type: ignore[attr-defined]


def landing(user: User) -> str:
    """Where one arrives after the door: families at home, agents who are not a family here at their desk."""
    if not households_of(user).exists() and role_of(user) is not None:
        return reverse("office:home")
    return "/"


def households_for(role: AgentRole, *, at: datetime) -> "QuerySet[Household]":
    """The households that an agent may see: all, or those of the children of the agent's sites when some are named: the
    pupils in each of their homes, whoever else a site receives in the home that asked for it."""
    if not (sites := _sites_of(role)):
        return Household.objects.all()
    here = Q(pk__in=Residence.objects.filter(child__school__in=sites).values("household"))
    for received in _received(sites, at=at):
        here |= Q(pk__in=received.values("household"))
    return Household.objects.filter(here)


def children_for(role: AgentRole, *, at: datetime) -> "QuerySet[Child]":
    """The children that an agent may see: all, or those of the agent's sites when some are named: their pupils, and
    whoever else they receive."""
    if not (sites := _sites_of(role)):
        return Child.objects.all()
    here = Q(school__in=sites)
    for received in _received(sites, at=at):
        here |= Q(pk__in=received.values("child"))
    return Child.objects.filter(here)


def _sites_of(role: AgentRole) -> list[int]:
    prefetch_related_objects([role], "sites")
    return [site.pk for site in role.sites.all()]


def _received(sites: list[int], *, at: datetime) -> list["QuerySet[Any]"]:
    """Whom the rooms above know at these sites beside their pupils (`settings.RECEIVED`)."""
    return [import_string(path)(sites, at=at) for path in settings.RECEIVED]


def must_belong(user: User, household: Household, children: Iterable[Child | int] = ()) -> None:
    """What services ask before they write for a home: the user is a guardian of it, and these children live there.
    Raises PermissionDenied."""
    wanted = {child if isinstance(child, int) else child.pk for child in children}
    if not Guardian.objects.filter(user=user, households=household).exists():
        raise PermissionDenied
    if wanted and Residence.objects.filter(household=household, child__in=wanted).count() != len(wanted):
        raise PermissionDenied


def must_read_health(user: User, child: Child, *, at: datetime) -> None:
    """What services ask of an agent before they open, or write, what only some agents read: the right to, and a site
    that holds the child. Raises PermissionDenied."""
    role = AgentRole.objects.filter(user=user, reads_health=True, user__is_active=True).first()
    if role is None or not children_for(role, at=at).filter(pk=child.pk).exists():
        raise PermissionDenied
