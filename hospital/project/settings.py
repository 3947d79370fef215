"""One settings file; everything that differs between places comes from the environment.

`deploy/up` writes these for the embedded default. Without EMBEDDED=1 secrets and host names have no defaults: a
server that lacks one does not start and says which (`environment`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from celery.schedules import crontab

from . import environment

if (_wrong := environment.problem(os.environ)) is not None:
    raise SystemExit(f"not started: {_wrong}")

BASE_DIR = Path(__file__).resolve().parents[2]
EMBEDDED = environment.embedded(os.environ)
DATA_DIR = Path(os.environ.get("DATA_DIR", BASE_DIR / ".data"))
OBJECTS_DIR = Path(os.environ.get("OBJECTS_DIR", DATA_DIR / "objects"))
SECRET_KEY = os.environ["SECRET_KEY"]
FIELD_KEY = os.environ["FIELD_KEY"]  # base64 of 32 bytes: key 1 of data at rest, and of the keyed indexes
FIELD_KEYS_FILE = Path(os.environ.get("FIELD_KEYS_FILE", DATA_DIR / "field-keys.json"))  # later keys
# Hex public keys that signed the audit chain before SIGNING_KEY was changed; `audit_verify` prints the present one.
AUDIT_PUBLIC_KEYS = [key for key in os.environ.get("AUDIT_PUBLIC_KEYS", "").split(",") if key]
FIELD_CIPHER = os.environ.get("FIELD_CIPHER", "aes-256-gcm")  # or sm4-gcm
# Records whose time is over are erased each night; 0 leaves it to `manage.py retention --apply`.
# What is erased is gone: a house turns the nightly run on after it has read a dry run.
RETENTION_NIGHTLY = os.environ.get("RETENTION_NIGHTLY", "0") == "1"
BASE_URL = os.environ.get("BASE_URL", "http://localhost:8000")
DEBUG = False
_HOST = urlsplit(BASE_URL).hostname or "localhost"
ALLOWED_HOSTS = [_HOST, "localhost", "127.0.0.1", "[::1]"] if EMBEDDED else environment.hosts(os.environ)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# Security keys answer for this host and from this origin only; WebAuthn knows `localhost`, but no bare address.
WEBAUTHN_RP_ID = _HOST
WEBAUTHN_ORIGINS = [BASE_URL.rstrip("/")]
ROOT_URLCONF = "hospital.project.urls"
ASGI_APPLICATION = "hospital.project.asgi.application"
AUTH_USER_MODEL = "access.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SIGNING_KEY = os.environ.get("SIGNING_KEY", "")  # the embedded default derives it from SECRET_KEY

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "hospital.common",
    "hospital.audit",
    "hospital.messages",
    "hospital.access",
    "hospital.keeping",
    "hospital.people",
    "hospital.scheduling",
    "hospital.records",
    "hospital.interop",
    "devices.fleet",
    "teleconsult",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "hospital.common.middleware.SecurityHeaders",
    "hospital.common.middleware.WellFormed",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "hospital.access.middleware.PrincipalMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": False,
        "DIRS": [BASE_DIR / "teleconsult/console/templates"],
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request"],
            "libraries": {"console": "teleconsult.console.templatetags.console"},
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """postgresql://user:password@host:port/name; a socket directory goes into `?host=`."""
    parts = urlsplit(url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(parts.port or query.get("port", "")),
        "CONN_MAX_AGE": 0,
        # Statements that come again are planned once for each connection: a booking reads forty of them.
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 2},
    }


AS_OWNER = bool(os.environ.get("AS_OWNER"))  # of the tables: whoever migrates
DATABASES = {"default": _database(os.environ["DATABASE_OWNER_URL" if AS_OWNER else "DATABASE_URL"])}
if os.environ.get("PROCESS") == "worker":
    # Also at rest there are three tasks a second (drain, seal); each would begin with a new connection.
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
if os.environ.get("PROCESS") == "web":
    # In `web` only: a forked Celery child would silently share its parent's backend connections.
    DATABASES["default"]["OPTIONS"] |= {"pool": {"min_size": 2, "max_size": 16, "timeout": 5}}
# Half of the pool: the other half is the sockets'. See `hospital.common.threaded`; measured with deploy/bench booking.
REQUESTS_AT_ONCE = int(os.environ.get("REQUESTS_AT_ONCE", "8"))

REDIS_URL = os.environ["REDIS_URL"]
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 1_000_000  # tasks; how long a connection is kept is CONN_MAX_AGE's to say
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60, "socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_BEAT_SCHEDULER = "hospital.project.beat.Scheduler"
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULE = {
    "drain": {"task": "common.drain", "schedule": 1.0, "options": {"expires": 5}},
    "seal": {"task": "audit.seal", "schedule": 0.5, "options": {"expires": 2}},
    "tidy": {"task": "access.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "sweep": {"task": "teleconsult.sweep", "schedule": 5.0, "options": {"expires": 10}},
    "watch": {"task": "teleconsult.watch", "schedule": 3600.0, "options": {"expires": 600}},
    "keeping": {"task": "keeping.sweep", "schedule": 60.0, "options": {"expires": 60}},
    "clear": {"task": "keeping.clear", "schedule": 600.0, "options": {"expires": 600}},
    # A night that a stopped worker missed is the next night's: nothing is erased in the middle of a day.
    "erase": {
        "task": "keeping.erase",
        "schedule": crontab(hour="3", minute="20"),
        "options": {"expires": 3600},
    },
}

METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")  # opens /metrics from another machine; empty: to nobody
TABLET_SHIFT_HOURS = int(
    os.environ.get("TABLET_SHIFT_HOURS", "12")
)  # a PIN or touch is enough on a tablet so long
STALE_AFTER_DAYS = int(os.environ.get("STALE_AFTER_DAYS", "90"))  # SEC-05; staff who do not sign in; 0: never
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
if _HTTPS:
    SESSION_COOKIE_NAME = (
        "__Host-session"  # browsers take it from this host only, over HTTPS, for all its paths
    )
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # probes ask from inside, without TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_HSTS_SECONDS = 31536000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# W021: browsers' preload lists bind a whole domain for years; that is its owner's to promise, not this program's.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
CSRF_FAILURE_VIEW = "hospital.project.views.csrf_failure"

LANGUAGE_CODE = "zh-hans"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "teleconsult/console/static"]
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_MAX_AGE = 0 if EMBEDDED else 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
BODY_MAX_BYTES = 2 * 1024 * 1024  # design value; counted before anything is kept (`common.body_limit`)
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024 * 1024
# Where larger bodies may come in: the beginning of the path, bytes. A patient's photograph, a robot's loops.
LARGE_BODIES = (("/api/v1/robot/", 210 * 1024 * 1024), ("/api/v1/me/", 8 * 1024 * 1024))

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "hospital.access.authentication.BearerAuthentication",
        "hospital.access.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["hospital.common.parsers.StrictJson"],
    "DEFAULT_SCHEMA_CLASS": "hospital.common.schema.DoorSchema",
    "EXCEPTION_HANDLER": "hospital.common.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Yangtze Delta Internet Hospital",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "hospital.common.schema.add_problem",
    ],
}
# Who answers for identities: "staff" (somebody saw the card) or a name given to people.verification.
IDENTITY_AUTHORITY = os.environ.get("IDENTITY_AUTHORITY", "staff")
MESSAGES_PROVIDER = os.environ.get("MESSAGES_PROVIDER", "mailbox" if EMBEDDED else "")
# Keys and templates of who carries messages, see hospital.messages.providers: a JSON file, as it holds secrets.
_messages_file = os.environ.get("MESSAGES_FILE", "")
MESSAGES: dict[str, Any] = json.loads(Path(_messages_file).read_text()) if _messages_file else {}
ICE_SERVERS: list[dict[str, object]] = (
    [
        {
            "urls": os.environ["TURN_URL"],
            "username": os.environ["TURN_USER"],
            "credential": os.environ["TURN_PASSWORD"],
        }
    ]
    if "TURN_URL" in os.environ
    else []
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "hospital.common.scrub.ScrubbingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # uvicorn writes sockets' addresses, tickets included: through the same formatter. Its line for each request and
    # Celery's lines for each of several tasks a second are not written.
    "loggers": {
        "uvicorn": {"handlers": [], "level": "INFO", "propagate": True},
        "uvicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        "uvicorn.access": {"handlers": [], "propagate": False},
        "httpx": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
