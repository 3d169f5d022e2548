"""When a period opens, to whom, and who is told (docs/algorithms/openings.md)."""

from collections.abc import Collection
from datetime import datetime

from marelle.activities.models import Period
from marelle.rules import eligibility
from marelle.rules.eligibility import Audience


def own_opening(period: Period, audiences: Collection[Audience]) -> datetime | None:
    """The instant from which a household of these audiences may ask for the period's days; None: it always could."""
    return eligibility.own_opening(period.opens_at, period.early_openings, audiences=audiences)
