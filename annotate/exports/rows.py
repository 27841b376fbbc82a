"""What every export reads: one row a judgement, straight from its columns, streamed in the snapshot's own order."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, get_type_hints

from django.db import transaction
from django.db.models import QuerySet

from annotate.exports.pseudonyms import pseudonym
from annotate.models import Author, SnapshotItem
from annotate.models.projects import SCALE_MAXIMUM

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One judgement of a snapshot; each field is annotated with its path from SnapshotItem.

    `first` and `second` are the task's order, not the sides they were shown on.
    """

    project_id: Annotated[int, "snapshot__project_id"]
    split: Annotated[str, "split"]
    weight: Annotated[float, "weight"]
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
    purpose: Annotated[str, "judgement__task__purpose"]
    prompt_hash: Annotated[str, "judgement__task__prompt__content_hash"]
    messages: Annotated[list[dict[str, str]], "judgement__task__prompt__messages"]
    system: Annotated[str, "judgement__task__prompt__system"]
    tags: Annotated[list[str], "judgement__task__prompt__tags"]
    source: Annotated[str, "judgement__task__prompt__source"]
    external_id: Annotated[str, "judgement__task__prompt__external_id"]
    points: Annotated[int | None, "judgement__comparison__points"]
    preference: Annotated[int | None, "judgement__comparison__preference"]
    both_bad: Annotated[bool, "judgement__comparison__both_bad"]
    first_on_left: Annotated[bool | None, "judgement__comparison__first_on_left"]
    first_id: Annotated[int, "judgement__comparison__first_id"]
    first_text: Annotated[str, "judgement__comparison__first__text"]
    first_sampling: Annotated[dict[str, Any], "judgement__comparison__first__sampling"]
    first_seed: Annotated[int | None, "judgement__comparison__first__seed"]
    first_token_count: Annotated[int | None, "judgement__comparison__first__token_count"]
    first_finish_reason: Annotated[str, "judgement__comparison__first__finish_reason"]
    first_author_kind: Annotated[str, "judgement__comparison__first__author__kind"]
    first_author_name: Annotated[str, "judgement__comparison__first__author__name"]
    first_author_user: Annotated[int | None, "judgement__comparison__first__author__user_id"]
    second_id: Annotated[int, "judgement__comparison__second_id"]
    second_text: Annotated[str, "judgement__comparison__second__text"]
    second_sampling: Annotated[dict[str, Any], "judgement__comparison__second__sampling"]
    second_seed: Annotated[int | None, "judgement__comparison__second__seed"]
    second_token_count: Annotated[int | None, "judgement__comparison__second__token_count"]
    second_finish_reason: Annotated[str, "judgement__comparison__second__finish_reason"]
    second_author_kind: Annotated[str, "judgement__comparison__second__author__kind"]
    second_author_name: Annotated[str, "judgement__comparison__second__author__name"]
    second_author_user: Annotated[int | None, "judgement__comparison__second__author__user_id"]

    @property
    def annotator(self) -> str:
        """The judge's pseudonym, or the name that came with an imported file."""
        if self.annotator_id is None:
            return self.external_annotator
        return pseudonym(self.project_id, self.annotator_id)

    @property
    def chosen(self) -> int:
        """0 when first is the better, 1 when second is. Raises ValueError for a tie or “both bad”."""
        if not self.preference:
            raise ValueError(f"Judgement {self.id} prefers neither response.")
        return 0 if self.preference < 0 else 1

    @property
    def strength(self) -> float | None:
        """|preference| over the scale's largest, in (0, 1]; None when it was imported without a scale."""
        if self.points is None or not self.preference:
            return None
        return abs(self.preference) / SCALE_MAXIMUM[self.points]

    def ordered_texts(self) -> tuple[str, str]:
        """The chosen and the rejected text."""
        texts = (self.first_text, self.second_text)
        return texts[self.chosen], texts[1 - self.chosen]

    def author_name(self, kind: str, name: str, user_id: int | None) -> str:
        """A model's or a file's own name; a pseudonym for a person."""
        return pseudonym(self.project_id, user_id or name) if kind == Author.Kind.PERSON else name


PATHS = [hint.__metadata__[0] for hint in get_type_hints(Row, include_extras=True).values()]


def stream_rows(items: QuerySet[SnapshotItem]) -> Iterator[Row]:
    """The items in the snapshot's own order, through a server-side cursor: memory does not grow with their number.

    Items are numbered as the snapshot was built, so their ids are that order.
    """
    with transaction.atomic():
        for values in items.order_by("id").values_list(*PATHS).iterator(chunk_size=CHUNK):
            yield Row(*values)
