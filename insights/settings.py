"""Settings: everything has a working default; production is switched on by one variable.

Each variable is described in docs/settings.md, and a test keeps the two lists equal.
"""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _
from environs import Env, validate

from insights.database_file import BadPointer, chosen

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent


def private_directory(path: Path) -> Path:
    """Make a directory that its owner alone may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def generated_key(name: str) -> str:
    """Return the key in var/<name>, made on first use and readable by its owner alone."""
    path = private_directory(VAR_DIR) / name
    if not path.exists():
        draft = path.with_name(f"{name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(get_random_secret_key())
        # Never half a key, and of two processes at once one wins.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


def embedded_broker_socket() -> Path:
    """Return where the embedded broker listens: a Unix path has to be under 108 bytes."""
    path = VAR_DIR / "valkey.sock"
    if len(str(path).encode()) < 100:
        return path
    digest = hashlib.sha256(str(VAR_DIR).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"insights-{digest}" / "valkey.sock"


# -- Where and how it runs ------------------------------------------------------------------

PRODUCTION = env.bool("PRODUCTION", False)
VAR_DIR = Path(env.str("VAR_DIR", "") or BASE_DIR / "var").resolve()
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", "") or generated_key("secret_key")
# Links in mails are signed with keys of their own, so that SECRET_KEY can change without
# breaking the links of the past: the first signs, all of them verify.
LINK_KEYS = env.list("LINK_KEYS", []) or [generated_key("link_key")]
# Shared with the shop's server, which signs who stands before the widget (customers/subjects.py).
SUBJECT_KEYS = env.list("SUBJECT_KEYS", []) or [generated_key("subject_key")]
# Addresses stand in the consent ledger as keyed hashes; the checkpoints of the ledger are signed.
# Both keys are kept outside the database they protect.
ADDRESS_KEYS = env.list("ADDRESS_KEYS", []) or [generated_key("address_key")]
LEDGER_KEYS = env.list("LEDGER_KEYS", []) or [generated_key("ledger_key")]

BASE_URL = env.str("BASE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", []) or (
    [urlsplit(BASE_URL).hostname or ""] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"]
)
CSRF_TRUSTED_ORIGINS = [BASE_URL] if PRODUCTION else []
# What the law calls the organisation: some may call their buyers, most may not.
ORGANISATION_KIND = env.str(
    "ORGANISATION_KIND",
    "company",
    validate=validate.OneOf(["company", "charity", "lottery", "publisher"]),
)
# Until the organisation gives its own name, as the demo shop does.
ORGANISATION_NAME = env.str("ORGANISATION_NAME", "") or (
    urlsplit(BASE_URL).hostname if PRODUCTION else "Customer Insights"
)

if PRODUCTION and not BASE_URL.startswith("https://"):
    raise ImproperlyConfigured(
        f"BASE_URL is {BASE_URL!r}: in production it must be the public https:// address. "
        "Set BASE_URL=https://your.address, or leave PRODUCTION unset for a trial."
    )

# How long things are kept, in days; the nightly job "retention" deletes what is older.
RETENTION_COMMENTS_DAYS = env.int("RETENTION_COMMENTS_DAYS", 730, validate=validate.Range(min=1))
RETENTION_ACCESS_LOG_DAYS = env.int(
    "RETENTION_ACCESS_LOG_DAYS", 730, validate=validate.Range(min=1)
)
RETENTION_DECISIONS_DAYS = env.int("RETENTION_DECISIONS_DAYS", 730, validate=validate.Range(min=1))
# A policy cannot look back further.
RETENTION_CONTACTS_DAYS = env.int("RETENTION_CONTACTS_DAYS", 730, validate=validate.Range(min=366))
RETENTION_LETTERS_DAYS = env.int("RETENTION_LETTERS_DAYS", 90, validate=validate.Range(min=1))
RETENTION_REQUESTS_DAYS = env.int("RETENTION_REQUESTS_DAYS", 1095, validate=validate.Range(min=1))
RETENTION_REJECTS_DAYS = env.int("RETENTION_REJECTS_DAYS", 30, validate=validate.Range(min=1))
# After an erasure the hash of the address is looked at again, to see whether it may go.
RETENTION_STOPS_DAYS = env.int("RETENTION_STOPS_DAYS", 1825, validate=validate.Range(min=1))

# -- Parts ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "insights",
    "mailings",
    "feedback",
    "customers",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "anymail",
]

MIDDLEWARE = [
    "insights.middleware.GZipMiddleware",
    "insights.middleware.ReferenceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "insights.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "insights.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "insights.urls"
WSGI_APPLICATION = "insights.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "insights.context.shell",
            ],
        },
    },
]

# -- Database -------------------------------------------------------------------------------

# The demo shop's file or that of the own shop beside it; None with a database of your own.
DATABASE_FILE: Path | None = None
if env.str("DATABASE_URL", ""):
    _database: dict[str, Any] = dict(env.dj_db_url("DATABASE_URL"))
else:
    try:
        DATABASE_FILE = chosen(private_directory(VAR_DIR))
    except BadPointer as bad:
        raise ImproperlyConfigured(str(bad)) from None
    _database = {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE_FILE}
DATABASES = {"default": _database}
# Opening a file or a connection costs as much as all else that an answer costs.
_database["CONN_MAX_AGE"] = 60
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        # A read that turns into a write under DEFERRED fails at once with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: with NORMAL a power cut may lose a commit that was already acknowledged.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
    _database.setdefault("OPTIONS", {})["options"] = (
        "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What was stopped and erased, outside the database and its backups (customers/stop_log.py). What
# happened in the demo shop is not news to one's own, so a second database file has a second log.
_second = DATABASE_FILE is not None and DATABASE_FILE.name != "db.sqlite3"
STOP_LOG = Path(
    env.str("STOP_LOG", "")
    or VAR_DIR
    / (f"{DATABASE_FILE.stem}.stops.jsonl" if _second and DATABASE_FILE else "stops.jsonl")
)

# Throttles need a cache that all processes share; the database is one that a web request
# already waits for, so a dead Redis cannot lock anybody out.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "insights_cache",
    }
}

# -- Jobs: rows are the queue, messages only ring ---------------------------------------------

REDIS_URL = env.str("REDIS_URL", "")
EMBEDDED_BROKER_SOCKET = embedded_broker_socket()
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{quote(str(EMBEDDED_BROKER_SOCKET))}"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# True repeats a task that kills its worker without end; the sweep repeats lost work instead.
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}

# -- Language, time, numbers ------------------------------------------------------------------

LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", _("Dutch")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["insights.formats"]
USE_TZ = True
# The organisation's time zone: days, weeks and months are counted in it.
TIME_ZONE = env.str("TIME_ZONE", "Europe/Amsterdam")
USE_THOUSAND_SEPARATOR = True

# -- Files ----------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Without production the files are served from where they are, and nothing is collected.
STATIC_ROOT = VAR_DIR / "static" if PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
MEDIA_ROOT = VAR_DIR / "media"
# 200 MiB: ten times the largest import file seen; bigger files go through the commands.
IMPORT_UPLOAD_MAX_BYTES = env.int("IMPORT_UPLOAD_MAX_BYTES", 200 * 1024 * 1024)
FILE_UPLOAD_HANDLERS = [
    "insights.uploads.UploadLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# -- Answers from pages -----------------------------------------------------------------------

# Answers a minute: from one address, which a whole office may share, and at one touchpoint.
COLLECT_PER_ADDRESS = env.int("COLLECT_PER_ADDRESS", 300, validate=validate.Range(min=1))
COLLECT_PER_TOUCHPOINT = env.int("COLLECT_PER_TOUCHPOINT", 6_000, validate=validate.Range(min=1))
# Ticks a minute on the opt-in forms: from one address, and on one form.
OPT_IN_PER_ADDRESS = env.int("OPT_IN_PER_ADDRESS", 20, validate=validate.Range(min=1))
OPT_IN_PER_FORM = env.int("OPT_IN_PER_FORM", 600, validate=validate.Range(min=1))

# -- Mail -------------------------------------------------------------------------------------

# A provider that mails over an API of its own, by its name in django-anymail, and what it needs.
# With WEBHOOK_SECRET ("name:password") in it the provider may tell of bounces and complaints.
MAIL_PROVIDER = env.str("MAIL_PROVIDER", "")
ANYMAIL = {**dict(env.json("ANYMAIL", {})), "REQUESTS_TIMEOUT": 20}
if MAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
    EMAIL_HOST_USER = ""
elif env.str("EMAIL_URL", ""):
    _email = env.dj_email_url("EMAIL_URL")
    EMAIL_BACKEND = _email["EMAIL_BACKEND"]
    EMAIL_HOST = _email["EMAIL_HOST"]
    EMAIL_PORT = _email["EMAIL_PORT"]
    EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
    EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS = _email["EMAIL_USE_TLS"]
    EMAIL_USE_SSL = _email["EMAIL_USE_SSL"]
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "outbox"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Customer Insights <no-reply@localhost>")

# -- Login (allauth) --------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["insights.accounts.AuthenticationBackend"]
ACCOUNT_ADAPTER = "insights.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "insights.forms.LoginForm",
    "change_password": "insights.forms.ChangePasswordForm",
    "reset_password": "insights.forms.ResetPasswordForm",
    "reset_password_from_key": "insights.forms.ResetPasswordKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
# No mail to addresses that are no colleague's.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Ten failures a minute from one address; the limit per account is wide, so that a stranger who
# knows a colleague's address cannot easily keep them out.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,100/h/key"}
# How many proxies stand before the web server: the address of the client is that many from the
# right in X-Forwarded-For, which anybody can write anything into.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_HOPS", 0)
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# allauth asks for a verified address so that nobody can sign up with another's and lock it; here
# nobody signs up, and without this line nobody could switch on the second step.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Customer Insights"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_AGE = 14 * 24 * 3600
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 10}  # type: ignore[assignment]

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# -- Headers ----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # Plotly inserts one empty <style> and fills it by script: the hash of the empty text.
        "style-src": [SELF, "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True

if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrf"

# -- Logs: routes, ids and the code of the request, never paths, queries, bodies or addresses ----

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "insights.logs.PrivateFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(reference)s%(message)s",
        }
    },
    "filters": {
        "no_path": {"()": "insights.logs.WithoutPath"},
        "no_text": {"()": "insights.logs.WithoutExceptionText"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "celery.app.trace": {"filters": ["no_text"]},
        "django.request": {
            "handlers": ["console"],
            "filters": ["no_path"],
            "level": "ERROR",
            "propagate": False,
        },
        "django.security.csrf": {"filters": ["no_path"]},
        "insights": {"level": "INFO"},
        "feedback": {"level": "INFO"},
        "mailings": {"level": "INFO"},
        "customers": {"level": "INFO"},
    },
}
