"""Who has read which version of the guidelines."""

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Least

from annotate.models import Guideline, Membership


def unread_guideline(membership: Membership) -> Guideline | None:
    """The version in force, where the project asks people to read it and this person has not."""
    newest = membership.newest_guideline
    if not membership.project.must_read_guidelines or (newest is not None and newest <= membership.guideline_read):
        return None
    versions = Guideline.objects.of_project(membership.project).filter(version__gt=membership.guideline_read)
    return versions.order_by("-version").first()


def read_guideline(*, membership: Membership, version: int) -> None:
    """The person says that they have read this version. Older or invented versions change nothing."""
    newest = Guideline.objects.filter(project=OuterRef("project")).order_by("-version").values("version")[:1]
    rows = Membership.objects.filter(pk=membership.pk, guideline_read__lt=version)
    rows.update(guideline_read=Least(version, Subquery(newest)))


def guideline_followed(*, project_id: int, user_id: int | None) -> int | None:
    """The number of the guidelines a judgement is made under: those in force, or, where changed ones must be read,
    the newest that this person has read."""
    versions = Guideline.objects.filter(project=project_id).order_by("-version")
    read = Membership.objects.filter(project=project_id, user=user_id).values("guideline_read")
    known = Q(project__must_read_guidelines=False) | Q(version__lte=Subquery(read))
    return versions.filter(known).values_list("pk", flat=True).first()
