"""Reading the offer."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from marelle.activities.models import Municipality


def municipality() -> Municipality:
    """The town of this portal. Raises Municipality.DoesNotExist until a town's file is loaded."""
    return Municipality.objects.defer("document").get(id=1)
