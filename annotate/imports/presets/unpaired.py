"""TRL's unpaired preference: responses called good or bad, each for itself.

Fields: prompt (text or messages), completion (text or messages of one turn), label (true or false). Source: TRL's page
"Dataset formats and types", form "unpaired preference"; the data of KTO.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from annotate.imports.conversations import check_response
from annotate.imports.presets.reading import annotator_in, conversation_in, model_in, object_in, prompt_of, yes_in
from annotate.imports.rows import JudgedRow, Options, ReadJudgement, ReadResponse, RowRefused, SaidRating
from annotate.kinds.options import Question

IS_GOOD = Question(key="good", label="Is a good response", points=2, names=("No", "Yes"))


def read_unpaired(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    system, turns = conversation_in(row, "prompt")
    completion = row.get("completion")
    if isinstance(completion, list):
        if len(completion) != 1 or not isinstance(completion[0], dict):
            raise RowRefused("“completion” must be text or one turn of the assistant")
        completion = completion[0].get("content")
    prompt = prompt_of(row, turns, "prompt, completion, label", system=system)
    response = ReadResponse(check_response(completion, "completion").strip(), model_in(row, "model", "author"))
    said = SaidRating({0: {IS_GOOD.key: 2 if yes_in(row, "label") else 1}}, (IS_GOOD,))
    return [JudgedRow(prompt, (response,), (ReadJudgement(said=said, about=(0,), annotator=annotator_in(row)),))]
