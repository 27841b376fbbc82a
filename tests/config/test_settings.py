"""What production refuses, and what it sends with every answer; seen from outside, on processes of their own."""

import os
import re
import string
import subprocess
import sys

import pytest
from django.conf import settings

PRODUCTION = {
    "PLUMBLINE_ENV": "production",
    "SECRET_KEY": string.ascii_letters,
    "ALLOWED_HOSTS": "plumbline.example",
    "DATABASE_URL": "postgres://db/plumbline",
    "BROKER_URL": "redis://broker:6379/0",
}


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run manage.py with exactly these of our variables."""
    left_out = {*PRODUCTION, "DJANGO_ALLOW_ASYNC_UNSAFE"}  # a browser test may have set that for this process
    inherited = {name: value for name, value in os.environ.items() if name not in left_out}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env={**inherited, **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "BROKER_URL"])
def test_production_refuses_to_start_without(missing):
    environment = {name: value for name, value in PRODUCTION.items() if name != missing}
    result = manage("check", environment=environment)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{missing} is not set. Production needs it: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY is shorter than 50 characters."),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS contains '*'."),
        ("PLUMBLINE_ENV", "staging", "PLUMBLINE_ENV is 'staging'; it must be 'local' or 'production'."),
    ],
)
def test_unsafe_or_unknown_values_are_refused_with_a_sentence(name, value, message):
    result = manage("check", environment={**PRODUCTION, name: value})
    assert result.returncode == 1
    assert result.stderr.startswith(message)


def test_the_deployment_check_finds_nothing_in_production():
    result = manage("check", "--deploy", "--fail-level", "WARNING", environment=PRODUCTION)
    assert (result.returncode, result.stdout) == (0, "System check identified no issues (0 silenced).\n"), result.stderr


def test_the_web_process_never_loads_torch():
    """The whole URL tree is resolved, so every view and what it imports is loaded."""
    script = """
import sys, config.wsgi
from django.urls import get_resolver
def walk(patterns):
    for pattern in patterns:
        walk(getattr(pattern, "url_patterns", []))
walk(get_resolver().url_patterns)
print(sorted({name.split(".")[0] for name in sys.modules} & {"torch", "transformers", "accelerate", "peft"}))
"""
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert result.stdout == "[]\n", result.stderr


@pytest.mark.django_db
def test_production_answers_with_every_protection(production_site):
    response = production_site.get("/sign-in/", https=True)
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert response.status == 200
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert not re.search("unsafe|[*]|http:", headers["content-security-policy"])
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    cookie = headers["set-cookie"]
    assert cookie.startswith("csrftoken=")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


@pytest.mark.django_db
def test_production_sends_plain_http_on_to_https_but_answers_health_checks(production_site):
    response = production_site.get("/sign-in/", https=False)
    assert (response.status, response.getheader("Location")) == (301, "https://plumbline.example/sign-in/")
    health = production_site.get("/healthz", https=False)
    assert (health.status, health.read()) == (200, b'{"database": true, "broker": true}')
    assert "no-store" in health.getheader("Cache-Control")


@pytest.mark.django_db
def test_production_answers_to_its_own_name_only(production_site):
    assert production_site.get("/sign-in/", https=True, host="evil.example").status == 400


def test_every_answer_says_that_nothing_comes_from_elsewhere(client, db):
    for path in ("/account/sign-in/", "/nothing-here/", "/api/v1/projects/"):
        said = client.get(path).headers["Content-Security-Policy"]
        assert set(said.split("; ")) == {
            "default-src 'self'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        }
