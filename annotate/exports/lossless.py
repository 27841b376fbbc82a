"""Everything that was collected, nothing decided. The content hash of a snapshot is taken over these lines.

No database ids: a judgement is known by its submission id, a prompt and a response by the SHA-256 of what they say, a
person by a pseudonym.
"""

import hashlib
from datetime import UTC
from typing import Any

from annotate.exports.rows import Row

SAMPLING = ("temperature", "top_p", "max_tokens")  # always present, so that every line has the same fields


def to_lossless(row: Row) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "created_at": row.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "split": row.split,
        "weight": row.weight,
        "annotator": row.annotator,
        "imported": row.annotator_id is None,
        "guideline_version": row.guideline_version,
        "active_seconds": row.active_seconds,
        "gold": row.purpose == "gold",
        "surplus": row.is_surplus,
        "prompt": prompt_of(row),
        "responses": [first_response(row), second_response(row)],
        "answer": {
            "preference": row.preference,
            "points": row.points,
            "both_bad": row.both_bad,
            "first_on_left": row.first_on_left,
        },
        "rationale": row.rationale,
    }


def prompt_of(row: Row) -> dict[str, Any]:
    return {
        "hash": row.prompt_hash,
        "external_id": row.external_id,
        "source": row.source,
        "tags": row.tags,
        "system": row.system,
        "messages": row.messages,
    }


def first_response(row: Row) -> dict[str, Any]:
    return {
        "hash": hash_text(row.first_text),
        "author": {
            "kind": row.first_author_kind,
            "name": row.author_name(row.first_author_kind, row.first_author_name, row.first_author_user),
        },
        "text": row.first_text,
        "sampling": complete_sampling(row.first_sampling),
        "seed": row.first_seed,
        "token_count": row.first_token_count,
        "finish_reason": row.first_finish_reason,
        "flags": row.flags.get(str(row.first_id), []),
    }


def second_response(row: Row) -> dict[str, Any]:
    return {
        "hash": hash_text(row.second_text),
        "author": {
            "kind": row.second_author_kind,
            "name": row.author_name(row.second_author_kind, row.second_author_name, row.second_author_user),
        },
        "text": row.second_text,
        "sampling": complete_sampling(row.second_sampling),
        "seed": row.second_seed,
        "token_count": row.second_token_count,
        "finish_reason": row.second_finish_reason,
        "flags": row.flags.get(str(row.second_id), []),
    }


def complete_sampling(sampling: dict[str, Any]) -> dict[str, Any]:
    """The usual parameters first, null when unknown; then any others in the order of their names."""
    others = sorted(name for name in sampling if name not in SAMPLING)
    return {name: sampling.get(name) for name in (*SAMPLING, *others)}


def hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
