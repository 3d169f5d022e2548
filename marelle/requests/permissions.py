"""Which requests a family may see."""

import re

from marelle.families.models import Household
from marelle.requests.models import FamilyRequest

_NUMBER = re.compile(r"([0-9]{4})-([0-9]{6,18})")


def number_parts(text: str) -> tuple[int, int] | None:
    """ "2026-004871" → (2026, 4871), the year and the row; None for what is no request's number."""
    found = _NUMBER.fullmatch(text.strip())
    return (int(found[1]), int(found[2])) if found else None


def request_of(*, household: Household, number: str) -> FamilyRequest:
    """The household's own request of that number, and no other. Raises FamilyRequest.DoesNotExist."""
    parts = number_parts(number)
    if parts is None:
        raise FamilyRequest.DoesNotExist(number)
    return FamilyRequest.objects.get(household=household, sent_year=parts[0], pk=parts[1])
