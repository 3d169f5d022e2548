"""Reading requests."""

import re

from marelle.families.models import Household
from marelle.requests.models import FamilyRequest

_NUMBER = re.compile(r"(\d{4})-(\d{6,12})")


def find_request(number: str, *, household: Household | None = None) -> FamilyRequest | None:
    """The request of that number ("2026-004871"), of that household only when one is given; None when there is none."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        return None
    found = FamilyRequest.objects.filter(id=int(match[2]), sent_year=int(match[1]))
    if household is not None:
        found = found.filter(household=household)
    return found.first()
