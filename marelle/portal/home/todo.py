"""One thing to do, and in which order several come."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marelle.portal.home.glance import Glance

PRESSING = timedelta(days=14)
FIRST = 5  # shown at once; the others open on demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing to do. `until`: when it is too late, where there is such a moment. `hidden` completes the button's
    word for screen readers; no `url`: only told."""

    title: str
    text: str
    icon: str
    accent: int = 0
    url: str = ""
    action: str = ""
    hidden: str = ""
    until: datetime | None = None


Provider = Callable[[Glance], Iterable[Todo]]


def what_to_do(glance: Glance, providers: Iterable[Provider]) -> tuple[Todo, ...]:
    """What ends within two weeks comes first, soonest first; then the rest, in the providers' order."""
    found = [todo for provider in providers for todo in provider(glance)]
    presses_before = glance.at + PRESSING
    pressing = [(todo.until, n) for n, todo in enumerate(found) if todo.until and todo.until <= presses_before]
    first = [n for _until, n in sorted(pressing)]
    return tuple(found[n] for n in [*first, *(n for n in range(len(found)) if n not in first)])
