"""Where the style sheets, scripts and fonts are."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class RememberedAddresses(CompressedManifestStaticFilesStorage):
    """Names each file after its content. What is collected does not change while a process lives, and a page names ten
    of them: each address is worked out once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses: dict[str | None, str] = {}

    def url(self, name: str | None, force: bool = False) -> str:
        if name not in self._addresses or force:
            self._addresses[name] = super().url(name, force)
        return self._addresses[name]
