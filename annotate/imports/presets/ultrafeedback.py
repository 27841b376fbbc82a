"""UltraFeedback as its authors publish it: several completions of one instruction, each rated by a model.

Fields: source, instruction, completions: a list of {model, response, overall_score (1 to 10, halves too), annotations:
{helpfulness, honesty, instruction_following, truthfulness: {Rating (1 to 5 or N/A), …}}}. Source: openbmb/UltraFeedback
(Cui et al. 2023). Its binarised form is a judged pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotate.imports.conversations import user_turn
from annotate.imports.presets.reading import (
    annotator_in,
    list_in,
    model_in,
    number_in,
    object_in,
    prompt_of,
    response_in,
    text_in,
)
from annotate.imports.rows import JudgedRow, Options, ReadJudgement, RowRefused, SaidRating
from annotate.kinds.options import Question

HALVES = Question(
    key="overall", label="Overall, in half points", points=20, low="worst", high="10 of 10", required=False
)
ASPECTS = {
    "helpfulness": "Helpfulness",
    "honesty": "Honesty",
    "instruction_following": "Follows the instruction",
    "truthfulness": "Truthfulness",
}
QUESTIONS = (
    HALVES,
    *(Question(key=key, label=label, points=5, required=False) for key, label in ASPECTS.items()),
)


def read_ultrafeedback(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    completions = [object_in(completion) for completion in list_in(row, "completions")]
    prompt = prompt_of(row, user_turn(text_in(row, "instruction")), "UltraFeedback")
    responses = tuple(response_in(completion, "response", model_in(completion, "model")) for completion in completions)
    scores = {place: _scores(completion) for place, completion in enumerate(completions)}
    if not any(scores.values()):
        return [JudgedRow(prompt, responses)]
    said = SaidRating(scores, QUESTIONS)
    annotator = annotator_in(row) if annotator_in(row) != "imported" else "gpt-4"
    judgement = ReadJudgement(said=said, about=tuple(range(len(responses))), annotator=annotator)
    return [JudgedRow(prompt, responses, (judgement,))]


def _scores(completion: Mapping[str, Any]) -> dict[str, int]:
    scores: dict[str, int] = {}
    overall = number_in(completion, "overall_score")
    if overall is not None:
        if not (2 * overall).is_integer():
            raise RowRefused(f"“overall_score” is {overall:g}; it must be a number of halves from 0.5 to 10")
        scores[HALVES.key] = int(2 * overall)
    annotations = completion.get("annotations") or {}
    for key in ASPECTS:
        rating = number_in(object_in(annotations.get(key) or {}), "Rating")
        if rating is not None:
            scores[key] = int(rating)
    return scores
