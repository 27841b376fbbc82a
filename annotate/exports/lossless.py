"""Everything that was collected, nothing decided. The content hash of a snapshot is taken over these lines.

No database ids: a judgement is known by its submission id, a prompt and a response by the SHA-256 of what they say, a
person by a pseudonym. What was said names responses by their place in `responses`. So the same judgements in another
project, brought there by `annotate/imports/lossless.py`, give the same lines.
"""

import hashlib
from functools import lru_cache
from typing import Any

from annotate.exports.columns import MESSAGES, Columns
from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.rows import Row, Text

SAMPLING = ("temperature", "top_p", "max_tokens")  # always present, so that every line has the same fields

LOSSLESS: Columns = {
    "id": "text",
    "kind": "text",
    "created_at": "text",
    "split": "text",
    "weight": "number",
    "annotator": "text",
    "adjudication": "boolean",
    "guideline_version": "integer",
    "active_seconds": "number",
    "purpose": "text",
    "surplus": "boolean",
    "prompt": {
        "hash": "text",
        "external_id": "text",
        "source": "text",
        "tags": ["text"],
        "system": "text",
        "messages": MESSAGES,
    },
    "responses": [
        {
            "hash": "text",
            "author": {"kind": "text", "name": "text"},
            "text": "text",
            "sampling": "json",
            "seed": "integer",
            "token_count": "integer",
            "finish_reason": "text",
            "flags": ["text"],
        }
    ],
    "answer": "json",
    "rationale": "text",
}


def to_lossless(row: Row, _: None) -> dict[str, Any]:
    facts = row.facts
    return {
        "id": facts.id,
        "kind": facts.kind,
        "created_at": facts.created_at,
        "split": facts.split,
        "weight": facts.weight,
        "annotator": facts.annotator,
        "adjudication": facts.is_adjudication,
        "guideline_version": facts.guideline_version,
        "active_seconds": facts.active_seconds,
        "purpose": facts.purpose,
        "surplus": facts.is_surplus,
        "prompt": prompt_of(row),
        "responses": [response_of(row, response) for response in row.responses],
        "answer": KIND_EXPORTS[facts.kind].said(row),
        "rationale": facts.rationale,
    }


def prompt_of(row: Row) -> dict[str, Any]:
    facts = row.facts
    return {
        "hash": facts.prompt_hash,
        "external_id": facts.external_id,
        "source": facts.source,
        "tags": facts.tags,
        "system": facts.system,
        "messages": facts.messages,
    }


def response_of(row: Row, response: Text) -> dict[str, Any]:
    described, flags = describe(response, row.facts.project_id), row.facts.flags
    return {**described, "flags": flags.get(str(response.id), [])} if flags else described


@lru_cache(maxsize=64)  # a task's judgements stand near one another
def describe(response: Text, project_id: int) -> dict[str, Any]:
    return {
        "hash": hash_text(response.text),
        "author": {"kind": response.author_kind, "name": response.author(project_id)},
        "text": response.text,
        "sampling": complete_sampling(response.sampling),
        "seed": response.seed,
        "token_count": response.token_count,
        "finish_reason": response.finish_reason,
        "flags": [],
    }


def complete_sampling(sampling: dict[str, Any]) -> dict[str, Any]:
    """The usual parameters first, null when unknown; then any others in the order of their names."""
    others = sorted(name for name in sampling if name not in SAMPLING)
    return {name: sampling.get(name) for name in (*SAMPLING, *others)}


def hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
