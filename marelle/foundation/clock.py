"""The one place that reads the time. Views take it from the request, commands from `now()`; everything below gets
`at`."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def now() -> datetime:
    """The portal's instant, aware, in UTC. In a demo started with AT it runs from there; sign-in and jobs do not use
    it."""
    real = datetime.now(UTC)
    if settings.CLOCK is None:
        return real
    fake_start, real_start = settings.CLOCK
    return fake_start.astimezone(UTC) + (real - real_start)


class ClockMiddleware:
    """Gives every request its `at`: the instant at which it arrived, the same for all that it does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.at = now()  # type: ignore[attr-defined]
        return self.get_response(request)
