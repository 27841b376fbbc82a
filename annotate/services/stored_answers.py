"""What requests with an Idempotency-Key were answered: kept for a day."""

from datetime import timedelta

from django.utils import timezone

from annotate.models import StoredAnswer

KEPT_FOR = timedelta(days=1)


def purge_answers() -> int:
    """Forget what is older than a day; returns how many."""
    return StoredAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]
