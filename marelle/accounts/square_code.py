"""A square code (QR) drawn as SVG for the page itself: no picture to fetch, nothing written anywhere."""

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString

#: The white border that readers need, in modules.
QUIET = 4


def square_code(text: str, *, words: str) -> SafeString:
    """`words`: what a screen reader says of it. Always dark on white, whatever the theme: cameras want it so."""
    code = qrcode.QRCode(border=QUIET, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(
        f"M{column} {line}h1v1h-1z" for line, row in enumerate(rows) for column, dark in enumerate(row) if dark
    )
    return format_html(
        '<svg class="squarecode" viewBox="0 0 {size} {size}" role="img" aria-label="{words}"'
        ' shape-rendering="crispEdges">'
        '<rect width="{size}" height="{size}" fill="#fff"/><path fill="#000" d="{path}"/></svg>',
        size=len(rows),
        words=words,
        path=path,
    )
