"""How a state shows itself."""

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Look:
    """A state's word, its icon's name, and the CSS value that dresses it."""

    word: str | Promise
    icon: str
    css: str
    legend: str | Promise = ""
