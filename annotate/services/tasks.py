"""Tasks made from responses, and how many of them wait for a person."""

from collections.abc import Iterable, Iterator
from itertools import islice

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models, transaction
from django.db.models import OuterRef
from django.db.models.functions import Coalesce

from annotate.models import Kind, Project, Prompt, Response, Task, TaskResponse, User
from annotate.querysets import TaskQuerySet

BATCH = 1_000
WAITING_SHOWN_UP_TO = 100  # a count that never reads more rows than this

Pair = tuple[Response, Response]


@transaction.atomic
def create_comparison_tasks(
    *, project: Project, pairs: Iterable[Pair], overlap: int, priority: int = 0, key_prefix: str
) -> int:
    """One comparison for each pair, to be judged by `overlap` people; returns how many are new.

    Idempotent: a pair, in either order, is queued once for each `key_prefix`. Raises ValueError for a pair of one
    text, of two prompts, or of another project, and then adds nothing.
    """
    if overlap < 1:
        raise ValueError(f"overlap is {overlap}; a task needs at least 1 person to judge it.")
    return sum(
        _create_batch(project, batch, overlap=overlap, priority=priority, key_prefix=key_prefix)
        for batch in _batches(pairs)
    )


def _create_batch(project: Project, pairs: list[Pair], *, overlap: int, priority: int, key_prefix: str) -> int:
    _refuse_unfit(project, pairs)
    by_key = {_pair_key(key_prefix, pair): pair for pair in pairs}
    Task.objects.bulk_create(
        [
            Task(
                project=project,
                kind=Kind.COMPARISON,
                prompt_id=first.prompt_id,
                key=key,
                priority=priority,
                required_judgements=overlap,
                remaining=overlap,
            )
            for key, (first, _) in by_key.items()
        ],
        ignore_conflicts=True,
    )
    new = dict(Task.objects.filter(project=project, key__in=by_key, places=None).values_list("key", "pk"))
    TaskResponse.objects.bulk_create(
        TaskResponse(task_id=task, response=response, position=position)
        for key, task in new.items()
        for position, response in enumerate(by_key[key])
    )
    return len(new)


def _refuse_unfit(project: Project, pairs: list[Pair]) -> None:
    prompts = {first.prompt_id for first, _ in pairs}
    ours = set(Prompt.objects.of_project(project).filter(pk__in=prompts).values_list("pk", flat=True))
    for first, second in pairs:
        if first.prompt_id != second.prompt_id:
            raise ValueError(f"responses {first.pk} and {second.pk} answer different prompts; pair answers to one.")
        if first.prompt_id not in ours:
            raise ValueError(f"response {first.pk} belongs to another project than {project.name!r}.")
        if first.text.strip() == second.text.strip():
            raise ValueError(f"responses {first.pk} and {second.pk} have the same text; there is nothing to compare.")


def _pair_key(prefix: str, pair: Pair) -> str:
    low, high = sorted(response.pk for response in pair)
    return f"{prefix}:{low}-{high}"


def _batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    rows = iter(pairs)
    while batch := list(islice(rows, BATCH)):
        yield batch


def waiting_counts(user: User) -> dict[int, int]:
    """{project id: tasks waiting for this person}, for every project of theirs, each counted up to 100.

    One statement that reads at most 100 rows of the queue for a project, however many wait.
    """
    waiting = _waiting_for(user).filter(project=OuterRef("pk")).values("pk")[:WAITING_SHOWN_UP_TO]
    projects = Project.objects.visible_to(user).annotate(waiting=_length(ArraySubquery(waiting)))
    return dict(projects.values_list("pk", "waiting"))


def count_waiting(*, user: User, project: Project) -> int:
    """Tasks of this project waiting for this person, counted up to 100."""
    return _waiting_for(user).of_project(project)[:WAITING_SHOWN_UP_TO].count()


def _waiting_for(user: User) -> TaskQuerySet:
    return Task.objects.waiting().open_to(user).order_by("-priority", "id")  # the order of the queue's index


def _length(array: ArraySubquery) -> models.Expression:
    return Coalesce(models.Func(array, function="CARDINALITY", output_field=models.IntegerField()), 0)
