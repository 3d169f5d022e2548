"""The portal's settings as the tests run them: the same file, in its test mode."""

import os

os.environ["MARELLE_MODE"] = "test"

from marelle.config.settings import *  # noqa: E402,F403
