"""One judgement a task instead of all that were given: the majority's, or the most probable one with its weight."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from annotate.quality.reliability import Floats, weigh_verdicts
from annotate.querysets import JudgementQuerySet

MAJORITY, POSTERIOR = "majority", "posterior"
VERDICTS = 4  # first, second, tie, both bad
DECIMALS = 6
LEVEL = 1e-9  # two verdicts this near are equally good


@dataclass
class Votes:
    """Every answer's task, person and verdict, numbered in the order of their appearance, and its judgement."""

    judgements: array[int] = field(default_factory=lambda: array("q"))
    tasks: array[int] = field(default_factory=lambda: array("q"))
    people: array[int] = field(default_factory=lambda: array("q"))
    verdicts: array[int] = field(default_factory=lambda: array("q"))


def choose_answers(answers: JudgementQuerySet, rule: str) -> tuple[list[int], list[float]]:
    """(ids of the judgements to take, their weights), all of kinds without a verdict among them with weight 1.

    Of each task's comparisons one stands for all: the first by submission id that says what the task's verdict is.
    Tasks without one verdict above the others are left out. Order and numbering depend on content alone.
    """
    votes, others = read_votes(answers)
    if not votes.judgements:
        return others, [1.0] * len(others)
    tasks, people, verdicts = (np.asarray(each) for each in (votes.tasks, votes.people, votes.verdicts))
    shares = weigh_verdicts(tasks, people, verdicts, classes=VERDICTS)[0] if rule == POSTERIOR else count_votes(votes)
    best, is_clear = shares.argmax(axis=1), clear(shares)
    taken: dict[int, int] = {}
    for place in np.flatnonzero((verdicts == best[tasks]) & is_clear[tasks]).tolist():
        taken.setdefault(votes.tasks[place], votes.judgements[place])
    weights = [round(float(shares[task, best[task]]), DECIMALS) if rule == POSTERIOR else 1.0 for task in taken]
    return [*taken.values(), *others], [*weights, *[1.0] * len(others)]


def count_votes(votes: Votes) -> Floats:
    cells = np.asarray(votes.tasks) * VERDICTS + np.asarray(votes.verdicts)
    return np.bincount(cells, minlength=(max(votes.tasks) + 1) * VERDICTS).reshape(-1, VERDICTS).astype(np.float64)


def clear(shares: Floats) -> np.ndarray:
    """Whether a row has one value above all others."""
    ordered = np.sort(shares, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] > LEVEL)


def read_votes(answers: JudgementQuerySet) -> tuple[Votes, list[int]]:
    """The comparisons, and the ids of all judgements that are none."""
    columns = ("id", "task_id", "annotator_id", "external_annotator", "comparison__preference", "comparison__both_bad")
    ordered = answers.order_by("task__prompt__content_hash", "submission_id").values_list(*columns)
    tasks, people = dict[object, int](), dict[object, int]()
    votes, others = Votes(), list[int]()
    for judgement, task, annotator, external, preference, both_bad in ordered.iterator(chunk_size=10_000):
        if both_bad is None:
            others.append(judgement)
            continue
        votes.judgements.append(judgement)
        votes.tasks.append(tasks.setdefault(task, len(tasks)))
        votes.people.append(people.setdefault((annotator, external), len(people)))
        votes.verdicts.append(verdict_of(preference))
    return votes, others


def verdict_of(preference: int | None) -> int:
    if preference is None:
        return 3
    return 2 if preference == 0 else int(preference > 0)
