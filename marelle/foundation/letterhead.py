"""In whose name the portal writes. The room above that knows the town hands it down through the settings."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What an e-mail says of its sender. Texts may be empty, never None; `colour` is the town's own, as "#rrggbb"."""

    name: str
    short_name: str
    department: str
    phone: str
    email: str
    address: str
    opening_hours: str
    colour: str
    tz: ZoneInfo


def letterhead() -> Letterhead:
    """The town's letterhead, read by the function that `settings.LETTERHEAD` names."""
    found = import_string(settings.LETTERHEAD)()
    assert isinstance(found, Letterhead)
    return found
