"""Columns that are sealed in the database, and read and written like any other.

For words of people that may tell of somebody's health although nobody asked them to: the reason of a refusal, a
message, the answer to a question, what an e-mail still to send will say. What *is* health data is never here: opening
it is an act of its own (`foundation.sealing.unseal`, decision 0008).

Nothing can be searched by what such a column holds; only whether it holds anything (`column=""`). A value is bound to
its model and column: renaming either means sealing anew.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.views.decorators.debug import sensitive_variables

from marelle.foundation.sealing import seal, unseal

if TYPE_CHECKING:
    _Text = models.Field[str, str]
    _Json = models.Field[Any, Any]
else:
    _Text = _Json = models.Field

#: The lookups that need not open anything.
LOOKUPS = ("exact", "in", "isnull")


class SealedField(models.Field if not TYPE_CHECKING else models.Field[Any, Any]):  # type: ignore[misc]
    """An empty value stands as no bytes, and is found by them. Bytes are taken for a value sealed already."""

    empty_strings_allowed = True

    def encode(self, value: Any) -> bytes:
        raise NotImplementedError

    def decode(self, plain: bytes) -> Any:
        raise NotImplementedError

    def bound_to(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def get_internal_type(self) -> str:
        return "BinaryField"

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in LOOKUPS:
            raise FieldError(f"{self.bound_to()} is sealed: nothing is searched in it")
        return super().get_lookup(lookup_name)

    @sensitive_variables()
    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if hasattr(value, "as_sql"):
            return value
        if not isinstance(value, bytes):
            value = seal(self.encode(value), bound_to=self.bound_to()) if value else b""
        return connection.Database.Binary(value)  # type: ignore[attr-defined]

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """As a lookup asks: nothing, or the very bytes."""
        if value and not isinstance(value, bytes | memoryview):
            raise FieldError(f"{self.bound_to()} is sealed: it is not found by what it says")
        return connection.Database.Binary(bytes(value) if value else b"")  # type: ignore[attr-defined]

    @sensitive_variables()
    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        sealed = bytes(value) if value else b""
        return self.decode(unseal(sealed, bound_to=self.bound_to())) if sealed else self.get_default()


class SealedTextField(SealedField, _Text):
    """Text, empty by default. `max_length` is the writer's business: what is sealed has no length to check."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if kwargs.get("default") == "":
            del kwargs["default"]
        kwargs.pop("blank", None)
        return name, path, args, kwargs

    def encode(self, value: str) -> bytes:
        return str(value).encode()

    def decode(self, plain: bytes) -> str:
        return plain.decode()


class SealedJSONField(SealedField, _Json):
    """What JSON holds; its `default` makes the empty value."""

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False).encode()

    def decode(self, plain: bytes) -> Any:
        return json.loads(plain)
