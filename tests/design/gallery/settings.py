"""The gallery: every component and state on sample data, without a database. For tests and for looking at."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, TEMPLATES

ROOT_URLCONF = "tests.design.gallery.urls"
TEMPLATES = [
    {
        **TEMPLATES[0],
        "DIRS": [__file__.rpartition("/")[0] + "/templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "tests.design.gallery.samples.surroundings",
            ]
        },
    }
]
MIDDLEWARE = ["csp.middleware.CSPMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [app for app in INSTALLED_APPS if not app.startswith("allauth")]
DEBUG = True
DATABASES: dict[str, object] = {}  # none, whether a test before this one has made one or not
