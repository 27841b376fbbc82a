"""Work for the queue `default`. Each task calls one function and may be delivered twice."""

import logging

from celery import shared_task

from annotate import assignment
from annotate.models import ClaimLost, Import, Project, Snapshot, SnapshotFile, WebhookDelivery
from annotate.services import (
    drafts,
    figures,
    import_runs,
    recovery,
    snapshot_files,
    snapshots,
    stored_answers,
    tallies,
    upload_purge,
    webhooks,
)

logger = logging.getLogger(__name__)


@shared_task(name="annotate.return_expired_leases")
def return_expired_leases() -> int:
    return assignment.return_expired_leases()


@shared_task(name="annotate.run_import")
def run_import(*, job_id: int) -> None:
    try:
        import_runs.run_import(Import.objects.get(pk=job_id))
    except ClaimLost:
        logger.info("Import %s was taken over by another worker.", job_id)


@shared_task(name="annotate.build_snapshot")
def build_snapshot(*, job_id: int) -> None:
    try:
        snapshots.build_snapshot(Snapshot.objects.get(pk=job_id))
    except ClaimLost:
        logger.info("Snapshot %s was taken over by another worker.", job_id)


@shared_task(name="annotate.count_figures")
def count_figures(*, job_id: int) -> None:
    figures.count_figures(Project.objects.get(pk=job_id))


@shared_task(name="annotate.write_snapshot_file")
def write_snapshot_file(*, job_id: int) -> None:
    try:
        for file in SnapshotFile.objects.select_related("snapshot__project").filter(pk=job_id):
            snapshot_files.write_file(file)
    except ClaimLost:
        logger.info("File %s of a snapshot was taken over by another worker.", job_id)


@shared_task(name="annotate.remove_old_snapshot_files")
def remove_old_snapshot_files() -> int:
    return snapshot_files.remove_old_files()


@shared_task(name="annotate.recover_stalled_jobs")
def recover_stalled_jobs() -> int:
    return recovery.recover_stalled_jobs()


@shared_task(name="annotate.add_up_work")
def add_up_work() -> int:
    return tallies.add_up_work()


@shared_task(name="annotate.purge_drafts")
def purge_drafts() -> int:
    return drafts.purge_drafts()


@shared_task(name="annotate.purge_uploads")
def purge_uploads() -> int:
    return upload_purge.purge_uploads()


@shared_task(name="annotate.deliver_webhook")
def deliver_webhook(*, job_id: int) -> None:
    for delivery in WebhookDelivery.objects.select_related("webhook").filter(pk=job_id):
        webhooks.deliver(delivery)


@shared_task(name="annotate.deliver_due_webhooks")
def deliver_due_webhooks() -> int:
    return webhooks.deliver_due()


@shared_task(name="annotate.purge_stored_answers")
def purge_stored_answers() -> int:
    return stored_answers.purge_answers()
