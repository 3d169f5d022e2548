"""One SVG sprite for the whole portal, built from the `lucide` package (ISC licence) for the names declared here.

Nothing is read at start-up: the first page that shows an icon builds the sprite once per process (some milliseconds);
its address
holds a digest of its content, so browsers may keep it for ever. An icon never speaks alone: a word, visible or
hidden, stands beside it.
"""

import hashlib
import re
import zipfile
from functools import cache
from importlib import resources
from typing import NamedTuple

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

# Drawn by our own templates and states.
INTERFACE_ICONS = (
    "arrow-right",
    "ban",
    "bell",
    "calendar-days",
    "calendar-plus",
    "calendar-x-2",
    "camera",
    "check",
    "check-check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevron-up",
    "circle-alert",
    "circle-check",
    "circle-question-mark",
    "circle-x",
    "clipboard-list",
    "clock",
    "clock-alert",
    "download",
    "euro",
    "eye",
    "file-text",
    "file-up",
    "gauge",
    "heart-pulse",
    "history",
    "hourglass",
    "house",
    "house-plus",
    "inbox",
    "info",
    "key-round",
    "keyboard",
    "landmark",
    "layout-dashboard",
    "life-buoy",
    "list-ordered",
    "lock",
    "log-out",
    "mail",
    "map-pin",
    "megaphone",
    "message-square",
    "minus",
    "paperclip",
    "pencil",
    "phone",
    "plus",
    "printer",
    "receipt-euro",
    "repeat",
    "scale",
    "scan-face",
    "school",
    "search",
    "send",
    "shield-check",
    "split",
    "square",
    "trash-2",
    "triangle-alert",
    "undo-2",
    "upload",
    "user",
    "user-check",
    "user-plus",
    "user-x",
    "users",
    "users-round",
    "x",
)

# Offered to towns for their services and units (docs/town-file.md); "shapes" stands in for a name that is not here.
SERVICE_ICONS = (
    "apple",
    "baby",
    "backpack",
    "bike",
    "book-open",
    "bus",
    "cookie",
    "drama",
    "moon",
    "mountain-snow",
    "music",
    "palette",
    "puzzle",
    "shapes",
    "sun",
    "sunrise",
    "sunset",
    "tent-tree",
    "tree-pine",
    "trophy",
    "utensils",
    "volleyball",
    "waves-ladder",
)
ICONS = tuple(sorted({*INTERFACE_ICONS, *SERVICE_ICONS}))
FALLBACK = "shapes"

_DECLARED = frozenset(ICONS)


class UndeclaredIcon(LookupError):
    """A template or a state names an icon that is not in `ICONS`."""


class Sprite(NamedTuple):
    content: bytes
    digest: str


@cache
def sprite() -> Sprite:
    """The sprite and the digest of its content. Raises `UndeclaredIcon` when the package does not hold a declared
    name.
    """
    symbols = []
    with resources.files("lucide").joinpath("lucide.zip").open("rb") as file, zipfile.ZipFile(file) as drawings:
        for name in ICONS:
            try:
                drawing = drawings.read(f"{name}.svg").decode()
            except KeyError:
                raise UndeclaredIcon(name) from None
            inside = re.sub(r">\s+<", "><", drawing[drawing.index(">") + 1 : drawing.rindex("</svg>")].strip())
            symbols.append(f'<symbol id="i-{name}" viewBox="0 0 24 24">{inside}</symbol>')
    content = ('<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide, ISC -->' + "".join(symbols) + "</svg>").encode()
    return Sprite(content, hashlib.sha256(content).hexdigest()[:12])


@cache
def sprite_address() -> str:
    return reverse("foundation:icons", args=[sprite().digest])


@cache
def _markup(name: str, classes: str) -> SafeString:
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f"i {classes}".rstrip(),
        sprite_address(),
        name,
    )


def icon(name: str, classes: str = "") -> SafeString:
    """The markup of a declared icon. `classes`: more classes, such as "i--sm". Raises `UndeclaredIcon`."""
    if name not in _DECLARED:
        raise UndeclaredIcon(name)
    return _markup(name, classes)


def chosen_icon(name: str, classes: str = "") -> SafeString:
    """The same for a name that comes from data (a town's file): an unknown one is drawn as `FALLBACK`."""
    return _markup(name if name in _DECLARED else FALLBACK, classes)
