"""So many requests a minute for each token, or for each person in a browser; counted in the cache, for all processes.

A cache that cannot be reached lets everybody through: the limit is a courtesy, not a guard.
"""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

logger = logging.getLogger(__name__)
WINDOW = 60  # seconds
RATE = "plumbline.rate"


class PerCaller(BaseThrottle):
    """Fixed windows of a minute. Leaves (limit, remaining, seconds to the next window) in META under RATE."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return True  # refused anyway
        caller = f"token:{request.auth.pk}" if request.auth else f"user:{request.user.pk}"
        window, passed = divmod(int(time.time()), WINDOW)
        self.seconds_left = WINDOW - passed
        used = count(f"api:{caller}:{window}")
        limit = settings.API_REQUESTS_PER_MINUTE
        request.META[RATE] = (limit, max(0, limit - used), self.seconds_left)
        return used <= limit

    def wait(self) -> float:
        return self.seconds_left


def count(key: str) -> int:
    try:
        cache.add(key, 0, WINDOW * 2)
        return cache.incr(key)
    except (RedisError, ValueError) as error:  # ValueError: the key ran out between the two
        logger.warning("The cache does not count requests (%s); letting this one through.", error)
        return 0
