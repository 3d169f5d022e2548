"""Files that stand beside the town's file and are named in it: its video, the video's captions."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from marelle.townfile.kinds import Text

#: The kinds of files, by how their name ends: the type they are served as, and what they begin with. An mp4 says its
#: kind four signs in.
TYPES: Final[Mapping[str, tuple[str, bytes, int]]] = {
    "webm": ("video/webm", b"\x1a\x45\xdf\xa3", 0),
    "mp4": ("video/mp4", b"ftyp", 4),
    "vtt": ("text/vtt; charset=utf-8", b"WEBVTT", 0),
}
#: The largest file taken, in bytes.
LARGEST: Final = 300 * 1024 * 1024


class FileName(Text):
    """The plain name of a file beside the town's file; `ends`: of which kinds."""

    def __init__(self, *ends: str) -> None:
        super().__init__(
            most=80,
            pattern=rf"[A-Za-z0-9][A-Za-z0-9_-]*\.(?:{'|'.join(map(re.escape, ends))})",
            example=f"aide.{ends[0]}",
        )


def is_what_it_says(path: Path) -> bool:
    """Whether a file's content is of the kind that its name says."""
    known = TYPES.get(path.suffix[1:])
    if known is None or path.stat().st_size > LARGEST:
        return False
    _type, mark, offset = known
    with path.open("rb") as file:
        return file.read(offset + len(mark))[offset:] == mark
