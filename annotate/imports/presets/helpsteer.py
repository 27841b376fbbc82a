"""HelpSteer2: responses rated on five attributes, and its preferences with strength and reasons.

Ratings: prompt, response, helpfulness, correctness, coherence, complexity, verbosity (0 to 4, stored as 1 to 5).
Preferences: prompt, response_1, response_2, preference_strength (−3 the first much better … 3 the second),
preference_statement, preference_elaboration. A prompt of several turns has “<extra_id_1>User” and
“<extra_id_1>Assistant” between them. Source: nvidia/HelpSteer2 (Wang et al. 2024a and 2024b).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from annotate.imports.presets.reading import (
    Turns,
    annotator_in,
    conversation_in,
    model_in,
    object_in,
    prompt_of,
    response_in,
    text_in,
    whole_in,
)
from annotate.imports.rows import JudgedRow, Options, PromptRow, ReadJudgement, SaidComparison, SaidRating
from annotate.kinds.options import HELPFULNESS, RATING_PRESETS

TURN = re.compile(r"\n*<extra_id_1>(User|Assistant)\n")


def read_helpsteer(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    scores = {name: whole_in(row, name) + 1 for name in HELPFULNESS}
    said = SaidRating({0: scores}, RATING_PRESETS["helpfulness"])
    judgement = ReadJudgement(said=said, about=(0,), annotator=annotator_in(row))
    return [
        JudgedRow(_prompt(row, "HelpSteer2"), (response_in(row, "response", model_in(row, "model")),), (judgement,))
    ]


def read_helpsteer_preference(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    strength = whole_in(row, "preference_strength")
    reasons = (text_in(row, "preference_statement"), text_in(row, "preference_elaboration"))
    judgement = ReadJudgement(
        said=SaidComparison(strength, points=7),
        about=(0, 1),
        annotator=annotator_in(row),
        rationale="\n\n".join(filter(None, reasons)),
    )
    sides = (response_in(row, "response_1"), response_in(row, "response_2"))
    return [JudgedRow(_prompt(row, "HelpSteer2 preference"), sides, (judgement,))]


def _prompt(row: Mapping[str, Any], shape: str) -> PromptRow:
    prompt = row.get("prompt")
    if isinstance(prompt, str) and TURN.search(prompt):
        return prompt_of(row, _turns(prompt), shape)
    system, turns = conversation_in(row, "prompt")
    return prompt_of(row, turns, shape, system=system)


def _turns(prompt: str) -> Turns:
    first, *rest = TURN.split(prompt)
    roles = ["user", *(role.lower() for role in rest[::2])]
    turns = [{"role": role, "content": text.strip()} for role, text in zip(roles, [first, *rest[1::2]], strict=True)]
    return turns[:-1] if turns[-1] == {"role": "assistant", "content": ""} else turns
