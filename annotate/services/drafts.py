"""What people typed and did not send: theirs to recover for thirty days, then gone."""

from datetime import timedelta

from django.utils import timezone

from annotate.models import Draft

KEPT_FOR = timedelta(days=30)


def purge_drafts() -> int:
    """Delete drafts that nobody has touched for thirty days; returns how many."""
    return Draft.objects.filter(updated_at__lt=timezone.now() - KEPT_FOR).delete()[0]
