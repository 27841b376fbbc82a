"""Tasks with a known answer, and people who answer them, for tests."""

import uuid

from annotate.models import Lease, Purpose, Task
from annotate.services.answers.answer import Answer
from annotate.services.answers.comparison import ComparisonAnswer
from annotate.services.answers.shown import LETTERS, Shown, task_responses
from annotate.services.judging import submit_judgement
from annotate.services.known_answers import mark_known
from tests.factories import make_task


def make_known(project, actor, purpose=Purpose.GOLD, *, better=0, explanation="It says how long.") -> Task:
    """A comparison whose better response is the first (0) or the second (1)."""
    task = make_task(project)
    Task.objects.filter(pk=task.pk).update(closed_at=task.created_at)  # only the copy is handed out
    shown = [Shown(LETTERS[n], response, n) for n, response in enumerate(task_responses(task))]
    said = ComparisonAnswer(preference=3 if better else -3, points=8)
    answer = Answer(said=said, shown=shown)
    return mark_known(actor=actor, task=task, purpose=purpose, answer=answer, explanation=explanation)


def say(lease: Lease, *, better=0, strength=2):
    """The lease's person prefers the task's first response (0) or its second (1), on whatever side it stands."""
    on_left = lease.order[0] == better
    said = ComparisonAnswer(preference=-strength if on_left else strength, points=8)
    return submit_judgement(lease=lease, submission_id=uuid.uuid4(), answer=Answer(said=said), active_seconds=30)
