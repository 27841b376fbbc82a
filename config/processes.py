"""The commands of the running system, each written once: `manage.py serve` and docker-compose.yml run the same ones."""

QUEUES = ("default", "inference", "chat", "training")
CELERY = ["celery", "--quiet", "--app", "config"]
WORKER = [*CELERY, "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]


def web_command(*, host: str, port: int, workers: int = 2) -> list[str]:
    """The web server. Requests share threads, so one that waits for the database does not hold up the next."""
    command = ["granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers)]
    command += ["--blocking-threads", "4", "--no-ws", "--respawn-failed-workers", "--workers-kill-timeout", "3"]
    return [*command, "--log-level", "warning", "config.wsgi:application"]


def worker_command(queue: str) -> list[str]:
    """The Celery worker of one queue. A model is held once, so the queues that use one run a task at a time."""
    pool = ["--pool", "prefork", "--concurrency", "2"] if queue == "default" else ["--pool", "solo"]
    return [*WORKER, "--queues", queue, "--hostname", f"{queue}@%h", *pool]


def beat_command() -> list[str]:
    """The clock. Its schedule is in the database; under a supervisor it needs no pid file."""
    return [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="]
