"""Where tests and measurements put what nobody keeps: in memory where there is room for it, else in /tmp.

A directory is named after the process that made it. What a process that was killed left behind is wiped by the next
one that asks.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3  # bytes: a whole run on PostgreSQL takes about one GiB


def place() -> Path:
    try:
        told = os.statvfs(MEMORY)
    except OSError:
        return Path("/tmp")
    roomy = told.f_bavail * told.f_frsize >= ROOM and os.access(MEMORY, os.W_OK | os.X_OK)
    return MEMORY if roomy else Path("/tmp")


def directory(name: str) -> Path:
    """A new directory of this process; its path is short, as a socket's must be."""
    where = place()
    for left in where.glob(f"marelle-{name}-*"):
        said = re.fullmatch(rf"marelle-{name}-(\d+)-\w+", left.name)
        if said is not None and not Path(f"/proc/{said[1]}").exists() and Path("/proc/self").exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"marelle-{name}-{os.getpid()}-", dir=where))
