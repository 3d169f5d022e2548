"""The town's file: read, checked, written, explained; no database and no framework (docs/town-file.md)."""

from marelle.townfile.checks import warnings
from marelle.townfile.differences import Difference, diff
from marelle.townfile.explanations import Explanation, agree, explain, explain_all
from marelle.townfile.offer import OfferedPeriod, open_days, open_on, period_of, periods_of
from marelle.townfile.reading import TownFileErrors, fault_words, read, read_text
from marelle.townfile.schema import json_schema
from marelle.townfile.town import Town
from marelle.townfile.writing import to_plain, write

__all__ = [
    "Difference",
    "Explanation",
    "OfferedPeriod",
    "Town",
    "TownFileErrors",
    "agree",
    "diff",
    "explain",
    "explain_all",
    "fault_words",
    "json_schema",
    "open_days",
    "open_on",
    "period_of",
    "periods_of",
    "read",
    "read_text",
    "to_plain",
    "warnings",
    "write",
]
