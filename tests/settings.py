"""The portal's settings in their test mode, for tools that load settings by themselves (the type checker)."""

import os

os.environ["MARELLE_MODE"] = "test"

from marelle.config.settings import *  # noqa: F403
