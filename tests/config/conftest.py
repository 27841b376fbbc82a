"""The web server of production, as a process, on the test database."""

import http.client
import os
import random
import socket
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.db import connection

from config.processes import web_command
from tests.services import POSTGRES


@dataclass(frozen=True)
class Site:
    port: int

    def get(self, path: str, *, https: bool, host: str = "plumbline.example") -> http.client.HTTPResponse:
        """One GET, with the headers that the proxy would set."""
        request = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        request.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https" if https else "http"})
        return request.getresponse()


def free_port() -> int:
    """Below those that the system gives to connections, so that none takes it before the server does."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail("A hundred ports were tried, and none was free.")


@pytest.fixture(scope="module")
def production_site(django_db_setup: None) -> Iterator[Site]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="plumbline-static-") as static:
        environment = {
            **os.environ,
            "PLUMBLINE_ENV": "production",
            "PLUMBLINE_STATIC": static,
            "SECRET_KEY": string.ascii_letters,
            "ALLOWED_HOSTS": "plumbline.example",
            "DATABASE_URL": POSTGRES.url(str(connection.settings_dict["NAME"])),
        }
        run = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(run, env=environment, cwd=settings.BASE_DIR, check=True)
        command = [sys.executable, "-m", *web_command(host="127.0.0.1", port=port, workers=1)]
        server = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)
        try:
            wait_for_port(port, server)
            yield Site(port)
        finally:
            server.terminate()
            server.wait(60)


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("The web server did not open its port.")
