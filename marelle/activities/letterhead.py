"""The town's letterhead for what stands below this room (`settings.LETTERHEAD`)."""

from marelle.activities.queries import municipality
from marelle.foundation.letterhead import Letterhead


def letterhead() -> Letterhead:
    """Raises Municipality.DoesNotExist until a town's file is loaded."""
    town = municipality()
    return Letterhead(
        name=town.name,
        short_name=town.short_name,
        department=town.department_name,
        phone=town.phone,
        email=town.email,
        address=town.address,
        opening_hours=town.opening_hours,
        colour=town.colour,
        tz=town.tz,
    )
