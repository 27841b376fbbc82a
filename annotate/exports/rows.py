"""What every export reads: one row a judgement, with the responses it is about."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, get_type_hints

from annotate.exports.pseudonyms import pseudonym
from annotate.models import Author


@dataclass(frozen=True, slots=True)
class Text:
    """A response; each field is annotated with its path from Response."""

    id: Annotated[int, "pk"]
    text: Annotated[str, "text"]
    sampling: Annotated[dict[str, Any], "sampling"]
    seed: Annotated[int | None, "seed"]
    token_count: Annotated[int | None, "token_count"]
    finish_reason: Annotated[str, "finish_reason"]
    author_kind: Annotated[str, "author__kind"]
    author_name: Annotated[str, "author__name"]
    author_user: Annotated[int | None, "author__user_id"]

    def author(self, project_id: int) -> str:
        """A model's or a file's own name; a pseudonym for a person."""
        if self.author_kind == Author.Kind.PERSON:
            return pseudonym(project_id, self.author_user or self.author_name)
        return self.author_name


@dataclass(frozen=True, slots=True)
class Facts:
    """What judgements of every kind have; each field is annotated with its path from SnapshotItem."""

    project_id: Annotated[int, "snapshot__project_id"]
    split: Annotated[str, "split"]
    weight: Annotated[float, "weight"]
    judgement: Annotated[int, "judgement_id"]
    task: Annotated[int, "judgement__task_id"]
    id: Annotated[uuid.UUID, "judgement__submission_id"]
    kind: Annotated[str, "judgement__kind"]
    created_at: Annotated[datetime, "judgement__created_at"]
    annotator_id: Annotated[int | None, "judgement__annotator_id"]
    external_annotator: Annotated[str, "judgement__external_annotator"]
    guideline_version: Annotated[int | None, "judgement__guideline__version"]
    active_seconds: Annotated[float | None, "judgement__active_seconds"]
    rationale: Annotated[str, "judgement__rationale"]
    flags: Annotated[dict[str, list[str]], "judgement__flags"]
    is_surplus: Annotated[bool, "judgement__is_surplus"]
    is_adjudication: Annotated[bool, "judgement__is_adjudication"]
    purpose: Annotated[str, "judgement__task__purpose"]
    prompt_hash: Annotated[str, "judgement__task__prompt__content_hash"]
    messages: Annotated[list[dict[str, str]], "judgement__task__prompt__messages"]
    system: Annotated[str, "judgement__task__prompt__system"]
    tags: Annotated[list[str], "judgement__task__prompt__tags"]
    source: Annotated[str, "judgement__task__prompt__source"]
    external_id: Annotated[str, "judgement__task__prompt__external_id"]

    @property
    def annotator(self) -> str:
        """The judge's pseudonym, or the name that came with an imported file."""
        if self.annotator_id is None:
            return self.external_annotator
        return pseudonym(self.project_id, self.annotator_id)


@dataclass(frozen=True, slots=True)
class Row:
    """One judgement of a snapshot. `answer` is the kind's own row. `responses` are those of the task in the task's
    order, which is not the order they were shown in, then those that the answer added."""

    facts: Facts
    answer: Any
    responses: tuple[Text, ...]

    def place(self, response_id: int) -> int:
        """Where this response stands among the row's."""
        return next(place for place, response in enumerate(self.responses) if response.id == response_id)

    def text(self, place: int) -> str:
        return self.responses[place].text


def paths_of(shape: type) -> list[str]:
    """The paths its fields are annotated with, in their order."""
    return [hint.__metadata__[0] for hint in get_type_hints(shape, include_extras=True).values()]
