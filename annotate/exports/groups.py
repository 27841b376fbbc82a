"""What Plumbline's own trainer reads: a prompt, its completions and what was said of them, one judgement a line.

`training/algorithms/groups.py` states the form. Completions keep the task's order; the label says which was better.
"""

from typing import Any

from annotate.exports.rows import Row


def to_group(row: Row) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "prompt": row.messages,
        "system": row.system,
        "completions": [row.first_text, row.second_text],
        "finish_reasons": [row.first_finish_reason, row.second_finish_reason],
        "label": to_label(row),
        "weight": row.weight,
        "meta": {"annotator": row.annotator, "kind": row.kind},
    }


def to_label(row: Row) -> dict[str, Any]:
    if row.preference == 0:
        return {"kind": "tie"}
    return {"kind": "pair", "chosen": row.chosen, "rejected": 1 - row.chosen, "strength": row.strength}
