"""`/healthz`: whether this process reaches what it needs, for load balancers and container healthchecks."""

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from config.celery import app

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def show_health(request: HttpRequest) -> JsonResponse:
    """200 when the database and the broker answer, else 503; says which, and nothing else."""
    answers = {"database": database_answers(), "broker": broker_answers()}
    return JsonResponse(answers, status=200 if all(answers.values()) else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return True
    except DatabaseError as error:
        logger.warning("The database does not answer: %s", error)
        return False


def broker_answers() -> bool:
    try:
        with app.connection_for_write(transport_options={"socket_connect_timeout": 2, "socket_timeout": 2}) as broker:
            return bool(broker.default_channel.client.ping())
    except (KombuError, RedisError, OSError) as error:
        logger.warning("The broker does not answer: %s", error)
        return False
