"""Jobs that nobody works on any more, back into the queue."""

from django.db.models import Q
from django.utils import timezone

from annotate.models import Job, JobStatus
from annotate.querysets import JobQuerySet
from annotate.services.queue import enqueue
from training.models import Evaluation, Generation, RewardReport, Run, Scoring
from training.services.evaluations import RUN_EVALUATION
from training.services.generations import GENERATE_RESPONSES
from training.services.reward_reports import REPORT_REWARD_MODEL
from training.services.runs import RUN_TRAINING
from training.services.scoring import SCORE_RESPONSES

MAX_ATTEMPTS = 10
GAVE_UP = (
    "{attempts} workers have died or stopped while doing this, so it is not queued again. "
    "Look at the workers' log, mend the cause (often too little memory), then press Retry."
)


def recover_stalled_jobs() -> int:
    """Queue every stalled job of training again; returns how many. Safe to call at any time."""
    jobs = (Run, RUN_TRAINING), (Generation, GENERATE_RESPONSES), (Scoring, SCORE_RESPONSES)
    others = (Evaluation, RUN_EVALUATION), (RewardReport, REPORT_REWARD_MODEL)
    return sum(_recover(model.objects.stalled(), task) for model, task in (*jobs, *others))


def _recover(stalled: JobQuerySet, task: str) -> int:
    return sum(_recover_one(job, task) for job in stalled)


def _recover_one(job: Job, task: str) -> bool:
    """End a stalled job that was to be cancelled or has worn out its attempts; queue any other again."""
    now = timezone.now()
    unchanged = (
        type(job)
        ._default_manager.filter(pk=job.pk, status=job.status)
        .filter(Q(heartbeat_at=job.heartbeat_at) if job.heartbeat_at else Q(heartbeat_at=None))
    )
    if job.cancel_requested_at:
        unchanged.update(status=JobStatus.CANCELLED, finished_at=now)
        return False
    if job.attempts >= MAX_ATTEMPTS:
        unchanged.update(status=JobStatus.FAILED, finished_at=now, error=GAVE_UP.format(attempts=job.attempts))
        return False
    if not unchanged.update(status=JobStatus.QUEUED, queued_at=now, claim=None):
        return False
    enqueue(task, job_id=job.pk)
    return True
