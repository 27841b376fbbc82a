"""The models of judging. Django finds them here; each lives in the file of its noun."""

from annotate.models.answers import Demonstration, Edit, Ranking, Rating, SpanFeedback
from annotate.models.chats import Chat, ChatOption, ChatTurn
from annotate.models.imports import Import, RefusedRow
from annotate.models.jobs import ClaimLost, Job, JobStatus
from annotate.models.judgements import Comparison, Judgement
from annotate.models.projects import AuditEvent, Guideline, Invitation, Membership, Project, Role
from annotate.models.prompts import Author, Prompt, Response
from annotate.models.questionnaires import QuestionnaireAnswer, QuestionnaireItem
from annotate.models.reviews import Comment
from annotate.models.snapshots import Snapshot, SnapshotFile, SnapshotItem
from annotate.models.tallies import TallyMark, WorkTally
from annotate.models.tasks import Draft, Kind, Lease, Purpose, Task, TaskResponse
from annotate.models.tokens import ApiToken, Scope, StoredAnswer
from annotate.models.users import User
from annotate.models.webhooks import Webhook, WebhookDelivery

__all__ = [
    "ApiToken",
    "AuditEvent",
    "Author",
    "Chat",
    "ChatOption",
    "ChatTurn",
    "ClaimLost",
    "Comment",
    "Comparison",
    "Demonstration",
    "Draft",
    "Edit",
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
    "Purpose",
    "QuestionnaireAnswer",
    "QuestionnaireItem",
    "Ranking",
    "Rating",
    "RefusedRow",
    "Response",
    "Role",
    "Scope",
    "Snapshot",
    "SnapshotFile",
    "SnapshotItem",
    "SpanFeedback",
    "StoredAnswer",
    "TallyMark",
    "Task",
    "TaskResponse",
    "User",
    "Webhook",
    "WebhookDelivery",
    "WorkTally",
]
