"""Records of Argilla 2, as `dataset.records.from_json` reads them: fields, and each person's responses to questions.

https://docs.argilla.io/latest/reference/argilla/records/records/. Comparisons answer the label question `preference`,
rankings the ranking question `ranking`, ratings one rating question for each response and question of ours.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from annotate.exports.columns import Columns
from annotate.exports.kinds.kind_export import Group
from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.rows import Row
from annotate.exports.transcripts import conversation

ARGILLA: Columns = {
    "id": "text",
    "fields": "json",
    "metadata": {"split": "text", "source": "text", "kind": "text", "created_at": "text"},
    "suggestions": "json",
    "responses": "json",
    "vectors": "json",
}
PEOPLE = uuid.UUID("5b1d3a3c-7b5e-4a55-8d27-6f0c1a9e4d10")  # Argilla knows people by UUID alone


def told_argilla(row: Row) -> list[Group]:
    group = KIND_EXPORTS[row.facts.kind].group(row)
    return [group] if group is not None and group.label["kind"] in ANSWERS else []


def to_argilla(row: Row, group: Group) -> dict[str, Any]:
    facts = row.facts
    answers = ANSWERS[group.label["kind"]](row, group.label)
    if facts.rationale:
        answers["rationale"] = facts.rationale
    person = str(uuid.uuid5(PEOPLE, facts.annotator))
    texts = {field_of(number): row.text(place) for number, place in enumerate(group.places)}
    return {
        "id": facts.id,
        "fields": {"prompt": conversation(row), **texts},
        "metadata": {"split": facts.split, "source": facts.source, "kind": facts.kind, "created_at": facts.created_at},
        "suggestions": {},
        "responses": {question: [{"value": value, "user_id": person}] for question, value in answers.items()},
        "vectors": {},
    }


def field_of(number: int) -> str:
    return f"response_{number + 1}"


def answer_pair(row: Row, label: dict[str, Any]) -> dict[str, Any]:
    return {"preference": field_of(label["chosen"])}


def answer_tie(row: Row, label: dict[str, Any]) -> dict[str, Any]:
    return {"preference": "tie"}


def answer_ranking(row: Row, label: dict[str, Any]) -> dict[str, Any]:
    ranked = enumerate(label["tiers"], start=1)
    return {"ranking": [{"value": field_of(number), "rank": rank} for rank, tier in ranked for number in tier]}


def answer_rating(row: Row, label: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{field_of(rated.place)}-{key}": value
        for rated in KIND_EXPORTS[row.facts.kind].rated(row)
        for key, value in rated.scores.items()
        if value is not None
    }


ANSWERS: dict[str, Callable[[Row, dict[str, Any]], dict[str, Any]]] = {
    "pair": answer_pair,
    "tie": answer_tie,
    "ranking": answer_ranking,
    "rating": answer_rating,
}
