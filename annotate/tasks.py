"""Work for the queue `default`. Each task calls one function and may be delivered twice."""

from celery import shared_task

from annotate import assignment


@shared_task(name="annotate.return_expired_leases")
def return_expired_leases() -> int:
    return assignment.return_expired_leases()
