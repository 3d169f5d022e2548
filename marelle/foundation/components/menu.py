"""A grid's menu, written from pre-formatted strings: a month has ten of them."""

from functools import lru_cache
from html import escape

from django.utils.safestring import SafeString, mark_safe

from marelle.foundation.components.grid import Menu, MenuItem
from marelle.foundation.components.tile import badge
from marelle.foundation.icons import chosen_icon, icon


@lru_cache(maxsize=512)
def menu_html(
    menu: Menu, *, end: bool = False, short: bool = False, button: bool = False, offset: int | None = None
) -> SafeString:
    """end: opens towards the start of the line. short: its label is for wide screens. button: drawn as a button.
    offset: for JavaScript, the cells before a column's own."""
    label = escape(menu.label)
    dressed = ' class="btn btn--2 btn--sm"' if button else ""
    return mark_safe(
        f'<details class="menu"><summary{dressed}>'
        + (f'<span class="desk-only">{label}</span>' if short else label)
        + f'<span class="vh">{escape(menu.hidden)}</span>{icon("chevron-down", "i--sm")}</summary>'
        + f'<div class="menu__panel{" menu__panel--end" if end else ""}">'
        + "".join([_item(item, offset) for item in menu.items])
        + "</div></details>"
    )


def _item(item: MenuItem, offset: int | None) -> str:
    data = ""
    if item.scope:
        data = f' data-scope="{escape(item.scope)}" data-sets="{escape(item.sets)}"'
        if offset is not None:
            data += f' data-offset="{offset}"'
        if item.kid:
            data += f' data-kid="{escape(item.kid.key)}"'
    title = f'<p class="menu__group">{escape(item.title)}</p>' if item.title else ""
    sign = badge(item.kid, "kid--sm") if item.kid else chosen_icon(item.icon) if item.icon else ""
    return (
        f'{title}<button class="menu__item" name="do" value="{escape(item.value)}"{data}>'
        f"{sign}{escape(item.label)}</button>"
    )
