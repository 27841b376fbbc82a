"""Rows of a file into a project: prompts, responses, and what people whom the file names said of them.

Everything is known again: a prompt by its content, a response by its author and text, a judgement by its id or by its
task and who gave it. So the same file a second time adds nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotate.imports.rows import JudgedRow, ReadJudgement, ReadResponse
from annotate.many_rows import insert_many, row_maker
from annotate.models import Author, Judgement, Project, Prompt, Response, Task, TaskResponse
from annotate.services.judged_answers import ANSWER_MODELS, StoredAnswer, build_answer, is_same_answer
from annotate.services.judged_checks import kind_of
from annotate.services.prompts import Outcome, add_prompts, content_hash, lock_project, text_key
from annotate.services.references import resolve_references
from annotate.services.responses import add_responses

SUBMISSIONS = uuid.UUID("7f0c1c2e-5d0a-4c4e-9a55-0d6f6e2b8a11")


@dataclass(frozen=True)
class Placed:
    """A judgement with the task it is of: `order` holds places of the row's responses in the task's own order.

    The order comes from a hash of the texts, never from the verdict: a position that told which response was chosen
    would leak the label to whoever reads positions.
    """

    read: ReadJudgement
    kind: str
    order: tuple[int, ...]
    task_key: str

    @property
    def submission_id(self) -> uuid.UUID:
        if self.read.submission_id:
            return self.read.submission_id
        if self.read.external_id:
            return uuid.uuid5(SUBMISSIONS, f"id {self.read.external_id}")
        return uuid.uuid5(SUBMISSIONS, f"{self.task_key} {self.read.annotator}")


def place_judgements(row: JudgedRow) -> list[Placed]:
    if not row.judgements:
        return []
    digest = content_hash(system=row.prompt.system, messages=row.prompt.messages)
    keys = [text_key("place", digest, response_key_of(row, place)) for place in range(len(row.responses))]
    return [_place(read, keys, digest) for read in row.judgements]


def response_key_of(row: JudgedRow, place: int, author_name: str = "") -> str:
    """What a response is known by. One that names no author is the same whichever file brought it, once it is judged;
    before that it is by `author_name`, the file."""
    read = row.responses[place]
    return read.key or text_key("file", read.author or ("" if row.judgements else author_name), read.text)


def _place(read: ReadJudgement, keys: Sequence[str], digest: str) -> Placed:
    order = read.about if read.task else tuple(sorted(read.about, key=lambda place: keys[place]))
    kind = kind_of(read)
    task_key = text_key("judged", kind, read.task, digest, *(keys[place] for place in order))
    return Placed(read=read, kind=kind, order=order, task_key=task_key)


def match_judged(*, project: Project, rows: Sequence[JudgedRow], outcomes: Sequence[Outcome], author_name: str) -> None:
    """Say of rows whose prompts are matched already whether they bring anything new. Two statements; writes nothing."""
    keys = [[response_key_of(row, place, author_name) for place in range(len(row.responses))] for row in rows]
    prompts = {outcome.prompt.pk for outcome in outcomes if outcome.prompt and outcome.prompt.pk}
    found = Response.objects.filter(prompt__in=prompts, key__in=set(chain.from_iterable(keys)))
    known = set(found.values_list("prompt_id", "key"))
    submissions = [{placed.submission_id for placed in place_judgements(row)} for row in rows]
    wanted = set(chain.from_iterable(submissions))
    there = Judgement.objects.filter(project=project, submission_id__in=wanted)
    said = set(there.values_list("submission_id", flat=True))
    for outcome, names, mine in zip(outcomes, keys, submissions, strict=True):
        if outcome.prompt:
            brought = {(outcome.prompt.pk or id(outcome.prompt), name) for name in names}
            outcome.is_new = bool(mine - said) if mine else outcome.is_new or not brought <= known
            said |= mine
            known |= brought


@transaction.atomic
def add_judged(*, project: Project, rows: Sequence[JudgedRow], author_name: str = "") -> list[Outcome]:
    """Store rows that `check_judged` has let through; one outcome a row, in order.

    A row is new when one of its judgements is, or, without any, its prompt or one of its responses. What a person said
    before and says otherwise now is refused, the row with it. Responses whose row names nobody are by `author_name`.
    The number of statements does not depend on the number of rows.
    """
    lock_project(project)
    rows, reasons = resolve_references(project=project, rows=rows)
    outcomes = _store_prompts(project, rows, reasons)
    responses = _store_responses(project, rows, outcomes, author_name)
    fresh = _fresh_judgements(project, rows, outcomes, responses)
    if fresh:
        _store_judgements(project, fresh)
    return outcomes


@dataclass(frozen=True)
class Fresh:
    """A judgement to store: where it belongs and the unsaved row of its answer."""

    placed: Placed
    prompt: Prompt
    responses: Sequence[Response]  # by place in the row
    answer: StoredAnswer


def _store_prompts(project: Project, rows: Sequence[JudgedRow], reasons: Sequence[str]) -> list[Outcome]:
    known = iter(
        add_prompts(project=project, rows=[row.prompt for row, why in zip(rows, reasons, strict=True) if not why])
    )
    return [Outcome(reason=why) if why else next(known) for why in reasons]


def _store_responses(
    project: Project, rows: Sequence[JudgedRow], outcomes: Sequence[Outcome], author_name: str
) -> list[list[Response]]:
    """The stored responses of each row, by place; marks the rows without judgements that bring a new one."""
    wanted = [
        (number, place, row.responses[place])
        for number, (row, outcome) in enumerate(zip(rows, outcomes, strict=True))
        for place in range(len(row.responses))
        if outcome.prompt
    ]
    authors = _find_authors(project, [read for _, _, read in wanted], author_name)
    make = row_maker(Response)
    unsaved = [
        make(
            {
                "prompt": outcomes[number].prompt,
                "author": authors[read.author_kind, read.author or author_name],
                "key": response_key_of(rows[number], place, author_name),
                "text": read.text,
                "sampling": dict(read.sampling),
                "seed": read.seed,
                "token_count": read.token_count,
                "finish_reason": read.finish_reason,
            }
        )
        for number, place, read in wanted
    ]
    new_prompts = {outcome.prompt.pk for outcome in outcomes if outcome.prompt and outcome.is_new}
    stored: list[list[Response]] = [[] for _ in rows]
    added = add_responses(responses=unsaved, new_prompts=new_prompts)
    for (number, _, _), (response, was_added) in zip(wanted, added, strict=True):
        stored[number].append(response)
        outcomes[number].is_new = outcomes[number].is_new or was_added
    return stored


def _find_authors(project: Project, reads: Sequence[ReadResponse], author_name: str) -> dict[tuple[str, str], Author]:
    """{(kind, name): author}, made at first sight."""
    names = {(read.author_kind, read.author or author_name) for read in reads}
    found = Author.objects.filter(project=project, name__in={name for _, name in names})
    authors = {(author.kind, author.name): author for author in found}
    missing = sorted(names - authors.keys())
    made = Author.objects.bulk_create(
        Author(project=project, kind=kind, name=name, is_imported=True) for kind, name in missing
    )
    return authors | {(author.kind, author.name): author for author in made}


def _fresh_judgements(
    project: Project, rows: Sequence[JudgedRow], outcomes: Sequence[Outcome], responses: Sequence[Sequence[Response]]
) -> list[Fresh]:
    """The judgements that are not stored yet; refuses the rows that contradict what is."""
    placed = [place_judgements(row) if outcome.prompt else [] for row, outcome in zip(rows, outcomes, strict=True)]
    said = _find_answers(project, {entry.submission_id for entries in placed for entry in entries})
    fresh: list[Fresh] = []
    for entries, outcome, texts in zip(placed, outcomes, responses, strict=True):
        if not entries or outcome.prompt is None:
            continue
        answers = {entry.submission_id: build_answer(entry.read, entry.order, texts) for entry in entries}
        differ = [
            entry
            for entry in entries
            if (known := said.get(entry.submission_id)) is not None
            and not is_same_answer(known, answers[entry.submission_id])
        ]
        if differ:
            outcome.prompt, outcome.is_new = None, False
            outcome.reason = f"“{differ[0].read.annotator}” judged this very task otherwise before"
            continue
        new = {entry.submission_id: entry for entry in entries if entry.submission_id not in said}
        outcome.is_new = bool(new)
        fresh += [Fresh(entry, outcome.prompt, texts, answers[key]) for key, entry in new.items()]
        said |= answers
    return fresh


def _find_answers(project: Project, submissions: set[uuid.UUID]) -> dict[uuid.UUID, StoredAnswer]:
    """What is stored under these ids already: one statement, and one a kind that is found."""
    found = dict(
        Judgement.objects.filter(project=project, submission_id__in=submissions).values_list("pk", "submission_id")
    )
    kinds = set(Judgement.objects.filter(pk__in=found).values_list("kind", flat=True)) if found else set()
    models = {ANSWER_MODELS[kind] for kind in kinds}
    return {found[answer.pk]: answer for model in models for answer in model._default_manager.filter(pk__in=found)}


def _store_judgements(project: Project, fresh: Sequence[Fresh]) -> None:
    tasks = _store_tasks(project, fresh)
    judgements = [_judgement(project, tasks, entry) for entry in fresh]
    insert_many(judgements)
    by_model: dict[type[StoredAnswer], list[StoredAnswer]] = {}
    for judgement, entry in zip(judgements, fresh, strict=True):
        entry.answer.judgement = judgement
        by_model.setdefault(type(entry.answer), []).append(entry.answer)
    for answers in by_model.values():
        insert_many(answers)


def _judgement(project: Project, tasks: Mapping[str, Task], entry: Fresh) -> Judgement:
    read = entry.placed.read
    return Judgement(
        project=project,
        task=tasks[entry.placed.task_key],
        kind=entry.placed.kind,
        external_annotator=read.annotator[:120],
        outcome=Judgement.Outcome.ANSWER,
        submission_id=entry.placed.submission_id,
        rationale=read.rationale,
        flags={str(entry.responses[place].pk): list(flags) for place, flags in read.flags.items() if flags},
        active_seconds=read.active_seconds,
        external_guideline=read.guideline_version,
        is_adjudication=read.is_adjudication,
        is_surplus=read.is_surplus,
        created_at=read.judged_at or timezone.now(),
    )


def _store_tasks(project: Project, fresh: Sequence[Fresh]) -> dict[str, Task]:
    """The task of each judgement by key, with as many judgements required as it now has."""
    wanted = Counter(entry.placed.task_key for entry in fresh)
    tasks = {task.key: task for task in Task.objects.filter(project=project, key__in=wanted)}
    for number in {wanted[key] for key in tasks}:
        more = [task.pk for key, task in tasks.items() if wanted[key] == number]
        Task.objects.filter(pk__in=more).update(required_judgements=F("required_judgements") + number)
    missing = {entry.placed.task_key: entry for entry in fresh if entry.placed.task_key not in tasks}
    made = [
        Task(
            project=project,
            kind=entry.placed.kind,
            prompt=entry.prompt,
            key=key,
            required_judgements=wanted[key],
            remaining=0,
        )
        for key, entry in missing.items()
    ]
    insert_many(made)
    insert_many(
        [
            TaskResponse(task=task, response=missing[task.key].responses[place], position=position)
            for task in made
            for position, place in enumerate(missing[task.key].placed.order)
        ]
    )
    return tasks | {task.key: task for task in made}
