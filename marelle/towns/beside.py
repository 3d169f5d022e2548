"""Keeping the files that the town's file names, and giving them back. They are public: the town's own video."""

import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings

from marelle.townfile.beside import is_what_it_says
from marelle.townfile.town import Town


class NotBeside(Exception):
    """A file that the town's file names is not beside it, or is not what its name says."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def named(town: Town) -> list[str]:
    texts = town.municipality.texts
    return [name for name in (texts.help_video_file, texts.help_video_captions) if name]


def keep(town: Town, *, beside: Path) -> None:
    """Copy the files that the town names from the folder `beside`; those that stood under these names go. Raises
    NotBeside before anything is copied."""
    sources = [beside / name for name in named(town)]
    for source in sources:
        if not source.is_file() or not is_what_it_says(source):
            raise NotBeside(source)
    folder = Path(settings.TOWN_FILES_DIR)
    for source in sources:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, delete=False) as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy)
        Path(copy.name).chmod(0o644)
        os.replace(copy.name, folder / source.name)


def kept(name: str) -> Path | None:
    """Where a kept file is, None when it is not there."""
    path = Path(settings.TOWN_FILES_DIR) / name
    return path if path.is_file() else None
