"""The models of judging. Django finds them here; each lives in the file of its noun."""

from annotate.models.imports import Import, RefusedRow
from annotate.models.jobs import ClaimLost, Job, JobStatus
from annotate.models.judgements import Comparison, Judgement
from annotate.models.projects import AuditEvent, Guideline, Invitation, Membership, Project, Role
from annotate.models.prompts import Author, Prompt, Response
from annotate.models.snapshots import Snapshot, SnapshotItem
from annotate.models.tasks import Draft, Kind, Lease, Task, TaskResponse
from annotate.models.users import User

__all__ = [
    "AuditEvent",
    "Author",
    "ClaimLost",
    "Comparison",
    "Draft",
    "Guideline",
    "Import",
    "Invitation",
    "Job",
    "JobStatus",
    "Judgement",
    "Kind",
    "Lease",
    "Membership",
    "Project",
    "Prompt",
    "RefusedRow",
    "Response",
    "Role",
    "Snapshot",
    "SnapshotItem",
    "Task",
    "TaskResponse",
    "User",
]
