"""The vocabulary of sets of rows. `visible_to(user)` is the only way a view reaches an object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

if TYPE_CHECKING:
    from annotate.models import Project, User

SEARCHED_AT_ONCE = 20_000  # prompts whose text is read for one page of a search


class ScopedQuerySet(models.QuerySet):
    """Rows that belong to a project, found along the model's `project_path` (default: its field `project`)."""

    def project_path(self) -> str:
        return getattr(self.model, "project_path", "project")

    def visible_to(self, user: User) -> Self:
        """Rows of the projects this user is a member of."""
        return self.filter(**{f"{self.project_path()}__memberships__user": user})

    def of_project(self, project: Project) -> Self:
        return self.filter(**{self.project_path(): project})


class OwnQuerySet(models.QuerySet):
    """Rows that belong to a person."""

    def visible_to(self, user: User) -> Self:
        return self.filter(user=user)


class TokenQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> Self:
        """The person's own, and the service tokens of projects they own."""
        owned = Q(project__memberships__user=user, project__memberships__role="owner", user__is_service=True)
        return self.filter(Q(user=user) | owned).distinct()

    def of_project(self, project: Project) -> Self:
        return self.filter(project=project)

    def open(self) -> Self:
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class ProjectQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> Self:
        return self.filter(memberships__user=user)

    def active(self) -> Self:
        return self.filter(archived_at=None)


class InvitationQuerySet(ScopedQuerySet):
    def open(self) -> Self:
        """Neither used nor revoked nor expired."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())


class AuthorQuerySet(ScopedQuerySet):
    def that_answer(self) -> Self:
        """The models that write here when they are asked, in a chat too."""
        return self.filter(kind="model", is_imported=False)


class PromptQuerySet(ScopedQuerySet):
    def tagged(self, tag: str) -> Self:
        """Those with this tag; all when it is empty."""
        return self.filter(tags__contains=[tag]) if tag else self

    def containing(self, text: str) -> Self:
        """Those with this text in a turn, in any case; all when it is empty."""
        if not text:
            return self
        written = json.dumps(text, ensure_ascii=False)[1:-1]  # as it stands inside the JSON
        return self.annotate(words=Cast("messages", models.TextField())).filter(words__icontains=written)

    def before(self, pk: int | None) -> Self:
        """Newest first, from the one before `pk` on."""
        return (self.filter(pk__lt=pk) if pk else self).order_by("-pk")

    def end_of_search(self, before: int | None) -> int:
        """The prompt after which a search for a text stops for this page, so many prompts back; 0 when it need not."""
        return self.before(before).values_list("pk", flat=True)[SEARCHED_AT_ONCE:].first() or 0

    def with_counts(self) -> Self:
        """Each with `response_count`, counted for the rows of the page alone."""
        from annotate.models.prompts import Response

        counts = Response.objects.filter(prompt=models.OuterRef("pk")).order_by().values("prompt")
        number = models.Subquery(counts.annotate(number=models.Count("pk")).values("number"))
        return self.annotate(response_count=Coalesce(number, 0))


class TaskQuerySet(ScopedQuerySet):
    def waiting(self) -> Self:
        """Tasks with a place that nobody holds or has filled."""
        return self.filter(remaining__gt=0, closed_at=None)

    def for_work(self) -> Self:
        """Tasks that fill the project's need: neither gold, nor practice, nor anybody's own repeat."""
        return self.filter(purpose="work", reserved_for=None)

    def with_size(self) -> Self:
        """Each with `size`, the number of its responses."""
        from annotate.models.tasks import TaskResponse

        return self.annotate(size=_count(TaskResponse.objects.filter(task=models.OuterRef("pk"))))

    def with_progress(self) -> Self:
        """Each with `held` and `answered`: how many hold it now and how many of its answers stand."""
        from annotate.models.judgements import Judgement
        from annotate.models.tasks import Lease

        task = models.OuterRef("pk")
        return self.annotate(
            held=_count(Lease.objects.held().filter(task=task)),
            answered=_count(Judgement.objects.answers().filter(task=task)),
        )

    def unanswered(self) -> Self:
        """Tasks handed out still that have fewer answers than they need, held ones included."""
        return self.filter(closed_at=None).with_progress().filter(answered__lt=models.F("required_judgements"))

    def in_state(self, state: str) -> Self:
        """Tasks that are "open" (a place is free), "held" (somebody has it now), "done" or "closed"; all for ""."""
        from annotate.models.tasks import Lease

        held = models.Exists(Lease.objects.held().filter(task=models.OuterRef("pk")))
        all_held = Lease.objects.held().values("task")  # few: Postgres goes from them to the tasks
        conditions = {
            "open": Q(closed_at=None, remaining__gt=0),
            "held": Q(pk__in=all_held, closed_at=None),
            "done": Q(~held, closed_at=None, remaining=0),
            "closed": Q(closed_at__isnull=False),
        }
        return self.filter(conditions[state]) if state else self


def _count(rows: models.QuerySet) -> Coalesce:
    """The number of these rows of a task, for the rows of a page alone."""
    counts = rows.order_by().values("task").annotate(number=models.Count("pk")).values("number")
    return Coalesce(models.Subquery(counts), 0)


class LeaseQuerySet(ScopedQuerySet):
    def held(self) -> Self:
        return self.filter(state="held")

    def expired(self) -> Self:
        """Held past their time."""
        return self.filter(state="held", expires_at__lte=timezone.now())


class JudgementQuerySet(ScopedQuerySet):
    def current(self) -> Self:
        return self.filter(is_current=True)

    def answers(self) -> Self:
        """Judgements that stand: the newest of each person and task, when it is an answer; no reviewer's decision."""
        return self.filter(is_current=True, outcome="answer", is_adjudication=False)

    def newest_of(self, user: User) -> Self:
        """What this person said, the newest first, by an index of their own. A range of one person: of an equal one,
        Postgres supposes that some will soon be met going back through what everybody said, and whoever has said
        nothing for long, or nothing ever, is looked for in all of it."""
        return self.filter(annotator__gte=user.pk, annotator__lte=user.pk).order_by("annotator_id", "-pk")

    def decisions(self) -> Self:
        """Reviewers' decisions that stand."""
        return self.filter(is_current=True, outcome="answer", is_adjudication=True)

    def final(self) -> Self:
        """What counts of each task: the reviewer's decision where there is one, else every answer that stands."""
        from annotate.models.judgements import Judgement

        decided = models.Exists(Judgement.objects.decisions().filter(task=models.OuterRef("task")))
        return self.filter(Q(is_adjudication=True) | ~decided, is_current=True, outcome="answer")


class JobQuerySet(ScopedQuerySet):
    def stalled(self) -> Self:
        """Jobs nobody is working on: the heartbeat stopped, or the message that queued them was lost."""
        from annotate.models.jobs import REQUEUE_AFTER, STALLED_AFTER, JobStatus

        now = timezone.now()
        silent = Q(status=JobStatus.RUNNING, heartbeat_at__lt=now - STALLED_AFTER)
        forgotten = Q(status=JobStatus.QUEUED, waiting_since__lt=now - REQUEUE_AFTER)
        return self.alias(waiting_since=Coalesce("queued_at", "created_at")).filter(silent | forgotten)
