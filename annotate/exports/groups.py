"""What Plumbline's own trainer reads: a prompt, its completions and what was said of them, one judgement a line.

`training/algorithms/groups.py` states the form. Completions keep the task's order; the label says which was better.
"""

from typing import Any

from annotate.exports.columns import MESSAGES, Columns
from annotate.exports.kinds.kind_export import Group
from annotate.exports.rows import Row

GROUPS: Columns = {
    "id": "text",
    "prompt": MESSAGES,
    "system": "text",
    "completions": ["text"],
    "finish_reasons": ["text"],
    "label": "json",
    "weight": "number",
    "meta": {"annotator": "text", "kind": "text"},
}


def to_group(row: Row, group: Group) -> dict[str, Any]:
    facts = row.facts
    return {
        "id": facts.id,
        "prompt": facts.messages,
        "system": facts.system,
        "completions": [row.text(place) for place in group.places],
        "finish_reasons": [row.responses[place].finish_reason for place in group.places],
        "label": group.label,
        "weight": facts.weight,
        "meta": {"annotator": facts.annotator, "kind": facts.kind},
    }
