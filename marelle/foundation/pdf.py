"""Documents that the portal writes: a Typst source and its data give a PDF that any reader can read aloud (PDF/UA-1)
and that archives keep (PDF/A-2a). Nothing is fetched: the fonts are those that the `typst` package carries."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typst


def written(source: Path, facts: Mapping[str, Any], *, at: datetime) -> bytes:
    """The source finds the facts, which are data and never read as source, in `json(bytes(sys.inputs.facts))`. The same
    source, facts and instant give the same bytes. Raises typst.TypstError for a source that is wrong, or that would not
    be accessible."""
    made = typst.compile(
        source.read_bytes(),
        format="pdf",
        sys_inputs={"facts": json.dumps(facts, ensure_ascii=False)},
        pdf_standards=["a-2a", "ua-1"],
        ignore_system_fonts=True,
        timestamp=at.replace(microsecond=0),
    )
    if not isinstance(made, bytes):
        raise TypeError("one document was expected")
    return made
