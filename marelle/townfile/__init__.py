"""The town's file: read, checked, written, explained; no database and no framework (docs/town-file.md)."""

from marelle.townfile.reading import TownFileErrors, fault_words, read, read_text
from marelle.townfile.town import Town
from marelle.townfile.writing import to_plain, write

__all__ = ["Town", "TownFileErrors", "fault_words", "read", "read_text", "to_plain", "write"]
