"""The pages of what went wrong. None needs the database: when it answers they add the town's phone number."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from marelle.foundation.lastknown import last_known

log = logging.getLogger(__name__)


def _page(request: HttpRequest, name: str, status: int) -> HttpResponse:
    try:
        return render(request, f"{name}.html", status=status)
    except Exception:
        log.exception("The page of error %s was drawn without the town", status)
        return HttpResponse(render_to_string(f"{name}.html", {"municipality": last_known()}), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "400", 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "403", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "404", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Draws without a request nor the database, whatever failed may fail again: the town is the last one read."""
    return HttpResponse(render_to_string("500.html", {"municipality": last_known()}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form sent from a page kept open too long, or from elsewhere."""
    return _page(request, "403_csrf", 403)
