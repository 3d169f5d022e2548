"""The town, for every page. Read once per request, only when a template asks for it."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from marelle.activities.models import Municipality
from marelle.activities.queries import municipality as load
from marelle.foundation.lastknown import LastKnown, remember


def _load() -> Municipality:
    town = load()
    remember(
        LastKnown(
            name=town.name,
            short_name=town.short_name,
            department_name=town.department_name,
            phone=town.phone,
            email=town.email,
            colour=town.colour,
            conformity_words=town.conformity_words,
        )
    )
    return town


def municipality(request: HttpRequest) -> dict[str, Any]:
    return {"municipality": SimpleLazyObject(_load)}
