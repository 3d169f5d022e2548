"""What the portal reads of a form that carries files."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

#: A form with several files, each a little over what is accepted, is still answered file by file.
MAX_FORM_BYTES = 64 * 1024 * 1024


class BoundedUploadHandler(FileUploadHandler):
    """Stands first: a form heavier than `MAX_FORM_BYTES` is answered 400 before any of it is read."""

    def handle_raw_input(
        self, input_data: Any, META: dict[str, str], content_length: int, boundary: str, encoding: str | None = None
    ) -> None:
        if content_length > MAX_FORM_BYTES:
            raise RequestDataTooBig("The form is heavier than the portal reads.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
