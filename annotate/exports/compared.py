"""Comparisons as a table: a judgement a line, every cell a single value, for spreadsheets and statistics."""

import json
from typing import Any

from annotate.exports.columns import Columns
from annotate.exports.kinds.comparison import sides, strength
from annotate.exports.rows import Row
from annotate.exports.transcripts import transcript
from annotate.models import Kind

COMPARISONS: Columns = {
    "id": "text",
    "created_at": "text",
    "split": "text",
    "annotator": "text",
    "guideline_version": "integer",
    "prompt_id": "text",
    "source": "text",
    "tags": "text",
    "prompt": "text",
    "response_1": "text",
    "response_2": "text",
    "author_1": "text",
    "author_2": "text",
    "better": "text",
    "strength": "number",
    "preference": "integer",
    "points": "integer",
    "first_on_left": "boolean",
    "dimensions": "text",
    "flags_1": "text",
    "flags_2": "text",
    "rationale": "text",
    "active_seconds": "number",
    "adjudication": "boolean",
    "surplus": "boolean",
}


def compared_by(row: Row) -> list[None]:
    return [None] if row.facts.kind in (Kind.COMPARISON, Kind.CHAT) else []


def to_comparison(row: Row, _: None) -> dict[str, Any]:
    """`better` is 1, 2, tie or both bad; `preference` is negative for response 1, as far as the scale goes."""
    facts, answer = row.facts, row.answer
    first, second = (row.responses[place] for place in sides(row))
    return {
        "id": facts.id,
        "created_at": facts.created_at,
        "split": facts.split,
        "annotator": facts.annotator,
        "guideline_version": facts.guideline_version,
        "prompt_id": facts.external_id or facts.prompt_hash,
        "source": facts.source,
        "tags": ", ".join(facts.tags),
        "prompt": transcript(row),
        "response_1": first.text,
        "response_2": second.text,
        "author_1": first.author(facts.project_id),
        "author_2": second.author(facts.project_id),
        "better": name_better(answer.preference),
        "strength": strength(answer),
        "preference": answer.preference,
        "points": answer.points,
        "first_on_left": answer.first_on_left,
        "dimensions": json.dumps(answer.dimensions, ensure_ascii=False) if answer.dimensions else "",
        "flags_1": ", ".join(facts.flags.get(str(first.id), [])),
        "flags_2": ", ".join(facts.flags.get(str(second.id), [])),
        "rationale": facts.rationale,
        "active_seconds": facts.active_seconds,
        "adjudication": facts.is_adjudication,
        "surplus": facts.is_surplus,
    }


def name_better(preference: int | None) -> str:
    if preference is None:
        return "both bad"
    return "tie" if preference == 0 else "1" if preference < 0 else "2"
