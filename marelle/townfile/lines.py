"""At which line of a TOML text each key stands: the parser does not say.

The text is known to be valid TOML: this reads just enough of it to follow keys.
"""

from __future__ import annotations

Path = tuple[str, ...]

_SPACE = " \t"
_BLANK = " \t\r\n"


def locate(text: str) -> dict[Path, int]:
    """Return the line (from 1) of every key, table header and list item of a valid TOML text, by path.

    Items of lists are keys "0", "1"… of their list, those of [[tables]] too.
    """
    return _Locator(text).run()


class _Locator:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.found: dict[Path, int] = {}
        self.tables: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        here: Path = ()
        while self.skip(_BLANK):
            if self.text[self.at] == "[":
                here = self.header()
            else:
                self.pair(here)
        return self.found

    def note(self, path: Path, line: int) -> None:
        self.found.setdefault(path, line)

    def advance(self, n: int = 1) -> None:
        self.line += self.text.count("\n", self.at, self.at + n)
        self.at += n

    def skip(self, blanks: str) -> bool:
        """Pass blanks and comments; say whether anything is left."""
        while self.at < len(self.text):
            if self.text[self.at] in blanks:
                self.advance()
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return True
        return False

    def header(self) -> Path:
        line = self.line
        many = self.text.startswith("[[", self.at)
        self.advance(2 if many else 1)
        path = self.resolve(self.dotted())
        self.advance(2 if many else 1)
        for n in range(1, len(path)):
            self.note(path[:n], line)
        if not many:
            self.note(path, line)
            return path
        count = self.tables.get(path, 0)
        self.tables[path] = count + 1
        self.note(path, line)
        item = (*path, str(count))
        self.note(item, line)
        return item

    def resolve(self, keys: list[str]) -> Path:
        """The path of a header: through lists of tables it goes by their last item."""
        path: Path = ()
        for n, key in enumerate(keys):
            path = (*path, key)
            if n < len(keys) - 1 and path in self.tables:
                path = (*path, str(self.tables[path] - 1))
        return path

    def pair(self, here: Path) -> None:
        line = self.line
        path = here
        for key in self.dotted():
            path = (*path, key)
            self.note(path, line)
        self.skip(_SPACE)
        self.advance()  # =
        self.value(path)

    def dotted(self) -> list[str]:
        keys = []
        while True:
            self.skip(_SPACE)
            keys.append(self.key())
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return keys
            self.advance()

    def key(self) -> str:
        quote = self.text[self.at]
        if quote in "\"'":
            start = self.at
            self.string()
            raw = self.text[start + 1 : self.at - 1]
            return _unescaped(raw) if quote == '"' else raw
        start = self.at
        while self.at < len(self.text) and (self.text[self.at].isalnum() or self.text[self.at] in "-_"):
            self.at += 1
        return self.text[start : self.at]

    def string(self) -> None:
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            self.advance(3)
            while not self.text.startswith(quote * 3, self.at):
                self.advance(2 if self.text[self.at] == "\\" and quote == '"' else 1)
            self.advance(3)
            while self.text.startswith(quote, self.at):
                self.advance()
            return
        self.advance()
        while self.text[self.at] != quote:
            self.advance(2 if self.text[self.at] == "\\" and quote == '"' else 1)
        self.advance()

    def value(self, path: Path) -> None:
        self.skip(_SPACE)
        first = self.text[self.at]
        if first in "\"'":
            self.string()
        elif first == "[":
            self.listed(path)
        elif first == "{":
            self.inline(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def listed(self, path: Path) -> None:
        self.advance()
        n = 0
        while True:
            self.skip(_BLANK)
            if self.text[self.at] == "]":
                self.advance()
                return
            if self.text[self.at] == ",":
                self.advance()
                continue
            item = (*path, str(n))
            self.note(item, self.line)
            self.value(item)
            n += 1

    def inline(self, path: Path) -> None:
        self.advance()
        while True:
            self.skip(_BLANK)
            if self.text[self.at] == "}":
                self.advance()
                return
            if self.text[self.at] == ",":
                self.advance()
                continue
            self.pair(path)


def _unescaped(raw: str) -> str:
    if "\\" not in raw:
        return raw
    import tomllib

    return next(iter(tomllib.loads(f'"{raw}" = 0')))
