"""The cast, a browser and real Celery workers. Services start in tests/services.py."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, override_settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from annotate.models import Project, Role, User
from config.celery import app as celery_app
from config.processes import worker_command
from tests.emptying import quick_flush
from tests.factories import add_member, make_project, make_user
from tests.services import POSTGRES
from tests.sessions import carry_session

CHROMIUM_FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
CHROMIUM_FLAGS += ["--no-first-run", "--disable-dev-shm-usage", "--disable-gpu"]


@pytest.fixture(autouse=True, scope="session")
def quick_settings() -> Iterator[None]:
    """Everything as in production but the hashed names of static files and the slow password hash."""
    storages = {**django_settings.STORAGES}
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        STORAGES=storages,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        WHITENOISE_USE_FINDERS=True,
        WHITENOISE_AUTOREFRESH=True,
    ):
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_flushes() -> Iterator[None]:
    with quick_flush():
        yield


@pytest.fixture
def alice(db: None) -> User:
    """She made the project and owns it."""
    return make_user("Alice", is_staff=True)


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(alice)


@pytest.fixture
def bob(project: Project) -> User:
    """He reviews in Alice's project."""
    user = make_user("Bob")
    add_member(project, user, Role.REVIEWER)
    return user


@pytest.fixture
def carol(project: Project) -> User:
    """She annotates in Alice's project."""
    user = make_user("Carol")
    add_member(project, user, Role.ANNOTATOR)
    return user


@pytest.fixture
def mallory(db: None) -> User:
    """She owns a project of her own and has no business in Alice's."""
    user = make_user("Mallory", is_staff=True)
    make_project(user, name="Mallory's own")
    return user


@pytest.fixture
def stranger(db: None) -> User:
    """A user of the site without any project."""
    return make_user("Stranger")


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """`signed_in(alice)` is a client with Alice's session."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.fail("No Chromium found. Run `make test` as root once, or install the package chromium.")
    expect.set_options(timeout=30_000)  # as long as Playwright waits for anything else
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright keeps a loop in this thread; Django only asks for care
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def quiet_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with a server end when its last answer is through: emptying the tables under it would end in a deadlock."""
    if not {"live_server", "server"} & set(request.fixturenames):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    Session.objects.all().delete()  # whoever comes after this is a stranger, who is sent away with one look
    wait_until_nobody_reads_or_writes()


def wait_until_nobody_reads_or_writes() -> None:
    """Return when the database has been left alone ten looks long; a request looks up from it for less than that."""
    deadline, alone = time.monotonic() + 20, 0
    statement = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state NOT IN ('idle', 'disabled')
    """
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            alone = alone + 1 if cursor.fetchone() == (0,) else 0
        if alone == 10:
            return
        time.sleep(0.01)


@pytest.fixture
def context(browser: Browser, live_server: object) -> Iterator[BrowserContext]:
    """A fresh browser profile whose relative addresses are the live server's."""
    context = browser.new_context(base_url=str(live_server), viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def browser_sign_in(context: BrowserContext, live_server: object) -> Callable[[User], None]:
    """`browser_sign_in(carol)` gives the browser Carol's session, without the sign-in page."""

    def sign_in(user: User) -> None:
        carry_session(context, live_server, user)

    return sign_in


@pytest.fixture
def celery_worker(transactional_db: None, tmp_path: Path) -> Callable[..., object]:
    """`with celery_worker("default", "inference"):` runs a real worker process for each queue.

    It works on the test's database and broker with the command of production, and is killed at the end.
    """

    @contextmanager
    def run(*queues: str, **environment: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
        celery_app.control.purge()
        workers = {queue: start_worker(queue, tmp_path / f"{queue}.log", environment) for queue in queues}
        try:
            wait_for_workers(workers, tmp_path)
            yield workers
        finally:
            for worker in workers.values():
                with suppress(ProcessLookupError):  # a test may have ended it
                    os.killpg(worker.pid, 9)
                worker.wait()

    return run


def start_worker(queue: str, log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    env = {**os.environ, "DATABASE_URL": POSTGRES.url(str(connection.settings_dict["NAME"])), **environment}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *worker_command(queue)],
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=django_settings.BASE_DIR,
        )


def wait_for_workers(workers: dict[str, subprocess.Popen[bytes]], logs: Path) -> None:
    """Return when every worker answers a ping; fail with its log when one ends or none comes."""
    deadline = time.monotonic() + 120
    answered: set[str] = set()
    while answered != set(workers):
        for queue, worker in workers.items():
            if worker.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"The {queue} worker did not start:\n{(logs / f'{queue}.log').read_text()}")
        replies = celery_app.control.ping(timeout=1, limit=len(workers))
        answered |= {name.split("@")[0] for reply in replies for name in reply} & set(workers)
