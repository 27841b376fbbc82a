"""`--jumble 7` changes what no test may lean on: numbers of rows, texts' hashes, the order of ids, the order of tests.

Without it each test starts with the same texts, so that what passed once passes again. With it (a pytest plugin, as
`make test ARGS="--jumble 7"`) each test gets, from the seed and its name alone:

- texts with other numbers in them, so prompts with other hashes, which decide splits and orders;
- sequences that have run ahead, each by its own stretch, so that no two tables' keys agree by chance;
- UUIDs that are drawn as ever, or that only grow, or that only shrink;
- its file's tests in another order.
"""

import itertools
import random
import uuid
from collections.abc import Callable, Iterator
from unittest.mock import patch

import pytest
from django.db import connection

from tests.numbering import NUMBERS

RUN_AHEAD = "SELECT setval(%s, %s + nextval(%s))"
UUIDS = ("drawn", "growing", "shrinking")
ALL_UUIDS = 2**128
STEP = 2**80  # above the bits that say which version it is


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--jumble", type=int, help="a seed: start every test with other numbers, hashes and orders")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Other orders within a file; files stay whole, since their module's fixtures are dear."""
    seed = config.getoption("--jumble")
    if seed is not None:
        files = {path: place for place, path in enumerate(dict.fromkeys(item.path for item in items))}
        items.sort(key=lambda item: (files[item.path], random.Random(f"{seed} {item.nodeid}").random()))


@pytest.fixture(autouse=True)
def beginning(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set what this test starts with."""
    seed = request.config.getoption("--jumble")
    if seed is None:
        NUMBERS.at = 0
        yield
        return
    lots = random.Random(f"{seed} {request.node.nodeid}")
    NUMBERS.at = lots.randrange(10**6)
    if uses_database(request):
        run_sequences_ahead(lots)
    with patch("uuid.uuid4", UUID_MAKERS[lots.choice(UUIDS)](lots)):
        yield


def uses_database(request: pytest.FixtureRequest) -> bool:
    """Whether it does; the database is open to it from here on."""
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker is not None and marker.kwargs.get("transaction")):
        request.getfixturevalue("transactional_db")
    elif "db" in request.fixturenames or marker is not None:
        request.getfixturevalue("db")
    else:
        return False
    return True


def run_sequences_ahead(lots: random.Random) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1")
        names = [name for (name,) in cursor.fetchall()]
        cursor.executemany(RUN_AHEAD, [[name, lots.randrange(1000), name] for name in names])


def in_steps(step: int) -> Callable[[random.Random], Callable[[], uuid.UUID]]:
    """UUIDs that go up or down from a random one, and do not repeat those of other tests."""

    def make(lots: random.Random) -> Callable[[], uuid.UUID]:
        start = random.SystemRandom().randrange(ALL_UUIDS // 4, 3 * ALL_UUIDS // 4)
        numbers = itertools.count(start, step)
        return lambda: uuid.UUID(int=next(numbers), version=4)

    return make


UUID_MAKERS = {"drawn": lambda lots: uuid.uuid4, "growing": in_steps(STEP), "shrinking": in_steps(-STEP)}
