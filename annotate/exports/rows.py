"""What every export reads: one row a judgement, with the responses it is about."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, NamedTuple, get_type_hints

from annotate.exports.pseudonyms import name_author, pseudonym
from annotate.models.tasks import EVALUATION_KEYS


@dataclass(eq=False, slots=True)
class Text:
    """A response; each field is annotated with what it is in the statement of stream.py. One and the same object for
    the judgements of a task that follow one another."""

    id: Annotated[int, "response.id"]
    text: Annotated[str, "response.text"]
    sampling: Annotated[dict[str, Any], "response.sampling"]
    seed: Annotated[int | None, "response.seed"]
    token_count: Annotated[int | None, "response.token_count"]
    finish_reason: Annotated[str, "response.finish_reason"]
    author_kind: Annotated[str, "author.kind"]
    author_name: Annotated[str, "author.name"]
    author_user: Annotated[int | None, "author.user_id"]

    def author(self, project_id: int) -> str:
        """A model's or a file's own name; a pseudonym for a person."""
        return name_author(project_id, self.author_kind, self.author_name, self.author_user)


class Facts(NamedTuple):
    """What judgements of every kind have; each field is annotated with what it is in the statement of stream.py.

    From `purpose` on it is what all judgements of a task have in common. Times are ISO 8601 in UTC, to the microsecond.
    """

    project_id: Annotated[int, "judgement.project_id"]
    split: Annotated[str, "judgement.split"]
    weight: Annotated[float, "judgement.weight"]
    id: Annotated[str, "judgement.submission_id::text"]
    kind: Annotated[str, "judgement.kind"]
    created_at: Annotated[
        str, """to_char(judgement.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
    ]
    annotator_id: Annotated[int | None, "judgement.annotator_id"]
    external_annotator: Annotated[str, "judgement.external_annotator"]
    guideline_version: Annotated[int | None, "coalesce(guideline.version, judgement.external_guideline)"]
    active_seconds: Annotated[float | None, "judgement.active_seconds"]
    rationale: Annotated[str, "judgement.rationale"]
    flags: Annotated[dict[str, list[str]], "judgement.flags"]
    is_surplus: Annotated[bool, "judgement.is_surplus"]
    is_adjudication: Annotated[bool, "judgement.is_adjudication"]
    purpose: Annotated[
        str, f"CASE WHEN starts_with(task.key, '{EVALUATION_KEYS}') THEN 'evaluation' ELSE task.purpose END"
    ]
    prompt_hash: Annotated[str, "prompt.content_hash"]
    messages: Annotated[list[dict[str, str]], "prompt.messages"]
    system: Annotated[str, "prompt.system"]
    tags: Annotated[list[str], "prompt.tags"]
    source: Annotated[str, "prompt.source"]
    external_id: Annotated[str, "prompt.external_id"]

    @property
    def annotator(self) -> str:
        """The judge's pseudonym, or the name that came with an imported file."""
        if self.annotator_id is None:
            return self.external_annotator
        return pseudonym(self.project_id, self.annotator_id)


class Row(NamedTuple):
    """One judgement of a snapshot. `answer` has the columns of the kind's own table. `responses` are those of the task
    in the task's order, which is not the order they were shown in, then those that the answer added. `begins_prompt`
    is true on the first judgement of each prompt."""

    facts: Facts
    answer: SimpleNamespace
    responses: tuple[Text, ...]
    begins_prompt: bool

    def place(self, response_id: int) -> int:
        """Where this response stands among the row's."""
        return next(place for place, response in enumerate(self.responses) if response.id == response_id)

    def text(self, place: int) -> str:
        return self.responses[place].text


OF_JUDGEMENT = Facts._fields.index("purpose")  # how many facts are of the judgement itself


def columns_of(shape: type) -> list[str]:
    """What its fields are annotated with, in their order."""
    return [hint.__metadata__[0] for hint in get_type_hints(shape, include_extras=True).values()]
