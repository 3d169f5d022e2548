"""Until when the days of a service change, in one line above its grid."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from marelle.activities.models import Municipality, Service, Unit
from marelle.activities.queries import limits_of
from marelle.foundation.sentences import limit_words, list_words


def deadline_words(town: Municipality, service: Service, units: Sequence[Unit]) -> str:
    """ "la veille, 12 h"; where units differ, each limit with those that it holds for, and where a day is cancelled
    until another moment than it is booked, both."""
    limits = [(unit.name, limits_of(town, service, unit)) for unit in units]
    book = _by_unit((name, limit_words(limit.book)) for name, limit in limits)
    cancel = _by_unit((name, limit_words(limit.cancel)) for name, limit in limits)
    if book == cancel:
        return book
    return _("%(book)s ; pour annuler : %(cancel)s") % {"book": book, "cancel": cancel}


def _by_unit(said: Iterable[tuple[str, str]]) -> str:
    units: dict[str, list[str]] = {}
    for name, words in said:
        units.setdefault(words, []).append(name)
    if len(units) == 1:
        return next(iter(units))
    return " ; ".join(
        _("%(limit)s (%(units)s)") % {"limit": words, "units": list_words(names)} for words, names in units.items()
    )
