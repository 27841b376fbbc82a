"""Edits: a response made better, which says that the edit is preferred to its original."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.models import Edit, Judgement
from annotate.services.answers.answer import AnswerKind
from annotate.services.answers.shown import Shown
from annotate.services.answers.text_distance import word_distance
from annotate.services.answers.written import store_written


@dataclass(frozen=True)
class EditAnswer:
    text: str  # the whole response as it should be


def row(judgement: Judgement, shown: Sequence[Shown], said: EditAnswer) -> Edit:
    """The text, stored as a response of its own beside its original."""
    original = shown[0].response
    return Edit(
        judgement=judgement,
        original=original,
        response=store_written(judgement, said.text),
        distance=word_distance(original.text, said.text),
    )


def draft_of(judgement: Judgement, shown: Sequence[Shown]) -> dict[str, Any]:
    return {"text": judgement.edit.response.text}


def describe(judgement: Judgement, names: Mapping[int, str]) -> str:
    """ "Edited, 25 % changed"."""
    return f"Edited, {judgement.edit.distance:.0%} changed"


EDIT = AnswerKind(related="edit", row=row, draft_of=draft_of, describe=describe)
