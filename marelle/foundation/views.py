"""What the look needs besides static files: the sprite of icons and the sheet of the town's colour. No database, no
session.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from marelle.foundation import theme as town_theme
from marelle.foundation.icons import sprite

FOR_EVER = "public, max-age=31536000, immutable"
ONCE = "no-cache"


def _served(content: bytes, content_type: str, *, fresh: bool) -> HttpResponse:
    # An address of another version (a page kept open over an upgrade) is answered with today's content, kept by nobody.
    return HttpResponse(content, content_type=content_type, headers={"Cache-Control": FOR_EVER if fresh else ONCE})


@require_safe
def icons(request: HttpRequest, version: str) -> HttpResponse:
    drawn = sprite()
    return _served(drawn.content, "image/svg+xml", fresh=version == drawn.digest)


@require_safe
def theme(request: HttpRequest, colour: str, version: str) -> HttpResponse:
    return _served(
        town_theme.sheet(f"#{colour}").encode(), "text/css", fresh=version == town_theme.digest(f"#{colour}")
    )
