"""Settings, all from the environment (docs/hosting.md lists the variables). Safe by default: without anything said,
this is a production server that refuses to answer until it is given a key and its hosts."""

from pathlib import Path

from marelle.config import environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(environment.text("VAR_DIR") or BASE_DIR.parent / "var")

MODE = environment.mode()
DEMO = MODE == "demo"
PRODUCTION = MODE == "production"
DEBUG = environment.flag("DEBUG") and not PRODUCTION

if PRODUCTION:
    SECRET_KEY = environment.text("SECRET_KEY")
    ALLOWED_HOSTS = environment.items("ALLOWED_HOSTS")
elif DEMO:
    SECRET_KEY = environment.text("SECRET_KEY") or environment.kept_secret(VAR_DIR / "demo" / "secret-key")
    ALLOWED_HOSTS = environment.items("ALLOWED_HOSTS") or ["127.0.0.1", "localhost", "[::1]"]
else:
    SECRET_KEY = "only-for-tests-" + "0123456789abcdef" * 4
    ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
SECRET_KEY_FALLBACKS = environment.items("SECRET_KEY_FALLBACKS")

# What health data and files are sealed with: `name:key,…`, the first one seals, the others open (docs/hosting.md).
if PRODUCTION:
    DATA_KEYS = environment.text("DATA_KEYS")
elif DEMO:
    DATA_KEYS = environment.text("DATA_KEYS") or "demo:" + environment.kept_secret(VAR_DIR / "demo" / "data-key", 32)
else:
    DATA_KEYS = environment.text("DATA_KEYS") or "test:" + "QUJD" * 10 + "QUI="
# A health file is erased so many days after the school year that it was confirmed for, once no enrolment needs it.
HEALTH_KEPT_DAYS = environment.number("HEALTH_KEPT_DAYS", 60)
#: Days that a document is kept once refused, replaced or taken back, and once it is valid no longer.
DOCUMENTS_KEPT_DAYS = environment.number("DOCUMENTS_KEPT_DAYS", 90)
EXPIRED_DOCUMENTS_KEPT_DAYS = environment.number("EXPIRED_DOCUMENTS_KEPT_DAYS", 365)
#: Days that an e-mail stays in the outbox once it has left or was given up.
MAILS_KEPT_DAYS = environment.number("MAILS_KEPT_DAYS", 365)
FILES_DIR = Path(environment.text("FILES_DIR") or (VAR_DIR / "demo" if DEMO else VAR_DIR) / "files")
# The files that the town's file names (its video): public, copied there by `town load`.
TOWN_FILES_DIR = Path(environment.text("TOWN_FILES_DIR") or (VAR_DIR / "demo" if DEMO else VAR_DIR) / "town")

# Only the demo's clock can be moved, and only at its start.
CLOCK = environment.clock(environment.text("CLOCK")) if DEMO or MODE == "test" else None

PUBLIC_URL = environment.text("PUBLIC_URL", "http://127.0.0.1:8000" if not PRODUCTION else "").rstrip("/")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "marelle.foundation",
    "marelle.activities",
    "marelle.accounts",
    "marelle.families",
    "marelle.requests",
    "marelle.documents",
    "marelle.bookings",
    "marelle.communication",
    "marelle.attestations",
    "marelle.towns",
    "marelle.portal",
    "marelle.office",
]
if DEMO or MODE == "test":
    INSTALLED_APPS.append("marelle.demo")

#: What the worker does every second or two, beside the e-mails: `act(*, at) -> how much was done`. Each may run in
#: several workers at once, and does nothing twice.
TICKS = [
    "marelle.bookings.services.waiting.tick",
    "marelle.bookings.services.reminders.tick",
    "marelle.bookings.services.silence.tick",
    "marelle.families.imports.saving.tick",
    "marelle.families.joining.invitations.tick",
    "marelle.bookings.services.openings.tick",
    "marelle.bookings.services.moves.tick",
    "marelle.bookings.services.health_files.tick",
    "marelle.families.circle.authorised.tick",
    "marelle.families.health.reminders.tick",
    "marelle.accounts.tasks.tick",
    "marelle.foundation.housekeeping.tick",
    "marelle.communication.services.notices.tick",
    "marelle.documents.services.reminders.tick",
    "marelle.documents.services.keeping.tick",
    "marelle.bookings.services.drafts.tick",
]
#: What the answer to a line of no service does, by the line's act (`requests.services.Settler`). An act that is not
#: named does nothing but be answered.
SETTLERS: dict[str, str] = {
    "change": "marelle.requests.corrections.settle",
    "give": "marelle.documents.services.reviews.settle",
    "ask": "marelle.documents.services.reviews.settle",
    "join": "marelle.documents.services.arrivals.settle",
}
#: What every page of a guardian needs, read with their households: `(households, user's id) -> households`.
ARRIVALS = ["marelle.requests.queries.with_unread"]
#: Which children sites receive beside their pupils: `(sites, at=…) -> rows that name child and household`.
RECEIVED = ["marelle.bookings.permissions.received"]
#: What each room does before two families are made one, so that no two rows clash (`families.doubles.merging.Merger`).
MERGERS = [
    "marelle.bookings.services.merging.settle_clashes",
    "marelle.documents.services.merging.settle_clashes",
    "marelle.requests.merging.follow",
    "marelle.communication.services.merging.settle_clashes",
]
#: Every column that holds sealed values; its model says what they are bound to (`bound_to()`), or the column itself
#: (`foundation.sealed`).
SEALED = [
    "marelle.foundation.models.StoredFile.sealed_key",
    "marelle.accounts.models.SecondFactor.secret",
    "marelle.families.models.HealthFile.sealed",
    "marelle.families.models.ForbiddenPerson.sealed",
    "marelle.requests.models.RequestForm.sealed",
    "marelle.requests.models.RequestMessage.sealed",
    "marelle.foundation.models.OutboxMail.context",
    "marelle.requests.models.FamilyRequest.message",
    "marelle.requests.models.RequestLine.reason",
    "marelle.documents.models.SupportingDocument.reason",
    "marelle.bookings.models.Enrolment.answers",
    "marelle.bookings.models.Enrolment.reason",
    "marelle.bookings.models.Enrolment.reply",
    "marelle.bookings.models.EnrolmentDraft.content",
    "marelle.bookings.models.EnrolmentChange.answers",
    "marelle.bookings.models.Booking.reason",
    "marelle.bookings.models.Absence.cause",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "marelle.foundation.clock.ClockMiddleware",
    "marelle.accounts.sessions.LastUseMiddleware",
    "marelle.activities.opening.OpeningMiddleware",
]

ROOT_URLCONF = "marelle.config.urls"
WSGI_APPLICATION = "marelle.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "marelle.activities.context.municipality",
                "marelle.foundation.context.surroundings",
                "marelle.office.navigation.navigation",
                "marelle.portal.navigation.navigation",
            ],
        },
    },
]

DATABASES = {
    "default": environment.database(
        environment.text("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'marelle.sqlite3'}",
        pooled=MODE != "test",
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Counters of failed sign-ins are shared by every process, so they live in the database.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "foundation_cache",
        # Django throws counters away beyond this number: high enough that nobody can push another's out.
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}

AUTH_USER_MODEL = "accounts.User"
# Only one: each hashes the password, and two would tell a known address from an unknown one by their time.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 7 * 24 * 3600
if MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
elif DEMO:
    PASSWORD_HASHERS = ["marelle.demo.hashers.DemoHasher"]

LOGIN_URL = "accounts:door"
# Rooms hand these down to those below them, which may not import them.
KNOWN_ADDRESS = "marelle.families.joining.door.is_known"
WELCOME = "marelle.families.joining.door.welcome"
ADDRESS_CHANGED = "marelle.families.joining.door.address_changed"
SETTLE = "marelle.families.permissions.settle"
NEW_ACCOUNT = "portal:new_account"
LANDING = "marelle.families.permissions.landing"
UNSENT = "marelle.portal.leaving.unsent"
ERASE_UNSENT = "marelle.portal.leaving.erase"
TAKE_UP = "marelle.portal.planning.ticks.take_up"
PROVEN = "marelle.bookings.services.absences.prove"
LETTERHEAD = "marelle.activities.letterhead.letterhead"
#: Agents do nothing before they have a second step of sign-in.
AGENTS_SECOND_FACTOR = environment.flag("AGENTS_SECOND_FACTOR")
ACCOUNT_ADAPTER = "marelle.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,5/10m/key",
    "reset_password": "10/m/ip,100/h/ip,5/10m/key,30/d/key",
    "code_tried": "30/m/ip,15/10m/key",
    "second_tried": "10/10m/key,50/d/key",
    "adult_invited": "10/d/key",
}

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
# The town's own zone is in its file; pages format instants in it explicitly.
TIME_ZONE = "Europe/Paris"

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "marelle.foundation.assets.RememberedAddresses"
    },
}
WHITENOISE_USE_FINDERS = MODE == "test"
WHITENOISE_AUTOREFRESH = False

FILE_UPLOAD_HANDLERS = [
    "marelle.foundation.files.uploading.BoundedUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# A form of a whole school year for several children has one field per ticked day.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000

if MODE == "test":
    EMAIL_BACKEND = environment.text("EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")
elif DEMO and not environment.text("EMAIL_URL"):
    EMAIL_BACKEND = "marelle.demo.mailbox.MailboxBackend"
else:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    globals().update(environment.mail(environment.text("EMAIL_URL", "smtp://localhost:25")))
DEFAULT_FROM_EMAIL = environment.text("FROM_EMAIL", "portail@marelle.example")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "media-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_ENGINE = "marelle.accounts.sessions"
SESSION_COOKIE_NAME = "marelle"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "marelle.foundation.errors.csrf_failure"
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    # Only a reverse proxy that the host runs itself may say that the outside connection was encrypted.
    if environment.flag("BEHIND_PROXY"):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        # Failed sign-ins are counted for the visitor's address, which that proxy writes last.
        ALLAUTH_TRUSTED_PROXY_COUNT = 1
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if not host.startswith(("*", "."))]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"marelle": {"level": environment.text("LOG_LEVEL", "INFO")}},
}
TEST_RUNNER = "django.test.runner.DiscoverRunner"
