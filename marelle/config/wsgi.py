"""The web server's way in. It refuses to start half configured rather than answer with an empty key."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from marelle.config import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marelle.config.settings")

if settings.MODE == "production":
    missing = [
        name for name in ("SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "DATA_KEYS") if not environment.text(name)
    ]
    if missing:
        raise ImproperlyConfigured(
            "Marelle does not start in production without "
            + ", ".join(f"MARELLE_{name}" for name in missing)
            + " in its environment (docs/hosting.md)."
        )

application = get_wsgi_application()
