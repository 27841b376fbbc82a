"""Messages to the workers. The job's row is the truth; a message only says "look there"."""

from django.db import transaction

from config.celery import app

BUILD_SNAPSHOT = "annotate.build_snapshot"
COUNT_FIGURES = "annotate.count_figures"
RUN_IMPORT = "annotate.run_import"
WRITE_SNAPSHOT_FILE = "annotate.write_snapshot_file"
WARM_CHAT_MODELS = "training.warm_chat_models"
WRITE_CHAT_ANSWERS = "training.write_chat_answers"


def enqueue(task: str, *, job_id: int) -> None:
    """Send `task` its job's id once the current transaction stands.

    A broker that cannot be reached loses the message but not the job: recovery queues it again.
    """

    def send() -> None:  # not a partial: Django wants its name when it fails
        app.send_task(task, kwargs={"job_id": job_id})

    transaction.on_commit(send, robust=True)
