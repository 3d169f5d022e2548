"""The town, for every page. Read once per request, only when a template asks for it."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from marelle.activities.queries import municipality as load


def municipality(request: HttpRequest) -> dict[str, Any]:
    return {"municipality": SimpleLazyObject(load)}
