"""Giving a public file piece by piece, as a browser's video player asks for it."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
PIECE = 64 * 1024


def serve(request: HttpRequest, path: Path, *, content_type: str) -> HttpResponseBase:
    """The file at `path`, or the one range of it that the request asks for (RFC 9110, 14). Several ranges at once, or
    words that make no sense, get the whole file; a range beyond its end gets 416."""
    size = path.stat().st_size
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None or not any(asked.groups()):
        answer: HttpResponseBase = FileResponse(path.open("rb"), content_type=content_type)
    else:
        first, last = asked.groups()
        start = int(first) if first else max(size - int(last), 0)
        end = min(int(last), size - 1) if first and last else size - 1
        if start > end or start >= size:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        answer = StreamingHttpResponse(_pieces(path, start, end), status=206, content_type=content_type)
        answer["Content-Range"] = f"bytes {start}-{end}/{size}"
        answer["Content-Length"] = str(end - start + 1)
    answer["Accept-Ranges"] = "bytes"
    answer["Cache-Control"] = "public, max-age=3600"
    return answer


def _pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    left = end - start + 1
    with path.open("rb") as file:
        file.seek(start)
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
