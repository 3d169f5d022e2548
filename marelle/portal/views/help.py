"""Help and the pages that the law asks for. Open to everybody: who cannot sign in needs them most."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marelle.activities.models import Municipality, Site
from marelle.activities.queries import municipality, rules_of
from marelle.families.models import Household
from marelle.families.permissions import current_of, homes_of
from marelle.foundation.serving import serve
from marelle.portal.guidance import TOPICS
from marelle.townfile.beside import TYPES
from marelle.towns.beside import kept


def _town() -> Municipality | None:
    try:
        return municipality()
    except Municipality.DoesNotExist:
        return None


def _household(request: HttpRequest) -> Household | None:
    """A guardian keeps their navigation here; everybody else reads the page without."""
    if not request.user.is_authenticated:
        return None
    households = homes_of(request.user)
    current = current_of(households, request.session)
    request.households, request.household = households, current  # type: ignore[attr-defined]
    return current


def _texts(town: Municipality | None) -> dict[str, Any]:
    return town.texts if town is not None and isinstance(town.texts, dict) else {}


def _page(request: HttpRequest, template: str, **more: Any) -> HttpResponse:
    _household(request)
    town = _town()
    return render(request, template, {"municipality": town, "texts": _texts(town), **more})


@require_safe
def help(request: HttpRequest) -> HttpResponse:
    """The town's own words and video first, then the pages of the portal one by one; whom to call, at the schools of
    one's own children too."""
    household, town = _household(request), _town()
    texts = _texts(town)
    referents = (
        Site.objects.filter(archived_at=None, pupils__residences__household=household)
        .exclude(phone="", email="")
        .distinct()
        if household is not None
        else ()
    )
    return render(
        request,
        "portal/help/help.html",
        {
            "municipality": town,
            "texts": texts,
            "topics": TOPICS,
            "referents": referents,
            "video": _address(texts, "help_video_file"),
            "captions": _address(texts, "help_video_captions"),
        },
    )


def _address(texts: dict[str, Any], name: str) -> str:
    """Where a file of the town is served, "" when the town has none or it is not there."""
    said = texts.get(name, "")
    return reverse("portal:town_file", args=[said]) if said and kept(said) else ""


@require_safe
def town_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """A file that the town's file names, and no other."""
    texts = _texts(_town())
    path = kept(name) if name and name in (texts.get("help_video_file"), texts.get("help_video_captions")) else None
    if path is None:
        raise Http404
    return serve(request, path, content_type=TYPES[path.suffix[1:]][0])


@require_safe
def legal(request: HttpRequest) -> HttpResponse:
    return _page(request, "portal/help/legal.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """The terms of use of the portal, then the regulations that families accept, each with its version."""
    town = _town()
    return _page(request, "portal/help/terms.html", regulations=rules_of(town).terms if town is not None else ())


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return _page(request, "portal/help/privacy.html")


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The statement, in the order that the French model asks for (décret n° 2019-768, arrêté du 20 septembre 2019)."""
    return _page(
        request,
        "portal/help/accessibility.html",
        address=settings.PUBLIC_URL,
        recourse_url="https://formulaire.defenseurdesdroits.fr/",
        delegates_url="https://www.defenseurdesdroits.fr/carte-des-delegues",
    )
