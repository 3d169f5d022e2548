"""The legend of a grid: the same few states on every page."""

from collections.abc import Iterable
from functools import lru_cache
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marelle.foundation.components.grid import State
from marelle.foundation.icons import chosen_icon


def legend_html(states: Iterable[State], *, inside: bool = False) -> SafeString:
    """states: word, icon, css, and `legend` where the word alone is too short. inside: denser."""
    return _legend(get_language(), tuple(states), inside)


@lru_cache(maxsize=256)
def _legend(language: str | None, states: tuple[State, ...], inside: bool) -> SafeString:
    items = [
        f'<li><span class="tile" data-was="{escape(state.css)}">{chosen_icon(state.icon)}</span>'
        f"{escape(str(getattr(state, 'legend', '') or state.word))}</li>"
        for state in states
    ]
    css = "key key--in" if inside else "key"
    return mark_safe(f'<ul class="{css}" aria-label="{escape(_("Légende"))}">{"".join(items)}</ul>')
