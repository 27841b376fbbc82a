"""Judged pairs from a file: a prompt, two responses, a task that needs nobody any more, and what was said of it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from annotate.imports.rows import PairRow
from annotate.models import Author, Comparison, Judgement, Kind, Project, Response, Task, TaskResponse
from annotate.services.prompts import Outcome, add_prompts, content_hash, lock_project, text_key
from annotate.services.responses import add_responses, get_author

SUBMISSIONS = uuid.UUID("7f0c1c2e-5d0a-4c4e-9a55-0d6f6e2b8a11")


@dataclass(frozen=True)
class PlacedPair:
    """A pair with the places its responses take.

    The order comes from a hash of the texts, never from the verdict: a position that told which response was chosen
    would leak the label to whoever reads positions.
    """

    row: PairRow
    task_key: str
    is_chosen_first: bool

    @property
    def preference(self) -> int:
        """−1 or 1: which is better is known, by how much is not."""
        return -1 if self.is_chosen_first else 1

    @property
    def submission_id(self) -> uuid.UUID:
        return uuid.uuid5(SUBMISSIONS, f"{self.task_key} {self.row.annotator}")


def place_pair(row: PairRow) -> PlacedPair:
    digest = content_hash(system=row.prompt.system, messages=row.prompt.messages)
    keys = [text_key("pair", digest, side.author, side.text) for side in (row.chosen, row.rejected)]
    return PlacedPair(row=row, task_key=text_key("pair", *sorted(keys)), is_chosen_first=keys[0] < keys[1])


def find_said(*, project: Project, pairs: Sequence[PlacedPair]) -> dict[uuid.UUID, int | None]:
    """What is stored of these pairs already: {submission id: preference}."""
    found = Judgement.objects.filter(project=project, submission_id__in={pair.submission_id for pair in pairs})
    return dict(found.values_list("submission_id", "comparison__preference"))


@transaction.atomic
def add_pairs(*, project: Project, rows: Sequence[PairRow], author_name: str) -> list[Outcome]:
    """Store judged pairs; one outcome a row, in order. A constant number of statements, whatever the number of rows.

    The same pair judged alike by the same person is known; judged the other way, it is refused.
    """
    lock_project(project)
    outcomes = add_prompts(project=project, rows=[row.prompt for row in rows])
    pairs = [place_pair(row) for row in rows]
    said = find_said(project=project, pairs=pairs)
    fresh: list[tuple[PlacedPair, Outcome]] = []
    for pair, outcome in zip(pairs, outcomes, strict=True):
        outcome.is_new = bool(outcome.prompt) and pair.submission_id not in said
        if outcome.is_new:
            fresh.append((pair, outcome))
            said[pair.submission_id] = pair.preference
        elif outcome.prompt and said[pair.submission_id] != pair.preference:
            outcome.prompt, outcome.reason = None, f"“{pair.row.annotator}” judged this very pair the other way before"
    if fresh:
        _store(project, fresh, author_name)
    return outcomes


def _store(project: Project, fresh: Sequence[tuple[PlacedPair, Outcome]], author_name: str) -> None:
    sides = _store_responses(project, fresh, author_name)
    tasks = _store_tasks(project, fresh, sides)
    judgements = Judgement.objects.bulk_create(
        Judgement(
            project=project,
            task=tasks[pair.task_key],
            kind=Kind.COMPARISON,
            external_annotator=pair.row.annotator,
            outcome=Judgement.Outcome.ANSWER,
            submission_id=pair.submission_id,
        )
        for pair, _ in fresh
    )
    Comparison.objects.bulk_create(
        Comparison(judgement=judgement, first=first, second=second, preference=pair.preference)
        for judgement, (first, second), (pair, _) in zip(judgements, sides, fresh, strict=True)
    )


def _store_responses(
    project: Project, fresh: Sequence[tuple[PlacedPair, Outcome]], author_name: str
) -> list[tuple[Response, Response]]:
    """(first, second) of each pair. A text that names no author is one response, whichever file brought it."""
    names = {side.author or author_name for pair, _ in fresh for side in (pair.row.chosen, pair.row.rejected)}
    authors = {name: get_author(project=project, kind=Author.Kind.FILE, name=name) for name in sorted(names)}
    responses = []
    for pair, outcome in fresh:
        chosen_first = (pair.row.chosen, pair.row.rejected)
        for side in chosen_first if pair.is_chosen_first else reversed(chosen_first):
            author = authors[side.author or author_name]
            key = text_key("file", side.author, side.text)
            responses.append(Response(prompt=outcome.prompt, author=author, key=key, text=side.text))
    stored = [response for response, _ in add_responses(responses=responses)]
    return list(zip(stored[::2], stored[1::2], strict=True))


def _store_tasks(
    project: Project,
    fresh: Sequence[tuple[PlacedPair, Outcome]],
    sides: Sequence[tuple[Response, Response]],
) -> dict[str, Task]:
    """The task of each pair by key, with as many judgements required as it now has."""
    wanted = Counter(pair.task_key for pair, _ in fresh)
    tasks = {task.key: task for task in Task.objects.filter(project=project, key__in=wanted)}
    for key, task in tasks.items():
        Task.objects.filter(pk=task.pk).update(required_judgements=F("required_judgements") + wanted[key])
    missing = {
        pair.task_key: (outcome.prompt, places)
        for (pair, outcome), places in zip(fresh, sides, strict=True)
        if pair.task_key not in tasks
    }
    made = Task.objects.bulk_create(
        Task(project=project, prompt=prompt, key=key, required_judgements=wanted[key], remaining=0)
        for key, (prompt, _) in missing.items()
    )
    TaskResponse.objects.bulk_create(
        TaskResponse(task=task, response=response, position=position)
        for task in made
        for position, response in enumerate(missing[task.key][1])
    )
    return tasks | {task.key: task for task in made}
