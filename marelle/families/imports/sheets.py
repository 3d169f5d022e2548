"""A file of lines and columns, as it was handed in: bytes in, cells out. Pure, and hard to surprise."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

MAX_BYTES = 10 * 1024 * 1024
MAX_LINES = 20_000
MAX_COLUMNS = 200
#: The longest cell that is read. No name, address or class is longer.
MAX_CELL = 250


class SheetFault(StrEnum):
    EMPTY = "empty"
    TOO_HEAVY = "too_heavy"
    WORKBOOK = "workbook"
    NOT_TEXT = "not_text"
    QUOTES = "quotes"
    ONE_COLUMN = "one_column"
    TOO_MANY_LINES = "too_many_lines"
    TOO_MANY_COLUMNS = "too_many_columns"
    ONLY_A_HEADER = "only_a_header"


@dataclass(frozen=True, slots=True)
class Unreadable(Exception):
    """Why the whole file is refused; `number`: the line, or what was counted."""

    fault: SheetFault
    number: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """`line`: where it begins in the file, the header being line 1 when nothing stands above. As many cells as the
    header has; `excess` when the file gave more, or a cell that is too long."""

    line: int
    cells: tuple[str, ...]
    excess: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(content: bytes) -> Sheet:
    """The file's header (its first line that says something) and rows, blank ones left out. UTF-8 with or without its
    mark, UTF-16 with its mark, else Windows-1252; columns apart by ; , or tabulations. Raises Unreadable."""
    text = decoded(content)
    lines = _lines(text, delimiter=delimiter_of(text))
    header = next(lines, None)
    if header is None:
        raise Unreadable(SheetFault.EMPTY)
    names = [clean(name) for name in header[1]]
    while names and not names[-1]:
        names.pop()
    if len(names) < 2:
        raise Unreadable(SheetFault.ONE_COLUMN)
    if len(names) > MAX_COLUMNS:
        raise Unreadable(SheetFault.TOO_MANY_COLUMNS, len(names))
    rows: list[Row] = []
    for line, cells in lines:
        if len(rows) == MAX_LINES:
            raise Unreadable(SheetFault.TOO_MANY_LINES, MAX_LINES)
        kept = [clean(cell) for cell in cells[: len(names)]]
        excess = any(cell.strip() for cell in cells[len(names) :]) or any(len(cell) > MAX_CELL for cell in kept)
        cut = [cell[:MAX_CELL] for cell in kept]
        rows.append(Row(line, tuple(cut + [""] * (len(names) - len(cut))), excess))
    if not rows:
        raise Unreadable(SheetFault.ONLY_A_HEADER)
    return Sheet(tuple(name[:MAX_CELL] for name in names), tuple(rows))


def decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise Unreadable(SheetFault.TOO_HEAVY, len(content))
    if not content.strip():
        raise Unreadable(SheetFault.EMPTY)
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(SheetFault.WORKBOOK)
    encodings = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and not text.startswith(("%PDF", "{\\rtf", "<")):
            return text
    raise Unreadable(SheetFault.NOT_TEXT)


def delimiter_of(text: str) -> str:
    """What the header is cut by: whichever of ; tabulation , it holds most of."""
    header = next((line for line in io.StringIO(text) if line.strip(' ;,\t\r\n"')), "")
    return max(";\t,", key=header.count)


def _lines(text: str, *, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise Unreadable(SheetFault.QUOTES, line) from None
        if any(cell.strip() for cell in cells):
            yield line, cells


def clean(cell: str) -> str:
    """A cell on one line, without what nobody types: control characters and marks of direction."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in cell).split())


def safe_cell(text: str) -> str:
    """For a CSV that a spreadsheet will open: what it would take for a formula is text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
