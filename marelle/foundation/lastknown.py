"""The town as this process has last read it, for the page of a fault: that page asks the database nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LastKnown:
    """What an error page says of the town: under which colour, and whom to call."""

    name: str = ""
    short_name: str = ""
    department_name: str = ""
    phone: str = ""
    email: str = ""
    colour: str = ""
    conformity_words: str = ""


_last = LastKnown()


def remember(town: LastKnown) -> None:
    global _last
    _last = town


def last_known() -> LastKnown:
    return _last
