"""A leaderboard that was worked out once is kept for as long as the same judgements stand.

The key is the judgements themselves, so a new one, a correction or an undo finds nothing and works it out again. A
cache that cannot be reached costs time, nothing else.
"""

from __future__ import annotations

import hashlib
import logging
from array import array
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

from annotate.models import Project
from annotate.services.compared import Choice, newest_judgements

logger = logging.getLogger(__name__)
SECONDS = 3600


def key_of(project: Project, choice: Choice, ties: str) -> str:
    """One statement. What a judgement says never changes, so its id stands for it; times tell databases apart."""
    rows = list(newest_judgements(project, choice).values_list("pk", "created_at"))
    ids = array("q", (pk for pk, _ in rows)).tobytes()
    newest = rows[0][1].isoformat() if rows else ""
    about = f"{project.created_at.isoformat()} {newest} {choice!r} {ties}".encode()
    return f"leaderboard:{project.pk}:{hashlib.sha256(about + ids).hexdigest()}"


def recall(key: str) -> Any:
    """What was kept under the key; None for nothing."""
    try:
        return cache.get(key)
    except RedisError as error:
        logger.warning("The cache cannot be read (%s); the leaderboard is worked out again.", error)
        return None


def keep(key: str, board: object) -> None:
    try:
        cache.set(key, board, SECONDS)
    except RedisError as error:
        logger.warning("The cache cannot be written (%s); the leaderboard is not kept.", error)
