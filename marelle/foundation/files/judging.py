"""Judging a file by what it holds, never by its name or by what the browser says of it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from marelle.foundation.files.verdicts import (
    MAX_BYTES,
    MAX_PAGES,
    MAX_PIXELS,
    MAX_SIDE,
    Faulty,
    FileFault,
    FileKind,
    Judged,
)

JUDGE = Path(__file__).with_name("judge.py")
PATIENCE = 30  # seconds


class Readable(Protocol):
    """What Django hands over for an uploaded file."""

    def read(self, size: int = ..., /) -> bytes: ...


def judge(file: Readable) -> Judged | Faulty:
    """Read the file once, look into it in a process of its own, and say what may be kept of it.

    Pictures (JPEG, PNG, WebP, HEIC) come back upright, as JPEG, without place nor date; a PDF comes back as it was,
    if nothing in it acts or hides. Nothing stays on disk. The process has 900 MB and 20 s of CPU at most: what needs
    more is refused.
    """
    with tempfile.TemporaryDirectory(prefix="marelle-file-") as place:
        source, target = Path(place) / "source", Path(place) / "target"
        size = 0
        with source.open("wb") as copy:
            while chunk := file.read(64 * 1024):
                size += len(chunk)
                if size <= MAX_BYTES:
                    copy.write(chunk)
        if size == 0:
            return Faulty(FileFault.EMPTY)
        if size > MAX_BYTES:
            return Faulty(FileFault.TOO_HEAVY, size)
        code = _verdict(source, target)
        if code in list(FileKind):
            return Judged(FileKind(code), target.read_bytes())
        return Faulty(FileFault(code), size)


def _verdict(source: Path, target: Path) -> str:
    # Isolated (-I), and with nothing of our environment: the judge can tell no secret.
    bounds = [str(MAX_PIXELS), str(MAX_SIDE), str(MAX_PAGES)]
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(JUDGE), str(source), str(target), *bounds],
            env={"PATH": os.defpath},
            cwd=source.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return FileFault.TOO_LONG
    code = done.stdout.decode("ascii", "replace")
    known = {*FileKind, *FileFault}
    return code if done.returncode == 0 and code in known else FileFault.TOO_LONG
