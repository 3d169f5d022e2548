"""What a family does with the services, for its page at the agents': `office/families/_activity.html` shows it."""

from datetime import datetime
from typing import Any

from marelle.families.models import Household


def activity(*, household: Household, at: datetime) -> dict[str, Any]:
    """The context of `_activity.html`: enrolments and requests come here when the agents' queue does."""
    return {}
