"""What the workers write of their tasks: one line for each that ended, except those of the clock that went well."""

import logging

from django.conf import settings


class QuietClock(logging.Filter):
    """Drops the success lines of tasks that beat sends every few seconds."""

    def filter(self, record: logging.LogRecord) -> bool:
        task = getattr(record, "data", {}).get("name", "")
        recurring = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
        return record.levelno > logging.INFO or task not in recurring
