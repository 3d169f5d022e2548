"""A town's colour made safe: its hue is kept, its lightness moves until text and buttons are readable in light and in
dark.

Only six tokens change, and two more when the hue could be taken for a state. Contrasts are those of WCAG 2.2
(relative luminance).
The sheet's address carries the colour itself, so that serving it needs no database.
"""

import colorsys
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse

LIGHT_LEAST = 5.5
DARK_LEAST = 7.0
TINT_LEAST = 4.5
# The hues, in degrees, of what is refused or cancelled and of what is booked, and how near is too near.
STATE_HUES = (3.0, 150.0)
STATE_REACH = 25.0
# A colour this grey has no hue that could be taken for another.
GREY = 0.12

_LIGHT_GROUNDS = ("#fbf7f0", "#ffffff", "#f4eee3")
_DARK_GROUNDS = ("#13121d", "#1d1b2a", "#272537")
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """`light` and `dark`: token name (without dashes) to "#rrggbb" or "var(--…)". `moved`: whether the town's colour
    had to change in light.
    """

    colour: str
    light: Mapping[str, str]
    dark: Mapping[str, str]
    moved: bool


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two "#rrggbb" colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, ground: str, share: float) -> str:
    """`share` of `colour` over `ground`, as `color-mix(in srgb, …)` paints it."""
    return "#" + "".join(
        f"{round(int(colour[i : i + 2], 16) * share + int(ground[i : i + 2], 16) * (1 - share)):02x}" for i in (1, 3, 5)
    )


def normal_colour(colour: str) -> str:
    """ "#rrggbb" in small letters. Raises `ValueError` when `colour` is not six hexadecimal digits."""
    match = _HEX.fullmatch(colour.strip())
    if match is None:
        raise ValueError(colour)
    return "#" + match[1].lower()


def _hex(hue: float, lightness: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(hue, max(0.0, min(1.0, lightness)), saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in rgb)


def _readable(
    hue: float, lightness: float, saturation: float, *, grounds: tuple[str, ...], tint: str, least: float, step: float
) -> float:
    """The lightness nearest to `lightness`, going by `step`, that holds `least` on every ground and `TINT_LEAST` on
    the tint.
    """
    while True:
        colour = _hex(hue, lightness, saturation)
        if min(contrast(colour, ground) for ground in grounds) >= least and contrast(colour, tint) >= TINT_LEAST:
            return lightness
        lightness += step


@lru_cache(maxsize=64)
def theme(colour: str) -> Theme:
    """The tokens for a town's colour. Pure. Raises `ValueError` when it is not "#rrggbb"."""
    colour = normal_colour(colour)
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)

    light_tint = _hex(hue, 0.95, min(saturation, 0.6))
    light_l = _readable(
        hue, lightness, saturation, grounds=_LIGHT_GROUNDS, tint=light_tint, least=LIGHT_LEAST, step=-0.005
    )
    dark_tint = _hex(hue, 0.2, min(saturation, 0.35))
    dark_l = _readable(hue, lightness, saturation, grounds=_DARK_GROUNDS, tint=dark_tint, least=DARK_LEAST, step=0.005)

    light = {
        "brand": _hex(hue, light_l, saturation),
        "brand-strong": _hex(hue, light_l - 0.09, saturation),
        "brand-tint": light_tint,
        "brand-line": _hex(hue, 0.80, min(saturation, 0.5)),
        "on-brand": "#ffffff",
        "rule": _hex(hue, 0.58, min(saturation, 0.48)),
    }
    dark = {
        "brand": _hex(hue, dark_l, saturation),
        "brand-strong": _hex(hue, dark_l + 0.07, saturation),
        "brand-tint": dark_tint,
        "brand-line": _hex(hue, 0.45, min(saturation, 0.5)),
        "on-brand": _DARK_GROUNDS[0],
        "rule": _hex(hue, 0.44, min(saturation, 0.35)),
    }
    if saturation > GREY and any(_apart(hue * 360, state) <= STATE_REACH for state in STATE_HUES):
        for tokens in (light, dark):
            tokens |= {"add": "var(--ink)", "on-add": "var(--paper)"}
    return Theme(colour=colour, light=light, dark=dark, moved=light["brand"] != colour)


def _apart(one: float, other: float) -> float:
    return min(abs(one - other), 360 - abs(one - other))


@lru_cache(maxsize=64)
def sheet(colour: str) -> str:
    """The style sheet that follows tokens.css for a town of this colour."""
    tokens = theme(colour)

    def block(selector: str, values: Mapping[str, str]) -> str:
        return f"{selector}{{{''.join(f'--{name}:{value};' for name, value in values.items())}}}"

    return "\n".join(
        (
            block(":root", tokens.light),
            f"@media screen and (prefers-color-scheme:dark){{{block(':root:not([data-theme=light])', tokens.dark)}}}",
            f"@media screen{{{block(':root[data-theme=dark]', tokens.dark)}}}",
        )
    )


def digest(colour: str) -> str:
    return hashlib.sha256(sheet(colour).encode()).hexdigest()[:12]


@lru_cache(maxsize=64)
def sheet_address(colour: str) -> str:
    """Where the sheet of this colour is served; changes with the colour and with the way it is derived."""
    return reverse("foundation:theme", args=[normal_colour(colour)[1:], digest(colour)])
