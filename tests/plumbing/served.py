"""The portal's own application, for a server that outlives a test: its clock is set again between two of them.

MARELLE_TEST_CLOCK names a file that holds what MARELLE_CLOCK would; it is read at each request.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from marelle.config import environment
from marelle.config.wsgi import application as portal

CLOCK = Path(os.environ["MARELLE_TEST_CLOCK"])


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    settings.CLOCK = environment.clock(CLOCK.read_text())
    return portal(environ, start_response)
