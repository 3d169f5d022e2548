"""What somebody who signs out leaves unsent. The door asks through the settings, for it may not import these rooms."""

from datetime import datetime
from typing import Any

from marelle.bookings.queries.baskets import unsent_count
from marelle.bookings.services.baskets import empty_baskets


def unsent(user: Any) -> int:
    """How many choices this user has not sent, in all their households."""
    return unsent_count(user)


def erase(user: Any, *, at: datetime) -> None:
    """Drop them."""
    empty_baskets(user=user, at=at)
