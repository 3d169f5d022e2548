"""What people type, as the database takes it."""

from django.http import QueryDict


def typed(data: QueryDict, name: str, *, most: int | None = None) -> str:
    """The field's text without the null characters that PostgreSQL refuses, trimmed, at most `most` characters."""
    return data.get(name, "").replace("\x00", "").strip()[:most]
