"""What every page is given besides its own content."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def surroundings(request: HttpRequest) -> dict[str, Any]:
    return {"demo": settings.DEMO, "demo_clock": settings.CLOCK is not None, "at": getattr(request, "at", None)}
