"""`make messages`: write the French catalogue from what the sources say.

French is the language of the sources, so nobody translates here: each text becomes itself with the no-break spaces
that French wants (`marelle.foundation.french.spaced`), and gets French plural forms, in which nought is singular.
Nothing is written when nothing changed: no date, no version of a tool and no line number is kept.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import polib

from marelle.foundation.french import spaced
from scripts.environment import ROOT, install_packages

CATALOGUE = ROOT / "marelle" / "locale" / "fr" / "LC_MESSAGES" / "django.po"
HEADER = "Made by `make messages` from the sources: not to be edited. Each text is itself, with French no-break spaces."
METADATA = {
    "Project-Id-Version": "Marelle",
    "Language": "fr",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n > 1);",
}
# What makemessages calls.
GETTEXT = ("msgattrib", "msgmerge", "msguniq", "xgettext")


def extracted() -> polib.POFile:
    """What gettext finds in Marelle's Python and templates, as a template without translations.

    Works on a copy: makemessages leaves files beside the templates while it reads them.
    """
    import django
    from django.conf import settings
    from django.core.management import call_command

    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        idle = shutil.ignore_patterns("__pycache__", "locale", "migrations", "static")
        shutil.copytree(ROOT / "marelle", copy / "marelle", ignore=idle)
        settings.configure(LOCALE_PATHS=[str(copy / "locale")], USE_I18N=True)
        django.setup()
        before = Path.cwd()
        os.chdir(copy)
        try:
            call_command(
                "makemessages",
                locale=["fr"],
                extensions=["py", "html", "txt"],
                add_location="file",
                no_wrap=True,
                keep_pot=True,
                verbosity=0,
            )
        finally:
            os.chdir(before)
        return polib.pofile(str(copy / "locale" / "django.pot"))


def french(found: polib.POFile) -> polib.POFile:
    """The catalogue for what was found, in an order and a form that depend on nothing else."""
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.header = HEADER
    catalogue.metadata = dict(METADATA)
    for entry in found:
        plural = entry.msgid_plural
        catalogue.append(
            polib.POEntry(
                msgctxt=entry.msgctxt,
                msgid=entry.msgid,
                msgid_plural=plural,
                msgstr="" if plural else spaced(entry.msgid),
                msgstr_plural={0: spaced(entry.msgid), 1: spaced(plural)} if plural else {},
                occurrences=sorted({(name.removeprefix("./"), "") for name, _line in entry.occurrences}),
                flags=[flag for flag in entry.flags if flag == "python-format"],
            )
        )
    catalogue.sort(key=lambda entry: (entry.occurrences, entry.msgctxt or "", entry.msgid))
    return catalogue


def write(catalogue: polib.POFile, path: Path = CATALOGUE) -> bool:
    """Write the .po and the .mo beside it, where they differ; whether anything did."""
    changed = False
    for place, content in (
        (path, str(catalogue).encode()),
        (path.with_suffix(".mo"), catalogue.to_binary()),
    ):
        if not place.exists() or place.read_bytes() != content:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            changed = True
    return changed


def main() -> None:
    if any(shutil.which(name) is None for name in GETTEXT):
        install_packages(["gettext"], why="it finds the texts in the sources")
    catalogue = french(extracted())
    changed = write(catalogue)
    print(f"{len(catalogue)} texts; {CATALOGUE.relative_to(ROOT) if changed else 'nothing changed'}.")


if __name__ == "__main__":
    sys.exit(main())
