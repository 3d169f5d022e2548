"""Before the town is there."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from marelle.activities.models import Municipality


class OpeningMiddleware:
    """Answers 503, in words, whatever needs the town as long as no town's file is loaded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponse | None:
        if not isinstance(fault, Municipality.DoesNotExist):
            return None
        answer = render(request, "activities/not_open.html", {"municipality": None}, status=503)
        answer["Retry-After"] = "3600"
        return answer
