"""Spaces as people read them: what French writes with no-break spaces is compared with what is typed."""

from marelle.foundation.french import NBSP, THIN


def plain_spaces(text: str) -> str:
    """`text` with plain spaces where it has no-break ones."""
    return text.replace(NBSP, " ").replace(THIN, " ")
