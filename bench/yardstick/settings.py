"""Marelle's own settings, with one more page."""

from marelle.config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.yardstick.urls"
