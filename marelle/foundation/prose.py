"""What people write in small Markdown, as safe HTML: paragraphs, lists, bold, italics, headings, links and quotations.

Whatever else a text holds is shown as it was typed, or left out; no raw HTML, no picture, no link but to the web, an
e-mail address, a telephone or a page of the portal.
"""

from functools import cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from marelle.foundation.french import spaced

TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "h2", "h3", "blockquote"}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}
#: A page has one h1, which is not the writer's.
HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h3", "h5": "h3", "h6": "h3"}


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True})
    return reader.disable(["code", "fence", "html_block", "html_inline", "hr"])


def html(text: str, *, site: str = "") -> SafeString:
    """`text` drawn, with the no-break spaces that French wants. A heading is at most an h2. `site`: put before links to
    pages of the portal, for an e-mail."""
    reader = _reader()
    tokens = reader.parse(text.replace("\x00", ""))
    for token in tokens:
        token.tag = HEADINGS.get(token.tag, token.tag)
        for part in token.children or ():
            if part.type == "text":
                part.content = spaced(part.content)
            elif site and part.type == "link_open" and _is_own(str(part.attrs.get("href", ""))):
                part.attrs["href"] = site + str(part.attrs["href"])
    drawn = reader.renderer.render(tokens, reader.options, {})
    return mark_safe(
        nh3.clean(drawn, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer")
    )


def _is_own(address: str) -> bool:
    return address.startswith("/") and not address.startswith("//")
