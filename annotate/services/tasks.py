"""Tasks made from responses, and how many of them wait for a person."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from django.db import IntegrityError, transaction

from annotate.many_rows import few_collections, find_any, insert_many, row_maker
from annotate.models import Kind, Project, Prompt, Response, Task, TaskResponse, User
from annotate.prepared import fetch
from annotate.services.table_statistics import analyse_grown
from annotate.statements import WAITING

BATCH = 1_000
KEY_LENGTH = 120
WAITING_SHOWN_UP_TO = 100  # a count that never reads more rows than this

Pair = tuple[Response, Response]
# How many responses a task of each kind is about; those of a demonstration are suggestions.
SIZES = {
    Kind.COMPARISON: range(2, 3),
    Kind.RANKING: range(2, 10),
    Kind.RATING: range(1, 10),
    Kind.DEMONSTRATION: range(4),
    Kind.EDIT: range(1, 2),
    Kind.SPANS: range(1, 2),
}


class Candidate(NamedTuple):
    """As much of a response as a task is made from."""

    pk: int
    prompt_id: int
    text: str


@dataclass(frozen=True)
class Item:
    """What a task is about: a prompt and its responses, in the task's own order."""

    prompt_id: int
    responses: tuple[Response | Candidate, ...] = ()


def create_comparison_tasks(
    *, project: Project, pairs: Iterable[Pair], overlap: int, priority: int = 0, key_prefix: str
) -> int:
    """One comparison for each pair; see `create_tasks`."""
    items = (Item(pair[0].prompt_id, pair) for pair in pairs)
    kind = Kind.COMPARISON
    return create_tasks(
        project=project, kind=kind, items=items, overlap=overlap, priority=priority, key_prefix=key_prefix
    )


@few_collections()
@transaction.atomic
def create_tasks(
    *, project: Project, kind: str, items: Iterable[Item], overlap: int, priority: int = 0, key_prefix: str
) -> int:
    """One task of this kind for each item, to be judged by `overlap` people; returns how many are new.

    Idempotent: an item, its responses in whatever order, is queued once for each `key_prefix`. Raises ValueError for
    too few or too many responses, two of one text, of two prompts, or of another project, and then adds nothing.
    """
    if overlap < 1:
        raise ValueError(f"overlap is {overlap}; a task needs at least 1 person to judge it.")
    made = sum(
        _create_batch(project, kind, batch, overlap=overlap, priority=priority, key_prefix=key_prefix)
        for batch in _batches(items)
    )
    if made >= BATCH:
        transaction.on_commit(lambda: analyse_grown(Task, TaskResponse))
    return made


def _create_batch(
    project: Project, kind: str, items: list[Item], *, overlap: int, priority: int, key_prefix: str
) -> int:
    _refuse_unfit(project, kind, items)
    by_key = {_item_key(key_prefix, kind, item): item for item in items}
    fresh = by_key.keys() - set(
        find_any(Task, "key", wanted={"project_id": [project.pk] * len(by_key), "key": [*by_key]})
    )
    make = row_maker(Task)
    tasks = [
        make(
            {
                "project": project,
                "kind": kind,
                "prompt_id": by_key[key].prompt_id,
                "key": key,
                "priority": priority,
                "required_judgements": overlap,
                "remaining": overlap,
            }
        )
        for key in by_key
        if key in fresh
    ]
    about = {key: by_key[key].responses for key in fresh}
    try:
        with transaction.atomic():
            insert_many(tasks)
            insert_many(_task_responses(about, {task.key: task.pk for task in tasks}))
    except IntegrityError:  # somebody else adds them at the same time; then both find the same rows
        Task.objects.bulk_create(tasks, ignore_conflicts=True)
        stored = dict(Task.objects.filter(project=project, key__in=fresh).values_list("key", "pk"))
        TaskResponse.objects.bulk_create(_task_responses(about, stored), ignore_conflicts=True)
    return len(fresh)


def _task_responses(
    about: Mapping[str, Sequence[Response | Candidate]], tasks: Mapping[str, int]
) -> list[TaskResponse]:
    """The places of each key's responses in the task of that key."""
    make = row_maker(TaskResponse)
    return [
        make({"task_id": tasks[key], "response_id": response.pk, "position": position})
        for key, responses in about.items()
        for position, response in enumerate(responses)
    ]


def _refuse_unfit(project: Project, kind: str, items: list[Item]) -> None:
    prompts = list({item.prompt_id for item in items})
    wanted = {"project_id": [project.pk] * len(prompts), "id": prompts}
    ids, size = set(find_any(Prompt, "id", wanted=wanted)), SIZES[Kind(kind)]
    for item in items:
        responses = item.responses
        if len(responses) not in size:
            raise ValueError(
                f"prompt {item.prompt_id} comes with {len(responses)} responses; a {kind} task has {_words(size)}."
            )
        if strange := next((r for r in responses if r.prompt_id != item.prompt_id), None):
            numbers = " and ".join(str(response.pk) for response in (responses[0], strange))
            raise ValueError(f"responses {numbers} answer different prompts; group answers to one.")
        if item.prompt_id not in ids:
            what = f"response {responses[0].pk}" if responses else f"prompt {item.prompt_id}"
            raise ValueError(f"{what} belongs to another project than {project.name!r}.")
        _refuse_twins(responses)


def _refuse_twins(responses: Sequence[Response | Candidate]) -> None:
    seen: dict[str, Response | Candidate] = {}
    for response in responses:
        twin = seen.setdefault(response.text.strip(), response)
        if twin is not response:
            raise ValueError(f"responses {twin.pk} and {response.pk} have the same text; there is nothing to judge.")


def _words(size: range) -> str:
    return f"{size[0]}" if len(size) == 1 else f"from {size[0]} to {size[-1]}"


def _item_key(prefix: str, kind: str, item: Item) -> str:
    """The same for the same responses in any order. Comparisons came first and do not name their kind."""
    ids = "-".join(str(pk) for pk in sorted(response.pk for response in item.responses))
    key = f"{prefix}:{ids}" if kind == Kind.COMPARISON else f"{prefix}:{kind}:{item.prompt_id}:{ids}"
    return key if len(key) <= KEY_LENGTH else f"{prefix}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rows = iter(items)
    while batch := list(islice(rows, BATCH)):
        yield batch


def waiting_by_kind(user: User, *, project: Project | None = None) -> dict[int, Counter[str]]:
    """{project id: {kind: tasks waiting for this person}}, for every project of theirs, each counted up to 100.

    One statement that reads a bounded part of each queue (`annotate.statements`), however many wait.
    """
    asked = {"user": user.pk, "project": project.pk if project else None, "most": WAITING_SHOWN_UP_TO}
    found: dict[int, Counter[str]] = {}
    for pk, kind, number in fetch(WAITING, asked):
        found.setdefault(pk, Counter()).update({kind: number} if kind else {})
    return found


def count_waiting(*, user: User, project: Project) -> int:
    """Tasks of this project waiting for this person, counted up to 100."""
    return sum(waiting_by_kind(user, project=project).get(project.pk, Counter()).values())
