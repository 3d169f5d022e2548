"""Tags and filters that every template of the portal may load: `{% load marelle %}`."""

import re
from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from typing import Any

from django import template
from django.forms import BoundField
from django.template.base import FilterExpression, Node, Parser, Token, Variable
from django.template.context import Context
from django.template.defaultfilters import stringfilter
from django.templatetags.i18n import TranslateNode, do_translate
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from marelle.foundation import french, sentences
from marelle.foundation import icons as drawn
from marelle.foundation import prose as small_markdown
from marelle.foundation.components import legend as legend_component
from marelle.foundation.components import menu as menu_component
from marelle.foundation.components import rows as rows_component
from marelle.foundation.components import tile as tiles_component
from marelle.foundation.components.grid import Grid, Menu, State, Tile
from marelle.foundation.components.kids import Kid
from marelle.foundation.sentences import day_words, moment_words
from marelle.foundation.theme import sheet_address

register = template.Library()


class IconNode(Node):
    """`{% icon "check" "i--sm" %}`. A literal name is checked when the template is compiled."""

    child_nodelists = ()

    def __init__(self, name: FilterExpression, classes: FilterExpression | None) -> None:
        self.name, self.classes = name, classes
        fixed = not isinstance(name.var, Variable) and not name.filters
        self.literal = str(name.var) if fixed else None
        if self.literal is not None and self.literal not in drawn.ICONS:
            raise template.TemplateSyntaxError(f"The icon {self.literal!r} is not declared in marelle.foundation.icons")

    def render(self, context: Context) -> SafeString:
        classes = str(self.classes.resolve(context)) if self.classes else ""
        if self.literal is not None:
            return drawn.icon(self.literal, classes)
        return drawn.chosen_icon(str(self.name.resolve(context)), classes)


@register.tag
def icon(parser: Parser, token: Token) -> IconNode:
    bits = token.split_contents()[1:]
    if not 1 <= len(bits) <= 2:
        raise template.TemplateSyntaxError("{% icon name [classes] %}")
    return IconNode(parser.compile_filter(bits[0]), parser.compile_filter(bits[1]) if len(bits) > 1 else None)


class SaidNode(Node):
    """`{% translate "…" %}` of a literal: found in the catalogue once per language, not once per page."""

    child_nodelists = ()

    def __init__(self, translation: TranslateNode) -> None:
        self.translation = translation
        self.said: dict[tuple[str | None, bool], str] = {}

    def render(self, context: Context) -> str:
        key = get_language(), context.autoescape
        if (text := self.said.get(key)) is None:
            text = self.said[key] = self.translation.render(context)
        return text


@register.tag
def translate(parser: Parser, token: Token) -> Node:
    """Django's own; a literal alone, as nearly all are, is remembered."""
    node = do_translate(parser, token)
    _tag, text, *options = token.split_contents()
    literal = text[0] == text[-1] and text[0] in "\"'"
    return SaidNode(node) if literal and not options else node


@register.simple_tag
def badge(kid: Kid, classes: str = "") -> SafeString:
    """A child's badge: shape, letters, colour. The child's name must stand beside it."""
    return tiles_component.badge(kid, classes)


@register.simple_tag
def tile(tile: Tile, name: str = "want") -> SafeString:
    return tiles_component.tile_html(tile, name=name)


@register.simple_tag
def menu(
    menu: Menu, end: bool = False, short: bool = False, button: bool = False, offset: int | None = None
) -> SafeString:
    return menu_component.menu_html(menu, end=end, short=short, button=button, offset=offset)


@register.simple_tag
def legend(states: Iterable[State], inside: bool = False) -> SafeString:
    return legend_component.legend_html(states, inside=inside)


@register.simple_tag
def rows(grid: Grid) -> SafeString:
    """A planning grid's rows: `{% rows grid %}`."""
    return rows_component.rows_html(grid)


@register.simple_tag
def difference(adds: bool) -> State:
    """The state "À ajouter" or "À annuler": `{% difference adds=True as state %}`."""
    return tiles_component.difference(adds=adds)


@register.simple_tag(takes_context=True)
def theme_link(context: Context) -> str:
    """The link to the town's colours; nothing where no town is known (the error pages)."""
    town = context.get("municipality")
    colour = getattr(town, "colour", "") if town else ""
    try:
        return format_html('<link rel="stylesheet" href="{}">', sheet_address(colour)) if colour else ""
    except ValueError:
        return ""


@register.filter
def euros(cents: int | None, signs: str = "") -> str:
    """`{{ line.cents|euros }}` → "3,20 €"; `{{ total|euros:"+" }}` → "+6,40 €"."""
    return "" if cents is None else french.euros(cents, signed=bool(signs))


@register.filter(is_safe=True)
@stringfilter
def typo(text: str) -> str:
    """French no-break spaces in a text typed with plain ones (content written by the town or by people)."""
    return french.spaced(text)


_NUMBER = re.compile(r"\d{4}-\d{6}")


@register.filter
def numbers(text: str) -> SafeString:
    """Request numbers that no line breaks in two."""
    return mark_safe(_NUMBER.sub(r'<span class="nowrap">\g<0></span>', conditional_escape(text)))


@register.filter
def midsentence(text: str) -> str:
    """ "Choisissez une réponse." after a colon: "choisissez une réponse."."""
    return sentences.midsentence(str(text))


@register.filter
def opening(text: str) -> str:
    """The first paragraph of a text that blank lines separate."""
    return text.strip().partition("\n\n")[0]


@register.filter(is_safe=True)
def prose(text: str) -> SafeString:
    """A text in small Markdown (`marelle.foundation.prose`), drawn."""
    return small_markdown.html(text or "")


@register.filter
def of_name(name: str) -> str:
    """`{{ child.first_name|of_name }}`: "d’Inès", "de Tom"."""
    return french.of_name(name)


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime) -> str:
    """An aware instant in words, on the town's clock: "vendredi 20 novembre, 9 h"."""
    return moment_words(at, _zone(context))


@register.simple_tag(takes_context=True)
def day_of(context: Context, at: datetime) -> str:
    """The day of an aware instant in words, on the town's clock."""
    return day_words(at.astimezone(_zone(context)).date())


@register.filter
def day_in_words(day: date) -> str:
    """ "lundi 23 novembre"."""
    return day_words(day)


def _zone(context: Context) -> tzinfo:
    return getattr(context.get("municipality"), "tz", None) or timezone.get_current_timezone()


_TONES = {"success": "ok", "warning": "wait", "error": "stop"}


@register.filter
def tone(level_tag: str) -> str:
    """The tone of a notice for the level of a Django message."""
    return _TONES.get(level_tag, "")


@register.filter
def tone_icon(tone: str) -> str:
    return {"ok": "circle-check", "wait": "triangle-alert", "stop": "circle-alert", "queue": "list-ordered"}.get(
        tone, "info"
    )


@register.inclusion_tag("foundation/forms/field.html")
def field(bound: BoundField, hint: str = "", autocomplete: str = "", classes: str = "") -> dict[str, Any]:
    """A form's field with its label, hint, error and the attributes that tie them together.

    hint: replaces the field's help text. autocomplete: the HTML token. classes: more classes for the input.
    """
    hint = hint or str(bound.help_text)
    kind = getattr(bound.field.widget, "input_type", "select" if hasattr(bound.field.widget, "choices") else "text")
    several = bound.use_fieldset
    target = bound.auto_id or bound.html_name
    described = " ".join(
        ident for ident, there in ((f"{target}_hint", hint), (f"{target}_error", bound.errors)) if there
    )
    attrs: dict[str, Any] = {}
    if kind not in ("checkbox", "radio"):
        attrs["class"] = f"input {classes}".rstrip()
    if described and not several:
        attrs["aria-describedby"] = described
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if autocomplete:
        attrs["autocomplete"] = autocomplete
    return {
        "field": bound,
        "widget": bound.as_widget(attrs=attrs),
        "hint": hint,
        "target": target,
        "several": several,
        "single_box": kind == "checkbox" and not several,
        "described": described,
    }
