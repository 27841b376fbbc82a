"""Reports on reward models, started by an owner; `report_work.py` makes them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import Snapshot, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from training.models import ModelVersion, RewardReport

REPORT_REWARD_MODEL = "training.report_reward_model"


@transaction.atomic
def start_report(*, model: ModelVersion, snapshot: Snapshot, user: User) -> RewardReport:
    """The report on this model and snapshot, queued unless it is under way or done. Raises ValidationError."""
    if model.kind != ModelVersion.Kind.REWARD:
        raise ValidationError({"model": f"“{model}” is a {model.get_kind_display().lower()}. Choose a reward model."})
    if snapshot.project_id != model.project_id:
        raise ValidationError({"snapshot": f"Snapshot “{snapshot}” belongs to another project."})
    report, is_new = RewardReport.objects.get_or_create(
        model=model,
        snapshot=snapshot,
        defaults={"project": model.project, "created_by": user, "queued_at": timezone.now()},
    )
    if is_new or report.queue():
        record_audit(actor=user, action="report.started", project=model.project, target=model)
        enqueue(REPORT_REWARD_MODEL, job_id=report.pk)
    return report
