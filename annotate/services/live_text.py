"""Text on its way from a worker to a page, through the broker: quick, and gone after a quarter of an hour.

What counts is kept in the database (`ChatOption.text`); a broker that cannot be reached makes the page slower, no more.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
KEPT_FOR = 15 * 60  # seconds after the last token
PATIENCE = 0.5  # seconds a page waits for the broker


def key_of(option: int, attempt: int) -> str:
    return f"plumbline:chat:{option}:{attempt}"


@lru_cache(maxsize=1)
def broker() -> Redis:
    """The broker's own client, for keys beside Celery's."""
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://", 1)
    return Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


def publish(pieces: Mapping[str, str]) -> None:
    """Append each piece to the text of its key."""
    try:
        with broker().pipeline(transaction=False) as pipe:
            for key, piece in pieces.items():
                pipe.append(key, piece.encode())
                pipe.expire(key, KEPT_FOR)
            pipe.execute()
    except RedisError as error:
        logger.warning("The broker takes no live text (%s); pages read it from the database.", error)


def read(places: Sequence[tuple[str, int]]) -> list[bytes]:
    """What has been published of each (key, place in bytes) from that place on; nothing when the broker is away."""
    if not places:
        return []
    try:
        with broker().pipeline(transaction=False) as pipe:
            for key, place in places:
                pipe.getrange(key, place, -1)
            return [bytes(found) for found in pipe.execute()]
    except RedisError as error:
        logger.warning("The broker gives no live text (%s); reading the database.", error)
        return [b""] * len(places)
