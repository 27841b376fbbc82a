"""Forms of ratings: HelpSteer's attributes and UltraFeedback's annotations, raw and as pairs."""

from __future__ import annotations

from typing import Any

from annotate.exports.columns import MESSAGES, Columns
from annotate.exports.kinds.kind_export import Pair, Rated
from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.rows import Row
from annotate.exports.transcripts import conversation, reply

ATTRIBUTES = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
HELPSTEER: Columns = {"prompt": "text", "response": "text", **dict.fromkeys(ATTRIBUTES, "number")}
HIGHEST_ATTRIBUTE = 4  # of HelpSteer, from 0
HIGHEST_SCORE = 10  # of UltraFeedback, from 1
TURN = {"user": "\n<extra_id_1>User\n", "assistant": "\n<extra_id_1>Assistant\n"}

ULTRAFEEDBACK: Columns = {
    "source": "text",
    "instruction": "text",
    "models": ["text"],
    "completions": [
        {
            "model": "text",
            "custom_system_prompt": "text",
            "response": "text",
            "annotations": "json",
            "overall_score": "number",
            "critique": "text",
        }
    ],
}
BINARISED: Columns = {
    "prompt": "text",
    "prompt_id": "text",
    "chosen": MESSAGES,
    "rejected": MESSAGES,
    "score_chosen": "number",
    "score_rejected": "number",
}


def single_text(row: Row) -> str:
    """The prompt as HelpSteer2 writes it: the first turn as it is, each later one after a marker with its speaker."""
    first, *later = row.facts.messages
    turns = "".join(TURN[message["role"]] + message["content"] for message in later)
    return "\n\n".join(filter(None, [row.facts.system, first["content"] + turns]))


def rescale(value: int, points: int, low: int, high: int) -> float:
    """1 … points onto low … high; a whole number where it comes out as one."""
    scaled = low + (value - 1) * (high - low) / (points - 1)
    return int(scaled) if scaled == int(scaled) else scaled


def to_helpsteer(row: Row, rated: Rated) -> dict[str, Any]:
    """One response with its attributes from 0 to 4 (Wang et al. 2024, HelpSteer2); null is not asked.

    Where none of the five is asked for, the first question stands for helpfulness.
    """
    questions = {question["key"]: question["points"] for question in row.answer.questions}
    asked = {name: name for name in ATTRIBUTES if name in questions} or {"helpfulness": next(iter(questions))}
    scores = {
        name: rescale(score, questions[key], 0, HIGHEST_ATTRIBUTE)
        for name, key in asked.items()
        if (score := rated.scores.get(key)) is not None
    }
    attributes = {name: scores.get(name) for name in ATTRIBUTES}
    return {"prompt": single_text(row), "response": row.text(rated.place), **attributes}


def to_ultrafeedback(row: Row, all_rated: list[Rated]) -> dict[str, Any]:
    """A prompt with all its completions, as in openbmb/UltraFeedback (Cui et al. 2023).

    Ratings are text there, 1 the lowest; the overall score, from 1 to 10, is what the first question says.
    """
    completions = [complete(row, rated) for rated in all_rated]
    return {
        "source": row.facts.source,
        "instruction": single_text(row),
        "models": [completion["model"] for completion in completions],
        "completions": completions,
    }


def complete(row: Row, rated: Rated) -> dict[str, Any]:
    first = row.answer.questions[0]
    overall = rated.scores.get(first["key"])
    return {
        "model": row.responses[rated.place].author(row.facts.project_id),
        "custom_system_prompt": row.facts.system,
        "response": row.text(rated.place),
        "annotations": {
            key: {"Rating": str(value), "Rationale": ""} for key, value in rated.scores.items() if value is not None
        },
        "overall_score": None if overall is None else rescale(overall, first["points"], 1, HIGHEST_SCORE),
        "critique": row.facts.rationale,
    }


def to_binarised(row: Row, pair: Pair) -> dict[str, Any]:
    """A pair as in HuggingFaceH4/ultrafeedback_binarized: both sides whole conversations; scores where there are."""
    scores = scores_by_place(row)
    chosen, rejected = pair
    talk = conversation(row)
    return {
        "prompt": talk[-1]["content"],
        "prompt_id": row.facts.prompt_hash,
        "chosen": [*talk, *reply(row, chosen)],
        "rejected": [*talk, *reply(row, rejected)],
        "score_chosen": scores.get(chosen),
        "score_rejected": scores.get(rejected),
    }


def scores_by_place(row: Row) -> dict[int, float]:
    """What a rating's first question says of each response, from 1 to 10; nothing for other kinds."""
    rated = KIND_EXPORTS[row.facts.kind].rated(row)
    if not rated:
        return {}
    first = row.answer.questions[0]
    scores = {each.place: each.scores.get(first["key"]) for each in rated}
    return {
        place: rescale(score, first["points"], 1, HIGHEST_SCORE) for place, score in scores.items() if score is not None
    }
